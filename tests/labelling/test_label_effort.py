"""How many keys the demo clips take to label, and how right proposals are.

A simulated person who knows the true labels presses keys on the session, as the widget
does; `-s` prints the figures.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.label_films import CLASSES, build_tables
from utils.labelling.session import Footage, LabelSession

ROOT = Path(__file__).parents[2]
N_BY_HAND = 10  # stretches labelled before proposals come
FRAMES_A_S = 5


class Person:
    """Knows the true labels, presses keys, and is timed."""

    def __init__(self, tables: dict, folder: Path, *, unit: str) -> None:
        """Open a session over the clips, with a labels file of its own."""
        self.session = LabelSession(
            folder / f"{unit}.csv", Footage(**tables), classes=CLASSES, annotator="ada"
        )
        self.session.unit = unit
        truth = pd.read_csv(ROOT / "data/labels.csv")
        self.truth = dict(list(truth.groupby("video")))
        self.took_ms: list[float] = []

    def press(self, key: str) -> None:
        """Press a key and keep how long it took, to the disk and back."""
        start = time.perf_counter()
        self.session.press(key)
        self.took_ms.append(1e3 * (time.perf_counter() - start))

    def find_truth(self, start_s: float, end_s: float) -> str | None:
        """Return the true label of most of a stretch, None where that is none."""
        spans = self.truth[self.session.video]
        ends = np.minimum(spans["end_s"], end_s)
        overlap = ends - np.maximum(spans["start_s"], start_s)
        if overlap.max() < 0.5 * (end_s - start_s):
            return None
        return str(spans["label"][overlap.idxmax()])

    def visit(self) -> Iterator[str | None]:
        """Go from target to target, each once; give its true label."""
        seen = set()
        session = self.session
        while session.segment is not None:
            place = (session.video, session.segment.start_s)
            if place in seen:
                return
            seen.add(place)
            yield self.find_truth(session.segment.start_s, session.segment.end_s)

    def measure_right(self) -> tuple[float, float, float]:
        """Return seconds labelled right, labelled wrong, and all that have a truth."""
        right = wrong = total = 0.0
        for video, spans in self.truth.items():
            self.session.go_to_video(video)
            total += (spans["end_s"] - spans["start_s"]).sum()
            for span in self.session.spans:
                ends = np.minimum(spans["end_s"], span.end_s)
                overlap = (ends - np.maximum(spans["start_s"], span.start_s)).clip(0)
                is_same = spans["label"] == span.label
                right += overlap[is_same].sum()
                wrong += overlap[~is_same].sum()
        return right, wrong, total


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory, demo_videos: Path) -> dict:
    """All twelve demo clips, with their true keypoints."""
    names = sorted(path.stem for path in demo_videos.glob("*.mp4"))
    return build_tables(tmp_path_factory.mktemp("pictures"), demo_videos, names)


def _say(what: str, person: Person) -> float:
    """Print and return the keys pressed per labelled minute."""
    n_keys = person.session.n_keys
    right, wrong, total = person.measure_right()
    per_minute = 60 * n_keys / (right + wrong)
    took = np.percentile(person.took_ms, [50, 95])
    sys.stdout.write(
        f"\n  {what}: {n_keys} keys, {per_minute:.0f} a labelled minute; "
        f"{right / total:.1%} of {total:.0f} s right, {wrong / total:.1%} wrong; "
        f"key to disk p50 {took[0]:.1f} ms, p95 {took[1]:.1f} ms\n"
    )
    return per_minute


def _press_class(person: Person, label: str | None) -> None:
    """Press the class's key, or go on where no posture is shown."""
    key = "shift+right" if label is None else str(CLASSES.index(label) + 1)
    person.press(key)


def test_proposals_take_a_third_of_a_key_a_frame(tables: dict, tmp_path: Path) -> None:
    plain = Person(tables, tmp_path, unit="frame")
    for video in plain.session.videos:
        plain.session.go_to_video(video)
        for position, time_s in enumerate(plain.session.times_s):
            plain.session.jump_to(position)
            label = plain.find_truth(time_s, time_s + 1 / FRAMES_A_S)
            plain.press("right" if label is None else str(CLASSES.index(label) + 1))
    by_frame = _say("one key a frame", plain)

    segments = Person(tables, tmp_path / "segments", unit="segment")
    for label in segments.visit():
        _press_class(segments, label)
    by_segment = _say("a key a segment", segments)

    proposals = Person(tables, tmp_path / "proposals", unit="segment")
    for label in proposals.visit():
        proposal = proposals.session.proposal
        if proposal is not None and proposal.label == label:
            proposals.press("enter")
        else:
            _press_class(proposals, label)
    by_proposal = _say("proposals, put right", proposals)

    assert by_frame > 200
    assert by_segment < by_frame / 3
    assert by_proposal <= 60 * FRAMES_A_S / 3
    assert np.percentile(plain.took_ms, 95) <= 20


def test_labels_made_by_enter_alone_are_right(tables: dict, tmp_path: Path) -> None:
    person = Person(tables, tmp_path, unit="segment")
    n_enters = n_by_hand = 0
    for label in person.visit():
        if n_by_hand < N_BY_HAND or person.session.proposal is None:
            n_by_hand += label is not None
            _press_class(person, label)
        else:
            n_enters += 1
            person.press("enter")
    _say(f"{n_by_hand} by hand, then {n_enters} times Enter", person)
    right, wrong, _ = person.measure_right()
    assert n_enters > 3 * n_by_hand
    assert right / (right + wrong) >= 0.97
