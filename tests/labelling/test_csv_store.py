"""The labels file: what is read, what is refused, and in which words."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from utils.core.names import normalise_name
from utils.labelling.csv_store import (
    check_name,
    format_labels,
    parse_labels,
    read_labels_file,
    split_labels,
)
from utils.labelling.spans import Span

HEAD = "video,start_s,end_s,label\n"
names = st.text(max_size=200).map(normalise_name).filter(bool)


def parse(text: str) -> list[tuple]:
    return list(parse_labels(text.encode()).itertuples(index=False, name=None))


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "a,0,1.5,sitting\n",
        "\ufeff" + HEAD + "a,0,1.5,sitting\n",
        (HEAD + "a,0,1.5,sitting\n").replace("\n", "\r\n"),
        HEAD + "\n a , 0.0 ,1.50000001, sitting \n\n",
        "label,end_s,start_s,video\nsitting,1.5,0,a",
    ],
    ids=["plain", "byte-order mark", "Windows line ends", "blanks", "other order"],
)
def test_a_labels_file_is_read_however_it_was_saved(text: str) -> None:
    assert parse(text) == [("a", 0.0, 1.5, "sitting")]


def test_text_that_looks_like_missing_stays_text() -> None:
    assert parse(HEAD + "NA,0,1,None\n") == [("NA", 0.0, 1.0, "None")]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "missing column video, start_s, end_s, label; expected .* an empty file"),
        ("video,start_s,end_s\n", "missing column label; expected video,start_s"),
        (
            HEAD.replace("\n", ",colour\n"),
            "unknown column 'colour'; .*Rename or remove",
        ),
        (HEAD.replace("\n", ",label\n"), "a column is there twice"),
        (HEAD + "a,0,1,x\nb,2,1,x\n", "line 3: the span ends .1 s. before it starts"),
        (HEAD + "a,1,1,x\n", "line 2: the span ends .* or at once"),
        (HEAD + "a,zero,1,x\n", "line 2: expected a number of seconds in start_s"),
        (HEAD + "a,0:01,0:02.5,x\n", "found '0:01'. Write 62.5 for 1:02.5."),
        (HEAD + "a,0,inf,x\n", "line 2: expected a number of seconds in end_s"),
        (HEAD + "a,0,1_0,x\n", "line 2: expected a number of seconds in end_s"),
        (HEAD + "a,0,1\n", "line 2: Expected a name for the label, got none"),
        (HEAD + "a,0,1,x,y\n", "line 2: expected 4 cells, found 5. Put a name"),
        (HEAD + 'a,0,1,"x\n', "line 2: not CSV"),
        (HEAD + f"a,0,1,{'x' * 201}\n", "at most 200 characters, got 201"),
        (
            HEAD + "a,0,3,x\n\na,2,4,y\n",
            "line 4: 'y' from 2 to 4 s of a overlaps 'x' from 0 to 3 s in line 2",
        ),
    ],
)
def test_what_is_no_label_is_named_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        parse(text)
    assert "labels.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_labels_file_is_read_however_a_spreadsheet_saved_it() -> None:
    text = HEAD + "Zoë,0.5,1.25,köpfen\n"
    semicolons = text.replace(",", ";").replace(".", ",")
    for data in (
        text.encode("cp1252"),
        text.encode("utf-16"),
        text.replace("\n", ",,\r\n").encode(),
        semicolons.encode("utf-8-sig"),
        ("sep=;\n" + semicolons.replace(";", ";")).encode(),
        text.replace(",", "\t").encode(),
    ):
        (row,) = parse_labels(data).itertuples(index=False, name=None)
        assert row == ("Zoë", 0.5, 1.25, "köpfen")


def test_damaged_utf_8_is_named_with_its_line_and_not_guessed() -> None:
    data = (HEAD + "Zoë,0,1,sit\nb,0,1,köpfen\n").encode()
    with pytest.raises(ValueError, match="line 3: no text that can be read"):
        parse_labels(data.replace(b"k\xc3\xb6", b"k\xc3"))


def test_annotators_may_disagree_and_equal_labels_may_overlap() -> None:
    head = "video,start_s,end_s,label,annotator\n"
    parse(head + "a,0,3,x,anna\na,2,4,y,bob\na,1,3,x,anna\n")
    with pytest.raises(ValueError, match="overlaps"):
        parse(head + "a,0,3,x,anna\na,2,4,y,anna\n")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Label in the notebook, or write one"):
        read_labels_file(tmp_path / "labels.csv")


def test_a_file_that_needs_no_names_has_four_columns() -> None:
    text = format_labels([("a", Span(0, 1.5, "sit"))])
    assert text == b"video,start_s,end_s,label\na,0.000,1.500,sit\n"
    signed = format_labels([("a", Span(0, 1, "sit", "anna", "2024-01-01T00:00:00Z"))])
    assert signed.splitlines()[0] == b"video,start_s,end_s,label,annotator,labelled_at"


@given(st.dictionaries(names, names, min_size=1, max_size=5), names)
@settings(deadline=None)
def test_any_name_survives_writing_and_reading(labels: dict, who: str) -> None:
    spans = [(video, Span(1.0, 2.0, label, who)) for video, label in labels.items()]
    assert split_labels(parse_labels(format_labels(spans))) == {
        video: [span] for video, span in spans
    }


@pytest.mark.parametrize("name", ["a,b", 'say "hi"', "🙂🙃", "x" * 200, "Ж", "NaN"])
def test_odd_names_are_fine(name: str) -> None:
    assert check_name(f" {name} ") == name


@pytest.mark.parametrize("name", ["", "  ", "\n\t", "x" * 201])
def test_names_that_cannot_be_written_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        check_name(name)


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Zoe\u0308", "Zoë"),
        ("clip\u00a0", "clip"),
        ("\ufeff clip\u200b ", "clip"),
        ('"two\nlines"', "two lines"),
        ("a\x1b[31mb", "a [31mb"),
        ("'=1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'tis", "'tis"),
    ],
)
def test_names_are_read_as_people_see_them(written: str, name: str) -> None:
    head = HEAD.replace("\n", ",annotator\n")
    assert parse(f"{head}{written},0,1,{written},{written}\n") == [
        (name, 0.0, 1.0, name, name)
    ]


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@a", "'=x", "''-", '="a",b'])
def test_a_spreadsheet_calculates_no_name_and_we_read_it_unchanged(name: str) -> None:
    text = format_labels([(name, Span(0, 1, name, name))])
    row = next(csv.reader(text.decode().splitlines()[1:]))
    assert all(cell[0] == "'" for cell in (row[0], row[3], row[4]))
    assert parse(text.decode())[0][0::3] == (name, name)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 70), st.integers(0, 20))
def test_a_spoilt_file_gives_labels_or_one_clear_error(
    junk: bytes, at: int, n_lost: int
) -> None:
    good = (HEAD + "a,0,1,x\nb,0.5,2,y\na,3,4,x\n").encode()
    try:
        labels = parse_labels(good[:at] + junk + good[at + n_lost :])
    except ValueError as error:
        assert str(error).startswith("labels.csv")
        return
    assert isinstance(labels, pd.DataFrame)
    assert (labels["start_s"] < labels["end_s"]).all()
    again = parse_labels(
        format_labels(
            (v, s) for v, spans in split_labels(labels).items() for s in spans
        )
    )
    assert split_labels(again) == split_labels(labels)
