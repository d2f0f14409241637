"""The map in `utils/README.md`: complete, true, and without a dead end."""

import re
from pathlib import Path

import pytest

from tests import house_map

ROOT = Path(__file__).parents[1]


def test_the_tables_are_those_of_the_docstrings_and_the_import_rule() -> None:
    hint = "Run `python -m tests.house_map`."
    assert house_map.read_parts()[1].strip() == house_map.draw_map().strip(), hint


@pytest.mark.parametrize("name", ["utils/README.md", "README.md", "CONTRIBUTING.md"])
def test_every_file_that_a_link_names_is_there(name: str) -> None:
    page = ROOT / name
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def _find_answers() -> list[tuple[str, str]]:
    """Return each name in code that the tables by hand send a reader to, and where."""
    found = []
    for line in house_map.read_parts()[0].splitlines():
        for names, path in re.findall(
            r"((?:`\w+`(?:, | and | in ))+)\[\S+?\]\((\S+?)\)", line
        ):
            found += [(name, path) for name in re.findall(r"`(\w+)`", names)]
    return found


@pytest.mark.parametrize(("name", "path"), _find_answers())
def test_what_the_map_names_is_defined_there(name: str, path: str) -> None:
    text = (ROOT / "utils" / path).read_text(encoding="utf-8")
    assert re.search(
        rf"^(?:export )?(?:def |class |const )?{name}\b", text, re.MULTILINE
    )


def test_the_twelve_questions_of_a_newcomer_have_answers() -> None:
    assert len(_find_answers()) >= 20


@pytest.mark.parametrize("name", ["utils/README.md", "CONTRIBUTING.md"])
def test_code_that_prose_names_by_its_path_is_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    paths = re.findall(r"`((?:utils|tests|models|videos)/[\w/.]*\w)/?`", text)
    assert paths or name == "utils/README.md"
    assert [path for path in paths if not (ROOT / path).exists()] == []
