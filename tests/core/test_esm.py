"""Joining ES modules into one script."""

from pathlib import Path

import pytest

from utils.core.esm import join_modules


def write_modules(folder: Path, **texts: str) -> Path:
    """Write `name.js` for each text; return the path of `main.js`."""
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text)
    return folder / "main.js"


def test_join_modules_runs_each_once_after_what_it_imports(tmp_path: Path) -> None:
    main = write_modules(
        tmp_path,
        a="export const x = 1;\n",
        b='import { x } from "./a.js";\nexport function y() {\n  return x;\n}\n',
        main='import { x as one } from "./a.js";\nimport { y } from "./b.js";\n',
    )
    joined = join_modules(main)
    assert joined.count("const x = 1") == 1
    assert joined.index("// a.js") < joined.index("// b.js") < joined.index("// main")
    assert "const { x: one } = module0;" in joined
    assert "return { y: y };" in joined
    assert "import" not in joined


def test_join_modules_takes_lists_defaults_and_packages(tmp_path: Path) -> None:
    main = write_modules(
        tmp_path,
        tool="var a = 1;\nvar b = 2;\nexport {\n  a,\n  b as c\n};\n",
        main='import { c } from "@some/tool";\nexport default { render: c };\n',
    )
    joined = join_modules(
        main, packages={"@some/tool": tmp_path / "tool.js"}, default=True
    )
    assert "return { a: a, c: b };" in joined
    assert joined.endswith("export default module1.default;\n")


def test_join_modules_refuses_a_circle_and_what_it_does_not_know(
    tmp_path: Path,
) -> None:
    main = write_modules(tmp_path, main='import { x } from "./main.js";\n')
    with pytest.raises(ValueError, match="in a circle"):
        join_modules(main)
    main.write_text('export * from "./other.js";\n')
    with pytest.raises(ValueError, match=r"main\.js has a statement"):
        join_modules(main)
