"""Columns, dtypes and keys of every table, and the one door they pass through.

Tables are tidy DataFrames keyed by `video` (file stem) and `frame_idx` (0-based in
the file, the same at any sampling rate). Missing is NaN.
"""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from utils.core.files import atomic_path
from utils.core.markup import guard_cells, unguard_cells
from utils.core.skeleton import FEATURE_COLUMNS

# A probability counts as this at least before its logarithm is taken, as in Keras: one
# sure mistake costs at most 16.1 nats.
LEAST_PROBABILITY = 1e-7
# Columns and models by names that a reader knows; files keep the names of programs.
WORDS: dict[str, str] = {
    **{"video": "film", "subject": "person", "label": "posture", "n": "out of"},
    **{"duration_s": "seconds", "fps": "pictures a second", "n_frames": "frames"},
    **{"width_px": "width", "height_px": "height", "rotation_deg": "turned by"},
    **{
        "is_vfr": "uneven pictures",
        "starts_at_s": "starts at (s)",
        "time_s": "time (s)",
    },
    **{"fps_fraction": "exactly", "sample_aspect_ratio": "pixel shape"},
    **{"frame_idx": "frame", "x_px": "x (pixels)", "y_px": "y (pixels)"},
    **{"score": "sure", "keypoint": "point", "start_s": "from (s)", "end_s": "to (s)"},
    **{"n_parameters": "weights", "accuracy": "right", "log_loss": "log loss"},
    **{"accuracy_sd": "spread of right", "log_loss_sd": "spread of log loss"},
    **{"seconds_to_best": "seconds to its best", "ms_per_frame": "ms a frame"},
    **{"upfront_s": "seconds before learning", "train_s": "seconds of learning"},
    **{"n_needed": "would decide", "n_lost": "nobody found"},
    **{"n_unpredicted": "without answer", "accuracy_survivors": "right where found"},
    **{"accuracy_lost_wrong": "right if the lost are wrong", "tried": "settings tried"},
    **{"ece": "off by", "ece_mended": "off by, mended", "log_loss_mended": "mended"},
    **{"temperature_mean": "temperature", "temperature_sd": "its spread"},
    **{
        "pose_softmax": "pose classifier",
        "pose_best": "best pose classifier",
        "mobilenet_frozen": "whole-picture classifier, frozen",
        "mobilenet_crop": "crop classifier, frozen",
        "pose_and_crop": "pose and crop together",
    },
    **{"mobilenet_finetuned": "whole-picture classifier, fine-tuned"},
    **{"mobilenet_crop_finetuned": "crop classifier, fine-tuned"},
    **{"majority": "commonest posture", "fold": "group"},
    **{"frames_right": "frames right", "n_bouts": "labelled stretches"},
    **{"n_found": "found", "n_missed": "missed", "n_extra": "not there"},
    **{"n_borders": "borders", "border_error_s": "borders off by (s)"},
    **{"n_people": "people", "temperature_min": "lowest temperature"},
    **{"temperature_max": "highest temperature"},
    **{"known_room": "right in rooms known", "in_new_room": "right in a new room"},
    **{"worst_room": "worst in", "worst_accuracy": "right there"},
}
# A name with two `$` in it is no formula, in whichever notebook a table is shown.
pd.set_option("display.html.use_mathjax", False)
pd.set_option("display.precision", 3)  # six decimals of a second help nobody


class TooFewError(ValueError):
    """A table holds too few people, or postures, for what is asked of it.

    Nothing is wrong: film or label more, and the same question is answered.
    """


@dataclass(frozen=True)
class Schema:
    """What a table must look like.

    Attributes:
        columns: Required columns with their dtype (`str`, `int64`, `float64`, …).
        key: Columns that together name a row; empty where rows need no name.
        optional: Further columns that may be there.
        prefix: Columns that start with this may be there too, as float64.
    """

    columns: dict[str, str]
    key: tuple[str, ...] = ()
    optional: dict[str, str] | None = None
    prefix: str = ""


