"""What becomes of each film of a folder: a table, file by file.

python -m benchmarks.videos FOLDER tells it of your films; nothing is written.
"""

import argparse
import time
from pathlib import Path

from utils.video.catalogue import build_videos
from utils.video.reader import read_video


def main() -> None:
    """Print a Markdown table of the files in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every-s", type=float, default=0.2)
    given = parser.parse_args()
    print("| file | facts | frames | from, to (s) | took (s) | said |")
    print("|---|---|---|---|---|---|")
    for path in sorted(given.folder.iterdir()):
        started_s = time.perf_counter()
        facts, times_s, said = read(path, every_s=given.every_s)
        span = f"{times_s[0]:.2f}, {times_s[-1]:.2f}" if times_s else ""
        took_s = time.perf_counter() - started_s
        cells = [path.name, facts, len(times_s), span, f"{took_s:.1f}", said]
        print("| " + " | ".join(str(c).replace("\n", "⏎") for c in cells) + " |")


def read(path: Path, *, every_s: float) -> tuple[str, list[float], str]:
    """Read a film from start to end.

    Args:
        path: Any file.
        every_s: Seconds between frames.

    Returns:
        What it is in a few words, the times of its frames in s, and what is wrong or
        odd with it; each empty where there is nothing to say.
    """
    videos, problems = build_videos([path], settle_s=0)
    said = [*problems["problem"], *videos["advice"]]
    if videos.empty:
        return "", [], said[0]
    film = videos.iloc[0]
    facts = (
        f"{film.codec} {film.width_px}×{film.height_px}, {film.fps:.5g} fps"
        + ", variable" * bool(film.is_vfr)
        + f", turned {film.rotation_deg}°" * bool(film.rotation_deg)
    )
    times_s = []
    try:
        for frame in read_video(path, every_s=every_s):
            times_s.append(frame.time_s)
    except ValueError as error:
        said.append(str(error))
    return facts, times_s, " ".join(dict.fromkeys(text for text in said if text))


if __name__ == "__main__":
    main()
