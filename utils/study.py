"""A study: labelled frames, who is held out with whom, and the models that learn.

It joins the packages: videos, frames, keypoints and labels come in as tables, models
are fitted on the same rows, folds and seeds, and every question in `utils.questions`
asks a study. What was fitted before with the same inputs is read from disk.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from utils.core.colours import ClassLook, colour_classes
from utils.core.files import find_data
from utils.core.names import show_name
from utils.core.parallel import count_workers
from utils.core.skeleton import index_poses
from utils.core.tables import write_csv
from utils.evaluation.cost import Costs
from utils.evaluation.fusion import fuse_models
from utils.evaluation.scores import summarise_scores
from utils.frames.images import read_image, write_crops
from utils.frames.shown import show_images
from utils.labelling.labels import label_frames
from utils.pose.features import build_features, build_pair
from utils.pose.looks import LOOKS, Look, check_looks, look_again, take_looks
from utils.pose.networks import name_network
from utils.pose.people import find_people
from utils.pose.pictures import estimate_pictures
from utils.questions.answer import Answer
from utils.questions.comparison import time_models
from utils.questions.learning_curve import draw_people, learn_from_draws
from utils.screen import YourTurn
from utils.training import doubt, mobilenet, pose_best, protocol, softmax, splits
from utils.training.backbone import embed_frames, pool_features
from utils.training.sklearn_models import build_recipe_model

# Name -> what makes the model out of a study. A model of your own goes in here.
MODELS: dict[str, Callable[["Study"], protocol.Model]] = {
    "majority": lambda study: protocol.build_majority_model(study.pose_inputs),
    "pose_softmax": lambda study: softmax.build_softmax_model(
        "pose_softmax", study.pose_inputs
    ),
    "pose_best": lambda study: pose_best.build_best_model(
        "pose_best",
        study.look_inputs,
        n_used=study.n_looks,
        folder=study.cache / "fits",
        n_seeds=1 if study.budget == "quick" else None,
    ),
    "mobilenet_frozen": lambda study: mobilenet.build_frozen_model(study.image_inputs),
    "mobilenet_crop": lambda study: mobilenet.build_frozen_model(
        study.crop_inputs, name="mobilenet_crop"
    ),
    "mobilenet_finetuned": lambda study: mobilenet.build_finetuned_model(
        study.backbone_features, study.image_inputs, budget=study.budget
    ),
    "mobilenet_crop_finetuned": lambda study: mobilenet.build_finetuned_model(
        study.embed(study.cut_out(study.samples)),
        study.crop_inputs,
        budget=study.budget,
        name="mobilenet_crop_finetuned",
    ),
}

_SHOWN = ["model", "n_frames", "accuracy", "accuracy_sd", "log_loss", "log_loss_sd"]
# Models that never see whom they are scored on while they learn.
_OPEN = ("pose_best",)
# Results drawn on pictures of people.
_SHOW_PEOPLE = (
    *("annotated.mp4", "background_examples.png"),
    *("example.png", "least_sure.png", "mistakes.png"),
)
# Those that claims are on, by their names in sentences.
NAMES = {
    "pose_softmax": "pose classifier",
    "mobilenet_frozen": "whole-picture classifier",
    "mobilenet_crop": "crop classifier",
}


class Fitted(NamedTuple):
    """What models gave on the frames of people held out.

    Attributes:
        history: Table `history`: losses and accuracies after each epoch.
        predictions: Table `predictions`: what each model said of each frame.
        scores: A row a model, with the spread over folds and over seeds.
    """

    history: pd.DataFrame
    predictions: pd.DataFrame
    scores: pd.DataFrame

    def _repr_html_(self) -> str:
        """Show in a cell what decides; `scores` has more."""
        return self.scores[_SHOWN].round(3)._repr_html_()


@dataclass
class Study:
    """Samples, folds, inputs, seeds and cache, in one place.

    Attributes:
        videos: Table `videos`.
        frames: Table `frames`.
        keypoints: Table `keypoints`.
        labels: Table `labels`.
        network: Pose network that found the keypoints.
        features: How keypoints become 34 numbers: `normalised`, `torso` or `raw`.
        every_s: Seconds between two frames.
        mirror: Whether mirror images are learnt from too.
        n_folds: Groups of people, each held out once.
        seeds: Repeats with other random numbers.
        classifier: What predicts film: `best` (`pose_best`) or `softmax`.
        looks_in_use: Looks that `pose_best` takes at a frame in use: `all` or `one`.
        budget: `quick` or `full`: how long models learn and how much is drawn.
        results: Folder for tables and charts.
        cache: Folder for what can be made again; in `find_data()` if empty.
        n_jobs: Processes; -1 is one a core.
        pictures: Whether results may show the people filmed; else skeletons on grey.
        looks: Key, colour and pattern of each class, as the labeller shows it; by the
            order of the classes if empty.
        samples: Table `samples`: labelled frames with person and fold.
        held_out: Who or what is held out, one sentence.
        classes: Postures, in the order of the models' outputs.
        splits: Who is learnt from and who is scored, fold by fold.
        history: Of all models fitted so far.
        predictions: Of all models fitted so far, on people held out.
        models: All models fitted so far, by name.
        answers: Question to its answer, of those asked so far.
    """

    videos: pd.DataFrame
    frames: pd.DataFrame
    keypoints: pd.DataFrame
    labels: pd.DataFrame
    _: KW_ONLY
    network: str = "movenet_thunder"
    features: str = "normalised"
    every_s: float = 0.2
    mirror: bool = True
    n_folds: int = 5
    seeds: Sequence[int] = (0, 1, 2)
    classifier: str = "best"
    looks_in_use: str = "all"
    budget: str = "quick"
    results: Path | str = "data/results"
    cache: Path | str = ""
    n_jobs: int = -1
    pictures: bool = True
    looks: Sequence[ClassLook] = ()
    samples: pd.DataFrame = field(init=False)
    held_out: str = field(init=False)
    classes: list[str] = field(init=False)
    splits: list[protocol.Split] = field(init=False)
    history: pd.DataFrame = field(init=False, default_factory=pd.DataFrame)
    predictions: pd.DataFrame = field(init=False, default_factory=pd.DataFrame)
    models: dict[str, protocol.Model] = field(init=False, default_factory=dict)
    answers: dict[str, Answer] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Join labels with frames and people, and divide the people into folds.

        Raises:
            YourTurn: If too little is labelled; the sentence says what to label.
        """
        check_looks(self.looks_in_use)
        self.results = Path(self.results)
        self.cache = Path(self.cache or find_data() / "cache")
        self.results.mkdir(parents=True, exist_ok=True)
        if not self.pictures:  # a question that fails would leave an earlier run's
            for name in _SHOW_PEOPLE:
                (self.results / name).unlink(missing_ok=True)
        self.frame_labels = label_frames(self.frames, self.labels)
        try:
            samples = splits.build_samples(self.frames, self.frame_labels, self.videos)
            self.samples, self.held_out = splits.choose_folds(
                samples, n_folds=self.n_folds, seed=self.seeds[0]
            )
        except ValueError as error:  # too little is labelled
            raise YourTurn(
                f"{error} Films, frames and keypoints are done; now it is your turn: "
                "label in the labelling cell, then run the cells below it."
            ) from error
        self.classes = sorted(self.samples["label"].unique())
        self.looks = list(self.looks) or colour_classes(self.classes)
        self.splits = splits.build_splits(self.samples)

    # --- what there is ---------------------------------------------------------------

    @property
    def n_people(self) -> int:
        """How many people are labelled."""
        return self.samples["subject"].nunique()

    @property
    def n_text(self) -> str:
        """How many people and frames there are, in words, for titles."""
        people = "person" if self.n_people == 1 else "people"
        return f"{self.n_people} {people}, {len(self.samples):,} frames"

    @property
    def names(self) -> dict[str, str]:
        """The models that claims are on, by their names in sentences."""
        return {model: name for model, name in NAMES.items() if model in self.models}

    @property
    def in_use(self) -> str:
        """The model that predicts film which nobody labelled, as `classifier` says."""
        best = self.classifier == "best" and "pose_best" in self.models
        return "pose_best" if best else "pose_softmax"

    @property
    def finetuned(self) -> list[str]:
        """The fine-tuned models that `budget` has time for, by their names."""
        on_crops = ["mobilenet_crop_finetuned"] if self.budget == "full" else []
        return ["mobilenet_finetuned", *on_crops]

    @property
    def rival(self) -> str:
        """The picture model that is right more often on people held out."""
        scores = self.scores.set_index("model")["accuracy"]
        return scores[[m for m in self.names if m != "pose_softmax"]].idxmax()

    @property
    def is_one_person(self) -> bool:
        """Whether spans of time are held out, for want of a second person."""
        # also of people who share no two postures: see `splits.choose_folds`
        folds_of = self.samples.groupby("subject")["fold"].nunique()
        return bool((folds_of > 1).any())

    @property
    def unseen(self) -> str:
        """What models are scored on, in words."""
        if not self.is_one_person:
            return "people never seen"
        who = "person" if self.n_people == 1 else "people"
        return f"the same {who} at moments never seen"

    @property
    def folds(self) -> pd.DataFrame:
        """Frames of each fold, person and posture."""
        return splits.summarise_folds(self.samples).rename(columns=show_name)

    @property
    def leak(self) -> float:
        """Share of validation frames with a neighbour within 1 s in training."""
        return splits.measure_leaks(self.samples, self.splits)["leak_near"]

    @property
    def unlabelled(self) -> pd.DataFrame:
        """The frames that nobody labelled."""
        return self.frames[self.frame_labels.isna().to_numpy()]

    @cached_property
    def people(self) -> pd.DataFrame:
        """For each frame whether a person was found in it, and how sure that is."""
        return find_people(self.keypoints)

    @property
    def has_person(self) -> np.ndarray:
        """Whether a person was found in each sample, bool `(n_samples,)`.

        Where none was, points lie anywhere: they say nothing of what poses are like.
        """
        key = ["video", "frame_idx"]
        found = self.samples[key].merge(self.people, on=key, how="left")
        return found["has_person"].eq(True).to_numpy()

    @property
    def n_workers(self) -> int:
        """Processes that work at once."""
        return count_workers(self.n_jobs)

    # --- what models learn from ------------------------------------------------------

    def build_inputs(
        self, x: np.ndarray, mirrored: np.ndarray | None = None
    ) -> protocol.Inputs:
        """Put numbers, one row a sample, beside the samples' postures and people.

        Args:
            x: `(n_samples, n_columns)`.
            mirrored: The same of mirror images; left out where `mirror` is off.

        Returns:
            What models learn from.
        """
        mirrored = mirrored if self.mirror else None
        return protocol.build_inputs(
            self.samples, x, classes=self.classes, mirrored=mirrored
        )

    def build_pose_inputs(
        self, *, keypoints: pd.DataFrame | None = None, features: str | None = None
    ) -> protocol.Inputs:
        """Make the 34 numbers of every sample.

        Args:
            keypoints: Those of another network; the study's own if None.
            features: Another kind of numbers; the study's own if None.

        Returns:
            What a classifier of poses learns from.
        """
        keypoints = self.keypoints if keypoints is None else keypoints
        kind = features or self.features
        return self.build_inputs(
            *build_pair(keypoints, self.frames, self.samples, kind=kind)
        )

    @cached_property
    def pose_inputs(self) -> protocol.Inputs:
        """The 34 numbers of every sample, and of its mirror image."""
        return self.build_pose_inputs()

    @cached_property
    def look_inputs(self) -> protocol.Inputs:
        """The same of all looks at every sample, `(n_samples, n_looks, 34)`."""
        further = self.look_again(self.samples, looks="all")
        parts = [
            self.build_pose_inputs(keypoints=k) for k in (self.keypoints, *further)
        ]
        x = np.stack([part.x for part in parts], axis=1)
        mirrored = [part.mirrored for part in parts if part.mirrored is not None]
        return self.build_inputs(x, np.stack(mirrored, axis=1) if mirrored else None)

    @property
    def n_looks(self) -> int:
        """How many looks at a frame there are in use."""
        return 1 + len(LOOKS[self.looks_in_use])

    @property
    def features_table(self) -> pd.DataFrame:
        """Table `features`: the 34 numbers of every frame, labelled or not."""
        return build_features(self.keypoints, self.frames, kind=self.features)

    @cached_property
    def backbone_features(self) -> np.ndarray:
        """What MobileNetV2's fixed blocks make of every sample and its variants."""
        return self.embed(self.samples)

    @cached_property
    def image_inputs(self) -> protocol.Inputs:
        """The 1280 features of every sample's picture, and of its mirror image."""
        return self._build_image_inputs(self.backbone_features)

    @cached_property
    def crop_inputs(self) -> protocol.Inputs:
        """The 1280 features of the person's crop in every sample, and of its mirror."""
        crops = self.cut_out(self.samples)
        return self._build_image_inputs(self.embed(crops, n_augmented=0))

    def _build_image_inputs(self, variants: np.ndarray) -> protocol.Inputs:
        """Make the frozen network's features of pictures and of their mirror images."""
        whole = self.pool(variants[:, 0])
        return self.build_inputs(
            whole, self.pool(variants[:, 1]) if self.mirror else None
        )

    def cut_out(
        self, pictures: pd.DataFrame, keypoints: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Cut the person out of each picture; see `write_crops`.

        Args:
            pictures: Table with `video`, `frame_idx` and `path`.
            keypoints: Where the person is; the study's own if None.

        Returns:
            `pictures` with the crops' paths.
        """
        return write_crops(
            pictures,
            index_poses(self.keypoints if keypoints is None else keypoints),
            folder=self.cache / "crops",
        )

    def embed(self, pictures: pd.DataFrame, **options: object) -> np.ndarray:
        """Run MobileNetV2's fixed blocks over pictures; see `embed_frames`."""
        return embed_frames(
            pictures,
            folder=self.cache / "backbone",
            read_image=read_image,
            n_jobs=self.n_workers,
            **{"mirrors": self.mirror, **options},
        )

    def pool(self, features: np.ndarray) -> np.ndarray:
        """Run MobileNetV2's last blocks, as pretrained; see `pool_features`."""
        folder = self.cache / "backbone"
        return pool_features(features, folder=folder, n_jobs=self.n_workers)

    def estimate(self, pictures: pd.DataFrame) -> pd.DataFrame:
        """Find keypoints in changed pictures on disk.

        Args:
            pictures: Table with `video`, `frame_idx` and `path`.

        Returns:
            Table `keypoints`, in the order of `pictures`.
        """
        return estimate_pictures(
            pictures,
            network=self.network,
            read_image=read_image,
            folder=self.cache / "poses",
            n_jobs=self.n_workers,
        )

    def look_again(self, frames: pd.DataFrame, *, looks: str) -> list[pd.DataFrame]:
        """Take the further looks at the person in frames; see `pose.looks.look_again`.

        Args:
            frames: Table with `video`, `frame_idx` and `path`.
            looks: A name in `LOOKS`.

        Returns:
            Tables `keypoints`, one a look beside the first.
        """
        key = ["video", "frame_idx"]
        labelled = pd.MultiIndex.from_frame(self.samples[key])
        is_labelled = pd.MultiIndex.from_frame(frames[key]).isin(labelled)
        # Labelled frames are looked at to learn from them, the others when they are to
        # be predicted: apart, each is found again where all were asked for.
        found = [
            look_again(
                frames[rows],
                self.keypoints,
                looks=looks,
                read_image=read_image,
                folder=self.cache / "poses",
                n_jobs=self.n_workers,
            )
            for rows in (is_labelled, ~is_labelled)
            if rows.any()
        ]
        return [pd.concat(tables) for tables in zip(*found, strict=True)]

    def look_by(self, network: str) -> pd.DataFrame:
        """Look once at the person in the samples by another network.

        Where the person is, the study's own network has found: so each network is given
        the same square, and a look that `pose_best` takes need not be taken twice.

        Args:
            network: The other network.

        Returns:
            Table `keypoints`, in the order of the samples.
        """
        look, known = Look(network, side=1.0), LOOKS["all"]
        looks = known if look in known else (look,)
        return take_looks(
            self.samples,
            self.keypoints,
            looks,
            read_image=read_image,
            folder=self.cache / "poses",
            n_jobs=self.n_workers,
        )[looks.index(look)]

    def show_images(self, frames: pd.DataFrame) -> list[np.ndarray]:
        """Read pictures for a chart; grey ones where `pictures` is off.

        Args:
            frames: Table with `path`.

        Returns:
            RGB uint8 arrays.
        """
        return show_images(frames["path"], pictures=self.pictures)

    # --- models ----------------------------------------------------------------------

    def fit(self, *names: str) -> Fitted:
        """Fit models on every fold with every seed, or read what was fitted before.

        Args:
            *names: Names in `MODELS`.

        Returns:
            What these models gave; `history` and `predictions` of the study grow.

        Raises:
            ValueError: If there is no such model.
        """
        unknown = [name for name in names if name not in MODELS]
        if unknown:
            raise ValueError(
                f"There is no model {unknown[0]!r}. Choose among {', '.join(MODELS)}."
            )
        models = {name: MODELS[name](self) for name in names}
        history, predictions = self.run(
            self.samples, list(models.values()), self.splits, seeds=self.seeds
        )
        self.models |= models
        self.history = _join(self.history, history)
        self.predictions = _join(self.predictions, predictions)
        write_csv(self.predictions, self.results / "predictions.csv")
        for outdated in ("scores", "costs"):
            self.__dict__.pop(outdated, None)
        return Fitted(history, predictions, summarise_scores(predictions))

    def run(
        self,
        samples: pd.DataFrame,
        models: Sequence[protocol.Model],
        splits: Sequence[protocol.Split],
        *,
        seeds: Sequence[int] | None = None,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Fit models on splits, with the first seed if no others are named.

        Returns:
            Tables `history` and `predictions`.
        """
        return protocol.run_models(
            samples,
            models,
            splits,
            seeds=self.seeds[:1] if seeds is None else seeds,
            folder=self.cache / "fits",
            n_jobs=self.n_workers,
        )

    @cached_property
    def baselines(self) -> list[protocol.Model]:
        """A plain softmax of scikit-learn on each input: quick, for questions."""
        inputs = {
            "pose_softmax": self.pose_inputs,
            "mobilenet_frozen": self.image_inputs,
            "mobilenet_crop": self.crop_inputs,
        }
        return [
            build_recipe_model(name, own, recipe="logistic", tune=False)
            for name, own in inputs.items()
        ]

    @property
    def contenders(self) -> list[protocol.Model]:
        """The baselines, and of the models fitted those that stop by nobody scored."""
        return [*self.baselines, *(m for n, m in self.models.items() if n in _OPEN)]

    @cached_property
    def baseline_scores(self) -> pd.Series:
        """Accuracy of contenders, and of pose and crop together, people held out."""
        predictions = self.run(self.samples, self.contenders, self.splits)[1]
        pair = ("pose_softmax", "mobilenet_crop")
        fused = fuse_models(predictions, models=pair, name="pose_and_crop")
        both = pd.concat([predictions, fused], ignore_index=True)
        return summarise_scores(both).set_index("model")["accuracy"]

    @cached_property
    def scores(self) -> pd.DataFrame:
        """A row a model fitted so far, with the spread over folds and seeds."""
        return summarise_scores(self.predictions)

    @property
    def floor(self) -> pd.Series:
        """Scores of the model that always says how common each posture is."""
        return self.scores.set_index("model").loc["majority"]

    @cached_property
    def people_curve(self) -> pd.DataFrame:
        """Scores of the baselines by how many people they learnt from."""
        drawn = draw_people(self.samples, budget=self.budget, seed=self.seeds[0])
        return learn_from_draws(self.samples, self.baselines, drawn, run=self.run)

    @cached_property
    def costs(self) -> Costs:
        """What the models fitted so far take, measured on this machine."""
        return time_models(self)

    # --- use -------------------------------------------------------------------------

    @property
    def n_epochs(self) -> int:
        """How long the final classifier learns: as long as the folds found best."""
        return softmax.count_best_epochs(self.history, model="pose_softmax")

    def fit_classifier(
        self, *, without: Collection[str] = ()
    ) -> softmax.PoseClassifier:
        """Fit what predicts frames that nobody labelled, as `classifier` says.

        Args:
            without: People to leave out, so that they stay unseen.

        Returns:
            The classifier: the best one, or the softmax.
        """
        return self.fit_classifiers([without])[0]

    def fit_classifiers(
        self, without: Sequence[Collection[str]]
    ) -> list[softmax.PoseClassifier]:
        """Fit such classifiers side by side, each without some people.

        Args:
            without: People to leave out of each.

        Returns:
            A classifier for each.
        """
        if self.in_use == "pose_softmax":
            return [self.fit_softmax(without=people) for people in without]
        mixtures = pose_best.find_mixtures(
            self.look_inputs,
            [self._list_rows(people) for people in without],
            n_used=self.n_looks,
            seed=self.seeds[0],
            folder=self.cache / "fits",
            n_jobs=self.n_workers,
        )
        classifiers = [
            softmax.PoseClassifier(
                pose_best.build_network(mixture),
                tuple(self.classes),
                self.features,
                name_network(self.network),
                looks=self.looks_in_use,
            )
            for mixture in mixtures
        ]
        pairs = zip(classifiers, without, strict=True)
        return [self._add_origin(classifier, people) for classifier, people in pairs]

    def fit_softmax(self, *, without: Collection[str] = ()) -> softmax.PoseClassifier:
        """Fit the softmax on everybody's 34 numbers, as long as the folds found best.

        Args:
            without: People to leave out, so that they stay unseen.

        Returns:
            The classifier that is shown, and taken along.
        """
        classifier = softmax.fit_classifier(
            protocol.take_rows(self.pose_inputs, self._list_rows(without)),
            classes=self.classes,
            features=self.features,
            network=name_network(self.network),
            n_epochs=self.n_epochs,
            seed=self.seeds[0],
        )
        return self._add_origin(classifier, without)

    def save_classifiers(self) -> softmax.PoseClassifier:
        """Fit the softmax and the classifier in use on everybody, and save both.

        Returns:
            The classifier in use, which `softmax.find_classifier` finds in `results`.
        """
        finished = {"pose_softmax": self.fit_softmax()}
        if self.in_use not in finished:
            finished[self.in_use] = self.fit_classifier()
        softmax.save_classifiers(finished, self.results)
        return finished[self.in_use]

    def _list_rows(self, without: Collection[str]) -> np.ndarray:
        """Return the row numbers of the samples of all people but some."""
        return np.flatnonzero(~self.samples["subject"].isin(without))

    def _add_origin(
        self, classifier: softmax.PoseClassifier, without: Collection[str]
    ) -> softmax.PoseClassifier:
        """Add what it learnt from: which poses are none of these, which films, who."""
        rows = self._list_rows(without)
        learnt = self.samples.iloc[rows]
        found = rows[self.has_person[rows]]
        films = self.videos["video"].isin(learnt["video"])
        return replace(
            classifier,
            doubt=doubt.fit_doubt(protocol.take_rows(self.pose_inputs, found)),
            films=tuple(self.videos.loc[films, "sha256"]),
            people=tuple(sorted(learnt["subject"].unique())),
        )


def _join(before: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """Put the rows of newly fitted models in place of, or below, those before."""
    if before.empty:
        return new
    kept = before[~before["model"].isin(new["model"])]
    return pd.concat([kept, new], ignore_index=True)
