"""The model card: what a model was made of, how good it is, and where it ends."""

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from utils.core.files import atomic_path, hash_file

# What decides the numbers; the rest only shows them.
PACKAGES = ("numpy", "pandas", "scikit-learn", "tensorflow", "keras", "ai-edge-litert")


def list_versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of packages; `not installed` where absent."""
    versions = {"python": platform.python_version()}
    for package in packages:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def build_card(
    samples: pd.DataFrame,
    videos: pd.DataFrame,
    *,
    scores: pd.DataFrame,
    verdict: pd.DataFrame,
    settings: Mapping[str, object],
    limits: Sequence[str],
) -> str:
    """Write a model's card as Markdown.

    Args:
        samples: Table `samples` with `fold`: what was labelled, and who was held out.
        videos: Table `videos`: `video`, `sha256`.
        scores: One row a model (and metric), intervals included.
        verdict: One row a claim.
        settings: All that decided the result: title, recipe, seeds, budget.
        limits: Sentences on what the model cannot do; those that the data alone shows
            are added.

    Returns:
        The card.
    """
    parts = [
        f"# {settings.get('title', 'Posture model')}",
        "This card is written by the program that made the model.",
        "## Data",
        _describe_data(samples),
        _format_table(_count_people(samples)),
        "## Splits",
        _describe_splits(samples),
        "## Scores on people held out",
        _format_table(scores),
        "## Verdict",
        _format_table(verdict),
        "## Limits",
        "\n".join(f"- {line}" for line in [*list_limits(samples), *limits]),
        "## How it was made",
        _format_table(pd.DataFrame(settings.items(), columns=["setting", "value"])),
        _format_table(pd.DataFrame(list_versions().items(), columns=["package", "is"])),
        "## Films",
        _format_table(videos[["video", "sha256"]]),
    ]
    return "\n\n".join(parts) + "\n"


def _describe_data(samples: pd.DataFrame) -> str:
    """Say how much was labelled."""
    classes = ", ".join(map(str, sorted(samples["label"].unique())))
    return (
        f"{len(samples):,} labelled frames of {samples['subject'].nunique()} people in "
        f"{samples['video'].nunique()} films. Postures: {classes}."
    )


def _count_people(samples: pd.DataFrame) -> pd.DataFrame:
    """Count frames by person and class."""
    counts = pd.crosstab(samples["subject"], samples["label"])
    return counts.rename_axis(columns=None).reset_index()


def _describe_splits(samples: pd.DataFrame) -> str:
    """Say who was held out with whom."""
    people = samples.groupby("fold")["subject"].unique()
    lines = [f"- fold {fold}: {', '.join(sorted(who))}" for fold, who in people.items()]
    intro = "Nobody is learnt from and scored in one fold. Held out together:"
    return intro + "\n\n" + "\n".join(lines)


def list_limits(samples: pd.DataFrame) -> list[str]:
    """Say what the data cannot show.

    Args:
        samples: Table `samples`.

    Returns:
        Sentences, the first of which holds for every model.
    """
    n_people = samples["subject"].nunique()
    limits = [
        "It always answers with one of its postures, also for others.",
        "It looks at one person in a picture, and at each picture alone.",
    ]
    # with 20 people an interval over them is about as good as it says
    if n_people < 20:
        limits.append(
            f"Its scores rest on {n_people} people: other people may differ from them "
            "by more than the intervals tell."
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


def _format_table(table: pd.DataFrame) -> str:
    """Format a table as Markdown; numbers with 3 digits after the point."""
    rows = [list(map(str, table.columns)), ["---"] * table.shape[1]]
    rows += [[_format_cell(value) for value in row] for row in table.to_numpy(object)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _format_cell(value: object) -> str:
    """Format one value for a Markdown table."""
    if isinstance(value, float | np.floating):
        return "–" if np.isnan(value) else f"{value:.3f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def write_card(card: str, path: Path, *, models: Sequence[Path] = ()) -> Path:
    """Write a card beside its model, with the hashes of the model's files.

    Args:
        card: From `build_card`.
        path: Where to, e.g. `model_card.md`.
        models: The model's files.

    Returns:
        The path.
    """
    rows = [(Path(p).name, Path(p).stat().st_size, hash_file(p)) for p in models]
    files = pd.DataFrame(rows, columns=["file", "bytes", "sha256"])
    if rows:
        card = f"{card}\n## Files\n\n{_format_table(files)}\n"
    with atomic_path(path) as part:
        part.write_text(card, encoding="utf-8")
    return Path(path)
