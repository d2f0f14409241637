"""Take labels in from another program, and hand them on: one call each.

Both sides count seconds from where players start a file, which is not always where its
clock starts: here, and nowhere else, times are put onto the film's own clock and back.
"""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import atomic_path, hash_file
from utils.core.names import normalise_name
from utils.core.tables import check_table, decode_text
from utils.labelling.actions import Action
from utils.labelling.csv_store import (
    check_name,
    check_overlaps,
    format_labels,
    parse_labels,
    split_labels,
)
from utils.labelling.formats.boris import format_boris, parse_boris
from utils.labelling.formats.elan import format_eaf, parse_eaf, parse_elan
from utils.labelling.formats.label_studio import format_label_studio, parse_label_studio
from utils.labelling.formats.matching import Row, VideoMatcher
from utils.labelling.journal import LabelLog
from utils.labelling.labels import check_labels, read_labels
from utils.labelling.spans import Span, cut_spans, find_gaps, round_time
from utils.labelling.state import normalise_spans

# Program -> what its file is called in a folder; ELAN has a file for each video.
PROGRAMS = {
    "boris": "labels_boris.tsv",
    "elan": "{video}.eaf",
    "label_studio": "labels_label_studio.json",
    "csv": "labels_export.csv",
}


def import_labels(
    path: Path,
    videos: pd.DataFrame,
    labels_path: Path,
    *,
    program: str,
    annotator: str = "",
    fps: float | None = None,
) -> pd.DataFrame:
    """Add labels that were made with another program to the labels file.

    They are written as labels in the widget are, the log first, and can be undone
    there, video by video. Labels that are there already stay: where the same person
    said something else of the same time, nothing is imported. A file that was imported
    before is not imported again: what was put right since is not undone by running
    the notebook once more.

    Args:
        path: What the program saved or exported. BORIS: tabular or aggregated events.
            ELAN: its `.eaf` file, or tab-delimited text. Label Studio: JSON with
            time-line regions. `csv`: a labels file like ours.
        videos: Table `videos`: films are found by their file names.
        labels_path: Labels CSV; it need not exist yet.
        program: `"boris"`, `"elan"`, `"label_studio"` or `"csv"`.
        annotator: Name for labels that are not signed.
        fps: Of `label_studio`: frames a second that it counted (`<Video frameRate>`),
            if not the film's own.

    Returns:
        Table `labels` of what the file says. Its `attrs["n_skipped"]` counts what has
        no duration or no label; `attrs["n_added"]` what was not there before.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One sentence with the file and the line; nothing was imported.
        LabelNotSavedError: If the labels cannot be written; nothing was imported.
    """
    path = Path(path)
    labels, places = _read(path, videos, program=program, fps=fps)
    if annotator:
        annotator = check_name(annotator, what="annotator")
        who = pd.Series(labels.get("annotator", np.nan), index=labels.index)
        labels = labels.assign(annotator=who.astype(object).fillna(annotator))
        labels = check_table(labels, "labels", where=path.name)
    hashes = dict(zip(videos["video"], videos["sha256"], strict=True))
    log = LabelLog(labels_path, hashes=hashes, annotator=annotator)
    signature = build_key(
        file=hash_file(path), program=program, annotator=annotator, fps=fps
    )
    actions, n_added = [], 0
    if signature in log.state.imports:
        labels.attrs["n_added"] = 0
        return labels
    for video, spans in split_labels(labels).items():
        kept = log.state.tracks[video].merge() if video in log.state.tracks else []
        at = np.flatnonzero(labels["video"] == video)
        for nth, span in zip(at, spans, strict=True):
            _check_agrees(span, kept, video, f"{path.name}, {places[nth]}")
        n_added += sum(bool(_find_new(span, kept)) for span in spans)
        together = normalise_spans([*kept, *spans])
        if together != kept:
            parts = {video: tuple(together)}
            known = log.find_hashes([video])
            taken = Action(
                "import", by=annotator, video=video, spans=parts, films=known
            )
            actions.append(replace(taken, old=signature))
    if actions:
        log.write(*actions)
    labels.attrs["n_added"] = n_added
    return labels


def _find_new(span: Span, kept: Sequence[Span]) -> list[tuple[float, float]]:
    """Return the parts of a span that its annotator has no label for yet."""
    own = [s for s in kept if s.annotator == span.annotator]
    return find_gaps(own, span.start_s, span.end_s)


def _check_agrees(span: Span, kept: Sequence[Span], video: str, where: str) -> None:
    """Raise `ValueError` if the same person has said something else of this time."""
    for other in kept:
        if (
            other.annotator == span.annotator
            and other.label != span.label
            and cut_spans([other], span.start_s, span.end_s) != [other]
        ):
            raise ValueError(
                f"{where}: {span.label!r} from {span.start_s:g} to {span.end_s:g} s of "
                f"{video} is labelled {other.label!r} already, and nothing was "
                "imported. Erase that label, or import with another annotator."
            )


