"""Tests of `utils.questions.answer`."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from utils.questions.answer import Answer, question, say, write_answer
from utils.training.splits import check_people

matplotlib.use("Agg")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list:
    """What is displayed, in order."""
    shown: list = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    return shown


def _study() -> SimpleNamespace:
    """All of a study that the decorator looks at."""
    return SimpleNamespace(answers={})


def test_an_answer_leaves_its_table_and_charts_on_disk(tmp_path: Path) -> None:
    table = pd.DataFrame({"model": ["pose"], "accuracy": [0.9]})
    chart = plt.subplots()[1]
    answer = write_answer("leak", tmp_path, table=table, charts={"leak": chart})
    assert pd.read_csv(tmp_path / "leak.csv").equals(table)
    assert answer.charts == (tmp_path / "leak.png",)
    assert (tmp_path / "leak.png").read_bytes().startswith(b"\x89PNG")
    assert not plt.get_fignums(), "a chart that stays open is shown twice"


def test_a_cell_shows_chart_then_sentence_then_table(
    tmp_path: Path, seen: list
) -> None:
    shown = pd.DataFrame({"model": ["pose"], "accuracy": [0.9]})
    answer = write_answer(
        "leak",
        tmp_path,
        sentences=["Nothing leaks."],
        charts={"leak": plt.subplots()[1]},
        shown=shown,
    )
    answer._ipython_display_()
    chart, sentence, table = seen
    assert chart.data.startswith(b"\x89PNG")
    assert chart.alt == "Nothing leaks."
    assert sentence.data.replace("\\", "") == "Nothing leaks."
    assert table.index.tolist() == ["pose"]  # no number that means nothing
    assert table.columns.tolist() == ["accuracy"]


def test_one_sentence_is_a_paragraph_and_several_are_a_list(seen: list) -> None:
    say(["One.", ""])
    say(["One.", "Two."])
    say([])
    texts = [shown.data.replace("\\", "") for shown in seen]
    assert texts == ["One.", "- One.\n- Two."]


def test_a_name_in_a_sentence_is_no_markup(seen: list) -> None:
    say(["Nobody was found in ![x](.git/config)<script>."])
    assert "![x](" not in seen[0].data
    assert "<script>" not in seen[0].data


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("Only one person is labelled."), "Only one person is labelled."),
        (OSError("The disk is full."), "The disk is full."),
        (KeyError("p_sit"), "a fault of this program, KeyError"),
    ],
)
def test_a_question_that_cannot_be_answered_says_so_in_one_line(
    error: Exception, words: str
) -> None:
    @question
    def people_needed(study: object) -> Answer:
        raise error

    study = _study()
    answer = people_needed(study)
    assert answer.is_missing
    assert answer.sentence.startswith("People needed: not answered.")
    assert words in answer.sentence
    assert study.answers == {"people_needed": answer}


def test_to_be_alone_is_no_fault_and_the_run_is_not_told_of_it(seen: list) -> None:
    @question
    def people_needed(study: object) -> Answer:
        check_people(pd.DataFrame({"subject": ["anna"] * 2, "label": ["sit", "lie"]}))

    answer = people_needed(_study())
    assert answer.waits
    assert answer.sentence.startswith("Not known yet. Only one person is labelled")
    answer._ipython_display_()
    assert not seen[0].metadata  # what `make run` would name as missing


def test_an_answer_is_kept_by_the_study() -> None:
    @question
    def leak(study: object) -> Answer:
        return Answer("leakage", ("None.",))

    study = _study()
    assert leak(study) is study.answers["leakage"]