_ZIP = b"PK\x03\x04"
_MARKS = {  # the longer first: UTF-32's begins as UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NUMBERS = {"float64": "a number", "float32": "a number", "int64": "a whole number"}
_DECIMAL_COMMA = re.compile(r"^([-+]?\d*),(\d+)$")
_FRAME_KEY = {"video": "str", "frame_idx": "int64"}

SCHEMAS: dict[str, Schema] = {
    "videos": Schema(
        {
            "video": "str",
            "path": "str",
            "sha256": "str",
            "duration_s": "float64",
            "fps": "float64",
            "n_frames": "int64",
            "width_px": "int64",
            "height_px": "int64",
            "rotation_deg": "int64",
            "is_vfr": "bool",
            "subject": "str",
        },
        key=("video",),
        optional={
            # Where players and other programs show 0, on the video's own clock, on
            # which `duration_s` is the end of the last picture.
            "starts_at_s": "float64",
            "fps_fraction": "str",
            "sample_aspect_ratio": "str",
            "codec": "str",
            "camera": "str",
            "advice": "str",
        },
    ),
    "subjects": Schema(
        {"video": "str", "subject": "str"},
        key=("video",),
        optional={"camera": "str", "rotation_deg": "float64"},
    ),
    "labels": Schema(
        {"video": "str", "start_s": "float64", "end_s": "float64", "label": "str"},
        optional={"annotator": "str", "labelled_at": "str"},
    ),
    "frames": Schema(
        {
            **_FRAME_KEY,
            "time_s": "float64",
            "path": "str",
            "width_px": "int64",
            "height_px": "int64",
            "sharpness": "float64",
        },
        key=("video", "frame_idx"),
    ),
    "keypoints": Schema(
        {
            **_FRAME_KEY,
            "keypoint": "str",
            "x_px": "float64",
            "y_px": "float64",
            "score": "float64",
        },
        key=("video", "frame_idx", "keypoint"),
    ),
    "features": Schema(
        {**_FRAME_KEY, **dict.fromkeys(FEATURE_COLUMNS, "float32")},
        key=("video", "frame_idx"),
    ),
    "samples": Schema(
        {**_FRAME_KEY, "time_s": "float64", "subject": "str", "label": "str"},
        key=("video", "frame_idx"),
        optional={"camera": "str", "path": "str", "fold": "int64"},
    ),
    "history": Schema(
        {
            "model": "str",
            "fold": "int64",
            "seed": "int64",
            "epoch": "int64",
            "seconds": "float64",
            "cpu_s": "float64",
            "loss": "float64",
            "accuracy": "float64",
            "val_loss": "float64",
            "val_accuracy": "float64",
        },
        key=("model", "fold", "seed", "epoch"),
    ),
    "predictions": Schema(
        {
            **_FRAME_KEY,
            "model": "str",
            "fold": "int64",
            "seed": "int64",
            "label": "str",
            "predicted": "str",
            "probability": "float64",
        },
        key=("model", "fold", "seed", "video", "frame_idx"),
        optional={"time_s": "float64", "subject": "str"},
        prefix="p_",
    ),
}


def check_table(table: pd.DataFrame, name: str, *, where: str = "") -> pd.DataFrame:
    """Check a table's columns and key, and give its columns their dtypes.

    Args:
        table: The table; it is not changed.
        name: A name in `SCHEMAS`.
        where: What to call it in errors, a file name say; default: `name`.

    Returns:
        Copy with the required columns first, in order, a fresh index, declared dtypes.

    Raises:
        ValueError: If a column is missing, unknown or cannot take its dtype, or if
            two rows have the same key.
    """
    schema, where = SCHEMAS[name], where or f"table {name!r}"
    optional = schema.optional or {}
    missing = [c for c in schema.columns if c not in table]
    if missing:
        raise ValueError(
            f"{where}: missing column {', '.join(missing)}; expected "
            f"{','.join(schema.columns)}, found {','.join(map(str, table.columns))}."
        )
    extra = [c for c in table if c not in schema.columns]
    prefixed = [c for c in extra if schema.prefix and str(c).startswith(schema.prefix)]
    unknown = [str(c) for c in extra if c not in optional and c not in prefixed]
    if unknown:
        raise ValueError(
            f"{where}: unknown column {', '.join(unknown)}; expected "
            f"{','.join([*schema.columns, *optional])}. Rename or remove it."
        )
    dtypes = {**schema.columns, **{c: optional.get(c, "float64") for c in extra}}
    checked = pd.DataFrame(
        {c: _cast_column(table[c], dtype, where) for c, dtype in dtypes.items()}
    ).reset_index(drop=True)
    _check_key(checked, schema.key, where)
    return checked


def _cast_column(column: pd.Series, dtype: str, where: str) -> pd.Series:
    """Give a column its dtype; text stays text, and missing text stays missing."""
    if dtype == "str":
        return column.where(column.isna(), column.astype(str)).astype("str")
    try:
        return column.astype(dtype)
    except (TypeError, ValueError) as error:
        numbers = pd.to_numeric(column, errors="coerce")
        bad = column[numbers.isna()]
        example = f", found {str(bad.iloc[0])[:40]!r}" if len(bad) else ""
        raise ValueError(
            f"{where}: expected {_NUMBERS.get(dtype, dtype)} in column {column.name}"
            f"{example}. Correct it."
        ) from error


def _check_key(table: pd.DataFrame, key: tuple[str, ...], where: str) -> None:
    """Raise `ValueError` if a key value is missing or two rows share a key."""
    if not key:
        return
    keys = table[list(key)]
    if keys.isna().to_numpy().any():
        row = keys.index[keys.isna().any(axis=1)][0]
        raise ValueError(f"{where}: row {row} has no {' / '.join(key)}. Fill it in.")
    twice = keys[keys.duplicated()]
    if len(twice):
        row = ", ".join(f"{c}={v!r}" for c, v in twice.iloc[0].items())
        raise ValueError(
            f"{where}: {len(twice)} rows repeat a key, first {row}; expected one row "
            f"for each {', '.join(key)}. Remove the repeats."
        )


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Read a table from CSV or Parquet (by suffix) and check it.

    CSV may come from any spreadsheet: UTF-8 with or without a byte-order mark, UTF-16
    or Windows' own encoding; separated by commas, semicolons or tabs; with decimal
    commas, empty rows, and empty cells at the ends of rows.

    Args:
        path: File to read.
        name: A name in `SCHEMAS`.

    Returns:
        The checked table.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it cannot be read as a table, or is not a table of this name.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"No {name} table at {path}.")
    columns = {**SCHEMAS[name].columns, **(SCHEMAS[name].optional or {})}
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            text = [column for column, dtype in columns.items() if dtype == "str"]
            cleaned = io.StringIO(newline="")
            rows = split_csv(path.read_bytes(), columns, where=path.name)
            if not rows:
                raise _UncleanError(
                    f"{path.name} is empty; expected a line of the columns "
                    f"{','.join(columns)} at least. Fill it in or delete it."
                )
            # its own ends of lines, "\r\n", are what it quotes within cells
            csv.writer(cleaned).writerows(row for _, row in rows)
            cleaned.seek(0)
            table = pd.read_csv(
                cleaned,
                dtype=dict.fromkeys(text, "str"),
                keep_default_na=False,
                na_values={column: [""] for column in columns},
            )
            table = unguard_cells(table)
    except (ValueError, OSError) as error:  # ArrowInvalid and ParserError among them
        if isinstance(error, _UncleanError):
            raise ValueError(str(error)) from error
        reason = str(error).strip().splitlines()[0] if str(error).strip() else "?"
        raise ValueError(
            f"{path.name} cannot be read as a table ({reason}). Correct or delete it."
        ) from error
    return check_table(table, name, where=path.name)