def _read(
    path: Path, videos: pd.DataFrame, *, program: str, fps: float | None
) -> tuple[pd.DataFrame, list[str]]:
    """Read a file of another program: labels on the films' clocks, and their places."""
    _check_program(program)
    if not path.is_file():
        raise FileNotFoundError(f"No file of labels at {path}.")
    where, matcher = path.name, VideoMatcher(videos, path.name)
    if program == "csv":
        labels = parse_labels(path.read_bytes(), where=where)
        check_labels(labels, videos, where=where)
        labels.attrs["n_skipped"] = 0
        return labels.reset_index(drop=True), [f"line {n}" for n in labels.index]
    if program == "elan" and path.suffix.lower() == ".eaf":
        rows, n_skipped = parse_eaf(path, matcher)
    else:
        rows, n_skipped = _parse_text(path, matcher, program=program, fps=fps)
    if not rows and not n_skipped:
        raise ValueError(
            f"{where}: expected spans of time with a label, found none. Export what "
            "you labelled."
        )
    # A name can be made of what nobody sees.
    named = [row for row in rows if normalise_name(row.label)]
    labels = _check(named, videos, where)
    labels.attrs["n_skipped"] = n_skipped + len(rows) - len(named)
    return labels, [row.place for row in named]


def _parse_text(
    path: Path, matcher: VideoMatcher, *, program: str, fps: float | None
) -> tuple[list[Row], int]:
    """Read a text that another program exported."""
    try:
        text = decode_text(path.read_bytes(), path.name)
        if program == "boris":
            return parse_boris(text, matcher)
        if program == "elan":
            return parse_elan(text, matcher, path.stem)
        return parse_label_studio(text, matcher, fps)
    except csv.Error as error:
        raise ValueError(
            f"{path.name} is not a table ({error}). Export again."
        ) from error


def _check(rows: Iterable[Row], videos: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return what a reader found as a checked table, on the films' own clocks."""
    starts_s, table = _find_starts(videos), []
    for row in rows:
        place = f"{where}, {row.place}"
        try:
            label = check_name(row.label, what="label")
            who = check_name(row.annotator, what="annotator") if row.annotator else None
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from None
        start_s, end_s = (round_time(t) for t in (row.start_s, row.end_s))
        if not start_s < end_s:
            raise ValueError(
                f"{place}: {label!r} ends at {end_s:g} s, not after its start at "
                f"{start_s:g} s. Correct it."
            )
        at_s = starts_s[row.video]
        times_s = round_time(start_s + at_s), round_time(end_s + at_s)
        table.append((row.video, *times_s, label, who))
    columns = ["video", "start_s", "end_s", "label", "annotator"]
    found = pd.DataFrame(table, columns=columns)
    if found["annotator"].isna().all():
        found = found.drop(columns="annotator")
    places = [row.place for row in rows]
    check_labels(found, videos, where=where, places=places)
    check_overlaps(found, where=where, places=places)
    return check_table(found, "labels", where=where)


def _find_starts(videos: pd.DataFrame) -> dict[str, float]:
    """Return where players start each film, on its own clock."""
    # On reading, a table of before may lack it.
    starts_s = videos.get("starts_at_s", pd.Series(0.0, index=videos.index)).fillna(0.0)
    return dict(zip(videos["video"], starts_s, strict=True))


def _check_program(program: str) -> None:
    """Raise `ValueError` unless a program is known."""
    if program not in PROGRAMS:
        raise ValueError(f"Expected program {' | '.join(PROGRAMS)}, got {program!r}.")


def export_labels(
    labels_path: Path,
    videos: pd.DataFrame,
    path: Path,
    *,
    program: str,
    videos_at: str = "",
    overwrite: bool = False,
) -> list[Path]:
    """Write the labels for another program, each file whole or not at all.

    Args:
        labels_path: Labels CSV.
        videos: Table `videos`; labels of other videos are left out.
        path: A folder, or, but for ELAN, a file.
        program: `"boris"` (tabular events), `"elan"` (an `.eaf` file a video),
            `"label_studio"` (tasks to import) or `"csv"` (a labels file like ours).
        videos_at: Of `label_studio`: what it finds the films at, before their file
            names, such as `/data/local-files/?d=films/`.
        overwrite: Replace files that are there and say something else.

    Returns:
        The files written, and those that said the same already.

    Raises:
        FileExistsError: If a file is there, says something else, and `overwrite` is
            not given; nothing was written.
        ValueError: If the program is not known, or the labels cannot be read.
        OSError: If a file cannot be written.
    """
    _check_program(program)
    labels, path = read_labels(labels_path, videos, skip_unknown=True), Path(path)
    if program != "csv":  # ours keeps to the film's own clock
        starts_s = labels["video"].map(_find_starts(videos)).astype(float)
        for column in ("start_s", "end_s"):
            labels[column] = (labels[column] - starts_s).clip(lower=0)
    if path.is_dir() or not path.suffix or program == "elan":
        path = path / PROGRAMS[program]
    if program == "elan":
        facts = videos.set_index("video")
        files = {
            path.with_name(f"{video}.eaf"): format_eaf(rows, facts.loc[video])
            for video, rows in labels.groupby("video", sort=False)
        }
    else:
        files = {path: _format(labels, videos, program, videos_at)}
    others = [p for p in files if p.exists() and p.read_bytes() != files[p]]
    if others and not overwrite:
        raise FileExistsError(
            f"{others[0].name} is in {others[0].parent} already and says something "
            "else. Export to another folder, or allow it with overwrite=True."
        )
    for one, content in files.items():
        with atomic_path(one) as part:
            part.write_bytes(content)
    return list(files)


def _format(
    labels: pd.DataFrame, videos: pd.DataFrame, program: str, videos_at: str
) -> bytes:
    """Return the one file that holds the labels of all videos."""
    if program == "boris":
        return format_boris(labels, videos).encode()
    if program == "label_studio":
        return format_label_studio(labels, videos, videos_at=videos_at).encode()
    spans = split_labels(labels).items()
    return format_labels((video, span) for video, part in spans for span in part)
