"""How much must be labelled: models learn from few people, or from few seconds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from utils.evaluation.scores import find_recall, score_predictions
from utils.labelling.labels import advise_labels, summarise_labels
from utils.questions.answer import Answer, question, write_answer
from utils.training.protocol import Model, RunModels, Split
from utils.training.splits import build_splits, check_people

if TYPE_CHECKING:
    from utils.study import Study

# budget -> draws of each number of people, of each number of seconds
N_DRAWS: dict[str, tuple[int, int]] = {"quick": (6, 3), "full": (20, 10)}
SECONDS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
ENOUGH_GAIN = 0.01  # accuracy; more labels that bring less bring little
_COLUMNS = ("model", "n_people", "draw", "accuracy")
_BAND = (0.1, 0.9)  # quantiles over draws


@question
def people_needed(study: "Study") -> Answer:
    """Ask how many people must be labelled: fit one, two, four …, score the others."""
    from utils.plots.lines import plot_learning_curve

    curve = study.people_curve
    labelled = summarise_labels(study.labels, study.videos)
    # how often: of everybody held out, as the other tables say; the draws tell the gain
    recall = find_recall(study.predictions, model=study.in_use).join(
        compare_recall(curve, model="pose_softmax")
    )
    advice = advise_labels(labelled, recall=recall)
    chart = plot_learning_curve(curve, floor=study.floor["accuracy"])
    return write_answer(
        "people_needed",
        study.results,
        sentences=[*_compare_needs(study, curve), *advice],
        table=curve,
        charts={"people_needed": chart},
    )


def _compare_needs(study: "Study", curve: pd.DataFrame) -> list[str]:
    """Say of each picture model how many people it needs to come up with pose."""
    rivals = [model for model in study.names if model != "pose_softmax"]
    return [
        describe_people_needed(
            curve,
            image=model,
            names=("the pose classifier", f"the {study.names[model]}"),
        )
        for model in rivals
    ]


@question
def seconds_needed(study: "Study") -> Answer:
    """Ask how many labelled seconds of each posture are enough."""
    from utils.plots.lines import plot_learning_curve

    drawn = draw_seconds(study.samples, budget=study.budget, seed=study.seeds[0])
    curve = learn_from_draws(study.samples, study.baselines, drawn, run=study.run)
    chart = plot_learning_curve(curve, by="n_seconds", floor=study.floor["accuracy"])
    return write_answer(
        "seconds_needed",
        study.results,
        sentences=[describe_seconds_needed(curve)],
        table=curve,
        charts={"seconds_needed": chart},
    )


def describe_seconds_needed(curve: pd.DataFrame, *, model: str = "pose_softmax") -> str:
    """Say after how many seconds of each posture more labels bring little.

    Args:
        curve: From `learn_from_draws` over seconds.
        model: Whose curve.

    Returns:
        One sentence. The rule: the fewest seconds from which on the mean accuracy
        stays within 1 point of that with all seconds. With one amount there is none.
    """
    means = curve[curve["model"] == model].groupby("n_seconds")["accuracy"].mean()
    short = np.flatnonzero(means.to_numpy() < means.iloc[-1] - ENOUGH_GAIN)
    enough_s = means.index[short[-1] + 1 if len(short) else 0]
    if len(means) == 1:
        return (
            f"Only one amount could be tried, {enough_s:g} s of each posture: label "
            "longer spans of the rarest posture."
        )
    if enough_s == means.index[-1]:
        return (
            f"All {enough_s:g} s labelled of each posture are needed: the pose "
            f"classifier reaches {means.iloc[-1]:.1%} with them, and less with less."
        )
    return (
        f"With {enough_s:g} s labelled of each posture the pose classifier is "
        f"within 1 point of the {means.iloc[-1]:.1%} it reaches with "
        f"{means.index[-1]:g} s."
    )


def draw_people(
    samples: pd.DataFrame, *, budget: str = "quick", seed: int = 0
) -> tuple[list[Split], pd.DataFrame]:
    """Draw 1, 2, 4, 8 … people to learn from; all others are scored.

    Each person is drawn about as often as any other.

    Args:
        samples: Table `samples`.
        budget: `quick` or `full`: how many draws.
        seed: Decides who is drawn.

    Returns:
        Splits, and a row a split: `fold`, `n_people`, `draw`, `n_train`.

    Raises:
        TooFewError: If there are no two people, or no two classes that they share.
        ValueError: If there is no such budget.
    """
    n_draws = _check_budget(budget)[0]
    person, names = pd.factorize(samples["subject"], sort=True)
    check_people(samples)
    rng = np.random.default_rng(seed)
    splits, rows = [], []
    for n_people in _double_up_to(len(names) - 1):
        drawn = _draw_sets(len(names), n_people, n_draws=n_draws, rng=rng)
        for draw, people in enumerate(drawn):
            chosen = np.isin(person, people)
            train, val = np.flatnonzero(chosen), np.flatnonzero(~chosen)
            rows.append((len(splits), n_people, draw, len(train)))
            splits.append(Split(len(splits), train, val))
    columns = ["fold", "n_people", "draw", "n_train"]
    return splits, pd.DataFrame(rows, columns=columns)


def _check_budget(budget: str) -> tuple[int, int]:
    """Return the draws of a budget, or raise `ValueError`."""
    if budget not in N_DRAWS:
        raise ValueError(f"Expected BUDGET of {' or '.join(N_DRAWS)}, got {budget!r}.")
    return N_DRAWS[budget]


def _double_up_to(most: int) -> list[int]:
    """Return 1, 2, 4, 8 … and `most` itself."""
    powers = [2**k for k in range(most.bit_length()) if 2**k < most]
    return [*powers, most]


def _draw_sets(
    n: int, size: int, *, n_draws: int, rng: np.random.Generator
) -> list[list[int]]:
    """Draw different sets of `size` of `n`: windows that go round shuffled circles."""
    found: dict[tuple[int, ...], None] = {}
    for _ in range(50):
        circle = np.tile(rng.permutation(n), 2)
        windows = [tuple(sorted(circle[i : i + size].tolist())) for i in range(n)]
        found |= dict.fromkeys(windows)
        if len(found) >= n_draws:
            break
    return [list(people) for people in list(found)[:n_draws]]


def draw_seconds(
    samples: pd.DataFrame, *, budget: str = "quick", seed: int = 0
) -> tuple[list[Split], pd.DataFrame]:
    """Draw 1, 2, 5, 10 … labelled seconds of each class; held-out people are scored.

    Seconds are drawn as they are labelled: span by span, from its start.

    Args:
        samples: Table `samples` with `fold`.
        budget: `quick` or `full`: how many draws.
        seed: Decides which spans.

    Returns:
        Splits, and a row a split: `fold`, `n_seconds` (of each class), `draw`,
        `n_train`. The last number of seconds is what the scarcest class has.
    """
    n_draws = _check_budget(budget)[1]
    rng, every_s = np.random.default_rng(seed), measure_step(samples)
    folds = build_splits(samples)
    counts = [samples["label"].iloc[s.train].value_counts().min() for s in folds]
    most_s = min(counts) * every_s
    amounts = [s for s in SECONDS if s < 0.9 * most_s] + [round(float(most_s), 1)]
    splits, rows = [], []
    for draw in range(n_draws):
        for fold in folds:
            order = _shuffle_spans(samples, fold.train, rng)
            for n_seconds in amounts:
                n_frames = max(1, round(n_seconds / every_s))
                train = np.sort(order.groupby("label").head(n_frames).index.to_numpy())
                rows.append((len(splits), n_seconds, draw, len(train)))
                splits.append(Split(len(splits), train, fold.val))
    columns = ["fold", "n_seconds", "draw", "n_train"]
    return splits, pd.DataFrame(rows, columns=columns)


def measure_step(samples: pd.DataFrame) -> float:
    """Return the usual time between two frames of a video, seconds."""
    steps = samples.sort_values(["video", "time_s"]).groupby("video")["time_s"].diff()
    return float(steps.median()) if steps.notna().any() else 1.0


def _shuffle_spans(
    samples: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator
) -> pd.DataFrame:
    """Put spans of one video and label in random order, frames in order of time.

    Returns:
        The rows with `label`, indexed by row number.
    """
    table = samples[["video", "label", "time_s"]].reset_index(drop=True).iloc[rows]
    table = table.sort_values(["video", "time_s"], kind="stable")
    new = (table[["video", "label"]] != table[["video", "label"]].shift()).any(axis=1)
    span = new.cumsum().to_numpy()
    place = rng.permutation(span.max() + 1)[span]
    return table.assign(place=place).sort_values("place", kind="stable")[["label"]]


def learn_from_draws(
    samples: pd.DataFrame,
    models: Sequence[Model],
    drawn: tuple[Sequence[Split], pd.DataFrame],
    *,
    run: RunModels,
) -> pd.DataFrame:
    """Let models learn from every draw, and score them on each person left out.

    Args:
        samples: Table `samples`.
        models: The models.
        drawn: From `draw_people` or `draw_seconds`.
        run: `protocol.run_models` with its seeds, folder and processes filled in.

    Returns:
        Table with a row a model, draw and person left out: `model`, `n_people` or
        `n_seconds`, `draw`, `subject`, `n_train`, `n_frames`, `accuracy`, `log_loss`
        (nats) and `recall_<class>` (NaN for a class that the person does not show).
    """
    splits, draws = drawn
    _, predictions = run(samples, models, splits)
    frames = score_predictions(predictions)
    key = ["model", "fold", "subject"]
    groups = frames.groupby(key, sort=False)
    table = groups.agg(
        n_frames=("is_right", "size"),
        accuracy=("is_right", "mean"),
        log_loss=("loss", "mean"),
    )
    recall = frames.pivot_table(index=key, columns="label", values="is_right")
    table = table.join(recall.add_prefix("recall_")).reset_index()
    table = table.merge(draws, on="fold").drop(columns="fold")
    first = ["model", *(c for c in draws if c != "fold"), "subject"]
    return table[[*first, *(c for c in table if c not in first)]]


def compare_recall(curve: pd.DataFrame, *, model: str) -> pd.DataFrame:
    """Say how much each class gains from about twice as many people.

    Args:
        curve: From `learn_from_draws` over people.
        model: Whose curve.

    Returns:
        A row a class that was scored: `gain`, in share recognised, over people who
        were left out with both numbers of people (others would compare the people, not
        the numbers; NaN with one number of people), `n_half`, `n_most`.
    """
    rows = curve[curve["model"] == model]
    sizes = np.sort(rows["n_people"].unique())
    half, most = sizes[np.abs(sizes - sizes[-1] / 2).argmin()], sizes[-1]
    columns = [c for c in rows if c.startswith("recall_")]
    means = rows.groupby(["n_people", "subject"])[columns].mean()
    gains = (means.loc[most] - means.loc[half]).mean()
    gains.index = [c.removeprefix("recall_") for c in columns]
    table = pd.DataFrame({"gain": gains if half < most else np.nan}, index=gains.index)
    return table.assign(n_half=half, n_most=most)


def average_curve(curve: pd.DataFrame) -> pd.DataFrame:
    """Average a learning curve over draws, with the band they span.

    Args:
        curve: Rows by `model`, `n_people`, `draw` and, if known, `subject` (left
            out): `accuracy`.

    Returns:
        Rows by `model` and `n_people`, ascending: `accuracy` (mean over draws), `low`
        and `high` (the middle 80 % of draws) and `n_draws`.

    Raises:
        ValueError: If a column is missing.
    """
    missing = [c for c in _COLUMNS if c not in curve]
    if missing:
        raise ValueError(
            f"The learning curve has no column {', '.join(missing)}; expected "
            f"{', '.join(_COLUMNS)}, found {', '.join(map(str, curve.columns))}."
        )
    draws = curve.groupby(["model", "n_people", "draw"])["accuracy"].mean()
    groups = draws.groupby(["model", "n_people"])
    table = {"accuracy": groups.mean(), "low": groups.quantile(_BAND[0])}
    table |= {"high": groups.quantile(_BAND[1]), "n_draws": groups.size()}
    return pd.DataFrame(table).reset_index()


def find_people_needed(curve: pd.DataFrame, target: float, *, model: str) -> float:
    """Find how many labelled people a model needs for an accuracy.

    Args:
        curve: Learning curve, as for `average_curve`.
        target: Accuracy to reach.
        model: Which model.

    Returns:
        The smallest number measured from which on, at every larger number too, the
        mean accuracy reaches the target; infinite if there is none in this data.

    Raises:
        ValueError: If a column is missing or the model has no rows.
    """
    means = _select_means(curve, model)
    short = np.flatnonzero(means["accuracy"].to_numpy() < target - 1e-12)
    first = short[-1] + 1 if len(short) else 0
    return float(means["n_people"].iloc[first]) if first < len(means) else np.inf


def _select_means(curve: pd.DataFrame, model: str) -> pd.DataFrame:
    """Return the averaged curve of one model, or raise `ValueError`."""
    means = average_curve(curve)
    own = means[means["model"] == model]
    if own.empty:
        known = ", ".join(means["model"].unique())
        raise ValueError(f"No model {model!r} in the learning curve; found {known}.")
    return own


def describe_people_needed(
    curve: pd.DataFrame,
    *,
    pose: str = "pose_softmax",
    image: str = "mobilenet_frozen",
    names: Sequence[str] = ("the pose classifier", "the whole-picture classifier"),
) -> str:
    """Say in one sentence what the fewest people give and what the other model needs.

    Args:
        curve: Learning curve, as for `average_curve`.
        pose: Model whose score with the fewest people is the target.
        image: Model whose need is said.
        names: What to call the two.

    Returns:
        For example "With 1 person the pose classifier reaches 95.0%; the
        whole-picture classifier needs 4 people for that."

    Raises:
        ValueError: If a column is missing or a model has no rows.
    """
    start = _select_means(curve, pose).iloc[0]
    last = _select_means(curve, image).iloc[-1]
    needed = find_people_needed(curve, start["accuracy"], model=image)
    given = (
        f"With {_count(start['n_people'])} {names[0]} reaches {start['accuracy']:.1%}; "
    )
    if not np.isfinite(needed):
        return (
            f"{given}{names[1]} never does in this data ({last['accuracy']:.1%} with "
            f"{_count(last['n_people'])})."
        )
    if needed <= start["n_people"]:
        return f"{given}{names[1]} needs no more than that either."
    return f"{given}{names[1]} needs {_count(needed)} for that."


def _count(n: float) -> str:
    """Write a number of people."""
    return f"{n:.0f} {'person' if n == 1 else 'people'}"
