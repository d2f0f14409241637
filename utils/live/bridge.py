"""The live cell: camera and network in the browser, model and disk in the kernel.

Everything comes by message: what is a synced trait ends up in the saved notebook, and
network and weights are 8 MB.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
from IPython.display import display

from utils.core.esm import join_modules
from utils.export.model_json import Facts
from utils.live.page import STATIC, Shown, build_setup, load_model, read_parts
from utils.live.recordings import Recordings


class FrontEnd(anywidget.AnyWidget):
    """The page in a cell: the modules of `static/`."""

    _esm = join_modules(STATIC / "widget.js", default=True)
    _css = STATIC / "style.css"


def show(
    classifier: Shown = None,
    *,
    facts: Facts | None = None,
    videos: Path | str = "videos",
    labels: Path | str = "data/labels.csv",
    classes: Sequence[str] = (),
) -> "Live":
    """Display the live page in a cell and return at once.

    Args:
        classifier: A finished classifier, what `model.json` holds, or the path of one;
            None where there is none yet: then postures can only be taught.
        facts: What a classifier does not say: on whom it was tested, its temperature.
        videos: Folder that recorded films are put into.
        labels: Labels file that their labels go to.
        classes: Postures that can be taught beside the classifier's.

    Returns:
        What answers the page; end the cell with `;` or give it a name.

    Raises:
        ValueError: If the model contradicts itself.
    """
    live = Live(load_model(classifier, facts), Recordings(videos, labels), classes)
    display(live.front_end)
    return live


class Live:
    """Answers the page's messages.

    Attributes:
        front_end: The widget.
        model: What `model.json` holds, or None.
        recordings: Where recorded films go.
    """

    def __init__(
        self,
        model: dict[str, Any] | None,
        recordings: Recordings,
        classes: Sequence[str] = (),
    ) -> None:
        """Build the widget; nothing is displayed.

        Args:
            model: What `model.json` holds; None where there is none yet.
            recordings: Where recorded films go.
            classes: Postures that can be taught beside the model's.
        """
        self.model, self.recordings = model, recordings
        self._classes = tuple(classes)
        self.front_end = FrontEnd()
        self.front_end.on_msg(self._on_message)

    def _on_message(self, _: object, message: dict, buffers: Sequence[bytes]) -> None:
        """Answer a message of the page."""
        if message["type"] == "hello":
            setup = build_setup(self.model, self._classes)
            self.front_end.send({"type": "model", "model": self.model, "setup": setup})
        elif message["type"] == "start":
            parts = read_parts()
            self.front_end.send(
                {"type": "parts", "names": list(parts)}, list(parts.values())
            )
        else:
            self._keep(message, b"".join(bytes(buffer) for buffer in buffers))

    def _keep(self, message: dict, data: bytes) -> None:
        """Keep a part of a recording; acknowledge it once it is on disk."""
        done = {"type": "done", "seq": message["seq"], "ok": False}
        done["reason"] = "an error in the kernel; see the notebook's log"
        try:
            self.recordings.keep(message["type"], message, data)
            done |= {"ok": True}
        except (OSError, ValueError) as error:
            done["reason"] = str(error)
        finally:
            self.front_end.send(done)
