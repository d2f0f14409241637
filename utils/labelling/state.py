"""Fold the actions of the log, in order, into the labels that hold now.

What is undone is left out of the fold, so undo is exact however much came between.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from utils.labelling.actions import Action
from utils.labelling.spans import SPECIAL_LABELS
from utils.labelling.tracks import Entry, Track, find_unit

_CLASS_ACTIONS = ("add", "rename", "merge")


@dataclass
class _Stack:
    """What one person can undo and redo in one film: ids, the last is next."""

    undo: list[str] = field(default_factory=list)
    redo: list[str] = field(default_factory=list)


class LabelState:
    """All labels, classes and undo stacks, as the actions so far make them.

    Attributes:
        tracks: By video: the labels of the film that has this name now.
        films: sha256 of each video's film, as far as known.
        classes: In order; not the two special answers.
        last: The last action applied, None if none.
        n_actions: How many were applied.
    """

    def __init__(self, classes: Sequence[str] = ()) -> None:
        """Start without labels.

        Args:
            classes: Classes known from the start; changes in the log apply to them.
        """
        self._first_classes = _add_classes((), classes)
        self.classes = list(self._first_classes)
        self.tracks: dict[str, Track] = {}
        self.films: dict[str, str] = {}
        self.last: Action | None = None
        self.n_actions = 0
        self._parked: dict[tuple[str, str], Track] = {}
        self._stacks: dict[tuple[int, str], _Stack] = defaultdict(_Stack)
        self._units: dict[str, list[Action]] = defaultdict(list)
        self._undone: set[str] = set()
        self._renames: list[Entry] = []
        self._naming: list[Action] = []

    def track(self, video: str) -> Track:
        """Return a video's track; an empty one is made where there is none."""
        return self.tracks.setdefault(video, Track())

    def next_undo(self, video: str, by: str) -> Action | None:
        """Return the action that undo would take back in a video, None if none."""
        stack = self._stack(video, by)
        return self._units[stack.undo[-1]][-1] if stack and stack.undo else None

    def next_redo(self, video: str, by: str) -> Action | None:
        """Return the action that redo would do again in a video, None if none."""
        stack = self._stack(video, by)
        return self._units[stack.redo[-1]][-1] if stack and stack.redo else None

    def _stack(self, video: str, by: str) -> _Stack | None:
        """Return the undo stack of a person in a video."""
        track = self.tracks.get(video)
        return self._stacks.get((track.number, by)) if track else None

    def find_parked(self, video: str) -> dict[str, float]:
        """Return the seconds labelled in other films that had a video's name.

        Returns:
            Seconds by the sha256 of the film, the latest set aside last.
        """
        return {
            sha256: sum(span.end_s - span.start_s for span in track.merge())
            for (name, sha256), track in self._parked.items()
            if name == video
        }

    def find_film(self, sha256: str) -> list[str]:
        """Return the names under which a film has labels, in force or set aside."""
        names = [
            name
            for name, known in self.films.items()
            if known == sha256 and name in self.tracks and self.tracks[name].merge()
        ]
        return [*names, *(name for name, known in self._parked if known == sha256)]

    def apply(self, action: Action) -> None:
        """Take in the next action of the log.

        References to what is not there (a damaged line was left out) do nothing.
        """
        self.n_actions += 1
        self.last = action
        if action.do in ("undo", "redo"):
            self._turn(action)
            return
        if action.do == "film":
            self._change_film(action)
            return
        self.films.update(action.films)
        self._push(action)
        if action.do in (*_CLASS_ACTIONS, "import"):
            self._naming.append(action)
        self.classes = _change_classes(self.classes, action)
        if action.do in ("rename", "merge"):
            self._renames.append((self.n_actions, action, ()))
            for track in self._all_tracks():
                track.apply(action, ())
            return
        for video, spans in action.spans.items():
            track = self.track(video)
            track.actions.append((self.n_actions, action, spans))
            track.units.add(find_unit(action))
            track.apply(action, spans)

    def _all_tracks(self) -> list[Track]:
        """Return the tracks of all films, those set aside too."""
        return [*self.tracks.values(), *self._parked.values()]

    def _push(self, action: Action) -> None:
        """Put an action onto its undo stack; a stroke is one step."""
        unit = find_unit(action)
        self._units[unit].append(action)
        if action.is_first:
            return
        stack = self._stacks[self.track(action.video).number, action.by]
        stack.redo.clear()
        if stack.undo and stack.undo[-1] == unit:
            return
        if action.stroke and unit in stack.undo:
            stack.undo.remove(unit)
        stack.undo.append(unit)

    def _turn(self, action: Action) -> None:
        """Take back or do again what another action did."""
        stack = self._stack(action.video, action.by)
        source, target = ("undo", "redo") if action.do == "undo" else ("redo", "undo")
        if stack is None or action.of not in getattr(stack, source):
            return
        getattr(stack, source).remove(action.of)
        getattr(stack, target).append(action.of)
        (self._undone.add if action.do == "undo" else self._undone.discard)(action.of)
        units = self._units[action.of]
        changes_class = any(unit.do in _CLASS_ACTIONS for unit in units)
        for track in self._all_tracks():
            if changes_class or action.of in track.units:
                track.rebuild(self._renames, self._undone)
        self._rebuild_classes()

    def _rebuild_classes(self) -> None:
        """Fold the list of classes again from all that is not undone."""
        classes = list(self._first_classes)
        for action in self._naming:
            if find_unit(action) not in self._undone:
                classes = _change_classes(classes, action)
        labels = (s.label for track in self._all_tracks() for s in track.merge())
        self.classes = _add_classes(classes, labels)

    def _change_film(self, action: Action) -> None:
        """Follow a renamed film; set labels aside for another film of the same name."""
        video, sha256 = action.video, action.films.get(action.video, "")
        if action.how == "changed":
            if video in self.tracks:
                self._parked[video, self.films.get(video, "")] = self.tracks.pop(video)
            found = self._parked.pop((video, sha256), None)
        elif action.how == "renamed" and self.films.get(action.old) == sha256:
            found = self.tracks.pop(action.old, None)
            del self.films[action.old]
        else:
            keys = [
                key
                for key in self._parked
                if key in ((action.old, sha256), (video, action.old))
            ]
            found = self._parked.pop(keys[-1]) if keys else None
        if found is not None:
            self.tracks[video] = found
        self.films.update(action.films)
        self.track(video).version += 1


def _change_classes(classes: Sequence[str], action: Action) -> list[str]:
    """Return the list of classes after an action that may name or change some."""
    if action.do in ("rename", "merge"):
        renamed = [action.label if name == action.old else name for name in classes]
        return _add_classes((), renamed)
    if action.do == "import":
        rows = (span.label for spans in action.spans.values() for span in spans)
        return _add_classes(classes, rows)
    return _add_classes(classes, (action.label,))


def _add_classes(classes: Iterable[str], labels: Iterable[str]) -> list[str]:
    """Return the classes and then those labels that are new and not special."""
    names = dict.fromkeys([*classes, *labels])
    return [name for name in names if name and name not in SPECIAL_LABELS]
