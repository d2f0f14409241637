"""Joins small ES modules into one script, without Node.

A notebook widget takes its front end as one string, and a page opened from disk may
load no module files. What is understood is what this project's modules use: `import`
and `export` statements that begin a line. Each module keeps a scope of its own, so
that two may use the same name.
"""

import re
from collections.abc import Mapping
from pathlib import Path

_IMPORT = re.compile(
    r"""^import\s+(?:\{(?P<names>[^}]*)\}\s+from\s+)?["'](?P<source>[^"']+)["'];?""",
    re.MULTILINE,
)
_EXPORT = re.compile(
    r"^export\s+(?P<kind>async\s+function\*?|function\*?|class|const|let)\s+"
    r"(?P<name>[\w$]+)",
    re.MULTILINE,
)
_LIST = re.compile(r"^export\s*\{(?P<names>[^}]*)\};?", re.MULTILINE)
_DEFAULT = re.compile(r"^export\s+default\s+(?P<what>[^;]+);", re.MULTILINE)
_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)


def join_modules(
    entry: Path, *, packages: Mapping[str, Path] | None = None, default: bool = False
) -> str:
    """Join a module and all that it imports.

    Args:
        entry: The module to start from.
        packages: File of each name imported that is no path, such as `@scope/name`.
        default: Whether to end with `export default` of the entry's own default, as a
            widget's front end does; without it the text is a classic script.

    Returns:
        One script. Modules run once each, what they import first.

    Raises:
        FileNotFoundError: If a module is not there.
        ValueError: If modules import each other in a circle, or a statement is not
            understood.
    """
    names: dict[Path, str] = {}
    parts: list[str] = []
    _add_module(Path(entry).resolve(), packages or {}, names, parts)
    last = names[Path(entry).resolve()]
    ending = f"export default {last}.default;\n" if default else ""
    return "".join(parts) + ending


def _add_module(
    path: Path, packages: Mapping[str, Path], names: dict[Path, str], parts: list[str]
) -> str:
    """Append a module after those it imports; return the name that holds its exports.

    A module that is being read has the name "" (so a circle is seen).
    """
    if names.get(path) == "":
        raise ValueError(f"{path.name} imports itself in a circle. Break the circle.")
    if path in names:
        return names[path]
    names[path] = ""
    text = _MAP.sub("", path.read_text(encoding="utf-8"))

    def bind(match: re.Match) -> str:
        found = packages.get(match["source"]) or path.parent / match["source"]
        module = _add_module(Path(found).resolve(), packages, names, parts)
        if match["names"] is None:
            return ""
        picked = ", ".join(": ".join(pair) for pair in _split(match["names"]))
        return f"const {{ {picked} }} = {module};"

    text, exports = _take_exports(_IMPORT.sub(bind, text))
    if left := re.search(r"^(import|export)\b.*", text, re.MULTILINE):
        raise ValueError(
            f"{path.name} has a statement that is not understood: {left[0]!r}. Use "
            "`import { a } from`, `export function` and the like, or `export default`."
        )
    names[path] = f"module{len(parts)}"
    given = ", ".join(f"{outer}: {local}" for outer, local in exports.items())
    parts.append(
        f'const {names[path]} = (() => {{ "use strict"; // {path.name}\n{text}\n'
        f"return {{ {given} }};\n}})();\n"
    )
    return names[path]


def _take_exports(text: str) -> tuple[str, dict[str, str]]:
    """Return a module's text without the word `export`, and outer to inner names."""
    exports: dict[str, str] = {}

    def keep(match: re.Match) -> str:
        exports[match["name"]] = match["name"]
        return f"{match['kind']} {match['name']}"

    def keep_list(match: re.Match) -> str:
        exports.update({pair[-1]: pair[0] for pair in _split(match["names"])})
        return ""

    def keep_default(match: re.Match) -> str:
        exports["default"] = "default_"
        return f"const default_ = {match['what']};"

    text = _DEFAULT.sub(keep_default, text)
    return _LIST.sub(keep_list, _EXPORT.sub(keep, text)), exports


def _split(names: str) -> list[list[str]]:
    """Return the names between the braces of a statement; `a as b` gives two."""
    parts = (name.strip() for name in names.split(","))
    return [re.split(r"\s+as\s+", part) for part in parts if part]
