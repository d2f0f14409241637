"""Addresses of files: a local `Path`, or a `UPath` for s3://, gs://, … and the rest.

Both are opened and joined alike (`address / "name"`, `address.open("rb")`); what they
do not share is here. What a kind of address needs comes with requirements-cluster.txt.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from upath import UPath

Address = Path | UPath  # as `parse_address` gives it
_BLOCK_BYTES = 1 << 20


def parse_address(address: Address | str) -> Address:
    """Return a local path as an absolute `Path`, any other address as a `UPath`.

    Args:
        address: A path, or an address with `://`; `file://` is a local path.

    Returns:
        The address, which can be pickled.

    Raises:
        ValueError: If nothing that is installed can reach such an address.
    """
    text = str(address)
    if "://" not in text:
        return Path(address).absolute()
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    try:
        remote = UPath(text.rstrip("/"))
        remote.fs  # noqa: B018 - finds out now whether its driver is there
    except (ImportError, ValueError) as error:
        raise ValueError(
            f"{text} is no local path and cannot be reached ({error}). Run pip "
            "install -r requirements-cluster.txt and what it names, or use a local one."
        ) from error
    return remote


def is_remote(address: Address) -> bool:
    """Tell whether an address, as `parse_address` gives it, is not a local path."""
    return not isinstance(address, Path)


def open_binary(address: Address) -> BinaryIO:
    """Open a file to read its bytes, as it is now.

    Raises:
        FileNotFoundError: If there is no such file.
    """
    if is_remote(address):
        address.fs.invalidate_cache()  # another machine may have written it just now
    return address.open("rb")


def sum_sizes(folder: Address) -> int:
    """Return the size in bytes of all files below a folder; 0 if there is none."""
    if is_remote(folder):  # one request, where to walk would take one a folder
        folder.fs.invalidate_cache()
        found = folder.fs.find(folder.path, detail=True)
        return sum(item["size"] for item in found.values())
    return sum(
        Path(place, name).stat().st_size
        for place, _, names in os.walk(folder)
        for name in names
    )


def upload_folder(local: Path, folder: UPath) -> None:
    """Copy all files below a folder to an address, tables last.

    An object store shows a file when it is whole, so what has its table is whole.

    Args:
        local: The folder.
        folder: Where to; what is there under the same names is replaced.
    """
    files = [file for file in local.rglob("*") if file.is_file()]
    for file in sorted(files, key=lambda file: (file.suffix == ".parquet", str(file))):
        target = folder / file.relative_to(local).as_posix()
        target.parent.mkdir(parents=True, exist_ok=True)
        target.fs.put_file(str(file), target.path)


@contextmanager
def local_copy(address: Address) -> Iterator[Path]:
    """Give a local path to a file: itself, or a copy that is removed afterwards."""
    if not is_remote(address):
        yield address
        return
    with tempfile.TemporaryDirectory(prefix="video-") as folder:
        path = Path(folder, address.name)
        with open_binary(address) as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, _BLOCK_BYTES)
        yield path
