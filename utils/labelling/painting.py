"""Putting labels onto time: at once, by painting, and back again by undo."""

from collections.abc import Callable, Mapping, Sequence

from utils.labelling.actions import Action
from utils.labelling.csv_store import check_name
from utils.labelling.moves import LabelMoves
from utils.labelling.spans import SPECIAL_LABELS, Span
from utils.labelling.tracks import find_unit


class LabelPainting(LabelMoves):
    """The calls that label, erase, undo and redo. See `LabelDesk`.

    Attributes:
        painting: The label that moving paints, or None.
        mark: `(start, end)` positions marked, end included; either may be None.
    """

    painting: str | None = None
    mark: tuple[int | None, int | None] = (None, None)
    _stroke = ""

    def label(self, label: str) -> None:
        """Label what is meant (mark, else segment or frames) and go on to the next.

        Raises:
            ValueError: If there is no such class.
            LabelNotSavedError: If it cannot be written.
        """
        spans = self._find_meant()
        self._paint(label, spans)
        if self.mark != (None, None):
            self.clear_mark()
            self.jump_to_time(spans[0][1])
        elif self.unit == "segment" and self.segments:
            self.next_target()
        else:
            self.jump_to(self.position + self.step_size)

    def label_nth(self, nth: int) -> None:
        """Label with the class of a key, 1 to 9."""
        if nth > len(self.classes):
            raise ValueError(f"There is no class {nth} yet. Add one first.")
        self.label(self.classes[nth - 1])

    def _find_meant(self) -> list[tuple[float, float]]:
        """Return the stretch that a class key means, in seconds."""
        start, end = self.mark
        bounds_s = self._clip.bounds_s
        if start is not None or end is not None:
            first = self.position if start is None else start
            last = self.position if end is None else end
            first, last = sorted((first, last))
            return [(bounds_s[first], bounds_s[last + 1])]
        if self.unit == "segment" and self.segment is not None:
            return [self.segment[2:4]]
        after = min(self.position + self.step_size, self.n_frames)
        return [(bounds_s[self.position], bounds_s[after])]

    def label_span(self, label: str, start_s: float, end_s: float) -> None:
        """Label a stretch of time of the current video, as dragging does.

        Raises:
            ValueError: If there is no such class or no such time.
            LabelNotSavedError: If it cannot be written.
        """
        self._paint(label, [self._clip_span(start_s, end_s)])

    def erase(self) -> None:
        """Remove the label of what is meant: mark, else the label under the playhead.

        In units of frames: of the frames only.
        """
        here = self.label_at(self.position)
        spans = self._find_meant()
        if self.mark == (None, None) and self.unit == "segment" and here is not None:
            spans = [s[:2] for s in self.spans if s.start_s <= self.time_s + 5e-4]
            spans = spans[-1:]
        self._write("erase", spans={self.video: spans})
        self.clear_mark()

    def erase_span(self, start_s: float, end_s: float) -> None:
        """Remove labels from a stretch of time of the current video."""
        self._write("erase", spans={self.video: [self._clip_span(start_s, end_s)]})

    def _clip_span(self, start_s: float, end_s: float) -> tuple[float, float]:
        """Return the part of a stretch that lies in the current video."""
        start_s, end_s = sorted((float(start_s), float(end_s)))
        clipped = max(start_s, 0.0), min(end_s, self.duration_s)
        if not clipped[1] - clipped[0] >= 1e-3:
            raise ValueError(
                f"{start_s:g} to {end_s:g} s is no time of {self.video}, which lasts "
                f"{self.duration_s:.3f} s. Choose a stretch inside it."
            )
        return clipped

    def _paint(self, label: str, spans: Sequence[tuple[float, float]]) -> None:
        """Label stretches of the current video."""
        self._check_label(label)
        self._write("paint", label=label, spans={self.video: spans})

    def _check_label(self, label: str) -> None:
        """Raise `ValueError` unless a label is a class or a special answer."""
        if label not in (*self.classes, *SPECIAL_LABELS):
            known = ", ".join(self.classes) or "none yet"
            raise ValueError(f"{label!r} is not a class ({known}). Add it first.")

    def _write(self, do: str, **parts: object) -> Action:
        """Put an action on disk and make it hold; tell what it did."""
        spans: Mapping[str, Sequence[tuple]] = parts.pop("spans", {})
        for video in spans:
            if check_name(video, what="video") != video:
                raise ValueError(
                    f"The video name {video!r} begins or ends with a space, which a "
                    "labels file cannot hold. Rename the file."
                )
        action = Action(
            do,
            by=self.annotator,
            video=self.video,
            spans={
                v: tuple(Span(*s[:2], "") for s in part) for v, part in spans.items()
            },
            films=self._log.find_films(spans),
            **parts,
        )
        self._log.write(action)
        self.message = _describe(action)
        return action

    # --- painting ------------------------------------------------------------------

    def begin_paint(self, label: str) -> None:
        """Start to paint: the frame under the playhead, then all that moving passes.

        A stroke that is under way ends first.
        """
        self.end_paint()
        self._check_label(label)
        bounds_s, here = self._clip.bounds_s, self.position
        spans = {self.video: [(bounds_s[here], bounds_s[here + 1])]}
        self._stroke = self._write("paint", label=label, spans=spans).id
        self.painting = label

    def end_paint(self) -> None:
        """Stop painting; the whole stroke is one step for undo."""
        self.painting, self._stroke = None, ""

    def step(self, n_frames: int) -> None:
        """Move by some frames; paints what is passed while painting."""
        self.move_to(self.position + n_frames)

    def step_on(self, direction: int) -> None:
        """Move by the size of a step, forward (1) or back (-1)."""
        self.step(direction * self.step_size)

    def move_to(self, position: int) -> None:
        """Move as play does: what lies between is painted while painting."""
        position = min(max(int(position), 0), self.n_frames - 1)
        if self.painting is not None and position != self.position:
            first, last = sorted((self.position, position))
            if position > self.position:
                first += 1
            else:
                last -= 1
            bounds_s = self._clip.bounds_s
            spans = {self.video: [(bounds_s[first], bounds_s[last + 1])]}
            label, stroke = self.painting, self._stroke
            self._write("paint", label=label, stroke=stroke, spans=spans)
        super().jump_to(position)

    def go_to_video(self, video: str) -> None:
        """Change to a video, at the place where this person left it; ends a stroke."""
        self.end_paint()
        self.clear_mark()
        super().go_to_video(video)

    # --- marks, undo, classes --------------------------------------------------------

    def mark_start(self) -> None:
        """Mark the frame under the playhead as first of a stretch."""
        self.mark = (self.position, self.mark[1])

    def mark_end(self) -> None:
        """Mark the frame under the playhead as last of a stretch."""
        self.mark = (self.mark[0], self.position)

    def clear_mark(self) -> None:
        """Forget the mark."""
        self.mark = (None, None)

    def cancel(self) -> None:
        """Forget the mark and stop painting."""
        self.clear_mark()
        self.end_paint()

    def undo(self) -> bool:
        """Take back this person's last action in this video; False if none.

        The playhead goes to where something changed.
        """
        return self._turn("undo", self._log.state.next_undo)

    def redo(self) -> bool:
        """Do again what was taken back last in this video; False if none."""
        return self._turn("redo", self._log.state.next_redo)

    def _turn(self, do: str, find: Callable[[str, str], Action | None]) -> bool:
        """Undo or redo the next action, if there is one."""
        self.end_paint()
        action = find(self.video, self.annotator)
        if action is None:
            self.message = f"There is nothing to {do} in {self.video}."
            return False
        self._write(do, of=find_unit(action))
        verb = "Took back" if do == "undo" else "Did again"
        self.message = f"{verb}: {_describe(action)}"
        starts = [span.start_s for span in action.spans.get(self.video, ())]
        if starts and action.do != "import":
            self.jump_to_time(min(starts))
        return True


def _describe(action: Action) -> str:
    """Return one sentence about what an action does."""
    seconds = sum(s.end_s - s.start_s for part in action.spans.values() for s in part)
    n_videos = len(action.spans)
    where = f" in {n_videos} videos" if n_videos > 1 else ""
    return {
        "paint": f"{seconds:.1f} s are {action.label}{where}.",
        "erase": f"{seconds:.1f} s have no label{where}.",
        "add": f"{action.label} is a class.",
        "rename": f"{action.old} is called {action.label}.",
        "merge": f"{action.old} is part of {action.label}.",
        "import": "what the edited labels file says.",
    }.get(action.do, "")
