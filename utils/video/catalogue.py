"""Find the videos, say what each one is, and what is wrong with those left out.

What was found out about a video is kept between runs, and forgotten as soon as its file
is touched.
"""

import difflib
import json
import re
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import av
import pandas as pd

from utils.core.cache import build_key
from utils.core.files import (
    DiskError,
    atomic_path,
    find_data,
    hash_file,
    show_path,
    stamp_file,
)
from utils.core.names import normalise_name
from utils.core.remote import parse_address
from utils.core.tables import SCHEMAS, check_table, read_table
from utils.video.probe import VideoFacts, probe_video
from utils.video.source import check_file

SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi")
# What decides a video's facts.
CODE = (
    "utils.core.names",
    "utils.video.source",
    "utils.video.probe",
    "utils.video.structure",
    "utils.video.timing",
    "utils.video.catalogue",
)
DEMO = "demo"  # folder of the rendered films, inside that of the user's
_SETTLED_S = 2.0  # a file changed later than this may change again unseen

_SURROGATE = re.compile("[\ud800-\udfff]")

Problem = tuple[str, str, str]  # video, path, sentence
Facts = dict[str, object]
Stamp = list[int]


class Films(NamedTuple):
    """Which films a run is about: the user's, or the demo's where there are none."""

    folder: Path | str
    labels: Path | str
    sentence: str


def choose_films(
    folder: Path | str, labels: Path | str, *, also: Path | str = Path()
) -> Films:
    """Choose the user's films; where there are none, the demo that lies beside them.

    The two never mix: films in folders inside `folder` do not count, and the demo's
    labels are kept in a file of their own.

    Args:
        folder: The user's folder of films; the demo is its folder `demo`.
        labels: The user's labels CSV; the demo's begins with `demo_`.
        also: Another folder whose films count as the user's: the project's own.
    """
    if "://" in str(folder):
        return Films(folder, labels, f"Your films, in {folder}.")
    folder, labels = Path(folder), Path(labels)
    demo = folder / DEMO
    if _list_films([folder, also]) or not _list_films([demo]):
        return Films(folder, labels, f"Your films, in {folder}.")
    return Films(
        demo,
        labels.with_name(f"{DEMO}_{labels.name}"),
        f"No films of yours in {folder} yet: these are the rendered ones of {demo}. "
        "Put one of yours there, and the demo steps out.",
    )


