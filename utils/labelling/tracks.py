"""The labels of one film, changed by one action after the other."""

from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from itertools import count

from utils.labelling.actions import Action
from utils.labelling.spans import Span, cut_spans, merge_layers, put_span, rename_spans

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
    """

    layers: dict[str, list[Span]] = field(default_factory=dict)
    actions: list[Entry] = field(default_factory=list)
    units: set[str] = field(default_factory=set)
    version: int = 0
    number: int = field(default_factory=count().__next__)

    def apply(self, action: Action, spans: Sequence[Span]) -> None:
        """Change the layers by one action's spans, or by its change of a class."""
        self.version += 1
        if action.do in ("rename", "merge"):
            for by, layer in self.layers.items():
                self.layers[by] = rename_spans(layer, action.old, action.label)
        elif action.do == "import":
            self.layers = {}
            for span in spans:
                layer = self.layers.get(span.annotator, [])
                self.layers[span.annotator] = put_span(layer, span)
        else:
            self._paint(action, spans)

    def _paint(self, action: Action, spans: Sequence[Span]) -> None:
        """Replace what is under some spans: own labels and those nobody signed."""
        label = action.label if action.do == "paint" else ""
        at = action.at if action.by else ""
        for span in spans:
            for by in {action.by, ""} & set(self.layers):
                self.layers[by] = cut_spans(self.layers[by], span.start_s, span.end_s)
            if label:
                painted = Span(span.start_s, span.end_s, label, action.by, at)
                own = self.layers.get(action.by, [])
                self.layers[action.by] = put_span(own, painted)

    def merge(self) -> list[Span]:
        """Return the spans of all annotators in one list, in order of time."""
        return merge_layers(self.layers.values())

    def rebuild(self, renames: Sequence[Entry], undone: Container[str]) -> None:
        """Fold the layers again from all that is not undone.

        Args:
            renames: Renamed and merged classes, which reach every track.
            undone: Ids of the steps that are undone.
        """
        self.layers = {}
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
