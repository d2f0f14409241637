"""Writes the tables of `utils/README.md`: every package, every module, every import.

python -m tests.house_map
"""

import ast
from pathlib import Path

from tests.test_architecture import MAY_IMPORT

UTILS = Path(__file__).parents[1] / "utils"
README = UTILS / "README.md"
MARK = "<!-- From here on written by `python -m tests.house_map`"


def read_first_line(path: Path) -> str:
    """Return the first line of a module's docstring."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.splitlines()[0] if text else ""


def draw_map() -> str:
    """Draw both tables, out of the docstrings and the import rule."""
    lines = ["## Packages and modules", ""]
    for package in [UTILS, *sorted(p.parent for p in UTILS.glob("*/**/__init__.py"))]:
        name = package.relative_to(UTILS).as_posix()
        if package == UTILS:
            lines += ["| module | |", "|---|---|"]
        else:
            lines += ["", f"### {name}", "", read_first_line(package / "__init__.py")]
            lines += ["", "| module | |", "|---|---|"]
        for path in sorted(package.glob("*.py")):
            if path.name != "__init__.py":
                link = path.relative_to(UTILS).as_posix()
                lines.append(f"| [{path.stem}]({link}) | {read_first_line(path)} |")
    lines += ["", "## Who may import whom", ""]
    lines += ["Tested by `tests/test_architecture.py`; the notebook uses all.", ""]
    lines += ["| | may import |", "|---|---|"]
    for name, others in MAY_IMPORT.items():
        lines.append(f"| {name} | {', '.join(sorted(others)) or 'none'} |")
    return "\n".join(lines) + "\n"


def read_parts() -> tuple[str, str]:
    """Return what is written by hand, mark included, and what is drawn below it."""
    by_hand, _, rest = README.read_text(encoding="utf-8").partition(MARK)
    ending, _, drawn = rest.partition("\n")
    return f"{by_hand}{MARK}{ending}\n", drawn


if __name__ == "__main__":
    README.write_text(f"{read_parts()[0]}\n{draw_map()}", encoding="utf-8")
