"""Tests of `utils.core.names`."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.core.names import name_file, normalise_name

_ANY = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("anna ", "anna"),
        ("clip\u00a0", "clip"),
        ("\u3000clip\u2009\u200b ", "clip"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\u212bsa", "\u00c5sa"),
        ("a\tb\r\nc", "a b c"),
        ("\x1b[31mred", "[31mred"),
        ("x\u2028y\x85", "x y"),
        ("\ufeffvideo", "video"),
        ("\u200f\u05d0", "\u05d0"),
        ("\u05d0 \u05d1", "\u05d0 \u05d1"),
        ("a  b", "a  b"),
        ("Ba$$in", "Ba$$in"),
        ("\U0001f469\u200d\U0001f467", "\U0001f469\u200d\U0001f467"),
        ("B\udce4r", "B\ufffdr"),
        ("\t\u00a0", ""),
        (7, "7"),
    ],
)
def test_a_name_is_written_one_way(text: str, expected: str) -> None:
    assert normalise_name(text) == expected


@given(_ANY)
def test_cleaning_twice_changes_nothing_and_the_name_can_be_stored(text: str) -> None:
    name = normalise_name(text)
    assert normalise_name(name) == name
    assert name.encode("utf-8").decode("utf-8") == name
    assert name == name.strip()
    assert not any(unicodedata.category(character) == "Cc" for character in name)


@given(st.text())
def test_however_accents_are_written_the_name_is_the_same(text: str) -> None:
    split, joined = (unicodedata.normalize(form, text) for form in ("NFD", "NFC"))
    assert normalise_name(split) == normalise_name(joined)


@pytest.mark.parametrize(
    "name", ["x" * 249, "\u00e4" * 120, "_a", ".a", "\U0001f938" * 60]
)
def test_a_name_fits_into_a_file_name_and_stays_its_own(name: str) -> None:
    assert len(name_file(name).encode()) <= 100
    assert name_file(name)[0] not in "._"
    assert name_file(name) != name_file(name + "b")
