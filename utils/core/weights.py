"""Pretrained weights on disk: found by name, taken only if their bytes are right."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from utils.core.files import hash_file, stamp_file

if TYPE_CHECKING:  # needed only where a network is loaded
    from ai_edge_litert.interpreter import Interpreter

MODELS_DIR = Path(__file__).parents[2] / "models"
_LFS_MARK = b"version https://git-lfs"


def read_sha256sums(folder: Path = MODELS_DIR) -> dict[str, str]:
    """Read the table of weight files and the hash each must have.

    Args:
        folder: Folder with a `SHA256SUMS`, written as `sha256sum` writes it.

    Returns:
        File name -> sha256 as 64 hex digits.

    Raises:
        FileNotFoundError: If the folder has no `SHA256SUMS`.
    """
    path = Path(folder) / "SHA256SUMS"
    if not path.is_file():
        raise FileNotFoundError(
            f"No {path.name} in {folder}, so weights there cannot be checked. "
            "Restore the folder from git."
        )
    lines = path.read_text(encoding="utf-8").splitlines()
    pairs = (line.split(maxsplit=1) for line in lines if line.strip())
    return {name.strip(): sha256 for sha256, name in pairs}


def find_weights(name: str, *, folder: Path = MODELS_DIR) -> Path:
    """Find a weight file and check its bytes: once, and again whenever it is touched.

    Args:
        name: File name, as in the folder's `SHA256SUMS`.
        folder: Where the weights lie.

    Returns:
        Path of the file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If its sha256 is not in the table or not the file's.
    """
    path, sums = Path(folder) / name, read_sha256sums(folder)
    if name not in sums:
        raise ValueError(
            f"{name} is not listed in SHA256SUMS, which has {', '.join(sorted(sums))}."
        )
    if not path.is_file():
        raise FileNotFoundError(
            f"No weights at {path}. Restore {name} from git, or make it again as "
            "models/README.md says."
        )
    found = _hash_weights(path, stamp_file(path))
    if found != sums[name]:
        raise ValueError(_describe_wrong_file(path, sums[name], found))
    return path


@lru_cache(maxsize=32)
def _hash_weights(path: Path, stamp: tuple[int, ...]) -> str:
    """Return a file's hash; `stamp` changes with the file, which is then read again."""
    return hash_file(path)


def load_interpreter(path: Path) -> "Interpreter":
    """Open a TFLite file in LiteRT, on one thread (whole videos run in parallel).

    Args:
        path: TFLite file.

    Returns:
        LiteRT interpreter, its tensors not yet allocated.
    """
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=str(path), num_threads=1)


def _describe_wrong_file(path: Path, expected: str, found: str) -> str:
    """Say in one sentence what is wrong with a weight file, and what to do."""
    with path.open("rb") as file:
        is_pointer = file.read(len(_LFS_MARK)) == _LFS_MARK
    if is_pointer:
        return (
            f"{path.name} is a Git LFS pointer of {path.stat().st_size} bytes, not the "
            "weights. Run `git lfs pull`, or make the file again as models/README.md "
            "says."
        )
    return (
        f"{path.name} is not the file it should be: expected sha256 {expected[:12]}…, "
        f"found {found[:12]}… in {path.stat().st_size} bytes (truncated, or another "
        "version?). Restore it from git, or make it again as models/README.md says."
    )
