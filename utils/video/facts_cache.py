"""Facts of many films, kept between runs and forgotten as soon as a film is touched."""

import json
import time
from collections.abc import Mapping
from pathlib import Path

import av

from utils.core.cache import build_key
from utils.core.files import atomic_path, hash_file
from utils.video.probe import FilmFacts, probe_film
from utils.video.source import check_file

# What decides a film's facts.
CODE = (
    "utils.video.source",
    "utils.video.probe",
    "utils.video.timing",
    "utils.video.ends",
    "utils.video.facts_cache",
)
_SETTLED_S = 2.0  # a file changed later than this may change again unseen

Facts = dict[str, object]
Stamp = list[int]


def read_facts(
    films: Mapping[str, Path], *, cache_path: Path | None = None, settle_s: float = 1.0
) -> tuple[dict[str, Facts], dict[str, str]]:
    """Read the facts of films, or recall those of films that did not change.

    Args:
        films: From names to paths.
        cache_path: File that keeps the facts; None keeps nothing.
        settle_s: Seconds to wait, once, to see whether a film that was changed a
            moment ago is still being written.

    Returns:
        From names to facts, of films that can be read: content hash, time, size,
        orientation; and from names to a sentence, of those that cannot.
    """
    kept = _read_cache(cache_path)
    facts: dict[str, Facts] = {}
    stamps: dict[str, Stamp] = {}
    unread: dict[str, str] = {}
    for name, path in films.items():
        try:
            check_file(path)
            stamps[name] = _stamp_file(path)
            facts[name] = _recall(kept, path, stamps[name]) or _describe_film(path)
        except (OSError, ValueError) as error:
            unread[name] = str(error)
    stamps = {name: stamps[name] for name in facts}
    for name in _find_growing(films, stamps, settle_s):
        del facts[name]
        unread[name] = (
            f"{films[name].name} is still being written. Wait until it is recorded or "
            "copied whole, then run again."
        )
    settled = {
        str(films[name]): {"stamp": stamps[name], "facts": facts[name]}
        for name in facts
        if _is_settled(stamps[name])
    }
    if cache_path is not None and settled != kept:
        _write_cache(cache_path, settled)
    return facts, unread


def _describe_film(path: Path) -> Facts:
    """Probe and hash a film; the facts can be written as JSON."""
    film = probe_film(path)
    aspect = film.sample_aspect_ratio
    return {
        "sha256": hash_file(path),
        "duration_s": film.timing.end_s,
        "fps": float(film.timing.fps) or None,
        "fps_fraction": f"{film.timing.fps.numerator}/{film.timing.fps.denominator}",
        "n_frames": len(film.timing.pts),
        "square_size_wh": list(film.square_size_wh),
        "rotation_deg": film.rotation_deg,
        "is_vfr": film.timing.is_vfr,
        "sample_aspect_ratio": f"{aspect.numerator}:{aspect.denominator}",
        "codec": film.codec,
        "advice": _advise(path.name, film),
        "damage": film.timing.describe_cut(path.name),
    }


def _advise(name: str, film: FilmFacts) -> str:
    """Say what a user should know of a film that can be read."""
    if film.n_streams == 1:
        return ""
    width, height = film.coded_size_wh
    return (
        f"{name} holds {film.n_streams} films; only the largest, {width}×{height}, is "
        "used."
    )


def _find_growing(
    films: Mapping[str, Path], stamps: dict[str, Stamp], settle_s: float
) -> list[str]:
    """Name the films that changed since they were stamped; wait a moment if need be."""
    if not all(map(_is_settled, stamps.values())):
        time.sleep(settle_s)
    return [name for name in stamps if not _is_same(films[name], stamps[name])]


def _stamp_file(path: Path) -> Stamp:
    """Return what changes whenever a file does: size, times in ns, inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _is_settled(stamp: Stamp) -> bool:
    """Tell whether a file's last change is long enough ago to be trusted."""
    return time.time() - max(stamp[1:3]) / 1e9 > _SETTLED_S


def _is_same(path: Path, stamp: Stamp) -> bool:
    """Tell whether a file is there and still as it was when stamped."""
    try:
        return _stamp_file(path) == stamp
    except OSError:
        return False


def _recall(kept: dict[str, dict], path: Path, stamp: Stamp) -> Facts | None:
    """Return the facts kept of a film, unless it was touched since."""
    entry = kept.get(str(path), {})
    return entry["facts"] if entry.get("stamp") == stamp else None


def _cache_version() -> str:
    """Name the code that finds the facts: facts of other code are forgotten."""
    return build_key(code=CODE, av=av.__version__)


def _read_cache(path: Path | None) -> dict[str, dict]:
    """Return what was kept; nothing if there is no file, or it is not understood."""
    if path is None:
        return {}
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        films = kept["films"] if kept["version"] == _cache_version() else {}
        is_whole = kept["key"] == build_key(films=films)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return films if is_whole else {}


def _write_cache(path: Path, films: dict[str, dict]) -> None:
    """Keep facts for the next run."""
    kept = {
        "version": _cache_version(),
        "key": build_key(films=films),
        "films": films,
    }
    with atomic_path(Path(path)) as part:
        part.write_text(json.dumps(kept), encoding="utf-8")
