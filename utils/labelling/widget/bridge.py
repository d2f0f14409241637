"""The labelling cell: a widget over a `LabelSession`, or a still picture without one.

The front end (`static/`) owns the playhead and draws; each action comes here as a
message with a number, is given to the session, which writes it to disk, and is then
acknowledged, or refused with the reason. Nothing here waits for a person.
"""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

import anywidget
import pandas as pd
import traitlets
from IPython.display import display, update_display

from utils.core.esm import join_modules
from utils.labelling.session import ORDERS, Doubt, LabelSession
from utils.labelling.widget.feed import Feed
from utils.labelling.widget.gestures import build_frames, do_action
from utils.labelling.widget.images import shrink_jpeg
from utils.labelling.widget.messages import count_labels, describe_grid
from utils.labelling.widget.panel import Panel

_STATIC = Path(__file__).parent / "static"


class FrontEnd(anywidget.AnyWidget):
    """Picture, filmstrip, time line and keys: the modules in `static/`.

    Attributes:
        opening: The first `video` message with its buffers, so that there is something
            to see while the kernel is busy with other cells.
    """

    _esm = join_modules(_STATIC / "main.js", default=True)
    _css = _STATIC / "style.css"
    opening = traitlets.Dict().tag(sync=True)


def show_labeller(session: LabelSession, *, doubts: Sequence[Doubt] = ()) -> "Labeller":
    """Display the labelling widget and return at once.

    Where no front end answers (papermill, a page without widgets) a still picture with
    the counts stays in its place.

    Args:
        session: What is labelled, by whom, into which file.
        doubts: Labels that deserve a second look, listed in the widget.

    Returns:
        The widget's state; end the cell with `;` or give it a name.
    """
    labeller = Labeller(session, doubts=doubts)
    display(labeller.panel.box)
    labeller.show_still()
    return labeller


