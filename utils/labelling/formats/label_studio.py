"""Labels from and to Label Studio: JSON tasks with time-line regions of a video.

A region counts frames from 1, both ends included, as Label Studio's own converters
read it (https://github.com/HumanSignal/label-studio-ml-backend). It counts them at the
rate its `<Video frameRate>` was set to, 24 if it was not, whatever the film's is.
Where a film's sound was labelled (Label Studio's older template for video), a region
has seconds.
"""

import json
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.labelling.formats.matching import Row, VideoMatcher, find_file_name
from utils.labelling.spans import MAX_TIME_S

_MS_FPS = 1000.0


class _Region(NamedTuple):
    """A region: of which task, by whom, what, from and to which frame, or second.

    `fps` is the rate at which its task says frames are counted; 0 if it does not.
    """

    place: str
    paths: list[str]
    fps: float
    who: str
    email: str
    label: str
    start: float
    end: float
    is_seconds: bool


def parse_label_studio(
    text: str, matcher: VideoMatcher, fps: float | None = None
) -> tuple[list[Row], int]:
    """Read an export of Label Studio (format JSON).

    Args:
        text: Content of the file.
        matcher: The videos there are.
        fps: Frames a second that Label Studio counted; None takes what a task says of
            them, as those that we export do, else each film's own.

    Returns:
        What is labelled; how many regions without a label were left out.

    Raises:
        ValueError: One sentence that names the file and the task.
    """
    where = matcher.where
    try:
        tasks = json.loads(text)
        tasks = tasks if isinstance(tasks, list) else [tasks]
        regions = [
            region
            for nth, task in enumerate(tasks, 1)
            for region in _find_regions(task, f"task {task.get('id', nth)}", where)
        ]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{where}: expected tasks with annotations as Label Studio exports them "
            f"({type(error).__name__}: {error}). Export as JSON, not JSON-MIN."
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is not JSON ({error}). Export it again.") from error
    n_people = len({region.who for region in regions})
    chosen: dict[str, str] = {}  # a task has thousands of regions, and one film
    rows = []
    for region in regions:
        if not region.label:
            continue
        place = region.place
        if place not in chosen:
            chosen[place] = matcher.choose(region.paths, place)
        video = chosen[place]
        rate = fps or region.fps or matcher.fps[video]
        who = region.email or (
            f"user {region.who}" if region.who and n_people > 1 else ""
        )
        start_s, end_s = region.start, region.end
        if not region.is_seconds:
            start_s, end_s = (region.start - 1) / rate, region.end / rate
        rows.append(Row(place, video, start_s, end_s, region.label, who))
    return rows, len(regions) - len(rows)


def _find_regions(task: dict, place: str, where: str) -> Iterator[_Region]:
    """Yield the regions of a task that are spans of time."""
    # Which field is the film is the project's choice: the one that names one of ours.
    paths = [v for v in task["data"].values() if isinstance(v, str) and "." in v]
    if task.get("file_upload"):
        paths.append(str(task["file_upload"]))
    fps = task["data"].get("fps")
    rate = fps if isinstance(fps, int | float) and 1 <= fps <= _MS_FPS else 0
    # Versions before 1.0 have completions.
    for annotation in task.get("annotations", task.get("completions")) or []:
        if annotation.get("was_cancelled"):
            continue
        who = annotation.get("completed_by")
        email = who.get("email", "") if isinstance(who, dict) else ""
        said = (email or str(who or ""), email)
        for region in annotation["result"] or []:
            value, kind = region.get("value", {}), region.get("type")
            # Rectangles are passed over, and the copies of them some versions write.
            spans, is_sound = [], kind == "labels"
            if kind == "timelinelabels" and "ranges" in value:
                spans = _list_ranges(value, f"{where}, {place}")
            # Written text has such regions too, where letters are counted.
            elif is_sound and "start" in value and "text" not in value:
                spans = _list_seconds(value, f"{where}, {place}")
            for label, *ends in spans:
                yield _Region(
                    place, paths, rate, *said, label, *ends, is_seconds=is_sound
                )


