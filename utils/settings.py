"""What a run may be told, and whether it can work, before the first film is touched.

Settings are the names in the notebook's cells tagged `settings` and `parameters`. They
come as `NAME=value` on the command line or, from make, in the environment: there no
shell and no make reads a folder's name as a command.
"""

import ast
import difflib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat

from utils.core.files import find_data, is_writable
from utils.core.tables import read_table

if TYPE_CHECKING:
    from utils.video.catalogue import Films

PREFIX = "POSENET_SET_"  # what make puts before a setting's name
TAGS = {"settings", "parameters"}
# Seen from where the user stands.
_FOLDERS = ("VIDEOS", "LABELS", "RESULTS", "IMPORT", "SAVED_MODEL")


def _is_positive(value: float) -> bool:
    return math.isfinite(value) and value > 0


# Setting -> what its value must satisfy, and how that is said. Names of networks and
# kinds of features are checked where they are known.
_RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "EVERY_S": (_is_positive, "seconds above 0, such as 0.2"),
    "N_FOLDS": (lambda value: value >= 2, "2 or more"),
    "SEEDS": (
        lambda value: value and all(type(x) is int and x >= 0 for x in value),
        "whole numbers from 0 on, such as [0, 1, 2]",
    ),
    "FILM_S": (_is_positive, "seconds above 0, such as 60.0"),
    "FILM_FPS": (_is_positive, "pictures a second, such as 15"),
    "CLASSIFIER": (lambda value: value in ("best", "softmax"), "best or softmax"),
    "BUDGET": (lambda value: value in ("quick", "full"), "quick or full"),
    "N_JOBS": (lambda value: value != 0, "a number of processes, or -1 for all cores"),
}


