"""Addresses of files: a local path, or any address that fsspec reads (s3://, gs://, …).

A local address is a `Path`, any other a `str`. fsspec, and what it needs for a kind of
address, come with requirements-cluster.txt and are imported only where they are needed.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd

if TYPE_CHECKING:  # optional
    from fsspec import AbstractFileSystem

Address = Path | str


def parse_address(address: Address) -> Address:
    """Return a local path as an absolute `Path`, any other address as it is.

    Args:
        address: A path, or an address with `://`; `file://` is a local path.

    Returns:
        `Path` if it is local, else `str` without a slash at its end.
    """
    text = str(address)
    if "://" not in text:
        return Path(address).absolute()
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    return text.rstrip("/")


def is_remote(address: Address) -> bool:
    """Tell whether an address, as `parse_address` gives it, is not a local path."""
    return isinstance(address, str)


def join(address: Address, *parts: str) -> Address:
    """Return the address of something inside a folder."""
    if is_remote(address):
        return "/".join([address, *parts])
    return address.joinpath(*parts)


@contextmanager
def open_binary(address: Address) -> Iterator[BinaryIO]:
    """Open a file to read its bytes.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if not is_remote(address):
        with address.open("rb") as file:
            yield file
        return
    system, path = _connect(address)
    system.invalidate_cache()  # another machine may have written it just now
    with system.open(path, "rb") as file:
        yield file


def sum_sizes(folder: Address) -> int:
    """Return the size in bytes of all files below a folder; 0 if there is none."""
    if is_remote(folder):
        system, path = _connect(folder)
        system.invalidate_cache()
        return sum(item["size"] for item in system.find(path, detail=True).values())
    return sum(
        Path(place, name).stat().st_size
        for place, _, names in os.walk(folder)
        for name in names
    )


def upload_folder(local: Path, address: str) -> None:
    """Copy all files below a folder to an address, tables last.

    An object store shows a file when it is whole, so what has its table is whole.

    Args:
        local: The folder.
        address: Where to; what is there under the same names is replaced.
    """
    system, path = _connect(address)
    files = [file for file in local.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (file.suffix == ".parquet", str(file))):
        target = f"{path}/{file.relative_to(local).as_posix()}"
        system.makedirs(target.rpartition("/")[0], exist_ok=True)
        system.put_file(str(file), target)


@contextmanager
def local_copy(address: Address) -> Iterator[Path]:
    """Give a local path to a file: itself, or a copy that is removed afterwards."""
    if not is_remote(address):
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="film-") as folder:
        path = Path(folder, PurePosixPath(address).name)
        with open_binary(address) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield path


def list_films(folder: Address, *, suffixes: tuple[str, ...]) -> pd.DataFrame:
    """List the films in a folder anywhere, without reading them.

    Args:
        folder: Any address.
        suffixes: File name endings of films, in lower case.

    Returns:
        What `frames.extract_frames` needs of a table of videos: `video`, `path`,
        `sha256`. The last holds the store's own mark of the content (of an S3 object
        its ETag), as hashing would mean to read every film.
    """
    system, path = _connect(str(folder))
    kind = str(folder).partition("://")[0]
    rows = [
        {
            "video": PurePosixPath(name).stem,
            "path": f"{kind}://{name}",
            "sha256": str(system.ukey(name)),
        }
        for name in sorted(system.find(path, maxdepth=1))
        if PurePosixPath(name).suffix.lower() in suffixes
    ]
    return pd.DataFrame(rows, columns=["video", "path", "sha256"])


def _connect(address: str) -> "tuple[AbstractFileSystem, str]":
    """Return the file system of an address, and the path inside it."""
    try:
        from fsspec.core import url_to_fs

        return url_to_fs(address)
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"{address} is no local path and cannot be reached ({error}). Run pip "
            "install -r requirements-cluster.txt and what it names, or use a local one."
        ) from error
