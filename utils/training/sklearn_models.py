"""Models from scikit-learn, each with the same effort: three settings, chosen alike."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import joblib
import numpy as np
import pandas as pd
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from utils.core.cache import build_key
from utils.core.tables import LEAST_PROBABILITY
from utils.training.protocol import Inputs, Model, build_empty_history
from utils.training.softmax import count_parameters

CODE = ("utils.training.sklearn_models",)
N_INNER_FOLDS = 3  # each model is tuned by this many, so that effort is equal
N_TREES = 100
N_HIDDEN = 64


@dataclass(frozen=True)
class Recipe:
    """One way to learn, and the one setting that is tuned.

    Attributes:
        build: Gives an estimator for a value of the setting and a seed.
        setting: Name of the setting.
        tried: Its values, three each; the middle one where nothing can be tried.
        count_votes: How many votes a probability is a share of, for a value; 0 where
            it is no share. Shares are smoothed by one more vote spread over all
            classes, so that no class is impossible for want of a vote.
    """

    build: Callable[[float, int], ClassifierMixin]
    setting: str
    tried: tuple[float, float, float]
    count_votes: Callable[[float], float]


def _build_logistic(value: float, seed: int) -> ClassifierMixin:
    """Build the softmax on standardised numbers, all of it linear."""
    model = LogisticRegression(C=value, max_iter=300, random_state=seed)
    return make_pipeline(StandardScaler(), model)


def _build_knn(value: float, seed: int) -> ClassifierMixin:
    """Build the vote of the k nearest frames."""
    del seed  # nothing is random
    return KNeighborsClassifier(int(value))


def _build_forest(value: float, seed: int) -> ClassifierMixin:
    """Build the random forest."""
    return RandomForestClassifier(
        N_TREES, min_samples_leaf=int(value), random_state=seed
    )


def _build_mlp(value: float, seed: int) -> ClassifierMixin:
    """Build one hidden layer on standardised numbers."""
    model = MLPClassifier((N_HIDDEN,), alpha=value, max_iter=100, random_state=seed)
    return make_pipeline(StandardScaler(), model)


RECIPES: dict[str, Recipe] = {
    "logistic": Recipe(_build_logistic, "C", (0.1, 1.0, 10.0), lambda _: 0.0),
    "knn": Recipe(_build_knn, "k", (3, 9, 27), float),
    "forest": Recipe(_build_forest, "frames a leaf", (1, 4, 16), lambda _: N_TREES),
    "mlp": Recipe(_build_mlp, "weight decay", (1e-3, 0.1, 10.0), lambda _: 0.0),
}


class RecipeClassifier(ClassifierMixin, BaseEstimator):
    """A recipe as one estimator of scikit-learn, for all classes there are.

    Args:
        recipe: A name in `RECIPES`.
        value: Value of its setting.
        seed: Decides all that is random.
        n_classes: How many classes there are; one that is not learnt from gets 0.
    """

    def __init__(
        self, recipe: str, value: float = 1.0, *, seed: int = 0, n_classes: int = 2
    ) -> None:
        """Keep the settings, as scikit-learn wants them, under their own names."""
        self.recipe, self.value = recipe, value
        self.seed, self.n_classes = seed, n_classes

    def fit(self, x: np.ndarray, y: np.ndarray) -> "RecipeClassifier":
        """Learn from every version of each frame, `(n, n_versions, n_columns)`."""
        y = np.tile(y, x.shape[1])
        x = np.swapaxes(x, 0, 1).reshape(len(y), -1)
        # k-NN needs k frames
        self.value_ = min(self.value, len(x)) if self.recipe == "knn" else self.value
        self.classes_, self.model_ = np.unique(y), None  # of one class: it is sure
        if len(self.classes_) > 1:
            self.model_ = RECIPES[self.recipe].build(self.value_, self.seed)
            # all get the same number of steps, also those that are not done by then
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                self.model_.fit(x, y)
        return self

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        """Return probabilities `(n, n_classes)` by the first version of each frame."""
        shares = np.zeros((len(x), self.n_classes))
        if self.model_ is None:
            shares[:, self.classes_] = 1.0
            return shares
        shares[:, self.classes_] = self.model_.predict_proba(x[:, 0])
        n_votes = RECIPES[self.recipe].count_votes(self.value_)
        if not n_votes:
            return shares
        return (n_votes * shares + 1 / self.n_classes) / (n_votes + 1)


def _score(model: RecipeClassifier, x: np.ndarray, y: np.ndarray) -> float:
    """Return the log likelihood of frames, nats: a sum, so that each counts alike."""
    given = model.predict_proba(x)[np.arange(len(y)), y]
    return float(np.log(np.maximum(given, LEAST_PROBABILITY)).sum())


def _fit_recipe(
    train: np.ndarray,
    val: np.ndarray,
    *,
    seed: int,
    inputs: Inputs,
    recipe: str,
    tune: bool,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Learn by a recipe, tuned among `train`: a `Fit` of the comparison."""
    tried, people = RECIPES[recipe].tried, inputs.people[train]
    n_people = len(np.unique(people))
    model = RecipeClassifier(recipe, tried[1], seed=seed, n_classes=inputs.n_classes)
    versions = [inputs.x] if inputs.mirrored is None else [inputs.x, inputs.mirrored]
    x, y = np.stack([v[train] for v in versions], axis=1), inputs.y[train]
    if tune and n_people > 1:
        # people are kept together in the inner folds as in the outer ones
        folds = GroupKFold(min(N_INNER_FOLDS, n_people))
        search = GridSearchCV(
            model, {"value": tried}, scoring=_score, cv=folds, error_score="raise"
        )
        model = search.fit(x, y, groups=people).best_estimator_
    else:
        model.fit(x, y)
    x_val = inputs.hide_columns(train, val)[:, None]
    return build_empty_history(), model.predict_proba(x_val)


