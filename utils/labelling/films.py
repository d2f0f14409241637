"""Find films that were renamed or replaced since they were labelled."""

from collections.abc import Mapping
from dataclasses import dataclass

from utils.labelling.state import LabelState


@dataclass(frozen=True)
class FilmChange:
    """A video whose film is not the one that the log knows under its name.

    Attributes:
        video: Its name.
        how: `"changed"`: its labels are of another film; `"renamed"`: its film has
            labels under another name.
        old: The sha256 of the other film; the other name.
    """

    video: str
    how: str
    old: str

    def describe(self) -> str:
        """Return one sentence for the user."""
        if self.how == "renamed":
            return (
                f"{self.video} is the film that was called {self.old}: its labels "
                "follow."
            )
        return (
            f"{self.video} is not the film that was labelled under this name: those "
            "labels were set aside and are not used. If it is the same film, encoded "
            f"anew, adopt_labels({self.video!r}) brings them back."
        )


def find_replaced_films(
    state: LabelState, films: Mapping[str, str]
) -> list[FilmChange]:
    """Return the videos with labels that belong to another film.

    Args:
        state: What the log says.
        films: sha256 of each video there is.
    """
    return [
        FilmChange(video, "changed", state.films[video])
        for video, sha256 in films.items()
        if state.films.get(video, sha256) != sha256
        and (_is_labelled(state, video) or sha256 in state.find_parked(video))
    ]


def find_renamed_films(state: LabelState, films: Mapping[str, str]) -> list[FilmChange]:
    """Return the videos without labels whose film has some under another name.

    A second copy of a film, under both names, does not take the labels.
    Labels of replaced films must have been set aside before.
    """
    changes = []
    for video, sha256 in films.items():
        if _is_labelled(state, video):
            continue
        names = [
            name
            for name in state.find_film(sha256)
            if name != video and films.get(name) != sha256
        ]
        if names:
            changes.append(FilmChange(video, "renamed", names[-1]))
    return changes


def _is_labelled(state: LabelState, video: str) -> bool:
    """Tell whether labels are in force under a name."""
    return video in state.tracks and bool(state.tracks[video].merge())
