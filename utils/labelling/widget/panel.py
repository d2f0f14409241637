"""The ipywidgets around the labelling front end: buttons, bars, lists and forms.

Buttons that stand for a key carry its command in a CSS class, `labeller-do-<command>`;
the front end listens to their clicks itself, so they work as fast as keys and do not
wait for the kernel. Only forms and lists call back into Python, with the same verbs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from html import escape

import ipywidgets
import pandas as pd

from utils.core.colours import ink_on
from utils.labelling.review import Doubt

_PLAY_ROW: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (
        ("first", "|◂", "first frame: Home"),
        ("previous_unlabelled", "◂ unlabelled", "unlabelled stretch before: shift + ←"),
        ("previous_change", "◂ change", "change of label before: shift + ↑"),
        ("back", "◂ step", "step back: ←"),
        ("play", "play / pause", "space"),
        ("forward", "step ▸", "step forward: →"),
        ("next_change", "change ▸", "next change of label: shift + ↓"),
        ("next_unlabelled", "unlabelled ▸", "next unlabelled stretch: shift + →"),
        ("last", "▸|", "last frame: End"),
    ),
    (
        ("speed-0_5", "½×", "half speed: - and + change it"),
        ("speed-1", "1×", "normal speed"),
        ("speed-2", "2×", "double speed"),
        ("speed-4", "4×", "four times as fast"),
    ),
    (
        ("step-1", "1", "step of 1 frame; . changes it"),
        ("step-5", "5", "step of 5 frames"),
        ("step-25", "25", "step of 25 frames"),
    ),
    (
        ("view-both", "both", "picture and skeleton; V changes it"),
        ("view-picture", "picture", "picture only"),
        ("view-skeleton", "skeleton", "skeleton only"),
    ),
)

_SIDE_ROWS: tuple[tuple[tuple[str, str, str], ...], ...] = (
    (
        ("accept", "accept · Enter", "accept what is proposed here: Enter"),
        ("erase", "erase · ⌫", "erase the label here: Backspace"),
    ),
    (
        ("undo", "undo · ctrl Z", "undo, in this video: ctrl + Z"),
        ("redo", "redo · ⇧ ctrl Z", "redo: ctrl + shift + Z"),
    ),
    (
        ("mark_start", "start · I", "mark a start here: I"),
        ("mark_end", "end · O", "mark the end here, then press a class: O"),
        ("cancel", "drop · Esc", "drop the selection, stop painting: Esc"),
    ),
    (
        ("unit", "segments · S", "a class labels the segment in view: S"),
        ("hold", "keep on · T", "a class paints until pressed again: T"),
    ),
    (
        ("grid", "look-alikes · G", "label frames that look alike together: G"),
        ("help", "keys · ?", "the list of keys: ?"),
    ),
)

_NO_DOUBTS = "None yet: labels that both trained models contradict will be listed here."


def build_button(command: str, text: str, tooltip: str) -> ipywidgets.Button:
    """Build a button that stands for a command of the front end."""
    button = ipywidgets.Button(description=text, tooltip=tooltip)
    button.add_class(f"labeller-do-{command}")
    return button


def build_play_row() -> ipywidgets.Box:
    """Build the row under the picture: moving, speed, step, view."""
    groups = []
    for buttons, title in zip(_PLAY_ROW, ("", "speed", "step", "show"), strict=True):
        row = [build_button(*button) for button in buttons]
        heading = [ipywidgets.Label(title)] if title else []
        groups.append(ipywidgets.HBox([*heading, *row]).add_class("labeller-group"))
    return ipywidgets.Box(groups).add_class("labeller-row")


def build_class_rows(
    classes: Sequence[dict[str, str]], seconds: dict[str, float]
) -> list[ipywidgets.HBox]:
    """Build a button with a bar of labelled seconds for each class."""
    rows = []
    for idx, named in enumerate(classes):
        text = f"{named['key'].upper()}  {named['name']}".strip()
        button = build_button(f"class-{idx}", text, f"label: {named['name']}")
        button.style.button_color = named["colour"]
        button.style.text_color = ink_on(named["colour"])
        button.add_class("labeller-class")
        bar = ipywidgets.HTML().add_class("labeller-bar")
        rows.append(ipywidgets.HBox([button, bar]).add_class("labeller-class-row"))
    fill_bars(rows, classes, seconds)
    return rows


def fill_bars(
    rows: Sequence[ipywidgets.HBox],
    classes: Sequence[dict[str, str]],
    seconds: dict[str, float],
) -> None:
    """Write the labelled seconds of all videos beside the class buttons."""
    longest = max([*seconds.values(), 1e-9])
    for row, named in zip(rows, classes, strict=True):
        value_s = seconds.get(named["name"], 0.0)
        row.children[1].value = draw_bar(value_s / longest, named["colour"], value_s)


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
        f'<table class="labeller-table"><tr><th></th>{head}</tr>{rows}</table>'
        f'<ul class="labeller-advice">{said}</ul>'
    )


class Panel:
    """The boxes around the front end.

    Attributes:
        box: All of it, to be displayed.
        videos: Dropdown of the videos.
        order: Dropdown of what "next" means.
        doubts: List of labels that deserve a second look; its value is an index.
    """

    def __init__(
        self,
        front_end: ipywidgets.DOMWidget,
        send: Callable[..., str],
        *,
        videos: Sequence[str],
        orders: Sequence[str],
    ) -> None:
        """Build the boxes, empty.

        Args:
            front_end: Picture, time line and keys.
            send: Called with a verb and its parts, as the front end sends them;
                returns what to show for it.
            videos: Names of the videos.
            orders: What "next" can mean.
        """
        self._send = send
        self._is_quiet = False
        self._classes: list[dict[str, str]] = []
        self._class_rows: list[ipywidgets.HBox] = []
        self.videos = ipywidgets.Dropdown(options=list(videos))
        self.videos.add_class("labeller-videos")
        self.order = ipywidgets.Dropdown(
            options=[(f"next: {_ORDER_WORDS[order]}", order) for order in orders],
            tooltip="where shift + → goes",
        )
        self.doubts = ipywidgets.Select(options=[], rows=6).add_class("labeller-doubts")
        self._listen(self.videos, lambda video: send("open", video=video))
        self._listen(self.order, lambda order: send("set", order=order))
        self._listen(self.doubts, lambda nth: send("doubt", nth=nth))
        self._doubts_head = ipywidgets.Label(_NO_DOUBTS)
        self._progress = ipywidgets.HTML()
        self._class_box = ipywidgets.VBox().add_class("labeller-classes")
        self._old, self._into = ipywidgets.Dropdown(), ipywidgets.Dropdown()
        self._name = ipywidgets.Text(placeholder="name of a class")
        self._said = ipywidgets.HTML()
        self._notices = ipywidgets.HTML()
        front_end.layout = ipywidgets.Layout(flex="1 1 0", min_width="0")
        top = ipywidgets.HBox([front_end, self._build_side()])
        self.box = ipywidgets.VBox(
            [top, build_play_row(), self._notices, self._build_tabs()]
        )
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

    def show_place(self, video: str, order: str) -> None:
        """Show which video is open, and what "next" means."""
        with self._quietly():
            self.videos.value, self.order.value = video, order

    def show(self, named: Sequence[dict[str, str]], seconds: dict[str, float]) -> None:
        """Show these classes with their labelled seconds."""
        if list(named) != self._classes:
            self._classes = list(named)
            self._class_rows = build_class_rows(named, seconds)
            self._class_box.children = self._class_rows
            names = [each["name"] for each in named if each["key"] not in ("0", "u")]
            for choice in (self._old, self._into):
                choice.options = names
                choice.value = names[0] if names else None
        else:
            fill_bars(self._class_rows, named, seconds)

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

    def _build_side(self) -> ipywidgets.VBox:
        move = [
            build_button("previous_video", "◂ P", "video before: P"),
            build_button("next_video", "N ▸", "next video: N"),
        ]
        for button in move:
            button.add_class("labeller-move")
        rows = [
            ipywidgets.HBox([build_button(*button) for button in row])
            for row in _SIDE_ROWS
        ]
        side = ipywidgets.VBox(
            [
                ipywidgets.HBox([move[0], self.videos, move[1]]),
                self._class_box,
                *rows,
                self.order,
            ]
        )
        return side.add_class("labeller-side")

    def _build_tabs(self) -> ipywidgets.Tab:
        look = ipywidgets.VBox(
            [
                self._doubts_head,
                self.doubts,
                ipywidgets.HBox(
                    [
                        build_button("doubt", "go to the next · J", "J"),
                        build_button("fix", "put it right · F", "F"),
                    ]
                ),
            ]
        )
        return ipywidgets.Tab(
            [self._progress, self._build_class_form(), look],
            titles=("Progress", "Classes", "Second look"),
        )

    def _build_class_form(self) -> ipywidgets.VBox:
        add, rename, merge = (
            ipywidgets.Button(description=text) for text in ("add", "rename", "merge")
        )

        def change(verb: str, **content: str) -> None:
            self._said.value = escape(self._send(verb, **content))

        add.on_click(lambda _: change("add_class", name=self._name.value))
        rename.on_click(
            lambda _: change("rename_class", old=self._old.value, new=self._name.value)
        )
        merge.on_click(
            lambda _: change("merge_class", old=self._old.value, into=self._into.value)
        )
        arrow = ipywidgets.Label("into")
        return ipywidgets.VBox(
            [
                ipywidgets.HBox([self._name, add]),
                ipywidgets.HBox([self._old, rename, merge, arrow, self._into]),
                self._said,
            ]
        )


_ORDER_WORDS = {
    "time": "in time",
    "uncertain": "most uncertain",
    "rarest": "rarest class",
}
