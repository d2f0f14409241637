"""The bars and lists below the labelling front end."""

import re

import ipywidgets
import pandas as pd
import pytest

from utils.core.colours import colour_classes, ink_on
from utils.labelling.review import Doubt
from utils.labelling.widget.panel import Panel, draw_bar, draw_progress

ODD_NAME = 'a, "b" <i>🧘</i>' + "x" * 200


def _walk(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    children = getattr(widget, "children", ())
    return [widget, *(found for child in children for found in _walk(child))]


def _build_panel(calls: list | None = None) -> Panel:
    """Build a panel that keeps what it sends."""

    def send(verb: str, **content: str) -> str:
        calls.append((verb, content))
        return "done"

    return Panel(ipywidgets.HTML(), send)


def test_classes_have_keys_as_far_as_they_go_and_all_have_colours() -> None:
    named = colour_classes([f"c{k}" for k in range(11)], ["none of these", "unsure"])
    assert [each["key"] for each in named] == [*"123456789ab", "0", "u"]
    assert all(re.fullmatch("#[0-9a-f]{6}", each["colour"]) for each in named)
    assert len({each["colour"] for each in named}) == 13
    many = colour_classes([f"c{k}" for k in range(26)])
    assert [each["key"] for each in many[23:]] == ["z", "", ""]


@pytest.mark.parametrize(
    ("colour", "ink"), [("#f0e442", "#000000"), ("#0072b2", "#ffffff")]
)
def test_ink_can_be_read_on_its_ground(colour: str, ink: str) -> None:
    assert ink_on(colour) == ink


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


def test_the_list_says_what_the_user_chose_and_not_what_is_shown() -> None:
    calls: list = []
    panel = _build_panel(calls)
    panel.list_doubts([Doubt("a", 1.0, 2.0, "sitting", "standing", 0.9)] * 2, 1)
    assert calls == []
    panel.doubts.value = 0
    assert calls == [("doubt", {"nth": 0})]


def test_the_list_of_doubts_says_how_many_there_are() -> None:
    panel = _build_panel()
    heads = [w for w in _walk(panel.box) if isinstance(w, ipywidgets.Label)]
    assert any("will be listed here" in head.value for head in heads)
    panel.list_doubts([Doubt("a", 1.0, 2.0, "sitting", "standing", 0.9)], None)
    assert any(head.value.endswith("contradict: 1.") for head in heads)
    assert panel.doubts.options[0][1] == 0
    panel.list_doubts([], None)
    assert not panel.doubts.options
