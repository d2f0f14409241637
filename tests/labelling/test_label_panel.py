"""The buttons, bars and lists around the labelling front end."""

import re
from pathlib import Path

import ipywidgets
import pandas as pd
import pytest

from utils.core.colours import colour_classes, ink_on
from utils.labelling.review import Doubt
from utils.labelling.widget.panel import Panel, draw_bar, draw_progress

UTILS = Path(__file__).parents[2] / "utils"
ODD_NAME = 'a, "b" <i>🧘</i>' + "x" * 200


def _walk(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    children = getattr(widget, "children", ())
    return [widget, *(found for child in children for found in _walk(child))]


def _build_panel(calls: list | None = None) -> Panel:
    """Build a panel that keeps what it sends."""

    def send(verb: str, **content: str) -> str:
        calls.append((verb, content))
        return "done"

    orders = ("time", "uncertain", "rarest")
    return Panel(ipywidgets.HTML(), send, videos=["a", "b"], orders=orders)


def _find_commands(panel: Panel) -> set[str]:
    classes = {
        name for w in _walk(panel.box) for name in getattr(w, "_dom_classes", ())
    }
    found = (re.match(r"labeller-do-(.+)", name) for name in classes)
    return {match[1] for match in found if match}


def test_the_first_nine_classes_have_keys_and_all_have_colours() -> None:
    named = colour_classes([f"c{k}" for k in range(11)], ["none of these", "unsure"])
    assert [each["key"] for each in named] == [*"123456789", "", "", "0", "u"]
    assert all(re.fullmatch("#[0-9a-f]{6}", each["colour"]) for each in named)
    assert len({each["colour"] for each in named}) == 13


@pytest.mark.parametrize(
    ("colour", "ink"), [("#f0e442", "#000000"), ("#0072b2", "#ffffff")]
)
def test_ink_can_be_read_on_its_ground(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


def test_every_key_has_a_button() -> None:
    path = UTILS / "labelling/widget/static/logic/keys.js"
    table = (
        path.read_text(encoding="utf-8").split("const COMMANDS = {")[1].split("\n};")[0]
    )
    commands = set(re.findall(r"^  ([a-z_]+): \[", table, re.MULTILINE))
    panel = _build_panel()
    panel.show(colour_classes(["sitting", "standing"]), {})
    buttons = _find_commands(panel)
    # these keys change what one of several buttons says outright
    ranges = {"slower": "speed-0_5", "faster": "speed-2", "step": "step-5"}
    ranges |= {"view": "view-skeleton"}
    assert {ranges.get(command, command) for command in commands} <= buttons
    assert {"class-0", "class-1"} <= buttons


def test_class_buttons_show_labelled_seconds() -> None:
    panel = _build_panel()
    named = colour_classes(["sitting", "standing"])
    panel.show(named, {"sitting": 4.25})
    bars = [w.value for w in _walk(panel.box) if "labeller-bar" in w._dom_classes]
    assert "4.2 s" in bars[0]
    assert "width:0.0%" in bars[1]
    panel.show(named, {"sitting": 4.25, "standing": 8.5})
    bars = [w.value for w in _walk(panel.box) if "labeller-bar" in w._dom_classes]
    assert "width:50.0%" in bars[0]


def test_odd_names_of_classes_and_people_are_shown_as_text() -> None:
    summary = pd.DataFrame(
        {"label": [ODD_NAME], "subject": ["<b>ann</b>"], "seconds": [1.0]}
    )
    html = draw_progress(summary, colour_classes([ODD_NAME]), ["label <more>"])
    assert "<i>" not in html
    assert "<b>" not in html
    assert "&lt;more&gt;" in html


def test_progress_without_any_label_is_drawn() -> None:
    summary = pd.DataFrame({"label": [], "subject": [], "seconds": []})
    html = draw_progress(summary, colour_classes(["sitting"]), [])
    assert "sitting" in html


def test_a_bar_is_as_wide_as_its_share() -> None:
    assert "width:25.0%" in draw_bar(0.25, "#000000", 3.0)


def test_the_form_of_classes_says_what_to_change() -> None:
    calls: list = []
    panel = _build_panel(calls)
    panel.show(colour_classes(["sitting", "standing"]), {})
    buttons = {
        w.description: w for w in _walk(panel.box) if isinstance(w, ipywidgets.Button)
    }
    (text,) = [w for w in _walk(panel.box) if isinstance(w, ipywidgets.Text)]
    text.value = "lying"
    buttons["add"].click()
    buttons["rename"].click()
    buttons["merge"].click()
    assert calls == [
        ("add_class", {"name": "lying"}),
        ("rename_class", {"old": "sitting", "new": "lying"}),
        ("merge_class", {"old": "sitting", "into": "sitting"}),
    ]


def test_lists_say_what_the_user_chose_and_not_what_is_shown() -> None:
    calls: list = []
    panel = _build_panel(calls)
    panel.show_place("b", "rarest")
    assert calls == []
    panel.videos.value, panel.order.value = "a", "time"
    assert calls == [("open", {"video": "a"}), ("set", {"order": "time"})]


def test_the_list_of_doubts_says_how_many_there_are() -> None:
    panel = _build_panel()
    heads = [w for w in _walk(panel.box) if isinstance(w, ipywidgets.Label)]
    assert any("will be listed here" in head.value for head in heads)
    panel.list_doubts([Doubt("a", 1.0, 2.0, "sitting", "standing", 0.9)], None)
    assert any(head.value.endswith("contradict: 1.") for head in heads)
    assert panel.doubts.options[0][1] == 0
    panel.list_doubts([], None)
    assert not panel.doubts.options
