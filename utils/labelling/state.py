"""Fold the actions of the log, in order, into the labels that hold now.

What is undone is left out of the fold, so undo is exact however much came between. A
`Track` holds the labels of one film, `LabelState` all tracks, classes and undo stacks;
the last functions find films that were renamed or replaced since they were labelled.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from utils.labelling.actions import Action, format_action, parse_action
from utils.labelling.spans import (
    SPECIAL_LABELS,
    Span,
    cut_in_place,
    merge_layers,
    put_in_place,
    rename_spans,
)

_CLASS_ACTIONS = ("add", "rename", "merge", "delete", "move")
_RELABEL_ACTIONS = ("rename", "merge", "delete")  # they reach the labels of every film

# Place in the log, action, and its spans in this film.
Entry = tuple[int, Action, tuple[Span, ...]]


@dataclass
class Track:
    """The labels of one film.

    Attributes:
        layers: Spans by annotator, each in order without overlap.
        actions: What was done to it, with its place in the log.
        units: What undo can take back of it: ids of actions and of whole strokes.
        version: Counts up with each change, for caches.
        number: No other track of this program has it.
        base: The layers that `actions` begin with, where a dump was loaded.
    """

    layers: dict[str, list[Span]] = field(default_factory=dict)
    actions: list[Entry] = field(default_factory=list)
    units: set[str] = field(default_factory=set)
    version: int = 0
    number: int = field(default_factory=count().__next__)
    base: dict[str, list[Span]] = field(default_factory=dict)
    _kept: dict[tuple, tuple[int, object]] = field(default_factory=dict, repr=False)

    def apply(self, action: Action, spans: Sequence[Span]) -> None:
        """Change the layers by one action's spans, or by its change of a class."""
        self.version += 1
        if action.do in ("paint", "erase"):
            self._paint(action, spans)
        elif action.do in ("rename", "merge"):
            for by, layer in self.layers.items():
                self.layers[by] = rename_spans(layer, action.old, action.label)
        elif action.do == "delete":
            for by, layer in self.layers.items():
                self.layers[by] = [s for s in layer if s.label != action.old]
        elif action.do == "import":
            self.layers = {}
            for span in sorted(spans):  # from the front, where putting costs least
                put_in_place(self.layers.setdefault(span.annotator, []), span)

    def _paint(self, action: Action, spans: Sequence[Span]) -> None:
        """Replace what is under some spans: own labels and those nobody signed."""
        label = action.label if action.do == "paint" else ""
        at = action.at if action.by else ""
        own = self.layers.setdefault(action.by, [])
        unsigned = self.layers.get("") if action.by else None
        for start_s, end_s, *_ in spans:
            if unsigned:
                cut_in_place(unsigned, start_s, end_s)
            if label:
                put_in_place(own, Span(start_s, end_s, label, action.by, at))
            else:
                cut_in_place(own, start_s, end_s)

    def merge(self) -> list[Span]:
        """Return the spans of all annotators in one list, in order of time."""
        return merge_layers(self.layers.values())

    # --- as one person sees it, kept until the labels change -------------------------

    def show(self, by: str) -> list[Span]:
        """Return a person's labels over those nobody signed, in order, no overlap."""

        def lay_over() -> list[Span]:
            spans = list(self.layers.get("", []))
            for span in self.layers.get(by, []) if by else ():
                put_in_place(spans, span)
            return spans

        return self._keep(("show", by), lay_over)

    def show_others(self, by: str) -> list[Span]:
        """Return what other people labelled, in order; it may overlap."""
        layers = self.layers.items()
        return merge_layers(v for k, v in layers if k not in ("", by))

    def sum_seconds(self, by: str) -> Counter[str]:
        """Return the seconds of each label that a person sees."""

        def sum_spans() -> Counter[str]:
            total: Counter[str] = Counter()
            for span in self.show(by):
                total[span.label] += span.end_s - span.start_s
            return total

        return self._keep(("seconds", by), sum_spans)

    def _keep(self, key: tuple, build: Callable[[], object]) -> object:
        """Return what was built for a key, built anew if the labels have changed."""
        if key not in self._kept or self._kept[key][0] != self.version:
            self._kept[key] = (self.version, build())
        return self._kept[key][1]

    def rebuild(self, renames: Sequence[Entry], undone: Container[str]) -> None:
        """Fold the layers again from all that is not undone.

        Args:
            renames: Renamed, merged and deleted classes, which reach every track.
            undone: Ids of the steps that are undone.
        """
        self.layers = {by: list(layer) for by, layer in self.base.items()}
        for _, action, spans in sorted([*self.actions, *renames], key=_order):
            if find_unit(action) not in undone:
                self.apply(action, spans)
        self.version += 1