def read_defaults(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Read names and values of the cells tagged `settings` and `parameters`.

    Args:
        notebook: The notebook.

    Returns:
        Name to literal value, in the cells' order.

    Raises:
        ValueError: If there is no such cell.
    """
    defaults = {
        target.id: ast.literal_eval(node.value)
        for cell in notebook.cells
        if TAGS & set(cell.metadata.get("tags", []))
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    if not defaults:
        raise ValueError("poseNet.ipynb has no cell tagged `parameters`. Restore it.")
    return defaults


def list_given(
    arguments: Sequence[str], environment: Mapping[str, str] | None = None
) -> list[str]:
    """List what was set on the command line and by make, as `NAME=value`.

    Args:
        arguments: Texts such as `EVERY_S=0.5`; they come last and so win.
        environment: Where make has put its own; the process's if None.
    """
    environment = os.environ if environment is None else environment
    made = [
        f"{name.removeprefix(PREFIX)}={value}"
        for name, value in environment.items()
        if name.startswith(PREFIX)
    ]
    return [*made, *arguments]


def read_settings(
    settings: Sequence[str], notebook: nbformat.NotebookNode
) -> dict[str, Any]:
    """Turn `NAME=value` texts into values of the type that the notebook's own have.

    Args:
        settings: Texts such as `EVERY_S=0.5` or `VIDEOS=my films`.
        notebook: The notebook whose parameters they set.

    Returns:
        Name to value.

    Raises:
        ValueError: If a name is unknown or a value has another type.
    """
    defaults, values = read_defaults(notebook), {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in defaults:
            close = difflib.get_close_matches(name, defaults, n=1, cutoff=0.6)
            hint = f" Did you mean {close[0]}?" if close else ""
            raise ValueError(
                f"Unknown setting {setting!r}.{hint} Expected NAME=value with a NAME "
                f"out of {', '.join(defaults)}."
            )
        values[name] = _read_value(name, text, defaults[name])
    return values


def _read_value(name: str, text: str, default: object) -> object:
    """Read one value: text stays text, all else must be a literal of the same kind."""
    if isinstance(default, str):
        if not text.strip() and default:
            raise ValueError(f"{name} is empty. Give a value such as {default!r}.")
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, float) and type(value) is int:
        value = float(value)
    if type(value) is not type(default):
        raise ValueError(
            f"{name}={text}: expected a value like {default!r}. Correct the setting."
        )
    return value


def place_folders(settings: Mapping[str, Any], *, start: Path, root: Path) -> dict:
    """See folders from where the command was typed, for a run that works elsewhere.

    Args:
        settings: Name to value.
        start: Where the command was typed.
        root: Where the notebook will run: the project.

    Returns:
        The settings; folders that were given relative to another place are absolute.
    """
    if start.resolve() == root.resolve():
        return dict(settings)
    return {
        name: str(start / value)
        if name in _FOLDERS and value and "://" not in value
        else value
        for name, value in settings.items()
    }


def check_settings(values: Mapping[str, Any], *, root: Path) -> None:
    """Refuse what cannot work, before any film is touched.

    Args:
        values: All settings, defaults included.
        root: The project: where relative folders are seen from.

    Raises:
        ValueError: If a setting, the labels file or `videos.csv` cannot be used.
        OSError: If a folder is not there, or results cannot be written.
    """
    for name, (is_fine, words) in _RULES.items():
        if name in values and not is_fine(values[name]):
            raise ValueError(f"{name}={values[name]}: expected {words}.")
    from utils.pose.features import KINDS
    from utils.pose.looks import check_looks
    from utils.pose.networks import NETWORKS, choose_network

    if "FEATURES" in values and values["FEATURES"] not in KINDS:
        raise ValueError(
            f"FEATURES={values['FEATURES']}: expected {' or '.join(KINDS)}."
        )
    check_looks(values.get("LOOKS", "one"))
    given = values.get("SAVED_MODEL", "")
    if not given:
        choose_network(values.get("POSE_MODEL", next(iter(NETWORKS))))
    elif "://" not in given and not (root / given).is_dir():
        raise FileNotFoundError(f"SAVED_MODEL={given}: there is no such folder.")
    videos = values.get("VIDEOS", "")
    if "://" not in videos:
        _check_videos(root / videos, videos, root, _choose_films(values, root).folder)
    _check_labels(values, root)
    _check_results(values, root)


def _choose_films(values: Mapping[str, Any], root: Path) -> "Films":
    """Return the films that a run is about, and where their labels are."""
    from utils.video.catalogue import choose_films

    folder, labels = root / values.get("VIDEOS", ""), root / values.get("LABELS", "")
    return choose_films(folder, labels, also=root)


def _check_videos(folder: Path, given: str, root: Path, chosen: Path) -> None:
    """Refuse a VIDEOS without films, and a `videos.csv` that cannot be read."""
    from utils.video.catalogue import find_videos

    if folder.is_file():
        raise ValueError(
            f"VIDEOS={given} is a file. Give the folder that holds your films."
        )
    if not folder.is_dir():
        raise FileNotFoundError(
            f"VIDEOS={given}: there is no such folder. Give the one with your films."
        )
    find_videos([chosen, root])
    if (chosen / "videos.csv").exists():
        read_table(chosen / "videos.csv", "subjects")


def _check_labels(values: Mapping[str, Any], root: Path) -> None:
    """Refuse labels that cannot be read, line by line, whatever their films."""
    from utils.labelling.csv_store import parse_labels
    from utils.labelling.formats.convert import PROGRAMS

    labels, imported = root / values.get("LABELS", ""), values.get("IMPORT", "")
    program = values.get("PROGRAM", next(iter(PROGRAMS)))
    if labels.is_dir() and labels != root:
        raise ValueError(f"LABELS={values['LABELS']} is a folder. Give a CSV file.")
    labels = _find_labels(values, root)
    if labels.is_file():
        parse_labels(labels.read_bytes(), where=labels.name)
    if imported and not (root / imported).is_file():
        raise FileNotFoundError(f"IMPORT={imported}: there is no such file.")
    if program not in PROGRAMS:
        raise ValueError(f"PROGRAM={program}: expected {', '.join(PROGRAMS)}.")


def _find_labels(values: Mapping[str, Any], root: Path) -> Path:
    """Return the labels file, or the one that the films bring where there is none."""
    if "://" in values.get("VIDEOS", ""):
        return root / values.get("LABELS", "")
    films = _choose_films(values, root)
    return films.labels if films.labels.exists() else films.folder / "labels.csv"


def check_labels_fit(values: Mapping[str, Any], *, root: Path) -> None:
    """Refuse labels that reach beyond their films; what films are is kept on disk.

    Args:
        values: All settings, defaults included.
        root: The project: where relative folders are seen from.

    Raises:
        ValueError: If a label lies outside its film; the sentence names the line.
    """
    from utils.labelling.labels import read_labels
    from utils.video.catalogue import list_videos

    labels = _find_labels(values, root)
    if labels.is_file() and "://" not in values.get("VIDEOS", ""):
        folder = _choose_films(values, root).folder
        found, _ = list_videos(folder, also=root, data=root / find_data())
        read_labels(labels, found, skip_unknown=True)


def _check_results(values: Mapping[str, Any], root: Path) -> None:
    """Refuse a RESULTS in which a run would write over what people made."""
    given = values["RESULTS"]
    results = root / given
    if results.exists() and not results.is_dir():
        raise ValueError(f"RESULTS={given} is a file. Give a folder.")
    if results.resolve() == root.resolve():
        raise ValueError("RESULTS is the project's own folder. Choose another one.")
    videos = root / values.get("VIDEOS", "")
    if results.resolve() == videos.resolve():
        raise ValueError(
            f"RESULTS={given} is the folder of your films: a run would write over "
            "their videos.csv. Choose another one."
        )
    listed = results / "videos.csv"
    if listed.is_file():
        header = listed.open(encoding="utf-8", errors="replace").readline()
        if "sha256" not in header:  # a run's own list of films has it
            raise ValueError(
                f"RESULTS={given} holds a videos.csv that no run has written. Choose "
                "another folder, or move that file."
            )
    if not is_writable(results):
        raise PermissionError(f"RESULTS={given} cannot be written to. Choose another.")