def _list_seconds(value: dict, where: str) -> Iterator[tuple[str, float, float]]:
    """Yield each label of a region of sound, with its first and last moment."""
    ends = [_read_end(value[end], where) for end in ("start", "end")]
    for label in value.get("labels") or [""]:
        yield str(label or ""), *ends


def _list_ranges(value: dict, where: str) -> Iterator[tuple[str, int, int]]:
    """Yield label, first and last frame of each part of a region."""
    for part in value["ranges"]:
        start, end = _read_frame(part["start"]), _read_frame(part["end"])
        for label in value.get("timelinelabels") or [""]:
            if not 1 <= start <= end:
                raise ValueError(
                    f"{where}: expected frames from 1 up, found {start} to {end} for "
                    f"{label!r}. Correct the region."
                )
            yield str(label or ""), start, end


def _read_end(seconds: object, where: str) -> float:
    """Return seconds; else raise `ValueError`."""
    is_number = isinstance(seconds, int | float) and abs(seconds) <= MAX_TIME_S
    if not is_number:
        raise ValueError(
            f"{where}: expected seconds, found {str(seconds)[:40]!r}. Correct the "
            "region."
        )
    return float(seconds)


def _read_frame(number: object) -> int:
    """Return a frame number, 0 for what cannot be one."""
    is_number = isinstance(number, int | float) and 0 <= number < 1e12
    return int(number) if is_number else 0


def format_label_studio(
    labels: pd.DataFrame, videos: pd.DataFrame, *, videos_at: str = ""
) -> str:
    """Write labels as tasks that Label Studio imports, time-line regions filled in.

    Args:
        labels: Table `labels`, in seconds from where players start the file.
        videos: Table `videos`; labels of other videos are left out.
        videos_at: What Label Studio finds the films at, before their file names.

    Returns:
        JSON: a task a video, an annotation a person. Times become whole frames, of the
        film's own rate, which stands in the task: `<Video frameRate="$fps">`. Where
        labels do not lie on frames of one rate they are counted in milliseconds.
    """
    tasks = []
    signed = labels.assign(
        annotator=labels["annotator"].fillna("") if "annotator" in labels else ""
    )
    for video in videos.itertuples():
        rows = signed[signed["video"] == video.video]
        rate = _choose_rate(rows, video.fps)
        annotations = []
        for who, spans in rows.groupby("annotator"):
            signature = {"completed_by": {"email": who}} if who else {}
            result = [
                _build_region(s, rate, n) for n, s in enumerate(spans.itertuples())
            ]
            annotations.append({**signature, "result": result})
        if annotations:
            name = videos_at + find_file_name(video.path)
            data = {"video": name, "fps": rate}
            tasks.append({"data": data, "annotations": annotations})
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


def _choose_rate(rows: pd.DataFrame, fps: float) -> float:
    """Return the film's rate if all labels start and end on a frame, else 1000."""
    if not fps >= 1:  # NaN too
        return _MS_FPS
    times_s = rows[["start_s", "end_s"]].to_numpy(dtype=float)
    read_s = ((times_s * fps).round() / fps).round(3)  # as labels are: milliseconds
    return fps if np.allclose(read_s, times_s, rtol=0, atol=1e-4) else _MS_FPS


def _build_region(span: tuple, rate: float, nth: int) -> dict:
    """Return one time-line region."""
    start = round(span.start_s * rate) + 1
    end = max(round(span.end_s * rate), start)
    return {
        "id": f"{nth}_{start}_{end}",
        "type": "timelinelabels",
        "from_name": "posture",
        "to_name": "video",
        "origin": "manual",
        "value": {
            "ranges": [{"start": start, "end": end}],
            "timelinelabels": [span.label],
        },
    }
