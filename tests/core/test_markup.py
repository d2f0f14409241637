"""Tests of `utils.core.markup`: names that are markup somewhere, shown as written."""

import io
import re
from html.parser import HTMLParser
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.core import markup
from utils.core.tables import read_table, write_table

NASTY = [
    "sit ![x](.git/config)",
    "bad<img src=README.md>.mp4",
    "<script>alert(1)</script>",
    "[a](javascript:alert(1))",
    "`code` **bold** _it_ __b__ ~~s~~",
    "Ba$$in",
    "$x^2$",
    r"\(x\) \[y\] \\(z\\) \begin{a}b\end{a}",
    r"a\$b \_ \\",
    "_anna",
    "a|b",
    "&amp; &lt;b&gt; &#60;i&#62;",
    "# heading",
    "- item",
    "1. first",
    "12) twelfth",
    "+ plus",
    "=====",
    ": defined",
    "> quoted",
    "---",
    "https://example.org/x www.example.org a@example.org",
    "@@0@@",
    "[ ] task",
    "[^1] [x]: y",
    "={1+1}",
    "'=1",
    "\"quotes\" and 'quotes'",
    "Zoë 你好 👩‍👧",
]


class _Reader(HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags = "", []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Note a tag."""
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    return reader


@pytest.mark.parametrize("name", NASTY)
@pytest.mark.parametrize(
    "place", ["{}", "film {}: dark", "- {}", "| a |\n|---|\n| {} |"]
)
def test_markdown_shows_a_name_as_it_is_written(name: str, place: str) -> None:
    from nbconvert.filters import markdown2html

    page = markdown2html(place.format(markup.escape_markdown(name)))
    plain = _read(markdown2html(place.format("name")))
    shown = _read(page)
    assert shown.tags == plain.tags
    assert shown.text.strip() == plain.text.replace("name", name).strip()


@pytest.mark.parametrize("name", NASTY)
def test_html_shows_a_name_as_it_is_written(name: str) -> None:
    text = markup.escape_html(name)
    assert _read(f"<p>{text}</p>").text == name
    assert _read(f'<a title="{text}">x</a>').tags == ["a"]


@pytest.mark.parametrize("name", NASTY)
def test_a_chart_draws_a_name_and_lists_it_in_its_legend(name: str) -> None:
    figure, ax = plt.subplots()
    ax.plot([0, 1], label=markup.escape_plot(name))
    texts = [text.get_text() for text in ax.legend().get_texts()]
    assert len(texts) == 1
    assert texts[0].replace(r"\$", "$").strip("\u200b") == name
    from matplotlib import cbook

    assert len(re.findall(r"(?<!\\)\$", texts[0])) == 0
    assert not cbook.is_math_text(texts[0])
    plt.close(figure)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2J\x07b", r"a\x1b[2J\x07b"),
        ("a\x9b31mb\x7f", r"a\x9b31mb\x7f"),
        ("gpj\u202efdp", r"gpj\u202efdp"),
        ("a\rb\x00", r"a\rb\x00"),
        ("a\u2028b", r"a\u2028b"),
        ("film\udce9", r"film\udce9"),
        ("two\n\tlines, Zoë 你好 👩‍👧", "two\n\tlines, Zoë 你好 👩‍👧"),
    ],
)
def test_the_terminal_is_shown_control_characters_and_not_sent_them(
    text: str, shown: str
) -> None:
    assert markup.escape_terminal(text) == shown
    shown.encode()


@pytest.mark.parametrize("name", [*NASTY, "=1+1", "+1", "-1", "@a", "''=1", "'a", "-"])
def test_a_cell_is_guarded_in_the_file_and_read_back_unchanged(name: str) -> None:
    table = pd.DataFrame({"label": [name, None, "sit"], "x": [-1.5, 0.0, 1.0]})
    written = markup.guard_cells(table).to_csv(index=False)
    read = pd.read_csv(io.StringIO(written), dtype={"label": "str"})
    assert not read["label"].dropna().str.match(r"[=+\-@]").any()
    back = markup.unguard_cells(read)
    assert back["label"].tolist()[::2] == [name, "sit"]
    assert back["label"].isna().tolist() == [False, True, False]
    assert back["x"].tolist() == [-1.5, 0.0, 1.0]


@given(st.text())
def test_guarding_can_be_undone_for_any_text(text: str) -> None:
    table = pd.DataFrame({text: [text]}, dtype=object)
    back = markup.unguard_cells(markup.guard_cells(table))
    assert list(back) == [text]
    assert back.iloc[0, 0] == text


def test_tables_are_guarded_by_place_where_column_names_repeat() -> None:
    table = pd.DataFrame([["=a", "b"]], columns=["p", "p"])
    assert markup.guard_cells(table).to_numpy().tolist() == [["'=a", "b"]]


def test_a_table_on_disk_holds_no_formula_and_comes_back(tmp_path: Path) -> None:
    table = pd.DataFrame({"video": ["=a", "b"], "subject": ["@anna", "-ben"]})
    write_table(table, tmp_path / "videos.csv", "subjects")
    text = (tmp_path / "videos.csv").read_text()
    assert text == "video,subject\n'=a,'@anna\nb,'-ben\n"
    read = read_table(tmp_path / "videos.csv", "subjects")
    assert read.to_dict("list") == table.to_dict("list")
