"""Which package may import which, and what an import may not cost."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

UTILS = Path(__file__).parents[1] / "utils"

# package -> the packages of utils/ that it may import; what is not named may use none.
MAY_IMPORT: dict[str, set[str]] = {
    "core": set(),
    "video": {"core"},
    "frames": {"core", "video", "pose"},  # poses are found while a frame is decoded
    "pose": {"core"},
    # look-alikes: by what the classifier sees; the widget comes into view on `YourTurn`
    "labelling": {"core", "pose", "screen"},
    "training": {"core"},
    "evaluation": {"core"},
    # a saved classifier on a new film: the way from the film to the posture once more
    "predict": {"core", "video", "frames", "pose", "screen", "training"},
    # what is exported is the feature rule and the classifier itself, not a copy of them
    # (the live page reads `model_json`, and `forms` writes the page among the others)
    "export": {"core", "live", "pose", "predict", "screen", "training"},
    # recorded spans are labels, and a page carries what an export does
    "live": {"core", "export", "labelling", "training"},
    "plots": {"core"},
    # a question fits, scores and draws, and makes changed pictures of its own
    "questions": {
        *("core", "video", "frames", "pose", "labelling"),
        *("training", "evaluation", "predict", "plots", "export", "live"),
    },
    # the study joins what may not know of each other
    "study": {
        *("core", "frames", "pose", "labelling", "training", "evaluation"),
        *("questions", "screen"),
    },
    # another set of films, scored: the joints of a study once more, without fitting
    "elsewhere": {
        *("core", "video", "frames", "labelling", "training", "evaluation"),
        *("predict", "questions", "screen"),
    },
    "screen": {"core"},
    "report": {"core", "screen"},
    "settings": {"core", "pose", "video", "labelling"},
    "lab": {"core"},
    "run": {"core", "report", "screen", "settings"},
}

HEAVY = {"tensorflow", "keras", "cv2", "ipywidgets", "anywidget", "tensorflow_hub"}
# package -> heavy packages it may pull in at import
MAY_LOAD: dict[str, set[str]] = {
    "utils.labelling.widget": {"anywidget", "ipywidgets"},
    "utils.live": {"anywidget", "ipywidgets"},
}
MAX_MODULES = 11

MODULES = sorted(
    ".".join(path.relative_to(UTILS.parent).with_suffix("").parts)
    for path in UTILS.rglob("*.py")
    if path.name != "__init__.py"
)
FOLDERS = sorted({path.parent for path in UTILS.rglob("*.py")})


def _find_imports(module: str) -> set[str]:
    """Return the full names of the modules of utils/ that a module imports."""
    path = (UTILS.parent / module.replace(".", "/")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    # What is imported for the eyes of a type checker alone joins nothing.
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ]
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            if node.module.split(".")[0] == "utils":
                found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
        elif isinstance(node, ast.Import):
            found |= {a.name for a in node.names if a.name.startswith("utils")}
    return found


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_only_the_packages_it_may(module: str) -> None:
    package = module.split(".")[1]
    assert package in MAY_IMPORT, f"Add {package} and what it may import."
    imported = {name.split(".")[1] for name in _find_imports(module) if "." in name}
    assert imported - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("module", MODULES)
def test_what_a_module_imports_is_there_also_inside_its_functions(module: str) -> None:
    path = (UTILS.parent / module.replace(".", "/")).with_suffix(".py")
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("utils"):
            source = importlib.import_module(node.module)
            missing = [a.name for a in node.names if not hasattr(source, a.name)]
            assert not missing, f"{node.module} has no {', '.join(missing)}"


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {m: _find_imports(m) & set(MODULES) for m in MODULES}
    while leaves := {m for m, imports in graph.items() if not imports & set(graph)}:
        graph = {m: imports for m, imports in graph.items() if m not in leaves}
    assert not graph, f"These import each other: {sorted(graph)}."


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_folder_holds_few_modules_and_names_them_all_in_its_stub(
    folder: Path,
) -> None:
    modules = {p.stem for p in folder.glob("*.py")} - {"__init__", "__main__"}
    assert len(modules) <= MAX_MODULES
    tree = ast.parse((folder / "__init__.pyi").read_text(encoding="utf-8"))
    named = {
        (node.module or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    packages = {p.parent.name for p in folder.glob("*/__init__.py")}
    assert named <= modules | packages
    assert modules | packages <= named | {"run", "lab"}  # commands


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_importing_a_package_loads_no_heavy_package_it_does_not_need(
    folder: Path,
) -> None:
    package = ".".join(folder.relative_to(UTILS.parent).parts)
    modules = [m for m in MODULES if m.rpartition(".")[0] == package]
    code = f"import sys, {', '.join([package, *modules])}; "
    code += f"print(*({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=UTILS.parent,
    )
    assert set(done.stdout.split()) <= MAY_LOAD.get(package, set())
