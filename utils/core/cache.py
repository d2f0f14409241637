"""The one rule for cached results: a key of all that decides them, and a checksum.

A stage names its code as modules, and the key holds a hash of their source: whoever
touches one of them has the results made again, and nobody else has to. No version
number is raised by hand and no file is found by a pattern. What is kept begins with
the hash of the rest, so that a file in which a bit has changed counts as not there.
"""

import hashlib
import importlib.metadata
import importlib.util
import io
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import joblib

from utils.core.files import atomic_path, hash_file

_LIBRARIES = ("joblib", "numpy", "pandas", "scikit-learn")


def build_key(*, code: tuple[str, ...] = (), **parts: object) -> str:
    """Name a cached result by all that decides it.

    Args:
        code: Modules and packages whose source decides the result, by full name, such
            as `("utils.video.decode", "utils.pose")`. Name all that matter: what these
            import is not followed.
        **parts: What else it depends on (content hashes, settings, versions of
            libraries); each must be writable as JSON.

    Returns:
        16 hex digits; equal parts give equal keys, in any order.

    Raises:
        ModuleNotFoundError: If a module named as code is not there.
        TypeError: If a part cannot be written as JSON.

    Example:
        >>> build_key(every_s=0.2, sha256="ab") == build_key(sha256="ab", every_s=0.2)
        True
    """
    if code:
        parts["code"] = {name: hash_module(name) for name in code}
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@lru_cache(maxsize=256)
def hash_module(name: str) -> str:
    """Return a hash of a module's source, or of every source file of a package.

    Nothing is imported but the packages above it. The answer is kept for as long as
    the process lives: its code is what was there when it started.

    Args:
        name: Full name, such as `utils.video.decode`.

    Returns:
        64 hex digits.

    Raises:
        ModuleNotFoundError: If there is no such module: a moved file must never mean
            that nothing is watched.

    Example:
        >>> hash_module("utils.core.cache") == hash_module("utils.core.files")
        False
    """
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        spec = None
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            f"A cache key names the module {name!r} as its code, and there is none. "
            "Name the place it was moved to.",
            name=name,
        )
    if not spec.submodule_search_locations:
        return hash_file(Path(spec.origin))
    folder = Path(spec.origin).parent
    files = {
        path.relative_to(folder).as_posix(): hash_file(path)
        for path in sorted(folder.rglob("*.py"))
    }
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def write_kept(path: Path, value: object) -> None:
    """Keep a result, whole or not at all.

    Args:
        path: Where to; named by `build_key`.
        value: The result: arrays, tables, whatever joblib writes.
    """
    data = io.BytesIO()
    joblib.dump(value, data)
    content = data.getvalue()
    with atomic_path(path) as part:
        part.write_bytes(_digest(content) + content)


def read_kept(path: Path) -> Any:  # noqa: ANN401 (what was kept)
    """Read a result that `write_kept` kept.

    Args:
        path: The file.

    Returns:
        The result; None if it is not there, damaged, or kept by other versions of the
        libraries: then it is to be made again.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        return None
    digest, data = content[:32], content[32:]
    return joblib.load(io.BytesIO(data)) if _digest(data) == digest else None


def _digest(content: bytes) -> bytes:
    """Return the sha256 of what is kept and of the versions that can read it."""
    return hashlib.sha256(_list_versions() + content).digest()


@lru_cache(maxsize=1)
def _list_versions() -> bytes:
    """Return the versions of the libraries whose objects are kept."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return json.dumps(versions).encode()
