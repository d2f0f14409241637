"""Where the results of a video lie on disk, and whether they are whole.

A results folder holds

    every_0.2s-1a2b3c4d/person1_a.parquet     a table a video; the folder reads as one
    every_0.2s-1a2b3c4d/_settings.json        what the folder's name stands for
    pictures/person1_a-0123456789abcdef/0000/ pictures, a folder a chunk (a minute)
    .chunks/person1_a-0123456789abcdef/       chunks of a video that is being made

A table carries the key of all that decides it; with another key it is out of date. The
sha256 of each table's file lies beside it, in a hidden file: what has changed on disk
since it was written is made again.
"""

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from utils.core.cache import build_key
from utils.core.files import hash_file
from utils.core.names import name_file
from utils.core.remote import Address, is_remote, open_binary, sum_sizes
from utils.core.skeleton import N_KEYPOINTS
from utils.core.tables import SCHEMAS
from utils.frames.images import is_whole
from utils.frames.workspace import (
    list_sizes,
    open_workspace,
    publish_file,
    publish_folder,
)

_ARROW = {"str": pa.string(), "int64": pa.int64(), "float64": pa.float64()}


@dataclass(frozen=True)
class Product:
    """One kind of result of one video.

    Attributes:
        name: `frames` or `keypoints`.
        root: Folder of the results: a `Path`, or an address of another store.
        settings: Name of the folder inside `root` for these settings.
        video: The video's stem.
        key: Names all that decides the result: video, settings, model, code.
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
        """The video's finished table."""
        return self.root / self.settings / f"{name_file(self.video)}.parquet"

    @property
    def folder_name(self) -> str:
        """Name of the folder of the video's pictures or chunks."""
        return f"{name_file(self.video)}-{self.key}"

    @property
    def chunks_dir(self) -> Path:
        """Folder of the tables of minutes that are done while the video is not."""
        return Path(self.root, ".chunks", self.folder_name)

    @property
    def pictures_dir(self) -> Address:
        """Folder of the video's pictures, one folder a chunk inside."""
        return self.root / "pictures" / self.folder_name

    @property
    def rows_a_frame(self) -> int:
        """How many rows of the table belong to one frame."""
        return N_KEYPOINTS if self.name == "keypoints" else 1

    @property
    def schema(self) -> pa.Schema:
        """Columns and types of the table."""
        columns = SCHEMAS[self.name].columns
        return pa.schema([(name, _ARROW[dtype]) for name, dtype in columns.items()])


