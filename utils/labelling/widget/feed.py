"""What the labelling front end is told, and when: the outward half of the widget."""

import asyncio
import threading
from collections.abc import Callable

from utils.labelling.session import LabelSession
from utils.labelling.widget.images import PictureSender, Send
from utils.labelling.widget.messages import (
    SELDOM,
    build_reel,
    describe_labels,
    describe_spans,
    describe_video,
)
from utils.labelling.widget.panel import Panel

# A video with more frames is opened before its segments are found.
LONG_VIDEO = 3000
# Labels are described anew this long after the last action, not once a key.
_REST_S = 0.03


class Feed:
    """Sends the session's current video, its pictures and labels to the front end.

    Attributes:
        pictures: Sends pictures, from a thread.
        shown: The video that the front end was told to show.
    """

    def __init__(self, session: LabelSession, panel: Panel, send: Send) -> None:
        """Start with nothing sent.

        Args:
            session: What is labelled.
            panel: The buttons and boxes, which show the same classes and progress.
            send: Sends a message with its buffers; called from any thread.
        """
        self.pictures = PictureSender(send)
        self.shown = ""
        self._session, self._panel, self._send = session, panel, send
        self._sent: dict[str, object] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._sought: set[str] = set()  # videos whose segments are sought
        self._found: set[str] = set()

    def say(self, text: str) -> None:
        """Show a sentence on the picture."""
        self._send({"type": "say", "text": text}, [])

    def open_video(self) -> None:
        """Send all about the session's current video."""
        self._send(*self.describe_video())
        self._panel.videos.value = self._session.video

    def describe_video(self) -> tuple[dict, list[bytes]]:
        """Return the message that opens the current video, with its buffers."""
        reel = build_reel(self._session)
        self.pictures.show(reel)
        self.shown = reel.video
        self._sent = {}
        message, buffers = describe_video(self._session, reel)
        if len(reel.paths) <= LONG_VIDEO or reel.video in self._found:
            message["labels"] = self._describe_labels()
        else:
            message["labels"] = describe_spans(self._session)
            self._panel.show(message["labels"]["classes"], {})
            self._find_segments(reel.video)
        return message, buffers

    def follow(self, video_before: str) -> None:
        """Take the front end to where the session is now."""
        session = self._session
        if session.video != video_before:
            self.open_video()
        else:
            place = {"video": session.video, "position": session.position}
            self._send({"type": "go", **place}, [])

    def show_labels(self) -> None:
        """Send the labels and draw the progress anew."""
        self._timer = None
        self._send(self._describe_labels(), [])
        self.show_progress()

    def show_labels_soon(self) -> None:
        """Do so once no action has come for a moment."""
        if self._timer is not None:
            self._timer.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # not in a kernel
            self.show_labels()
        else:
            self._timer = loop.call_later(_REST_S, self.show_labels)

    def show_progress(self) -> None:
        """Draw seconds per class and person, and the advice, anew."""
        session = self._session
        self._panel.show_progress(session.summarise(), session.advise())

    def _describe_labels(self) -> dict:
        """Return what the time line shows; what seldom changes only when it did."""
        state = self._session.describe()
        message = describe_labels(state)
        self._panel.show(message["classes"], state["seconds"])
        self._panel.show_notices(state["notices"])
        for name in SELDOM:
            if self._sent.get(name) == message[name]:
                del message[name]
            else:
                self._sent[name] = message[name]
        return message

    def _find_segments(self, video: str) -> None:
        """Find a long video's segments aside, so that it can be looked at meanwhile."""
        if video in self._sought:
            return
        self._sought.add(video)
        show_labels = _call_from_thread(self.show_labels)

        def find() -> None:
            _ = self._session.segments  # the session keeps what it has found
            self._found.add(video)
            show_labels()

        threading.Thread(target=find, name="labeller segments", daemon=True).start()


def _call_from_thread(do: Callable[[], None]) -> Callable[[], None]:
    """Return a function for another thread that has `do` called in this one."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # not in a kernel
        return do
    return lambda: loop.call_soon_threadsafe(do)