class _UncleanError(ValueError):
    """A CSV file cannot be read; the message is for the user."""


def split_csv(
    data: bytes, columns: Mapping[str, str], *, where: str
) -> list[tuple[int, list[str]]]:
    """Return the cells of a CSV file, without what spreadsheets add to it.

    Args:
        data: Content of the file, however a spreadsheet saved it: see `read_table`.
        columns: Known columns with their dtype, by which it is seen what separates
            cells and which may have decimal commas.
        where: Name of the file, for errors.

    Returns:
        Line in the file and cells of each row that is not empty, the header first,
        all of its length; cells without white space round them.

    Raises:
        ValueError: If it is not CSV; one sentence with the line.
    """
    # str.splitlines knows more line ends than CSV does.
    lines, n_above = list(io.StringIO(decode_text(data, where), newline="")), 0
    if lines and lines[0].lower().startswith("sep="):  # Excel's word to itself
        n_above, lines = 1, lines[1:]
    header = next((line for line in lines if line.strip(" ,;\t\r\n")), "")
    separator = _find_separator(header, columns)
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    try:
        rows = [
            (reader.line_num + n_above, [cell.strip() for cell in row])
            for row in reader
        ]
    except csv.Error as error:
        raise _UncleanError(
            f"{where}, line {reader.line_num + n_above}: not CSV ({error}). Correct or "
            "delete it."
        ) from error
    rows = [(line, row) for line, row in rows if any(row)]
    if not rows:
        return []
    header = [
        cell.lower() if cell.lower() in columns else cell
        for cell in _drop_empty_end(rows[0][1])
    ]
    twice = sorted(cell for cell, n in Counter(header).items() if cell and n > 1)
    if twice:
        raise _UncleanError(
            f"{where}: a column is there twice ({', '.join(twice)}). Remove one."
        )
    is_number = ["float" in columns.get(column, "") for column in header]
    cleaned = [(rows[0][0], header)]
    for line, row in rows[1:]:
        cells = _drop_empty_end(row)
        if len(cells) > len(header):
            raise _UncleanError(
                f"{where}, line {line}: expected {len(header)} cells, found "
                f"{len(cells)}. Put a name that holds a comma in double quotes."
            )
        cells += [""] * (len(header) - len(cells))
        cells = [
            _DECIMAL_COMMA.sub(r"\1.\2", cell) if is_number[idx] else cell
            for idx, cell in enumerate(cells)
        ]
        cleaned.append((line, cells))
    return cleaned