def name_settings(every_s: float, **parts: object) -> str:
    """Name the folder of one set of settings, readably and without clashes.

    Args:
        every_s: Seconds between pictures.
        **parts: All else that decides the results but for the video.

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


def find_chunks(product: Product) -> set[int]:
    """Return the numbers of the chunks of an unfinished video that are done."""
    numbers = {int(path.stem) for path in product.chunks_dir.glob("[0-9]*.parquet")}
    return {number for number in numbers if has_chunk(product, number)}


def has_chunk(product: Product, chunk: int) -> bool:
    """Tell whether a chunk of an unfinished video is done, and as it was written."""
    return _read_file(product.chunks_dir / f"{chunk:04d}.parquet") is not None


def write_chunk(product: Product, chunk: int, columns: dict, work: Path) -> None:
    """Put a finished chunk in its place: first its pictures, then its table.

    Args:
        product: What it is a chunk of.
        chunk: Its number, from 0.
        columns: Its table's columns, without `video`; empty for a chunk without frames.
        work: Workspace; pictures, if any, lie in its folder named by the chunk.
    """
    n_rows = len(columns.get("frame_idx", ()))
    columns = {"video": [product.video] * n_rows, **columns}
    pictures = work / f"{chunk:04d}"
    n_bytes = sum(list_sizes(pictures).values())
    if pictures.is_dir():
        publish_folder(pictures, product.pictures_dir / pictures.name)
    table = pa.table({c: columns.get(c, []) for c in product.schema.names})
    table = table.cast(product.schema).replace_schema_metadata(
        {"n_bytes": f"{n_bytes}"}
    )
    part = work / f"{chunk:04d}.{product.name}.parquet"
    pq.write_table(table, part)
    _publish_table(part, product.chunks_dir / f"{chunk:04d}.parquet")


def merge_chunks(
    product: Product, work: Path, *, n_chunks: int, problem: str = ""
) -> None:
    """Make the video's final table of its chunks, one row group each; remove them.

    Args:
        product: What to finish. Where another run finished it first, that stays.
        work: Workspace.
        n_chunks: How many chunks the video has; any beyond are dropped.
        problem: What was wrong with the video, to be told again when it is read.

    Raises:
        FileNotFoundError: If a chunk is missing and no other run finished the video.
    """
    paths = [product.chunks_dir / f"{chunk:04d}.parquet" for chunk in range(n_chunks)]
    try:
        metas = [pq.read_schema(path).metadata for path in paths]
        n_bytes = sum(int(meta[b"n_bytes"]) for meta in metas)
        facts = {"key": product.key, "problem": problem, "n_bytes": f"{n_bytes}"}
        part = work / f"{product.name}.parquet"
        with pq.ParquetWriter(part, product.schema.with_metadata(facts)) as writer:
            for path in paths:  # a row group each, one at a time in memory
                table = pq.read_table(path, partitioning=None)
                if table.num_rows:
                    writer.write_table(table.cast(writer.schema))
    except FileNotFoundError as error:
        if read_product(product) is None:
            raise FileNotFoundError(
                f"Of the {product.name} of {product.video} the chunk {error.filename} "
                "is gone. Run again."
            ) from error
    else:
        _publish_table(part, product.table_path)
        for folder in list_folders(product.pictures_dir):
            if int(folder.name) >= n_chunks:  # beyond where the video breaks off
                shutil.rmtree(folder, ignore_errors=True)
    remove_chunks(product)


def remove_chunks(product: Product) -> None:
    """Remove the chunks of a finished video."""
    shutil.rmtree(product.chunks_dir, ignore_errors=True)


def read_product(product: Product, *, check_pictures: bool = False) -> pa.Table | None:
    """Return a video's finished table, or None where it must be made.

    Args:
        product: What to look for.
        check_pictures: Whether to read each picture too, where they are on this
            machine, and not only see that they are all there.

    Returns:
        The table, whose metadata has `key`, `problem` and `n_bytes`; None if there is
        none, if it is of another key or has changed since it was written, or if its
        pictures are not all there.
    """
    data = _read_file(product.table_path)
    if data is None:
        return None
    table = pq.read_table(pa.BufferReader(data))
    if table.schema.metadata[b"key"].decode() != product.key:
        return None
    n_bytes = int(table.schema.metadata[b"n_bytes"])
    if n_bytes and n_bytes != sum_sizes(product.pictures_dir):
        return None
    if n_bytes and check_pictures and not is_remote(product.root):
        paths = table["path"].to_pylist()
        if not all(is_whole(product.root / path) for path in paths):
            return None
    return table


def count_frames(product: Product) -> int:
    """Return how many frames a finished table is about; 0 if there is none."""
    try:
        with open_binary(product.table_path) as file:
            return pq.read_metadata(file).num_rows // product.rows_a_frame
    except FileNotFoundError:
        return 0


def survey_chunks(root: Path) -> dict[str, tuple[int, int]]:
    """Count what is done of the videos that are being made.

    Args:
        root: Folder of the results.

    Returns:
        Number of chunks and of their rows, by `Product.folder_name`.
    """
    done = {}
    for folder in list_folders(root / ".chunks"):
        paths = list(folder.glob("[0-9]*.parquet"))
        done[folder.name] = (len(paths), sum(_count_chunk_rows(p) for p in paths))
    return done


@lru_cache(maxsize=10_000)
def _count_chunk_rows(path: Path) -> int:
    """Return how many rows a chunk has, 0 if it has gone or changed meanwhile."""
    try:
        return pq.read_metadata(path).num_rows
    except (OSError, pa.ArrowException):
        return 0


def _publish_table(part: Path, path: Path) -> None:
    """Give a finished table its name, after the file with its checksum."""
    sum_part = part.with_suffix(".sum")
    sum_part.write_text(hash_file(part), encoding="ascii")
    publish_file(sum_part, _sum_path(path))
    publish_file(part, path)


def _read_file(path: Address) -> bytes | None:
    """Return a table's bytes; None if it is not there or not as it was written.

    It is judged before it is read: a reader of Parquet may take any time and memory for
    a file with a flipped bit.
    """
    try:
        with open_binary(_sum_path(path)) as file:
            expected = file.read()
        with open_binary(path) as file:
            data = file.read()
    except OSError:
        return None
    return data if hashlib.sha256(data).hexdigest().encode() == expected else None


def _sum_path(path: Address) -> Address:
    """Return where the checksum of a table lies: hidden from readers of the folder."""
    return path.parent / f".{path.name}.sha256"


def list_folders(root: Path) -> list[Path]:
    """Return the folders directly inside a folder that may be missing, sorted."""
    try:
        return sorted(path for path in root.iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
