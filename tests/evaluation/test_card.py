"""Tests of `utils.evaluation.card`."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from utils.evaluation.card import Card, list_limits, list_versions, write_card


@pytest.fixture
def samples() -> pd.DataFrame:
    """Two people; only one of them lies."""
    return pd.DataFrame(
        {
            "video": ["a", "a", "b"],
            "frame_idx": [0, 1, 0],
            "time_s": [0.0, 0.2, 0.0],
            "subject": ["ann", "ann", "bob"],
            "label": ["sit", "lie", "sit"],
            "fold": [0, 0, 1],
        }
    )


@pytest.fixture
def card(samples: pd.DataFrame, tmp_path: Path) -> str:
    model = tmp_path / "posture.keras"
    model.write_bytes(b"weights")
    columns = ["model", "metric", "estimate", "low", "high"]
    scores = [("pose_softmax", "accuracy", 0.91234, 0.5, 0.99)]
    scores += [("pose_softmax", "log_loss", 0.25, 0.1, float("nan"))]
    claims = {"claim": ["lower loss"], "verdict": ["CANNOT TELL"]}
    parts = Card(
        samples,
        pd.DataFrame({"video": ["a", "![b](x)"], "sha256": ["11", "22"]}),
        scores=pd.DataFrame(scores, columns=columns),
        verdict=pd.DataFrame(claims),
        settings={"title": "Sit or lie", "seeds": [0, 1], "rule": "a|b"},
        held_out="Whole people are held out.",
        limits=["Seen from the side only."],
        files=[model],
    )
    return write_card(parts, tmp_path / "model_card.md").read_text(encoding="utf-8")


def test_card_opens_with_plain_words_and_shows_how_to_use_it(card: str) -> None:
    first = card.split("## Use it")[0]
    assert card.startswith("# Sit or lie\n")
    assert "postures the person in it holds: lie, sit." in first
    assert "3 labelled frames of 2 people in 2 films" in first
    assert "91.2% were right (95 % interval over people: 50.0% to 99.0%)" in first
    assert "Order of the outputs: 0 lie, 1 sit." in card
    assert 'predict_video("film.mp4", model="pose_softmax.keras")' in card


def test_card_holds_splits_scores_verdict_limits_versions_films_and_files(
    card: str,
) -> None:
    assert "- fold 1: bob" in card
    assert "| 0.250 | 0.100 | – |" in card
    assert "| lower loss | CANNOT TELL |" in card
    assert "- Seen from the side only." in card
    assert "| numpy |" in card
    assert "| a | 11 |" in card
    assert f"| posture.keras | 7 | {hashlib.sha256(b'weights').hexdigest()} |" in card


def test_names_in_a_card_are_text(card: str) -> None:
    assert "a|b" not in card and "a&#124;b" in card  # would be another cell
    assert "![b]" not in card and "b&#93;(x)" in card  # would be a picture


def test_limits_say_how_few_people_show_a_class(samples: pd.DataFrame) -> None:
    limits = " ".join(list_limits(samples))
    assert "rest on 2 people" in limits
    assert "Only 1 of 2 people show lie." in limits
    assert "No second camera" in limits
    rooms = samples.assign(camera=["x", "x", "y"])
    assert "No second camera" not in " ".join(list_limits(rooms))


def test_versions_name_what_is_not_installed() -> None:
    assert list_versions(["no-such-package"])["no-such-package"] == "not installed"
