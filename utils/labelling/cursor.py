"""Where a person is in which video, kept on disk so that a restart resumes there."""

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from utils.labelling.clips import Clip


class Playhead:
    """A place in one of some videos; each video remembers where it was left.

    The file is a convenience, not data: it is written at every move, without waiting
    for the disk, and a damaged or unwritable one is passed over.

    Attributes:
        clips: The videos, by name, in order.
        video: The current one.
    """

    def __init__(self, clips: Mapping[str, Clip], path: Path, *, who: str) -> None:
        """Resume where a person stopped.

        Args:
            clips: The videos; at least one.
            path: The JSON file; it need not exist.
            who: Whose place.
        """
        self.clips = clips
        self._path = path
        self._who = who
        self._times_s: dict[str, float] = {}
        self.video = next(iter(clips))
        place = self._read().get(who)
        if isinstance(place, dict):
            times_s = place.get("times_s")
            self._times_s = times_s if isinstance(times_s, dict) else {}
            if place.get("video") in clips:
                self.video = place["video"]
        self._position = self._find_place()

    @property
    def clip(self) -> Clip:
        """The current video."""
        return self.clips[self.video]

    @property
    def position(self) -> int:
        """Index into the current video's frames."""
        return self._position

    def move(self, position: int) -> None:
        """Go to a frame of the current video; beyond an end, to that end."""
        self._position = min(max(int(position), 0), len(self.clip.times_s) - 1)
        self._save()

    def open(self, video: str) -> None:
        """Change to a video, at the place where it was left."""
        self.video = video
        self._position = self._find_place()
        self._save()

    def _find_place(self) -> int:
        """Return where the current video was left, its first frame if never seen."""
        time_s = self._times_s.get(self.video, 0.0)
        is_time = isinstance(time_s, int | float) and math.isfinite(time_s)
        return self.clip.find_position(time_s if is_time else 0.0)

    def _read(self) -> dict:
        """Return everybody's places as the file has them."""
        try:
            places = json.loads(self._path.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return places if isinstance(places, dict) else {}

    def _save(self) -> None:
        """Write the place, whole or not at all; not being able to is no harm."""
        time_s = round(float(self.clip.times_s[self._position]), 3)
        self._times_s[self.video] = time_s
        mine = {"video": self.video, "times_s": self._times_s}
        part = self._path.with_suffix(".part")
        with suppress(OSError):
            part.write_text(json.dumps(self._read() | {self._who: mine}))
            part.replace(self._path)
