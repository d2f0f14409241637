"""Join the front end's ES modules into the one module that a widget takes.

A widget's script reaches the browser as text (anywidget's `_esm`), where `import` of a
file beside it finds nothing. Bundlers need Node, which users shall not need; and the
modules here import only each other, by name. So it is enough to write them one after
the other, each after what it imports, without the lines that import and export.
"""

import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_DECLARED = re.compile(
    r"^(export )?(?:async )?(?:function|class|const|let) +(\w+)", re.MULTILINE
)


def join_modules(entry: Path) -> str:
    """Join an ES module with all that it imports, directly or not, into one.

    Args:
        entry: The module that holds the default export.

    Returns:
        The text of one ES module without imports.

    Raises:
        FileNotFoundError: If a module that is imported does not exist.
        ValueError: If modules import each other in a circle, import what is not
            exported, are imported in another way than `import { a, b } from "./c.js";`,
            or two of them declare the same name.
    """
    joined: dict[Path, str] = {}
    declared: dict[str, Path] = {}
    exported: dict[Path, set[str]] = {}

    def add(path: Path, importers: tuple[Path, ...]) -> None:
        if path in importers:
            circle = " -> ".join(each.name for each in (*importers, path))
            raise ValueError(f"Modules import each other in a circle: {circle}.")
        if path in joined:
            return
        text = path.read_text(encoding="utf-8")
        for names, source in _IMPORT.findall(text):
            imported = (path.parent / source).resolve()
            add(imported, (*importers, path))
            wanted = {name.strip() for name in names.split(",")} - {""}
            if missing := wanted - exported[imported]:
                raise ValueError(f"{path.name}: {source} does not export {missing}.")
        body = _IMPORT.sub("", text)
        if odd := re.search(r"^(import\b|export (\{|\*)).*", body, re.MULTILINE):
            raise ValueError(
                f"{path.name}: expected `import {{ a, b }} from "
                f'"./c.js";` and `export` before a declaration, got `{odd[0]}`.'
            )
        _declare(path, body, declared)
        exported[path] = {name for export, name in _DECLARED.findall(body) if export}
        is_entry = not importers  # its default export is that of the whole
        joined[path] = body if is_entry else re.sub(r"(?m)^export ", "", body)

    add(entry.resolve(), ())
    return "\n".join(joined.values())


def _declare(path: Path, body: str, declared: dict[str, Path]) -> None:
    """Note the names that a module declares; in one module none can stand twice."""
    for _, name in _DECLARED.findall(body):
        if name in declared:
            raise ValueError(
                f"{name} is declared in {declared[name].name} and in {path.name}: "
                "joined they would clash. Rename one."
            )
        declared[name] = path