def build_recipe_model(
    name: str, inputs: Inputs, *, recipe: str, tune: bool = True
) -> Model:
    """Make a model that learns by a recipe.

    Args:
        name: Column `model` of its results.
        inputs: What it learns from.
        recipe: A name in `RECIPES`.
        tune: Whether to try all three values of the setting, by log loss over
            `N_INNER_FOLDS` folds of the training people; else, or with one person, the
            middle one is taken.

    Returns:
        The model; its key holds the content of the inputs. A class that is not among
        the training rows gets probability 0.

    Raises:
        ValueError: If there is no such recipe, or the inputs differ in length.
    """
    if recipe not in RECIPES:
        raise ValueError(f"Expected a recipe of {', '.join(RECIPES)}, got {recipe!r}.")
    n = {len(inputs.x), len(inputs.y), len(inputs.people)}
    if len(n) > 1:
        raise ValueError(
            f"Expected x, y and people of one length, got {len(inputs.x)}, "
            f"{len(inputs.y)} and {len(inputs.people)} rows."
        )
    settings = RECIPES[recipe]
    key = build_key(
        code=CODE,
        recipe=[repr(settings.build(value, 0)) for value in settings.tried],
        tune=N_INNER_FOLDS if tune else 0,
        inputs=joblib.hash(inputs),
        sklearn=sklearn.__version__,
    )
    fit = partial(_fit_recipe, inputs=inputs, recipe=recipe, tune=tune)
    return Model(name, fit, key=key, n_parameters=_count_parameters(inputs, recipe))


def _count_parameters(inputs: Inputs, recipe: str) -> int:
    """Return how many numbers the finished model holds; 0 where only growing tells."""
    n, n_columns = inputs.x.shape
    n_stored = n * (1 if inputs.mirrored is None else 2)
    return {
        "logistic": count_parameters(inputs.n_classes, n_columns=n_columns),
        "mlp": count_parameters(N_HIDDEN, n_columns=n_columns)
        + count_parameters(inputs.n_classes, n_columns=N_HIDDEN),
        "knn": n_stored * n_columns,
    }.get(recipe, 0)


def describe_effort(
    recipes: Mapping[str, tuple[str, str]],
    *,
    others: Mapping[str, str],
    tune: bool = True,
) -> pd.DataFrame:
    """State what each model learns from and how much tuning it got.

    Args:
        recipes: Model to what it learns from, in words, and its recipe.
        others: Model that is not of these recipes to its effort, in words.
        tune: Whether the models were built with `tune`.

    Returns:
        Table `model`, `inputs`, `setting`, `tried`, `chosen_by`.
    """
    rows = []
    for model, (inputs, recipe) in recipes.items():
        settings = RECIPES[recipe]
        values = settings.tried if tune else settings.tried[1:2]
        tried = ", ".join(f"{value:g}" for value in values)
        by = f"log loss over {N_INNER_FOLDS} folds of the training people"
        by = by if tune else "nobody: fixed beforehand"
        rows.append((model, inputs, settings.setting, tried, by))
    rows += [(model, effort, "", "", "") for model, effort in others.items()]
    columns = ["model", "inputs", "setting", "tried", "chosen_by"]
    return pd.DataFrame(rows, columns=columns)
