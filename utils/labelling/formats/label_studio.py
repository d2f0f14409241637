"""Labels from and to Label Studio: JSON tasks with time-line regions of a video.

A region counts frames from 1, both ends included, as Label Studio's own converters
read it (https://github.com/HumanSignal/label-studio-ml-backend). It counts them at the
rate its `<Video frameRate>` was set to, 24 if it was not, whatever the film's is.
"""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import pandas as pd

_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-")


def parse_label_studio(
    text: str, videos: pd.DataFrame, *, where: str, fps: float | None = None
) -> pd.DataFrame:
    """Read an export of Label Studio (format JSON).

    Args:
        text: Content of the file.
        videos: Table `videos`, for names and frame rates.
        where: The file's name, for errors.
        fps: Frames a second that Label Studio counted; None takes each film's own.

    Returns:
        Rows `video`, `start_s`, `end_s`, `label`, `annotator`, numbered from 1.

    Raises:
        ValueError: One sentence that names the file and the task.
    """
    try:
        tasks = json.loads(text)
        tasks = tasks if isinstance(tasks, list) else [tasks]
        regions = [
            region
            for nth, task in enumerate(tasks, 1)
            for region in _find_regions(task, f"{where}, task {task.get('id', nth)}")
        ]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{where}: expected tasks with annotations as Label Studio exports them "
            f"({type(error).__name__}: {error}). Export as JSON, not JSON-MIN."
        ) from error
    except json.JSONDecodeError as error:
        raise ValueError(f"{where} is not JSON ({error}). Export it again.") from error
    rates = dict(zip(videos["video"], videos["fps"], strict=True))
    n_people = len({who for _, who, *_ in regions})
    rows = []
    for path, who, email, label, start, end, task in regions:
        video = _find_video(path, rates, task)
        rate = fps or rates[video]
        annotator = email or (f"user {who}" if who and n_people > 1 else "")
        rows.append((video, (start - 1) / rate, end / rate, label, annotator))
    columns = ["video", "start_s", "end_s", "label", "annotator"]
    return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))


def _find_regions(task: dict, where: str) -> Iterator[tuple]:
    """Yield path, annotator, label and frames of each time-line region of a task."""
    path = next(
        (v for k, v in task["data"].items() if isinstance(v, str) and "." in v), ""
    )
    for annotation in task.get("annotations", []):
        who = annotation.get("completed_by")
        email = who.get("email", "") if isinstance(who, dict) else ""
        if annotation.get("was_cancelled"):
            continue
        for region in annotation["result"]:
            value = region.get("value", {})
            if region.get("type") != "timelinelabels" or "ranges" not in value:
                continue  # rectangles, and the copies of them that some versions write
            for part in value["ranges"]:
                for label in value["timelinelabels"]:
                    ends = int(part["start"]), int(part["end"])
                    if not 1 <= ends[0] <= ends[1]:
                        raise ValueError(
                            f"{where}: expected frames from 1 up, found {ends[0]} to "
                            f"{ends[1]} for {label!r}. Correct the region."
                        )
                    yield path, email or str(who or ""), email, label, *ends, where


def _find_video(path: str, known: dict[str, float], where: str) -> str:
    """Return the video that a task is about; uploads get a prefix of 8 digits."""
    stem = PurePosixPath(unquote(urlsplit(path).path)).stem
    for name in (stem, _UPLOAD_PREFIX.sub("", stem)):
        if name in known:
            return name
    raise ValueError(
        f"{where}: there is no video {stem!r} here. Put it there, or remove the task."
    )


def format_label_studio(
    labels: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    fps: float | None = None,
    locate: Callable[[str], str] = str,
) -> str:
    """Write labels as tasks that Label Studio imports, time-line regions filled in.

    Args:
        labels: Table `labels`.
        videos: Table `videos`; labels of other videos are left out.
        fps: The project's `<Video frameRate>`; None takes each film's own rate.
        locate: From a video's path to the address Label Studio finds it at.

    Returns:
        JSON: a task a video, an annotation a person. Times become whole frames.
    """
    tasks = []
    signed = labels.assign(
        annotator=labels["annotator"].fillna("") if "annotator" in labels else ""
    )
    for video in videos.itertuples():
        rows = signed[signed["video"] == video.video]
        rate = fps or video.fps
        annotations = []
        for who, spans in rows.groupby("annotator"):
            signature = {"completed_by": {"email": who}} if who else {}
            result = [
                _build_region(s, rate, n) for n, s in enumerate(spans.itertuples())
            ]
            annotations.append({**signature, "result": result})
        if annotations:
            data = {"video": locate(video.path)}
            tasks.append({"data": data, "annotations": annotations})
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


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
