"""What each labelling action of the front end does to a session.

An action is a message `{"action", "video", "position", …}`. It returns when it is on
disk, with what the front end should be told besides: `text` to show, `position` to go
to. It raises `OSError` or `ValueError`, one sentence, if nothing was changed.
"""

from collections.abc import Callable

import pandas as pd

from utils.labelling.session import LabelSession


def do_action(session: LabelSession, message: dict) -> dict:
    """Do an action in the video it was meant for, even if another is open by now.

    Args:
        session: The session.
        message: `action`, `video`, `position` (where the playhead was), and what the
            action needs: `start_s`, `end_s`, `label` (None erases), `frames`.

    Returns:
        `{}`, or with `text` to show or `position` to go to.

    Raises:
        OSError: If it could not be put on disk; then nothing has changed.
        ValueError: If it makes no sense, a class that does not exist say.
    """
    act = _ACTIONS[message["action"]]
    now = session.video
    if message["video"] == now:
        return act(session, message)
    session.go_to_video(message["video"])
    try:
        return {k: v for k, v in act(session, message).items() if k == "text"}
    finally:
        session.go_to_video(now)


def build_frames(pairs: list[list]) -> pd.DataFrame:
    """Return frames named by `[video, frame_idx]` as a table of the two."""
    return pd.DataFrame(pairs, columns=["video", "frame_idx"])


def _label(session: LabelSession, message: dict) -> dict:
    session.jump_to(message["position"])
    start_s, end_s = message["start_s"], message["end_s"]
    if message["label"] is None:
        session.erase_span(start_s, end_s)
    else:
        session.label_span(message["label"], start_s, end_s)
    return {}


def _begin_paint(session: LabelSession, message: dict) -> dict:
    session.jump_to(message["position"])
    session.begin_paint(message["label"])
    return {}


def _paint_to(session: LabelSession, message: dict) -> dict:
    if session.painting != message["label"]:
        raise ValueError("The stroke had ended before this. Start it anew.")
    session.move_to(message["position"])
    return {}


def _end_paint(session: LabelSession, _: dict) -> dict:
    session.end_paint()
    return {}


def _accept(session: LabelSession, message: dict) -> dict:
    session.jump_to(message["position"])
    if not session.accept():
        return {"text": "Nothing is proposed here any more."}
    if message["goes_to"] is None:
        is_here = session.video == message["video"]
        return {"position": session.position} if is_here else {}
    # The front end has gone on already, without waiting; the session went elsewhere.
    if session.video != message["video"]:
        session.go_to_video(message["video"])
    session.jump_to(message["goes_to"])
    return {}


def _undo(session: LabelSession, _: dict) -> dict:
    if session.undo():
        return {"position": session.position}
    return {"text": "There is nothing to undo in this video."}


def _redo(session: LabelSession, _: dict) -> dict:
    if session.redo():
        return {"position": session.position}
    return {"text": "There is nothing to redo in this video."}


def _label_many(session: LabelSession, message: dict) -> dict:
    frames = build_frames(message["frames"])
    seconds = session.label_many(frames, message["label"])
    return {"text": f"{seconds:.1f} s changed to {message['label']}."}


_ACTIONS: dict[str, Callable[[LabelSession, dict], dict]] = {
    "label": _label,
    "paint_begin": _begin_paint,
    "paint_to": _paint_to,
    "paint_end": _end_paint,
    "accept": _accept,
    "undo": _undo,
    "redo": _redo,
    "label_many": _label_many,
}
