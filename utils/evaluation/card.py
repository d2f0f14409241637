"""The model card: what a classifier does, how well, where it ends, how to use it."""

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import atomic_path, hash_file
from utils.core.markup import escape_markdown

# What decides the numbers; the rest only shows them.
PACKAGES = ("numpy", "pandas", "scikit-learn", "tensorflow", "keras", "ai-edge-litert")


@dataclass(frozen=True)
class Card:
    """The parts of a study that its classifier's card is made of.

    Attributes:
        samples: Table `samples` with `fold`: what was labelled, and who was held out.
        videos: Table `videos`: `video`, `sha256`.
        scores: Intervals of every model, as `intervals.bound_scores` gives them.
        verdict: One row a claim.
        settings: All that decided the result: title, recipe, seeds, budget.
        held_out: Who or what was held out, in a sentence.
        limits: Sentences on what the classifier cannot do; those that the data alone
            shows are added.
        files: The classifier's files.
        model: Whose scores the first lines quote.
    """

    samples: pd.DataFrame
    videos: pd.DataFrame
    scores: pd.DataFrame
    verdict: pd.DataFrame
    settings: Mapping[str, object]
    held_out: str
    limits: Sequence[str] = ()
    files: Sequence[Path] = ()
    model: str = "pose_softmax"


def write_card(card: Card, path: Path) -> Path:
    """Write a card as Markdown, names in it escaped.

    Args:
        card: Its parts.
        path: Where to, e.g. `model_card.md`.

    Returns:
        The path.
    """
    samples = card.samples
    counts = pd.crosstab(samples["subject"], samples["label"]).rename_axis(columns=None)
    people = samples.groupby("fold")["subject"].unique()
    settings = pd.DataFrame(card.settings.items(), columns=["setting", "value"])
    files = [(p.name, p.stat().st_size, hash_file(p)) for p in map(Path, card.files)]
    parts = [
        f"# {escape_markdown(card.settings.get('title', 'Posture classifier'))}",
        escape_markdown(_describe(card)),
        "## Use it",
        _show_use(card),
        "## Limits",
        _format_list([*list_limits(samples), *card.limits]),
        "## Scores on what was held out",
        _format_table(card.scores),
        "## Verdict",
        _format_table(card.verdict),
        "## Data",
        _format_table(counts.reset_index()),
        "## Splits",
        escape_markdown(card.held_out),
        _format_list(
            f"fold {f}: {', '.join(sorted(who))}" for f, who in people.items()
        ),
        "## How it was made",
        _format_table(settings),
        _format_table(pd.DataFrame(list_versions().items(), columns=["package", "is"])),
        "## Films",
        _format_table(card.videos[["video", "sha256"]]),
        "## Files",
        _format_table(pd.DataFrame(files, columns=["file", "bytes", "sha256"])),
    ]
    with atomic_path(path) as part:
        part.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return Path(path)


def _describe(card: Card) -> str:
    """Say in plain words what the classifier does, from what, and how well."""
    samples = card.samples
    classes = ", ".join(map(str, sorted(samples["label"].unique())))
    text = (
        f"It says of each frame of a film which of these postures the person in it "
        f"holds: {classes}. It learnt from {len(samples):,} labelled frames of "
        f"{samples['subject'].nunique()} people in {samples['video'].nunique()} films."
    )
    own = card.scores.query("model == @card.model and metric == 'accuracy'")
    for row in own.itertuples():
        text += f" Of frames that were held out, {row.estimate:.1%} were right"
        if np.isfinite(row.low):
            text += f" (95 % interval over people: {row.low:.1%} to {row.high:.1%})"
        text += "."
    return f"{text} This card is written by the program that made the classifier."


def _show_use(card: Card) -> str:
    """Show the order of the outputs, and the lines that label a new film."""
    classes = sorted(card.samples["label"].unique())
    order = ", ".join(f"{i} {escape_markdown(c)}" for i, c in enumerate(classes))
    return f"""Order of the outputs: {order}.

```python
import utils

found = utils.predict.predict_video("film.mp4", model="{card.model}.keras")
print(found.postures)  # from when to when each posture is held
print(found.annotated)  # the film with skeleton and posture drawn in
```"""


def list_limits(samples: pd.DataFrame) -> list[str]:
    """Say what the data cannot show.

    Args:
        samples: Table `samples`.

    Returns:
        Sentences, the first of which holds for every model.
    """
    n_people = samples["subject"].nunique()
    limits = [
        "Of a posture that it did not learn it may say one of its own: it says none of "
        "these only where a pose is unlike all it learnt.",
        "It looks at one person in a picture, and at each picture alone.",
    ]
    # with 20 people an interval over them is about as good as it says
    if n_people < 20:
        limits.append(
            f"Its scores rest on {n_people} people: other people may differ from them "
            "by more than the intervals say."
        )
    shown = samples.groupby("label")["subject"].nunique()
    limits += [
        f"Only {n} of {n_people} people show {str(label).replace('_', ' ')}."
        for label, n in shown.items()
        if n < n_people
    ]
    if "camera" in samples and len(samples["camera"].unique()) > 1:
        return limits
    return [*limits, "No second camera or room is known: it may not hold in another."]


def list_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of packages; `not installed` where absent."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _format_list(lines: Iterable[str]) -> str:
    """Format sentences as a list in Markdown."""
    return "\n".join(f"- {escape_markdown(line)}" for line in lines)


def _format_table(table: pd.DataFrame) -> str:
    """Format a table as Markdown; numbers with 3 digits after the point."""
    rows = [[escape_markdown(c) for c in table.columns], ["---"] * table.shape[1]]
    rows += [[_format_cell(value) for value in row] for row in table.to_numpy(object)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _format_cell(value: object) -> str:
    """Format one value for a Markdown table."""
    if isinstance(value, float | np.floating):
        return "–" if np.isnan(value) else f"{value:.3f}"
    return escape_markdown(value)