class Labeller:
    """Answers the front end's messages out of a session.

    Attributes:
        session: The session.
        front_end: Picture, time line and keys.
        panel: The buttons and boxes around it.
        doubts: Labels that deserve a second look and were not dealt with yet.
    """

    def __init__(self, session: LabelSession, *, doubts: Sequence[Doubt] = ()) -> None:
        """Build the widgets; nothing is displayed.

        Args:
            session: What is labelled.
            doubts: Labels that deserve a second look.
        """
        self.session = session
        self.doubts = list(doubts)
        self.front_end = FrontEnd()
        self.panel = Panel(
            self.front_end, orders=ORDERS, change_class=self._change_class
        )
        self._feed = Feed(session, self.panel, self._send)
        self._still = ""
        self._alikes: pd.DataFrame | None = None
        message, buffers = self._feed.describe_video()
        self.front_end.opening = {"message": message, "buffers": buffers}
        self._fill_lists()
        self._feed.show_progress()
        self.front_end.on_msg(self._on_message)
        self.panel.videos.observe(self._on_video, names="value")
        self.panel.order.observe(self._on_order, names="value")
        self.panel.doubts.observe(self._on_doubt, names="value")

    def list_doubts(self, doubts: Sequence[Doubt]) -> None:
        """List labels that deserve a second look, in place of those listed so far."""
        self.doubts = list(doubts)
        self.panel.doubts.unobserve(self._on_doubt, names="value")
        self._fill_lists()
        self.panel.doubts.value = None  # listed, not yet gone to
        self.panel.doubts.observe(self._on_doubt, names="value")

    # --- what is shown -----------------------------------------------------------

    def show_still(self) -> None:
        """Display a still picture and the counts until a front end answers."""
        session = self.session
        picture = shrink_jpeg(Path(session.image_paths[session.position]))
        counts = count_labels(session.summarise(), len(session.videos))
        data = base64.b64encode(picture).decode()
        html = (
            f'<figure style="margin:0"><img alt="{escape(session.video)}" '
            f'src="data:image/jpeg;base64,{data}"/>'
            f"<figcaption>{escape(session.video)}. {escape(counts)}</figcaption>"
            "</figure>"
        )
        self._still = f"labeller-still-{self.front_end.model_id}"
        shown = {"text/html": html, "text/plain": f"{session.video}. {counts}"}
        display(shown, raw=True, display_id=self._still)

    def _drop_still(self) -> None:
        if self._still:
            nothing = {"text/html": "", "text/plain": ""}
            update_display(nothing, raw=True, display_id=self._still)
            self._still = ""

    def _fill_lists(self) -> None:
        session, panel = self.session, self.panel
        panel.videos.options = session.videos
        panel.videos.value = session.video
        panel.order.value = session.order
        panel.list_doubts(
            f"{d.video} {d.start_s:.1f} s: {d.label}, models say {d.predicted}"
            for d in self.doubts
        )

    # --- messages ------------------------------------------------------------------

    def _send(self, message: dict, buffers: Sequence[bytes] = ()) -> None:
        self.front_end.send(message, list(buffers))

    def _on_message(self, _: object, message: dict, __: object) -> None:
        """Answer a message; what cannot be done is said in one sentence."""
        pictures = self._feed.pictures
        answer = {
            "act": self._on_act,
            "ready": self._on_ready,
            "open": self._on_open,
            "place": self._on_place,
            "next": self._on_next,
            "set": self._on_set,
            "frames": lambda m: pictures.request_frames(m["video"], m["rows"]),
            "overview": lambda m: pictures.request_overview(m["video"]),
            "grid": self._on_grid,
            "count": self._on_count,
            "doubt": self._on_next_doubt,
        }[message["type"]]
        try:
            answer(message)
        except (OSError, ValueError) as error:
            self._feed.say(str(error))

    def _on_act(self, message: dict) -> None:
        """Do an action of labelling; acknowledge it once it is on disk, or say why not.

        Whatever goes wrong is answered: silence would look like a slow kernel.
        """
        done = {"type": "done", "seq": message["seq"], "ok": False}
        done["reason"] = "an error in the kernel; see the notebook's log"
        try:
            do = self._fix if message["action"] == "fix" else do_action
            done |= do(self.session, message) | {"ok": True}
        except (OSError, ValueError) as error:
            done["reason"] = str(error)
            self.session.end_paint()  # what follows of the stroke is refused too
        finally:
            self._send(done)
        if self.session.video != self._feed.shown:
            self._feed.open_video()  # the action went on to another one
        # A stroke's pieces come many a second: the labels follow at its end.
        if message["action"] != "paint_to" or not done["ok"]:
            self._alikes = None
            self._feed.show_labels_soon()

    def _fix(self, session: LabelSession, _: dict) -> dict:
        idx = self.panel.doubts.value
        if idx is None:
            return {"text": "Press J first, or choose in the list Second look."}
        doubt = self.doubts[idx]
        session.fix(doubt)
        del self.doubts[idx]
        self._fill_lists()
        return {"text": f"{doubt.label} became {doubt.predicted}."}

    def _on_ready(self, _: dict) -> None:
        self.session.end_paint()
        self.session.refresh()
        self._feed.open_video()
        self._drop_still()

    def _on_open(self, message: dict) -> None:
        before = self.session.video
        is_next = message["move"] > 0
        self.session.next_video() if is_next else self.session.previous_video()
        if self.session.video == before:
            self._feed.say(f"This is the {'last' if is_next else 'first'} video.")
        else:
            self._feed.open_video()

    def _on_place(self, message: dict) -> None:
        if message["video"] == self.session.video and not self.session.painting:
            self.session.jump_to(message["position"])
        if self.session.refresh():  # somebody else labelled, or edited the file
            self._feed.show_labels_soon()

    def _on_next(self, message: dict) -> None:
        before = self.session.video
        self._on_place(message)
        if not self.session.next_target():
            self._feed.say("Nothing is left to label.")
        self._feed.follow(before)

    def _on_set(self, message: dict) -> None:
        self.session.unit = message["unit"]

    def _on_grid(self, message: dict) -> None:
        if self._alikes is None:
            self._alikes = self.session.find_look_alikes()
        if self._alikes.empty:
            self._feed.say("There are no keypoints, so no look-alikes.")
        else:
            self._send(*describe_grid(self._alikes, message["group"]))

    def _on_count(self, message: dict) -> None:
        frames = build_frames(message["frames"])
        seconds = self.session.count_change(frames, message["label"])
        self._send({"type": "count", "seconds": seconds})

    # --- lists and forms -------------------------------------------------------------

    def _on_video(self, change: dict) -> None:
        if change["new"] != self.session.video:
            self.session.go_to_video(change["new"])
            self._feed.open_video()

    def _on_order(self, change: dict) -> None:
        self.session.order = change["new"]
        self._feed.show_labels_soon()

    def _on_doubt(self, change: dict) -> None:
        if change["new"] is not None:
            before = self.session.video
            self.session.go_to(self.doubts[change["new"]])
            self._feed.follow(before)

    def _on_next_doubt(self, _: dict) -> None:
        listed = self.panel.doubts
        if not self.doubts:
            self._feed.say("No label is in doubt.")
        elif listed.value is None:
            listed.value = 0
        else:
            listed.value = (listed.value + 1) % len(self.doubts)

    def _change_class(self, what: str, old: str, new: str) -> None:
        """Add, rename or merge a class, as the form asks."""
        session = self.session
        try:
            if what == "add":
                session.add_class(new)
            elif what == "rename":
                session.rename_class(old, new)
            else:
                session.merge_class(old, new)
            self.panel.say(session.message)
        except (OSError, ValueError) as error:
            self.panel.say(f"Not saved: {error}")
        self._feed.show_labels_soon()