def normalise_spans(spans: Sequence[Span]) -> list[Span]:
    """Return spans in order of time, touching equals of one annotator joined."""
    track = Track()
    track.apply(Action("import"), spans)
    return track.merge()


def find_unit(action: Action) -> str:
    """Return the id of the step of undo that an action is part of."""
    return action.stroke or action.id


def _order(entry: Entry) -> int:
    """Return the place in the log of an entry."""
    return entry[0]


@dataclass
class _Stack:
    """What one person can undo and redo in one film: ids, the last is next.

    `has_older_undo` and `has_older_redo`: more lies below, which a dump leaves out.
    """

    undo: list[str] = field(default_factory=list)
    redo: list[str] = field(default_factory=list)
    has_older_undo: bool = False
    has_older_redo: bool = False


class MissingHistoryError(LookupError):
    """What is asked for lies before the dump that was loaded: read the whole log."""


class LabelState:
    """All labels, classes and undo stacks, as the actions so far make them.

    Attributes:
        tracks: By video: the labels of the film that has this name now.
        films: sha256 of each video's film, as far as known.
        classes: In order; not the two special answers.
        looks: By class: `colour` and `key`, as far as a person chose them.
        last: The last action applied, None if none.
        imports: Files of other programs that were taken in, undone since or not.
        n_actions: How many were applied.
    """

    def __init__(self, classes: Sequence[str] = ()) -> None:
        """Start without labels.

        Args:
            classes: Classes known from the start; changes in the log apply to them.
        """
        self._given_classes = list(classes)
        self._first_classes = _add_classes((), classes)
        self.classes = list(self._first_classes)
        self._first_looks: dict[str, dict[str, str]] = {}
        self.looks: dict[str, dict[str, str]] = {}
        self._is_loaded = False
        self.tracks: dict[str, Track] = {}
        self.films: dict[str, str] = {}
        self.last: Action | None = None
        self.imports: set[str] = set()
        self.n_actions = 0
        self._parked: dict[tuple[str, str], Track] = {}
        self._stacks: dict[tuple[int, str], _Stack] = defaultdict(_Stack)
        self._units: dict[str, list[Action]] = defaultdict(list)
        self._touched: dict[str, int] = {}  # step -> place in the log, undone or not
        self._undone: set[str] = set()
        self._renames: list[Entry] = []
        self._naming: list[Action] = []

    def track(self, video: str) -> Track:
        """Return a video's track; an empty one is made where there is none."""
        track = self.tracks.get(video)
        if track is None:
            track = self.tracks[video] = Track()
        return track

    def can(self, which: str, by: str) -> bool:
        """Return whether a person can `undo`, or `redo`, anything anywhere."""
        return any(
            getattr(stack, which) or getattr(stack, f"has_older_{which}")
            for _, stack in self._list_stacks(by)
        )

    def find_last(self, which: str, by: str) -> tuple[str, Action] | None:
        """Return what a person did, or took back, last, in whichever video.

        Args:
            which: What it is sought for: `undo` or `redo`.
            by: Who did it.

        Returns:
            The video on whose stack it lies, and the action, of a stroke with all its
            spans; None if there is none.

        Raises:
            MissingHistoryError: If that lies before the dump that was loaded.
        """
        stacks = self._list_stacks(by)
        tops = [(v, ids[-1]) for v, stack in stacks if (ids := getattr(stack, which))]
        if not tops:
            if self.can(which, by):
                raise MissingHistoryError
            return None
        video, unit = max(tops, key=lambda top: self._touched[top[1]])
        pieces = self._units[unit]  # of a stroke; else one
        spans: dict[str, tuple[Span, ...]] = {}
        for piece in pieces:
            for name, part in piece.spans.items():
                spans[name] = (*spans.get(name, ()), *part)
        return video, replace(pieces[-1], spans=spans)

    def _list_stacks(self, by: str) -> list[tuple[str, _Stack]]:
        """Return a person's undo stacks, with the names of the videos."""
        found = ((video, self._stack(video, by)) for video in self.tracks)
        return [(video, stack) for video, stack in found if stack is not None]

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

    def find_names(self, sha256: str) -> list[str]:
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
            self._change_video(action)
            return
        self.films.update(action.films)
        self._push(action)
        is_plain = action.do in ("paint", "erase")
        if not is_plain:
            self._naming.append(action)
            self.imports.update([action.old] * (action.do == "import"))
            self.looks = _change_looks(self.looks, action)
        if not is_plain or action.label not in self.classes:
            self.classes = _change_classes(self.classes, action)
        if action.do in _RELABEL_ACTIONS:
            self._renames.append((self.n_actions, action, ()))
            for track in self._all_tracks():
                track.apply(action, ())
            return
        for video, spans in action.spans.items():
            track = self.track(video)
            track.actions.append((self.n_actions, action, spans))
            track.units.add(action.stroke or action.id)
            track.apply(action, spans)

    def dump(self) -> dict:
        """Return the labels as they are, as JSON values, without what led to them."""
        tracks = [([video], track) for video, track in self.tracks.items()]
        tracks += [(list(key), track) for key, track in self._parked.items()]
        stacks = defaultdict(dict)
        for (number, by), stack in self._stacks.items():
            undo, redo = stack.undo, stack.redo
            more = stack.has_older_undo, stack.has_older_redo
            stacks[number][by] = [bool(undo) or more[0], bool(redo) or more[1]]
        return {
            "given_classes": self._given_classes,
            "classes": self.classes,
            "looks": self.looks,
            "films": self.films,
            "imports": sorted(self.imports),
            "n_actions": self.n_actions,
            "last": format_action(self.last).decode() if self.last else "",
            "tracks": [
                [key, track.layers, stacks[track.number]] for key, track in tracks
            ],
        }

    @classmethod
    def load(cls, dump: dict, classes: Sequence[str]) -> "LabelState":
        """Return the state that was dumped.

        Raises:
            ValueError: If it was dumped with other classes to begin with, which changes
                in the log apply to.
        """
        if dump["given_classes"] != list(classes):
            raise ValueError("other classes")
        state = cls(dump["classes"])
        state._given_classes, state._is_loaded = list(classes), True
        state.looks = state._first_looks = dump["looks"]
        state.films, state.n_actions = dump["films"], dump["n_actions"]
        state.imports = set(dump["imports"])
        state.last = parse_action(dump["last"].encode()) if dump["last"] else None
        for key, layers, stacks in dump["tracks"]:
            track = Track({b: [Span(*s) for s in part] for b, part in layers.items()})
            track.base = {by: list(layer) for by, layer in track.layers.items()}
            for by, more in stacks.items():
                state._stacks[track.number, by] = _Stack([], [], *more)
            if len(key) == 1:
                state.tracks[key[0]] = track
            else:
                state._parked[key[0], key[1]] = track
        return state

    def _all_tracks(self) -> list[Track]:
        """Return the tracks of all films, those set aside too."""
        return [*self.tracks.values(), *self._parked.values()]

    def _push(self, action: Action) -> None:
        """Put an action onto its undo stack; a stroke is one step."""
        unit = find_unit(action)
        if action.stroke and self._is_loaded and unit not in self._units:
            raise MissingHistoryError  # the stroke began before the dump
        self._units[unit].append(action)
        self._touched[unit] = self.n_actions
        if action.is_first:
            return
        stack = self._stacks[self.track(action.video).number, action.by]
        stack.redo.clear()
        stack.has_older_redo = False
        if stack.undo and stack.undo[-1] == unit:
            return
        if action.stroke and unit in stack.undo:
            stack.undo.remove(unit)
        stack.undo.append(unit)

    def _turn(self, action: Action) -> None:
        """Take back or do again what another action did."""
        stack = self._stack(action.video, action.by)
        source, target = ("undo", "redo") if action.do == "undo" else ("redo", "undo")
        if stack is None:
            return
        if action.of not in getattr(stack, source):
            if getattr(stack, f"has_older_{source}"):
                raise MissingHistoryError
            return
        getattr(stack, source).remove(action.of)
        getattr(stack, target).append(action.of)
        self._touched[action.of] = self.n_actions
        (self._undone.add if action.do == "undo" else self._undone.discard)(action.of)
        units = self._units[action.of]
        changes_class = any(unit.do in _CLASS_ACTIONS for unit in units)
        for track in self._all_tracks():
            if changes_class or action.of in track.units:
                track.rebuild(self._renames, self._undone)
        self._rebuild_classes()

    def _rebuild_classes(self) -> None:
        """Fold the list of classes, and their looks, from all that is not undone."""
        classes, self.looks = list(self._first_classes), self._first_looks
        for action in self._naming:
            if find_unit(action) not in self._undone:
                classes = _change_classes(classes, action)
                self.looks = _change_looks(self.looks, action)
        labels = (s.label for track in self._all_tracks() for s in track.merge())
        self.classes = _add_classes(classes, labels)

    def _change_video(self, action: Action) -> None:
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
    if action.do == "delete":
        return [name for name in classes if name != action.old]
    if action.do == "move":
        rest = [name for name in classes if name != action.label]
        at = rest.index(action.old) if action.old in rest else len(rest)
        return [*rest[:at], action.label, *rest[at:]]
    if action.do == "import":
        rows = (span.label for spans in action.spans.values() for span in spans)
        return _add_classes(classes, rows)
    return _add_classes(classes, (action.label,))


