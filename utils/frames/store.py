"""Where the results of a film lie on disk, and whether they are whole.

A results folder holds

    every_0.2s-1a2b3c4d/person1_a.parquet     a table a film; the folder reads as one
    every_0.2s-1a2b3c4d/_settings.json        what the folder's name stands for
    pictures/person1_a-0123456789abcdef/0000/ pictures, a folder a minute of film
    .pieces/person1_a-0123456789abcdef/       minutes of a film that is being made

A table carries the key of all that decides it; with another key it is out of date.
"""

import json
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from utils.core.cache import build_key
from utils.core.remote import Address, join, open_binary, sum_sizes
from utils.core.tables import SCHEMAS
from utils.frames.workspace import (
    list_sizes,
    open_workspace,
    publish_file,
    publish_folder,
)

_ARROW = {"str": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
_MAX_NAME = 100


@dataclass(frozen=True)
class Product:
    """One kind of result of one film.

    Attributes:
        name: `frames` or `keypoints`.
        root: Folder of the results: a `Path`, or an address of another store.
        settings: Name of the folder inside `root` for these settings.
        video: The film's stem.
        key: Names all that decides the result: film, settings, model, code.
        has_pictures: Whether `frames` come with pictures; without, `path` is missing.
    """

    name: str
    root: Address
    settings: str
    video: str
    key: str
    has_pictures: bool = True

    @property
    def table_path(self) -> Address:
        """The film's finished table."""
        return join(self.root, self.settings, f"{_file_name(self.video)}.parquet")

    @property
    def folder_name(self) -> str:
        """Name of the folder of the film's pictures or pieces."""
        return f"{_file_name(self.video)}-{self.key}"

    @property
    def pieces_dir(self) -> Path:
        """Folder of the tables of minutes that are done while the film is not."""
        return Path(self.root, ".pieces", self.folder_name)

    @property
    def pictures_dir(self) -> Address:
        """Folder of the film's pictures, one folder a piece inside."""
        return join(self.root, "pictures", self.folder_name)

    @property
    def schema(self) -> pa.Schema:
        """Columns and types of the table."""
        columns = SCHEMAS[self.name].columns
        return pa.schema([(name, _ARROW[dtype]) for name, dtype in columns.items()])


def name_settings(every_s: float, **parts: object) -> str:
    """Name the folder of one set of settings, readably and without clashes.

    Args:
        every_s: Seconds between pictures.
        **parts: All else that decides the results but for the film.

    Returns:
        For example `every_0.2s-1a2b3c4d`.
    """
    return f"every_{every_s:g}s-{build_key(every_s=every_s, **parts)[:8]}"


def write_settings(root: Path, settings: str, parts: dict[str, object]) -> None:
    """Say in `_settings.json` what a settings folder's name stands for.

    Args:
        root: Folder of the results.
        settings: Name of the settings folder.
        parts: What it stands for.
    """
    path = root / settings / "_settings.json"
    if not path.exists():
        with open_workspace(root) as work:  # swept, should this process die here
            part = work / path.name
            part.write_text(json.dumps(parts, indent=2, sort_keys=True) + "\n")
            publish_file(part, path)


def find_pieces(product: Product) -> set[int]:
    """Return the numbers of the pieces of an unfinished film that are done."""
    return {int(path.stem) for path in product.pieces_dir.glob("[0-9]*.parquet")}


def write_piece(product: Product, piece: int, columns: dict, work: Path) -> None:
    """Put a finished piece in its place: first its pictures, then its table.

    Args:
        product: What it is a piece of.
        piece: Its number, from 0.
        columns: Its table's columns, without `video`; empty for a piece without frames.
        work: Workspace; pictures, if any, lie in its folder named by the piece.
    """
    n_rows = len(columns.get("frame_idx", ()))
    columns = {"video": [product.video] * n_rows, **columns}
    pictures = work / f"{piece:04d}"
    n_bytes = sum(list_sizes(pictures).values())
    if pictures.is_dir():
        publish_folder(pictures, product.pictures_dir / pictures.name)
    table = pa.table({c: columns.get(c, []) for c in product.schema.names})
    table = table.cast(product.schema).replace_schema_metadata(
        {"n_bytes": f"{n_bytes}"}
    )
    part = work / f"{piece:04d}.{product.name}.parquet"
    pq.write_table(table, part)
    publish_file(part, product.pieces_dir / f"{piece:04d}.parquet")


def merge_pieces(
    product: Product, work: Path, *, n_pieces: int, problem: str = ""
) -> None:
    """Make the film's final table of its pieces, one row group each; remove them.

    Args:
        product: What to finish. Where another run finished it first, that stays.
        work: Workspace.
        n_pieces: How many pieces the film has; any beyond are dropped.
        problem: What was wrong with the film, to be told again when it is read.

    Raises:
        FileNotFoundError: If a piece is missing and no other run finished the film.
    """
    paths = [product.pieces_dir / f"{piece:04d}.parquet" for piece in range(n_pieces)]
    try:
        metas = [pq.read_schema(path).metadata for path in paths]
        n_bytes = sum(int(meta[b"n_bytes"]) for meta in metas)
        facts = {"key": product.key, "problem": problem, "n_bytes": f"{n_bytes}"}
        part = work / f"{product.name}.parquet"
        _write_row_groups(part, product.schema.with_metadata(facts), paths)
    except FileNotFoundError as error:
        if read_facts(product) is None:
            raise FileNotFoundError(
                f"Of the {product.name} of {product.video} the piece {error.filename} "
                "is gone. Run again."
            ) from error
    else:
        publish_file(part, product.table_path)
        _remove_pictures(product, n_pieces)
    remove_pieces(product)


def remove_pieces(product: Product) -> None:
    """Remove the pieces of a finished film."""
    shutil.rmtree(product.pieces_dir, ignore_errors=True)


def read_facts(product: Product) -> dict[str, str] | None:
    """Return what a finished table says of itself, or None where it must be made.

    Args:
        product: What to look for.

    Returns:
        `key`, `problem` and `n_bytes`; None if there is no table, if it is of another
        key, or if its pictures are not all there.
    """
    try:
        with open_binary(product.table_path) as file:
            meta = pq.read_schema(file).metadata or {}
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    facts = {name.decode(): value.decode() for name, value in meta.items()}
    if facts.get("key") != product.key:
        return None
    n_bytes = int(facts.get("n_bytes", 0))
    return facts if n_bytes in (0, sum_sizes(product.pictures_dir)) else None


def read_product(product: Product) -> pa.Table | None:
    """Return a film's finished table, or None where it must be made."""
    if read_facts(product) is None:
        return None
    with open_binary(product.table_path) as file:
        return pq.read_table(file)


def count_rows(product: Product) -> int:
    """Return how many rows a finished table has; 0 if there is none."""
    try:
        with open_binary(product.table_path) as file:
            return pq.read_metadata(file).num_rows
    except FileNotFoundError:
        return 0


def survey_pieces(root: Path) -> dict[str, tuple[int, int]]:
    """Count what is done of the films that are being made.

    Args:
        root: Folder of the results.

    Returns:
        Number of pieces and of their rows, by `Product.folder_name`.
    """
    done = {}
    for folder in list_folders(root / ".pieces"):
        paths = list(folder.glob("[0-9]*.parquet"))
        done[folder.name] = (len(paths), sum(_count_piece_rows(p) for p in paths))
    return done


@lru_cache(maxsize=10_000)
def _count_piece_rows(path: Path) -> int:
    """Return how many rows a piece has, 0 if it has gone meanwhile."""
    try:
        return pq.read_metadata(path).num_rows
    except FileNotFoundError:
        return 0


def _write_row_groups(part: Path, schema: pa.Schema, paths: Iterable[Path]) -> None:
    """Write tables into one Parquet file, a row group each, one at a time in memory."""
    with pq.ParquetWriter(part, schema) as writer:
        for path in paths:
            table = pq.read_table(path, partitioning=None)
            if table.num_rows:
                writer.write_table(table.cast(schema))


def _remove_pictures(product: Product, n_pieces: int) -> None:
    """Remove pictures beyond the place where a film breaks off."""
    for folder in list_folders(product.pictures_dir):
        if int(folder.name) >= n_pieces:
            shutil.rmtree(folder, ignore_errors=True)


def list_folders(root: Path) -> list[Path]:
    """Return the folders directly inside a folder that may be missing, sorted."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []


def _file_name(video: str) -> str:
    """Return a film's name as part of a file name.

    Long names are cut, and a leading `.` or `_`, for which Parquet readers pass over a
    file, is dropped; a few digits of the whole name's hash then keep names apart.
    """
    plain = re.sub(r"^[._]+", "", video)
    if plain == video and len(video.encode()) <= _MAX_NAME:
        return video
    short = plain.encode()[: _MAX_NAME - 20].decode(errors="ignore")
    return f"{short}-{build_key(video=video)[:8]}"
