"""Moving about in videos while labelling."""

from collections.abc import Callable

import numpy as np

from utils.labelling.desk import LabelDesk
from utils.labelling.proposals import rank_proposals


class LabelMoves(LabelDesk):
    """The calls that change the place, not the labels. See `LabelDesk`."""

    def jump_to(self, position: int) -> None:
        """Put the playhead somewhere; never paints; clamped to the video."""
        self._playhead.move(position)

    def jump_to_time(self, time_s: float) -> None:
        """Put the playhead on the frame shown at a time."""
        self.jump_to(self._clip.find_position(time_s))

    def go_to_video(self, video: str) -> None:
        """Change to a video, at the place where this person left it.

        Raises:
            ValueError: If it has no frames here.
        """
        if video not in self._clips:
            raise ValueError(
                f"There are no frames of {video!r}: it was removed, or frames were not "
                "extracted. Its labels stay in the file."
            )
        self._playhead.open(video)

    def next_video(self) -> None:
        """Change to the next video; stays on the last."""
        self._change_video(1)

    def previous_video(self) -> None:
        """Change to the previous video; stays on the first."""
        self._change_video(-1)

    def _change_video(self, n_on: int) -> None:
        """Change to a video some places on, if there is one."""
        at = self.videos.index(self.video) + n_on
        if 0 <= at < len(self.videos):
            self.go_to_video(self.videos[at])

    def next_unlabelled(self) -> bool:
        """Jump to the next stretch without label, over videos too; False if none."""
        return self._go_to_first(self._find_gap_positions, direction=1)

    def previous_unlabelled(self) -> bool:
        """Jump to the stretch without label before this; False if none."""
        return self._go_to_first(self._find_gap_positions, direction=-1)

    def _find_gap_positions(self, video: str) -> list[int]:
        """Return the first frame of each stretch of a video without label."""
        clip = self._clips[video]
        starts_s = np.array([start_s for start_s, _ in self._view.gaps(video)])
        starts = np.searchsorted(clip.times_s, starts_s - 5e-4)
        return starts[starts < len(clip.times_s)].tolist()

    def _go_to_first(self, find: Callable[[str], list[int]], *, direction: int) -> bool:
        """Jump to the nearest place in a direction, from video to video, round."""
        first = self.videos.index(self.video)
        order = [*self.videos[first:], *self.videos[:first]]
        order = order if direction > 0 else [order[0], *order[:0:-1]]
        for nth, video in enumerate([*order, order[0]]):
            places = find(video)
            if nth == 0:
                places = [p for p in places if (p - self.position) * direction > 0]
            if places:
                if video != self.video:
                    self.go_to_video(video)
                self.jump_to(min(places) if direction > 0 else max(places))
                return True
        return False

    def next_change(self) -> bool:
        """Jump to the next place where the label changes; False if none."""
        return self._go_to_change(1)

    def previous_change(self) -> bool:
        """Jump to the previous place where the label changes; False if none."""
        return self._go_to_change(-1)

    def _go_to_change(self, direction: int) -> bool:
        """Jump to the nearest change of label in a direction, in this video."""
        edges = {t for span in self.spans for t in span[:2]}
        places = {int(np.searchsorted(self.times_s, t - 5e-4)) for t in edges}
        ahead = [
            p
            for p in places
            if (p - self.position) * direction > 0 and p < self.n_frames
        ]
        if ahead:
            self.jump_to(min(ahead, key=lambda p: abs(p - self.position)))
        return bool(ahead)

    def next_target(self) -> bool:
        """Jump to what should be labelled next by `order`; False if nothing is left.

        In units of segments that is a still pose; moves are left to the person. Other
        orders than that of time look for the most useful segment of this video first.
        """
        if self.unit == "frame" or not self.segments:
            return self.next_unlabelled()
        proposals = self._view.proposals(self.video) if self.order != "time" else []
        stills = {s.start_s for s in self._view.open_segments(self.video) if s.is_still}
        proposals = [p for p in proposals if p.start_s in stills]
        if not proposals:
            return self._go_to_first(self._find_still_positions, direction=1)
        ranked = rank_proposals(proposals, self.order, seconds=self._view.seconds())
        self.jump_to_time(proposals[ranked[0]].start_s)
        return True

    def _find_still_positions(self, video: str) -> list[int]:
        """Return the first frame of each open still pose of a video."""
        return [s.start for s in self._view.open_segments(video) if s.is_still]
