"""Find the films, say what each one is, and what is wrong with those left out."""

import difflib
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from utils.core.tables import SCHEMAS, check_table
from utils.video.facts_cache import Facts, read_facts

SUFFIXES = (".mp4", ".mov", ".webm", ".mkv", ".avi")

Problem = tuple[str, str, str]  # video, path, sentence


def find_videos(folders: Iterable[Path] | Path) -> list[Path]:
    """Find the films that lie in some folders, not in folders inside them.

    Args:
        folders: One folder or several; those that do not exist are passed over.

    Returns:
        Paths of mp4, mov, webm, mkv and avi files in any letter case, sorted by name,
        hidden files left out. Links count; a folder named like a film is listed too, so
        that `build_videos` can say so.

    Raises:
        FileNotFoundError: If there is no film.
    """
    folders = [folders] if isinstance(folders, str | Path) else list(folders)
    folders = list(dict.fromkeys(Path(folder).absolute() for folder in folders))
    paths = [
        path
        for folder in folders
        if folder.is_dir()
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    ]
    if not paths:
        where = " or ".join(map(_describe_folder, folders)) or "no folder at all"
        raise FileNotFoundError(
            f"No film ({', '.join(s[1:] for s in SUFFIXES)}) in {where}. Put a film "
            "there, or set VIDEOS to the folder that holds yours."
        )
    return sorted(paths, key=lambda path: (path.name, str(path)))


def _describe_folder(folder: Path) -> str:
    """Name a folder, and say so if it is not there."""
    return str(folder) if folder.is_dir() else f"{folder} (which does not exist)"


def build_videos(
    paths: Iterable[Path],
    *,
    subjects: pd.DataFrame | None = None,
    cache_path: Path | None = None,
    settle_s: float = 1.0,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Say what each film is; a film that cannot be used becomes one sentence.

    Args:
        paths: The films.
        subjects: Table `subjects`: who is in a film, which camera, and a clockwise
            turn in place of the film's own flag. Without it each film is its own
            subject.
        cache_path: File that keeps the facts, so that unchanged films are not read
            again; None keeps nothing.
        settle_s: Seconds to wait, once, to see whether a film that was changed a
            moment ago is still being written.

    Returns:
        The table `videos`, sorted by name; and a table `video`, `path`, `problem`. Of a
        film that is cut short the readable part is in the first and the sentence in
        the second; other films with a problem are in the second only.

    Raises:
        ValueError: If `subjects` is not such a table.
    """
    films, problems = _name_films(paths)
    facts, unread = read_facts(films, cache_path=cache_path, settle_s=settle_s)
    people, unknown = _match_subjects(subjects, films)
    rows = [
        _build_row(name, films[name], facts[name], people.get(name, {}))
        for name in sorted(facts)
    ]
    damage = {name: facts[name]["damage"] for name in facts if facts[name]["damage"]}
    for name, problem in (unread | damage).items():
        problems.append((name, str(films[name]), problem))
    table = pd.DataFrame(
        sorted(problems + unknown), columns=["video", "path", "problem"], dtype="str"
    )
    return _build_table(rows), table


def _name_films(paths: Iterable[Path]) -> tuple[dict[str, Path], list[Problem]]:
    """Name films by their stems; films that share a name are left out, with a word."""
    named: dict[str, list[Path]] = {}
    for path in sorted({Path(path).absolute() for path in paths}):
        named.setdefault(_normalise(path.stem), []).append(path)
    films: dict[str, Path] = {}
    problems: list[Problem] = []
    for name, same in named.items():
        if len(same) == 1:
            films[name] = same[0]
            continue
        where = " and ".join(map(str, same))
        problem = (
            f"{len(same)} films are called {name} ({where}): labels could not tell "
            "them apart, so none is used. Rename or remove all but one."
        )
        problems.append((name, str(same[0]), problem))
    return films, problems


def _normalise(name: str) -> str:
    """Write accents one way: macOS splits them off in file names."""
    return unicodedata.normalize("NFC", name)


def _match_subjects(
    subjects: pd.DataFrame | None, films: dict[str, Path]
) -> tuple[dict[str, dict], list[Problem]]:
    """Return what `videos.csv` says of each film, and what in it makes no sense."""
    if subjects is None:
        return {}, []
    names = {_normalise(path.name): name for name, path in films.items()}
    names |= {name: name for name in films}
    people: dict[str, dict] = {}
    problems: list[Problem] = []
    for row in check_table(subjects, "subjects", where="videos.csv").to_dict("records"):
        given = row.pop("video")
        name = names.get(_normalise(given))
        known = {column: value for column, value in row.items() if pd.notna(value)}
        turn_deg = known.pop("rotation_deg", 0.0)
        if name is None:
            problems.append((given, "", _describe_unknown(given, films)))
            continue
        if turn_deg % 90:
            problem = (
                f"videos.csv turns {given} by {turn_deg:g} degrees, but only 0, 90, "
                "180 and 270 are possible; the film's own flag is used. Correct it."
            )
            problems.append((name, str(films[name]), problem))
        elif "rotation_deg" in row and pd.notna(row["rotation_deg"]):
            known["rotation_deg"] = int(turn_deg) % 360
        people[name] = known
    return people, problems


def _describe_unknown(given: str, films: dict[str, Path]) -> str:
    """Say that `videos.csv` names a film that is not there, and which it may mean."""
    near = difflib.get_close_matches(given, films, n=1)
    hint = f"Did you mean {near[0]}?" if near else "Correct or remove the line."
    return f"videos.csv names {given}, but there is no film of that name here. {hint}"


def _build_row(name: str, path: Path, facts: Facts, person: dict) -> dict:
    """Join a film's facts and what `videos.csv` says of it."""
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


def _build_table(rows: list[dict]) -> pd.DataFrame:
    """Make the table `videos`; without `camera` if no film has one."""
    schema = SCHEMAS["videos"]
    videos = pd.DataFrame(rows, columns=[*schema.columns, *(schema.optional or {})])
    if videos["camera"].isna().all():
        videos = videos.drop(columns="camera")
    return check_table(videos, "videos")
