"""The ipywidgets below the labelling front end: progress, and labels to look at again.

All that must be as fast as a key is drawn by the front end itself.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape

import ipywidgets
import pandas as pd

from utils.labelling.review import Doubt
from utils.labelling.session import NEXT_STEP

_NO_DOUBTS = "None yet: labels that both trained models contradict will be listed here."


def draw_bar(share: float, colour: str, value_s: float) -> str:
    """Return HTML of a bar `share` (0 to 1) wide with a number of seconds on it."""
    return (
        '<div class="labeller-bar-box"><div class="labeller-bar-fill" style="'
        f'width:{100 * share:.1f}%;background:{colour}"></div>'
        f"<span>{value_s:.1f} s</span></div>"
    )


def draw_progress(
    summary: pd.DataFrame, classes: Sequence[dict[str, str]], advice: Sequence[str]
) -> str:
    """Return HTML: seconds per class and person as bars, and what to label next.

    Args:
        summary: Columns `label`, `subject`, `seconds`.
        classes: As from `colour_classes`.
        advice: Sentences.

    Returns:
        A table with a row per class and a column per person, and a list.
    """
    seconds = summary.groupby(["label", "subject"])["seconds"].sum().to_dict()
    subjects = sorted(summary["subject"].unique())
    longest = max([*seconds.values(), 1e-9])
    head = "".join(f"<th>{escape(subject)}</th>" for subject in subjects)
    rows = ""
    for named in classes:
        cells = ""
        for subject in subjects:
            value_s = seconds.get((named["name"], subject), 0.0)
            bar = draw_bar(value_s / longest, named["colour"], value_s)
            cells += f"<td>{bar}</td>"
        rows += f"<tr><th>{escape(named['name'])}</th>{cells}</tr>"
    said = "".join(f"<li>{escape(sentence)}</li>" for sentence in advice)
    return (
        '<table class="labeller-table">'
        f"<tr><th>seconds of</th>{head}</tr>{rows}</table>"
        f'<ul class="labeller-advice">{said}</ul>'
        f"<p>When you have labelled what you can, {NEXT_STEP}.</p>"
    )


class Panel:
    """The boxes below the front end.

    Attributes:
        box: All of it, the front end too, to be displayed.
        doubts: List of labels that deserve a second look; its value is an index.
    """

    def __init__(
        self, front_end: ipywidgets.DOMWidget, send: Callable[..., str]
    ) -> None:
        """Build the boxes, empty.

        Args:
            front_end: Picture, time line, buttons and keys.
            send: Called with a verb and its parts, as the front end sends them;
                returns what to show for it.
        """
        self._is_quiet = False
        self._classes: list[dict[str, str]] = []
        self.doubts = ipywidgets.Select(options=[], rows=6).add_class("labeller-doubts")
        self._listen(self.doubts, lambda nth: send("doubt", nth=nth))
        self._doubts_head = ipywidgets.Label(_NO_DOUBTS)
        self._progress = ipywidgets.HTML()
        self._notices = ipywidgets.HTML()
        tabs = ipywidgets.Tab(
            [self._progress, ipywidgets.VBox([self._doubts_head, self.doubts])],
            titles=("Progress", "Second look"),
        )
        self.box = ipywidgets.VBox([front_end, self._notices, tabs])
        self.box.add_class("labeller")

    def _listen(
        self, chooser: ipywidgets.Widget, tell: Callable[[object], object]
    ) -> None:
        """Have a choice of the user's sent on, but not one that is made here."""

        def on_change(change: dict) -> None:
            if not self._is_quiet and change["new"] is not None:
                tell(change["new"])

        chooser.observe(on_change, names="value")

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Change what is chosen without sending it on."""
        self._is_quiet = True
        try:
            yield
        finally:
            self._is_quiet = False

    def show(self, named: Sequence[dict[str, str]]) -> None:
        """Take the classes, with their colours, that the progress is drawn with."""
        self._classes = list(named)

    def show_progress(self, summary: pd.DataFrame, advice: Sequence[str]) -> None:
        """Show seconds per class and person, and advice."""
        self._progress.value = draw_progress(summary, self._classes, advice)

    def show_notices(self, notices: Sequence[str]) -> None:
        """Show what was noticed in the files, one sentence each."""
        lines = "".join(f"<li>{escape(notice)}</li>" for notice in notices)
        self._notices.value = f'<ul class="labeller-advice">{lines}</ul>' * bool(lines)

    def list_doubts(self, doubts: Sequence[Doubt], chosen: int | None) -> None:
        """List labels that deserve a second look, one line each."""
        texts = [
            f"{d.video} {d.start_s:.1f} s: {d.label}, models say {d.predicted}"
            for d in doubts
        ]
        with self._quietly():
            self.doubts.options = [(text, idx) for idx, text in enumerate(texts)]
            self.doubts.value = chosen
        n_doubts = len(texts)
        self._doubts_head.value = (
            f"Labels that both models contradict: {n_doubts}."
            if n_doubts
            else _NO_DOUBTS
        )
