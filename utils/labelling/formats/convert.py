"""Import and export labels: our CSV, BORIS, ELAN and Label Studio."""

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import atomic_path
from utils.core.tables import check_table
from utils.labelling.csv_store import (
    check_name,
    check_overlaps,
    format_labels,
    parse_labels,
    split_labels,
)
from utils.labelling.formats.boris import format_boris, parse_boris
from utils.labelling.formats.elan import format_elan, parse_elan
from utils.labelling.formats.label_studio import format_label_studio, parse_label_studio
from utils.labelling.spans import round_time

KINDS = ("csv", "boris", "elan", "label_studio")


def import_labels(
    path: Path, videos: pd.DataFrame, *, kind: str, fps: float | None = None
) -> pd.DataFrame:
    """Read labels that another tool exported.

    Args:
        path: The file.
        videos: Table `videos`.
        kind: `"csv"`: our spans; `"boris"`: tabular or aggregated events; `"elan"`:
            tab-delimited text, whose file name is the video's where it does not say;
            `"label_studio"`: JSON with time-line regions.
        fps: Of `label_studio`: frames a second it counted, if not the film's own.

    Returns:
        Table `labels`. Its `attrs["n_skipped"]` counts what has no duration.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One sentence with the file and the line, or if `kind` is not known.
    """
    path = Path(path)
    if kind not in KINDS:
        raise ValueError(f"Expected kind {' | '.join(KINDS)}, got {kind!r}.")
    if not path.is_file():
        raise FileNotFoundError(f"No file of labels at {path}.")
    if kind == "csv":
        return parse_labels(path.read_bytes(), where=path.name).reset_index(drop=True)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path.name} is not UTF-8 text. Export it as UTF-8."
        ) from error
    n_points = 0
    try:
        if kind == "boris":
            found, n_points = parse_boris(text, where=path.name)
        elif kind == "elan":
            found = parse_elan(text, where=path.name, video=path.stem)
        else:
            found = parse_label_studio(text, videos, where=path.name, fps=fps)
    except csv.Error as error:
        raise ValueError(
            f"{path.name} is not a table ({error}). Export again."
        ) from error
    labels = _check(found, path.name)
    labels.attrs["n_skipped"] = n_points
    return labels


def _check(found: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return what a reader found as a checked table `labels`."""
    found = found.copy()
    for line, row in found.iterrows():
        place = f"{where}, line {line}"
        try:
            for name in ("video", "label"):
                found.loc[line, name] = check_name(row[name], what=name)
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        if not round_time(row["start_s"]) < round_time(row["end_s"]):
            raise ValueError(
                f"{place}: {row['label']!r} ends at {row['end_s']:g} s, not after its "
                f"start at {row['start_s']:g} s. Correct it."
            )
    times = ["start_s", "end_s"]
    found[times] = found[times].astype(float).round(3)
    if "annotator" in found and not found["annotator"].astype(bool).any():
        found = found.drop(columns="annotator")
    elif "annotator" in found:
        found["annotator"] = found["annotator"].replace("", np.nan)
    check_overlaps(found, where=where)
    return check_table(found, "labels", where=where)


def export_labels(
    labels: pd.DataFrame,
    path: Path,
    videos: pd.DataFrame,
    *,
    kind: str,
    options: Mapping[str, object] | None = None,
) -> None:
    """Write labels for another tool, whole or not at all.

    Args:
        labels: Table `labels`.
        path: Where to.
        videos: Table `videos`; only `csv` keeps labels of other videos.
        kind: As for `import_labels`; `boris` writes tabular events.
        options: Of `label_studio`: see `format_label_studio`.

    Raises:
        ValueError: If `kind` is not known.
        OSError: If it cannot be written.
    """
    if kind not in KINDS:
        raise ValueError(f"Expected kind {' | '.join(KINDS)}, got {kind!r}.")
    if kind == "csv":
        spans = split_labels(labels).items()
        text = format_labels((v, span) for v, part in spans for span in part).decode()
    elif kind == "boris":
        text = format_boris(labels, videos)
    elif kind == "elan":
        text = format_elan(labels, videos)
    else:
        text = format_label_studio(labels, videos, **(options or {}))
    with atomic_path(Path(path)) as part:
        part.write_bytes(text.encode())