def _change_looks(
    looks: dict[str, dict[str, str]], action: Action
) -> dict[str, dict[str, str]]:
    """Return how classes look after an action; a key belongs to one class alone."""
    if action.do == "look":
        own = {**looks.get(action.label, {}), action.how: action.old}
        others = {name: look for name, look in looks.items() if name != action.label}
        chosen = action.how, action.old
        if action.how == "key":
            others = {
                name: {h: own for h, own in look.items() if (h, own) != chosen}
                for name, look in others.items()
            }
        return {**others, action.label: own}
    if action.do in _RELABEL_ACTIONS and action.old in looks:
        rest = {name: look for name, look in looks.items() if name != action.old}
        is_renamed = action.do == "rename"
        return rest | ({action.label: looks[action.old]} if is_renamed else {})
    return looks


def _add_classes(classes: Iterable[str], labels: Iterable[str]) -> list[str]:
    """Return the classes and then those labels that are new and not special."""
    names = dict.fromkeys([*classes, *labels])
    return [name for name in names if name and name not in SPECIAL_LABELS]


def find_replaced_videos(state: LabelState, films: Mapping[str, str]) -> list[Action]:
    """Return the changes of videos whose labels belong to another film.

    Args:
        state: What the log says.
        films: sha256 of each video there is.
    """
    return [
        Action(
            "film",
            video=video,
            how="changed",
            old=state.films[video],
            films={video: sha256},
        )
        for video, sha256 in films.items()
        if state.films.get(video, sha256) != sha256
        and (_is_labelled(state, video) or sha256 in state.find_parked(video))
    ]


def find_renamed_videos(state: LabelState, films: Mapping[str, str]) -> list[Action]:
    """Return the changes of videos whose film has its labels under another name.

    A second copy of a film, under both names, does not take the labels.
    Labels of replaced films must have been set aside before.
    """
    changes = []
    for video, sha256 in films.items():
        if _is_labelled(state, video):
            continue
        names = [
            name
            for name in state.find_names(sha256)
            if name != video and films.get(name) != sha256
        ]
        if names:
            changes.append(
                Action(
                    "film",
                    video=video,
                    how="renamed",
                    old=names[-1],
                    films={video: sha256},
                )
            )
    return changes


def _is_labelled(state: LabelState, video: str) -> bool:
    """Tell whether labels are in force under a name."""
    return video in state.tracks and bool(state.tracks[video].merge())
