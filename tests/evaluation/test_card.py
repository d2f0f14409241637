"""Tests of `utils.evaluation.card`."""

from pathlib import Path

import pandas as pd
import pytest

from utils.core.files import hash_file
from utils.evaluation.card import build_card, list_limits, list_versions, write_card


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
def card(samples: pd.DataFrame) -> str:
    scores = pd.DataFrame(
        {"model": ["pose"], "accuracy": [0.91234], "low": [0.5], "high": [float("nan")]}
    )
    claims = {"claim": ["lower loss"], "verdict": ["CANNOT TELL"]}
    return build_card(
        samples,
        pd.DataFrame({"video": ["a", "b"], "sha256": ["11", "22"]}),
        scores=scores,
        verdict=pd.DataFrame(claims),
        settings={"title": "Sit or lie", "seeds": [0, 1], "rule": "a|b"},
        limits=["Seen from the side only."],
    )


def test_card_tells_data_people_splits_scores_verdict_limits_versions_and_films(
    card: str,
) -> None:
    assert card.startswith("# Sit or lie\n")
    assert "3 labelled frames of 2 people in 2 films. Postures: lie, sit." in card
    assert "- fold 1: bob" in card
    assert "| pose | 0.912 | 0.500 | – |" in card
    assert "| lower loss | CANNOT TELL |" in card
    assert "- Seen from the side only." in card
    assert "| seeds | [0, 1] |" in card
    assert r"a\|b" in card  # a bar in a cell does not break the table
    assert "| numpy |" in card
    assert "| a | 11 |" in card


def test_limits_say_how_few_people_show_a_class(samples: pd.DataFrame) -> None:
    limits = " ".join(list_limits(samples))
    assert "rest on 2 people" in limits
    assert "Only 1 of 2 people show lie." in limits
    assert "No second camera" in limits
    rooms = samples.assign(camera=["x", "x", "y"])
    assert "No second camera" not in " ".join(list_limits(rooms))


def test_written_card_holds_the_hashes_of_the_models_files(
    card: str, tmp_path: Path
) -> None:
    model = tmp_path / "model.keras"
    model.write_bytes(b"weights")
    path = write_card(card, tmp_path / "model_card.md", models=[model])
    text = path.read_text(encoding="utf-8")
    assert text.startswith(card)
    assert f"| model.keras | 7 | {hash_file(model)} |" in text


def test_versions_name_what_is_not_installed() -> None:
    assert list_versions(["no-such-package"])["no-such-package"] == "not installed"