def decode_text(data: bytes, where: str) -> str:
    """Return a file's text, whatever a spreadsheet saved it as.

    Args:
        data: The file's content: UTF-8, UTF-16, UTF-32 or Windows' own.
        where: Name of the file, for errors.

    Raises:
        ValueError: If it is none of these; one sentence with the line.
    """
    if data.startswith(_ZIP):
        raise _UncleanError(
            f"{where} is a workbook or an archive, not text. Save it as 'CSV UTF-8'."
        )
    encoding = _find_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
    # What holds letters of UTF-8 is damaged UTF-8; Windows' own letters make none.
    if encoding == "utf-8-sig" and data.decode("utf-8", "ignore").isascii():
        with suppress(UnicodeDecodeError):
            return data.decode("cp1252")
    raise _UncleanError(
        f"{where}, line {line}: no text that can be read. Save it as 'CSV UTF-8'."
    )


def _find_encoding(data: bytes) -> str:
    """Return what a text is encoded in: by its mark, or the zeros of UTF-16."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    head = data[:64]
    if head[:1] and 3 * head[1::2].count(0) > len(head):
        return "utf-16-le"
    return "utf-16-be" if 3 * head[::2].count(0) > len(head) else "utf-8-sig"


def _find_separator(header: str, columns: Mapping[str, str]) -> str:
    """Return what separates cells: whatever leaves the most known names in the header.

    Commas, where it makes no difference.
    """

    def count_known(separator: str) -> int:
        cells = header.lower().split(separator)
        return len({cell.strip(' "\r\n') for cell in cells} & {*columns})

    return max((",", ";", "\t"), key=count_known)


def _drop_empty_end(row: list[str]) -> list[str]:
    """Return a row without the empty cells at its end."""
    n_cells = max((idx + 1 for idx, cell in enumerate(row) if cell), default=0)
    return row[:n_cells]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table of results as CSV, whole or not at all.

    Args:
        table: Any table; text that a spreadsheet would calculate is guarded.
        path: Where to; missing folders are made.
    """
    with atomic_path(Path(path)) as part:
        guard_cells(table).to_csv(part, index=False, lineterminator="\n")


def write_table(table: pd.DataFrame, path: Path, name: str) -> None:
    """Check a table and write it to CSV or Parquet (by suffix), whole or not at all.

    Args:
        table: The table.
        path: Where to; missing folders are made.
        name: A name in `SCHEMAS`.

    Raises:
        ValueError: If it is not a table of this name.
        OSError: If it cannot be written; the old file then stays as it was.
    """
    path = Path(path)
    checked = check_table(table, name, where=f"{name} for {path.name}")
    with atomic_path(path) as part:
        if path.suffix == ".parquet":
            checked.to_parquet(part, index=False)
        else:
            guard_cells(checked).to_csv(part, index=False, lineterminator="\n")
