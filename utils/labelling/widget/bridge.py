"""The labelling cell: a widget over a `Session`, or a still picture without one.

The front end (`static/`) owns the playhead and draws. Each thing a user does comes here
as a message, is given to the session's method of that name, which writes it to disk,
and is then acknowledged, or refused with the reason. Nothing here waits for a person.
"""

import asyncio
import base64
import inspect
import mimetypes
import sys
import threading
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

import anywidget
import pandas as pd
import traitlets
from IPython import get_ipython
from IPython.core.interactiveshell import ExecutionResult
from IPython.display import display, update_display

from utils.core.colours import ClassLook
from utils.core.esm import join_modules
from utils.labelling.clips import Footage
from utils.labelling.review import Doubt
from utils.labelling.session import Answer, Session
from utils.labelling.widget.images import PictureSender, Reel, shrink_jpeg
from utils.labelling.widget.messages import (
    SELDOM,
    count_labels,
    describe_grid,
    describe_labels,
    describe_video,
)
from utils.labelling.widget.panel import Panel
from utils.screen import YourTurn

_STATIC = Path(__file__).parent / "static"
# Verb -> the parts of its message that it takes.
VERBS = {
    name: tuple(inspect.signature(verb).parameters)[1:]
    for name, verb in vars(Session).items()
    if inspect.isfunction(verb) and not name.startswith(("_", "describe", "summarise"))
}
# A video with more frames is opened before its segments are found.
LONG_VIDEO = 3000
# A film that is larger is not sent to the browser, which would have to hold it.
MAX_FILM_BYTES = 500_000_000
_PIECE_BYTES = 4_000_000
# Labels are described anew this long after the last action, not once a key.
_REST_S = 0.03


class FrontEnd(anywidget.AnyWidget):
    """Picture, filmstrip, time line and keys: the modules in `static/`.

    Attributes:
        opening: The first `video` message with its buffers, so that there is something
            to see while the kernel is busy with other cells.
    """

    _esm = join_modules(_STATIC / "main.js", default=True)
    _css = _STATIC / "style.css"
    opening = traitlets.Dict().tag(sync=True)


def show(  # noqa: PLR0913 - three tables and a file, and how they are shown
    labels_path: Path,
    videos: pd.DataFrame,
    frames: pd.DataFrame,
    keypoints: pd.DataFrame | None = None,
    *,
    annotator: str | None = None,
    classes: Sequence[str] = (),
    pictures: bool = True,
    program: str = "csv",
) -> "Labeller":
    """Display the labelling widget and return at once.

    Every label is on disk before the widget says so. Where no front end answers
    (papermill, a page without widgets) a still picture with the counts stays in its
    place.

    Args:
        labels_path: Labels CSV; it need not exist yet. The log of all actions, which
            makes undo possible after a restart, lies beside it.
        videos: Table `videos`.
        frames: Table `frames`: the pictures that are shown.
        keypoints: Table `keypoints`; without it no skeleton, segments or proposals.
        annotator: Name put on labels; None carries on as the one person who signed the
            labels there, if there is just one, else nobody signs.
        classes: Classes to offer besides those in the labels.
        pictures: Whether the notebook may keep pictures; without, the widget still
            shows them to whoever labels.
        program: The one that the export button offers first, as `export_labels` takes.

    Returns:
        The widget's state; end the cell with `;` or give it a name.

    Raises:
        ValueError: If the labels file or its log cannot be understood, or there are no
            frames; one sentence.
    """
    features = None
    if keypoints is not None:
        # Look-alikes are told apart by the numbers that the posture classifier sees.
        from utils.pose.features import build_features

        features = build_features(keypoints, frames, kind="normalised")
    footage = Footage(videos, frames, keypoints, features)
    session = Session(
        Path(labels_path),
        footage,
        annotator=annotator or None,
        classes=classes,
        program=program,
    )
    labeller = Labeller(session, pictures=pictures)
    if "google.colab" in sys.modules:
        # Colab shows no widgets from elsewhere before it is asked to.
        from google.colab import output

        output.enable_custom_widget_manager()
    display(labeller.panel.box)
    labeller.show_still()
    _watch_cells(labeller)
    return labeller


