"""The keys of labelling: what each one does, in words and as a call on a session."""

from typing import NamedTuple

from utils.labelling.spans import NONE_OF_THESE, UNSURE

N_CLASS_KEYS = 9


class Key(NamedTuple):
    """What a key does.

    Attributes:
        text: For people.
        call: Name of the method of `LabelSession`; "" for what only a front end can do.
        arguments: Its arguments.
    """

    text: str
    call: str = ""
    arguments: tuple = ()


KEYS: dict[str, Key] = {
    **{str(n): Key(f"class {n}", "label_nth", (n,)) for n in range(1, 10)},
    "0": Key(NONE_OF_THESE, "label", (NONE_OF_THESE,)),
    "u": Key(UNSURE, "label", (UNSURE,)),
    "enter": Key("accept the proposal", "accept"),
    "backspace": Key("erase", "erase"),
    "left": Key("step back", "step_on", (-1,)),
    "right": Key("step forward", "step_on", (1,)),
    ".": Key("step size 1, 5, 25", "change_step"),
    "shift+right": Key("next to label", "next_target"),
    "shift+left": Key("previous unlabelled stretch", "previous_unlabelled"),
    "shift+down": Key("next change", "next_change"),
    "shift+up": Key("previous change", "previous_change"),
    "home": Key("first frame", "jump_to", (0,)),
    "end": Key("last frame", "jump_to", (1 << 40,)),
    "ctrl+z": Key("undo", "undo"),
    "ctrl+shift+z": Key("redo", "redo"),
    "ctrl+y": Key("redo", "redo"),
    "n": Key("next video", "next_video"),
    "p": Key("previous video", "previous_video"),
    "i": Key("mark the start of a stretch", "mark_start"),
    "o": Key("mark its end", "mark_end"),
    "escape": Key("clear the mark, stop painting", "cancel"),
    "s": Key("label segments or frames", "change_unit"),
    "space": Key("play or pause"),
    "?": Key("the list of keys"),
}