def list_videos(
    folder: Path | str, *, also: Path | str = Path(), data: Path | str = ""
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """List the videos of a folder, with who is in them as its `videos.csv` says.

    Args:
        folder: Folder with the videos and, if there is one, the table `subjects`.
        also: Another folder whose videos count too: the project's own.
        data: Folder of what can be made again, `find_data()` if empty; facts are kept
            in its `cache/videos.json`.

    Returns:
        The tables of `build_videos`.

    Raises:
        FileNotFoundError: If there is no video.
        ValueError: If `videos.csv` is not such a table, or no film can be used; the
            sentences say why.
    """
    listed = Path(folder) / "videos.csv"
    subjects = read_table(listed, "subjects") if listed.exists() else None
    videos, problems = build_videos(
        find_videos([folder, also]),
        subjects=subjects,
        cache_path=Path(data or find_data()) / "cache" / "videos.json",
    )
    if videos.empty:
        raise ValueError(f"No film can be used. {' '.join(problems['problem'])}")
    return videos, problems


def list_remote_videos(folder: str) -> pd.DataFrame:
    """List the videos in a folder of another store, without reading them.

    Args:
        folder: Any address that fsspec knows, `s3://bucket/videos` say.

    Returns:
        What `extract_frames` needs of a table of videos: `video`, `path`, `sha256`.
        The last holds the store's own mark of the content (of an S3 object its ETag),
        as hashing would mean to read every video.
    """
    rows = [
        {
            "video": normalise_name(path.stem),
            "path": str(path),
            "sha256": str(path.fs.ukey(path.path)),
        }
        for path in sorted(parse_address(folder).iterdir(), key=str)
        if path.suffix.lower() in SUFFIXES
    ]
    return pd.DataFrame(rows, columns=["video", "path", "sha256"])


def _describe_absence(folder: Path) -> str:
    """Say in brackets why nothing can be found in a folder that is none."""
    if folder.is_dir():
        return ""
    return " (a file, not a folder)" if folder.exists() else " (which does not exist)"


def find_videos(folders: Iterable[Path] | Path) -> list[Path]:
    """Find the videos that lie in some folders, not in folders inside them.

    Args:
        folders: One folder or several; those that do not exist are passed over.

    Returns:
        Paths of mp4, mov, webm, mkv and avi files in any letter case, sorted by name,
        hidden files left out. Links count; a folder named like a video is listed too,
        so that `build_videos` can say so.

    Raises:
        FileNotFoundError: If there is no video.
    """
    folders = [folders] if isinstance(folders, str | Path) else list(folders)
    folders = list(dict.fromkeys(Path(folder).absolute() for folder in folders))
    paths = _list_films(folders)
    if not paths:
        where = " or ".join(
            f"{show_path(folder)}{_describe_absence(folder)}" for folder in folders
        )
        raise FileNotFoundError(
            f"No film ({', '.join(s[1:] for s in SUFFIXES)}) in {where}. Put a film "
            "there, or set VIDEOS to the folder that holds yours."
        )
    return sorted(paths, key=lambda path: (path.name, str(path)))


def _list_films(folders: Iterable[Path | str]) -> list[Path]:
    return [
        path
        for folder in map(Path, folders)
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]


def build_videos(
    paths: Iterable[Path],
    *,
    subjects: pd.DataFrame | None = None,
    cache_path: Path | None = None,
    settle_s: float = 1.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what each video is; one that cannot be used becomes one sentence.

    Args:
        paths: The videos.
        subjects: Table `subjects`: who is in a video, which camera, and a clockwise
            turn in place of the video's own flag. Without it each video is its own
            subject.
        cache_path: File that keeps the facts, so that unchanged videos are not read
            again; None keeps nothing.
        settle_s: Seconds to wait, once, to see whether a video that was changed a
            moment ago is still being written.

    Returns:
        The table `videos`, sorted by name; and a table `video`, `path`, `problem`. Of a
        video that is cut short the readable part is in the first and the sentence in
        the second; others with a problem are in the second only.

    Raises:
        ValueError: If `subjects` is not such a table.
    """
    named, problems = _name_videos(paths)
    facts, unread = read_facts(named, cache_path=cache_path, settle_s=settle_s)
    people, unknown = _match_subjects(subjects, named)
    rows = [
        _build_row(name, named[name], facts[name], people.get(name, {}))
        for name in sorted(facts)
    ]
    damage = {name: facts[name]["damage"] for name in facts if facts[name]["damage"]}
    for name, problem in (unread | damage).items():
        problems.append((name, str(named[name]), problem))
    schema = SCHEMAS["videos"]
    videos = pd.DataFrame(rows, columns=[*schema.columns, *schema.optional])
    if videos["camera"].isna().all():
        videos = videos.drop(columns="camera")
    return check_table(videos, "videos"), pd.DataFrame(
        sorted(problems + unknown), columns=["video", "path", "problem"], dtype="str"
    )


def read_facts(
    named: Mapping[str, Path], *, cache_path: Path | None = None, settle_s: float = 1.0
) -> tuple[dict[str, Facts], dict[str, str]]:
    """Read the facts of videos, or recall those of videos that did not change.

    Args:
        named: From names to paths.
        cache_path: File that keeps the facts; None keeps nothing.
        settle_s: Seconds to wait, once, to see whether a video that was changed a
            moment ago is still being written.

    Returns:
        From names to facts, of videos that can be read: content hash, time, size,
        orientation; and from names to a sentence, of those that cannot.
    """
    kept = _read_cache(cache_path)
    facts: dict[str, Facts] = {}
    stamps: dict[str, Stamp] = {}
    unread: dict[str, str] = {}
    for name, path in named.items():
        try:
            check_file(path)
            stamp = [*stamp_file(path)]
            entry = kept.get(str(path), {})
            is_same = entry.get("stamp") == stamp
            facts[name] = entry["facts"] if is_same else _describe_video(path)
            stamps[name] = stamp
        except (OSError, ValueError) as error:
            unread[name] = str(error)
    if not all(map(_is_settled, stamps.values())):
        time.sleep(settle_s)
    for name, stamp in stamps.items():
        if not _is_same(named[name], stamp):
            del facts[name]
            unread[name] = (
                f"{named[name].name} is still being written. Wait until it is recorded "
                "or copied whole, then run again."
            )
    settled = {
        str(named[name]): {"stamp": stamps[name], "facts": facts[name]}
        for name in facts
        if _is_settled(stamps[name])
    }
    if cache_path is not None and settled != kept:
        _write_cache(Path(cache_path), settled)
    return facts, unread


def _name_videos(paths: Iterable[Path]) -> tuple[dict[str, Path], list[Problem]]:
    """Name videos by their stems; those that share a name are left out, with a word."""
    same_name: dict[str, list[Path]] = {}
    named: dict[str, Path] = {}
    problems: list[Problem] = []
    for path in sorted({Path(path).absolute() for path in paths}):
        name, shown = normalise_name(path.stem), normalise_name(path.name)
        if _SURROGATE.search(str(path)):  # so Python gives bytes that are no UTF-8
            problem = f"{shown} has a name that is no text (UTF-8). Rename the file."
            problems.append((name, "", problem))
        elif not name:
            problem = f"A film has a name of nothing but spaces ({shown}). Rename it."
            problems.append((shown, str(path), problem))
        else:
            same_name.setdefault(name, []).append(path)
    for name, same in same_name.items():
        if len(same) == 1:
            named[name] = same[0]
            continue
        where = " and ".join(map(show_path, same))
        problem = (
            f"{len(same)} films are called {name} ({where}): labels could not tell "
            "them apart, so none is used. Rename or remove all but one."
        )
        problems.append((name, str(same[0]), problem))
    return named, problems


def _match_subjects(
    subjects: pd.DataFrame | None, named: dict[str, Path]
) -> tuple[dict[str, dict], list[Problem]]:
    """Return what `videos.csv` says of each video, and what in it makes no sense."""
    if subjects is None:
        return {}, []
    names = {normalise_name(path.name): name for name, path in named.items()}
    names |= {f"{name}{path.suffix}": name for name, path in named.items()}
    names |= {name: name for name in named}
    people: dict[str, dict] = {}
    problems: list[Problem] = []
    for row in check_table(subjects, "subjects", where="videos.csv").to_dict("records"):
        given = normalise_name(row.pop("video"))
        name = names.get(given)
        known = {
            column: normalise_name(value) if isinstance(value, str) else value
            for column, value in row.items()
            if pd.notna(value)
        }
        known = {column: value for column, value in known.items() if value != ""}
        turn_deg = known.pop("rotation_deg", None)
        if name is None:
            near = difflib.get_close_matches(given, named, n=1)
            hint = f"Did you mean {near[0]}?" if near else "Correct or remove the line."
            problem = f"videos.csv names {given}, but there is no film of that name "
            problems.append((given, "", f"{problem}here. {hint}"))
            continue
        if name in people:
            problem = f"videos.csv names {name} twice; the last counts. Remove one."
            problems.append((name, str(named[name]), problem))
        if turn_deg is not None and turn_deg % 90:
            problem = (
                f"videos.csv turns {given} by {turn_deg:g} degrees, but only 0, 90, "
                "180 and 270 are possible; the film's own flag is used. Correct it."
            )
            problems.append((name, str(named[name]), problem))
        elif turn_deg is not None:
            known["rotation_deg"] = int(turn_deg) % 360
        people[name] = known
    return people, problems


def _build_row(name: str, path: Path, facts: Facts, person: dict) -> dict:
    """Join a video's facts and what `videos.csv` says of it."""
    width_px, height_px = facts["square_size_wh"]
    rotation_deg = person.get("rotation_deg", facts["rotation_deg"])
    if rotation_deg % 180:
        width_px, height_px = height_px, width_px
    return {
        **{c: v for c, v in facts.items() if c not in ("square_size_wh", "damage")},
        "video": name,
        "path": str(path),
        "width_px": width_px,
        "height_px": height_px,
        "rotation_deg": rotation_deg,
        "subject": person.get("subject", name),
        "camera": person.get("camera"),
        "advice": " ".join(filter(None, [facts["advice"], facts["damage"]])),
    }


def _describe_video(path: Path) -> Facts:
    """Probe and hash a video; the facts can be written as JSON."""
    found = probe_video(path)
    aspect, timing = found.sample_aspect_ratio, found.timing
    return {
        "sha256": hash_file(path),
        "starts_at_s": timing.clock_s,
        "duration_s": timing.end_s,
        "fps": float(timing.fps) or None,
        "fps_fraction": f"{timing.fps.numerator}/{timing.fps.denominator}",
        "n_frames": len(timing.pts),
        "square_size_wh": list(found.square_size_wh),
        "rotation_deg": found.rotation_deg,
        "is_vfr": timing.is_vfr,
        "sample_aspect_ratio": f"{aspect.numerator}:{aspect.denominator}",
        "codec": found.codec,
        "advice": _advise(path.name, found),
        "damage": timing.describe_cut(path.name),
    }


def _advise(name: str, found: VideoFacts) -> str:
    """Say what a user should know of a video that can be read."""
    advice = []
    if found.n_streams > 1:
        width, height = found.coded_size_wh
        advice.append(
            f"{name} holds {found.n_streams} films; only the one with the most "
            f"pictures, {width}×{height}, is used."
        )
    if n_astray := found.timing.n_astray:
        advice.append(
            f"Of {name} {n_astray} of {len(found.timing.pts) + n_astray} pictures are "
            "left out: their times are far from their neighbours'."
        )
    return " ".join(advice)


def _is_settled(stamp: Stamp) -> bool:
    """Tell whether a file's last change is long enough ago to be trusted."""
    return time.time() - max(stamp[1:3]) / 1e9 > _SETTLED_S


def _is_same(path: Path, stamp: Stamp) -> bool:
    """Tell whether a file is there and still as it was when stamped."""
    try:
        return [*stamp_file(path)] == stamp
    except OSError:
        return False


def _cache_version() -> str:
    """Name the code that finds the facts: facts of other code are forgotten."""
    return build_key(code=CODE, av=av.__version__)


def _read_cache(path: Path | None) -> dict[str, dict]:
    """Return what was kept; nothing if there is no file, or it is not understood."""
    if path is None:
        return {}
    try:
        kept = json.loads(Path(path).read_text(encoding="utf-8"))
        entries = kept["films"] if kept["version"] == _cache_version() else {}
        is_whole = kept["key"] == build_key(films=entries)
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return entries if is_whole else {}


def _write_cache(path: Path, entries: dict[str, dict]) -> None:
    """Keep facts for the next run."""
    kept = {
        "version": _cache_version(),
        "key": build_key(films=entries),
        "films": entries,
    }
    with suppress(DiskError), atomic_path(path) as part:  # then they are read each time
        part.write_text(json.dumps(kept), encoding="utf-8")