class Labeller:
    """Carries messages between the front end and a session.

    Attributes:
        session: The session.
        front_end: Picture, time line and keys.
        panel: The buttons and boxes around it.
    """

    def __init__(self, session: Session, *, pictures: bool = True) -> None:
        """Build the widgets; nothing is displayed.

        Args:
            session: What is labelled.
            pictures: Whether what stays in the notebook may hold pictures.
        """
        self.session = session
        self.front_end = FrontEnd()
        self.panel = Panel(self.front_end, self._on_panel)
        self._pictures = PictureSender(self._send)
        self._shown = ""  # the video that the front end was told to show
        self._sent: dict[str, object] = {}  # of what seldom changes
        self._timer: asyncio.TimerHandle | None = None
        self._sought: set[str] = set()  # videos whose segments are sought
        self._found: set[str] = set()
        self._still = ""
        self._has_pictures = pictures
        message, buffers = self._describe_video()
        if pictures:  # a notebook may be saved with it
            self.front_end.opening = {"message": message, "buffers": buffers}
        self.panel.list_doubts(session.doubts, None)
        self._show_progress()
        self.front_end.on_msg(self._on_message)

    @property
    def looks(self) -> list[ClassLook]:
        """Name, key, colour and pattern of each class, as they are shown."""
        return self.session.describe_classes()

    def list_doubts(self, doubts: pd.DataFrame) -> None:
        """List labels that deserve a second look, in place of those listed so far.

        Args:
            doubts: A row a span, with the columns of `Doubt`.
        """
        rows = doubts.reindex(columns=Doubt._fields).itertuples(index=False)
        self.session.doubts = [Doubt(*row) for row in rows]
        self.session.doubt_idx = None
        self.panel.list_doubts(self.session.doubts, None)

    def adopt_labels(self, video: str) -> None:
        """Say that a changed file is the same film: its earlier labels count again.

        Raises:
            ValueError: If there are none, or the video has new labels.
        """
        self._do({"type": "adopt_labels", "video": video})
        self._show_labels()

    def show_still(self) -> None:
        """Display a still picture and the counts until a front end answers."""
        self._still = f"labeller-still-{self.front_end.model_id}"
        shown = {"text/html": self.describe_still(), "text/plain": self._count()}
        display(shown, raw=True, display_id=self._still)

    def describe_still(self) -> str:
        """Return a still picture, where it may be kept, and the counts as HTML."""
        clip, name = self.session.clip, escape(self.session.video)
        image = ""
        if self._has_pictures:
            path = Path(clip.frames["path"].iloc[self.session.position])
            data = base64.b64encode(shrink_jpeg(path)).decode()
            image = f'<img alt="{name}" src="data:image/jpeg;base64,{data}"/>'
        caption = f"<figcaption>{escape(self._count())}</figcaption>"
        return f'<figure style="margin:0">{image}{caption}</figure>'

    def _count(self) -> str:
        """Say which video is in view, and how much is labelled."""
        session = self.session
        counts = count_labels(session.summarise()[0], len(session.videos))
        return f"{session.video}. {counts}"

    def _drop_still(self) -> None:
        """Take the still picture away: there is a front end."""
        if self._still:
            nothing = {"text/html": "", "text/plain": ""}
            update_display(nothing, raw=True, display_id=self._still)
            self._still = ""

    def on_cell(self, result: ExecutionResult) -> None:
        """Bring the widget into view where a cell below waits for labels."""
        if isinstance(result.error_in_exec, YourTurn):
            self._send({"type": "turn", "text": str(result.error_in_exec)})

    # --- from the front end ----------------------------------------------------------

    def _do(self, message: dict) -> Answer:
        """Give a message to the session's method of its name."""
        verb = message.get("action", message["type"])
        parts = {name: message[name] for name in VERBS[verb] if name in message}
        answer = getattr(self.session, verb)(**parts)
        if message.get("video", self.session.video) != self.session.video:
            answer.pop("position", None)  # a place in a video that is not in view
        return answer

    def _on_message(self, _: object, message: dict, __: object) -> None:
        """Answer a message; what cannot be done is said in one sentence."""
        kind = message["type"]
        if kind == "act":
            self._act(message)
        elif kind == "frames":
            self._pictures.request_frames(message["video"], message["rows"])
        elif kind == "overview":
            self._pictures.request_overview(message["video"])
        elif kind == "film":
            self._send_film(message["video"], message["offset"])
        else:
            self._ask(message)
        if kind == "ready":
            self._open_video()
            self._drop_still()

    def _act(self, message: dict) -> None:
        """Do an action of labelling; acknowledge it once it is on disk, or say why not.

        Whatever goes wrong is answered: silence would look like a slow kernel.
        """
        done = {"type": "done", "seq": message["seq"], "ok": False}
        done["reason"] = "an error in the kernel; see the notebook's log"
        try:
            done |= self._do(message) | {"ok": True}
        except (OSError, ValueError) as error:
            done["reason"] = str(error)
        finally:
            self._send(done)
        if message["action"] == "fix":
            self.panel.list_doubts(self.session.doubts, self.session.doubt_idx)
        self._follow(None)  # where an action went on to another video
        # A stroke's pieces come many a second: the labels follow at its end.
        if message["action"] != "paint_to" or not done["ok"]:
            self._show_labels_soon()

    def _on_panel(self, verb: str, **content: object) -> str:
        """Do what a form or list asks; return the sentence to show for it."""
        return self._ask({"type": verb, **content})

    def _ask(self, message: dict) -> str:
        """Do what is no action of labelling, and follow; return what was said."""
        try:
            answer = self._do(message)
        except (OSError, ValueError) as error:
            self._say(str(error))
            return f"Not saved: {error}"
        if answer.get("text"):
            self._say(answer["text"])
        if "seconds" in answer:
            self._send({"type": "count", "seconds": answer["seconds"]})
        if "alikes" in answer:
            self._send(*describe_grid(answer["alikes"], answer["group"]))
        self._follow(answer.get("position"))
        if message["type"] == "doubt":
            self.panel.list_doubts(self.session.doubts, self.session.doubt_idx)
        if answer.get("is_changed"):
            self._show_labels_soon()
        return answer.get("text", "")

    def _follow(self, position: object) -> None:
        """Take the front end to where the session went."""
        if self.session.video != self._shown:
            self._open_video()
        elif position is not None:
            self._send(
                {"type": "go", "video": self.session.video, "position": position}
            )

    # --- to the front end ------------------------------------------------------------

    def _send(self, message: dict, buffers: Sequence[bytes] = ()) -> None:
        """Send a message with its buffers; called from any thread."""
        self.front_end.send(message, list(buffers))

    def _send_film(self, video: str, offset: int) -> None:
        """Send a piece of the film itself, or say why it cannot be sent."""
        path, starts_at_s = self.session.describe_film(video)
        try:
            size = path.stat().st_size
            if size > MAX_FILM_BYTES:
                raise OSError(
                    f"{video} has more than {MAX_FILM_BYTES / 1e6:.0f} MB: too large "
                    "to be played here; the pictures, without sound, stay."
                )
            with path.open("rb") as file:
                file.seek(offset)
                piece = file.read(_PIECE_BYTES)
        except OSError as error:
            text = f"{path.name}: {error.strerror}." if error.strerror else str(error)
            self._send({"type": "no_film", "video": video, "text": text})
            return
        kind = mimetypes.guess_type(path)[0] or "video/mp4"
        message = {"type": "film", "video": video, "offset": offset, "size": size}
        message |= {"kind": kind, "starts_at_s": starts_at_s}
        self._send(message, [piece])

    def _say(self, text: str) -> None:
        """Show a sentence on the picture."""
        self._send({"type": "say", "text": text})

    def _open_video(self) -> None:
        """Send all about the session's current video."""
        self._send(*self._describe_video())

    def _describe_video(self) -> tuple[dict, list[bytes]]:
        """Return the message that opens the current video, with its buffers."""
        clip = self.session.clip
        reel = Reel(clip.video, clip.frames["path"].tolist(), clip.poses, clip.size_wh)
        self._pictures.show(reel)
        self._shown, self._sent = clip.video, {}
        message, buffers = describe_video(self.session, reel)
        if len(reel.paths) <= LONG_VIDEO or clip.video in self._found:
            message["labels"] = self._describe_labels()
        else:
            message["labels"] = self._describe_labels(is_partial=True)
            self._find_segments(clip.video)
        return message, buffers

    def _describe_labels(self, *, is_partial: bool = False) -> dict:
        """Return what the time line shows; what seldom changes only when it did."""
        state = self.session.describe(is_partial=is_partial)
        message = describe_labels(state)
        self.panel.show(message["classes"])
        self.panel.show_notices(state["notices"])
        for name in SELDOM:
            if self._sent.get(name) == message[name]:
                del message[name]
            else:
                self._sent[name] = message[name]
        return message

    def _show_labels(self) -> None:
        """Send the labels and draw the progress anew."""
        self._timer = None
        self._send(self._describe_labels())
        self._show_progress()

    def _show_labels_soon(self) -> None:
        """Do so once no action has come for a moment."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # not in a kernel
            self._show_labels()
        else:
            self._timer = loop.call_later(_REST_S, self._show_labels)

    def _show_progress(self) -> None:
        """Draw seconds per class and person, and the advice, anew."""
        self.panel.show_progress(*self.session.summarise())

    def _find_segments(self, video: str) -> None:
        """Find a long video's segments aside, so that it can be looked at meanwhile."""
        if video in self._sought:
            return
        self._sought.add(video)
        clip, show_labels = self.session.clip, _call_from_thread(self._show_labels)

        def find() -> None:
            _ = clip.segments  # the clip keeps what it has found
            self._found.add(video)
            show_labels()

        threading.Thread(target=find, name="labeller segments", daemon=True).start()


def _watch_cells(labeller: Labeller) -> None:
    """Let a labeller, in place of the one before, hear how each cell ends."""
    shell = get_ipython()
    if shell is None:
        return
    for heard in list(shell.events.callbacks["post_run_cell"]):
        if isinstance(getattr(heard, "__self__", None), Labeller):
            shell.events.unregister("post_run_cell", heard)
    shell.events.register("post_run_cell", labeller.on_cell)


def _call_from_thread(do: Callable[[], None]) -> Callable[[], None]:
    """Return a function for another thread that has `do` called in this one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # not in a kernel
        return do
    return lambda: loop.call_soon_threadsafe(do)
