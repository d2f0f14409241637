"""What a question gives: sentences, a table, charts; shown in a cell, kept on disk."""

import base64
import functools
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from utils.core.files import atomic_path
from utils.core.markup import escape_markdown
from utils.core.tables import TooFewError, write_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 120
_FILM_PX = 480  # width of a film in a cell


@dataclass(frozen=True)
class Answer:
    """The answer to one question; a cell that ends with it shows it.

    Attributes:
        name: What its files are called, such as `leakage`.
        sentences: What the numbers say, a sentence a line of a list; one stands alone.
        table: All the numbers, as in `<name>.csv`.
        charts: The PNG files drawn, in order.
        video: A film that was written, an mp4; None for most.
        poster: What it shows before it plays, a JPEG; empty for none.
        shown: What of the table a reader sees; nothing if None.
        sections: Headings with what stands under each, sentences or a table; they
            follow the sentences.
        is_missing: Whether it could not be answered; then the sentence says why.
        waits: Whether nothing is wrong, and more people are all that it takes.
    """

    name: str
    sentences: tuple[str, ...] = ()
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    charts: tuple[Path, ...] = ()
    video: Path | None = None
    poster: bytes = b""
    shown: pd.DataFrame | None = None
    sections: tuple[tuple[str, tuple[str, ...] | pd.DataFrame], ...] = ()
    is_missing: bool = False
    waits: bool = False

    @property
    def sentence(self) -> str:
        """All sentences as one text."""
        return " ".join(self.sentences)

    def _ipython_display_(self) -> None:
        """Show film, charts, sentences and table, then the sections."""
        from IPython.display import Image, Markdown, Video, display

        if self.video is not None:
            jpeg = base64.b64encode(self.poster).decode()
            poster = f'poster="data:image/jpeg;base64,{jpeg}"' if jpeg else ""
            how = {"width": _FILM_PX, "html_attributes": f"controls {poster}"}
            display(Video(str(self.video), embed=True, **how))
        for chart in self.charts:
            display(Image(filename=str(chart), alt=self.sentence or self.name))
        # `make run` reads the mark, and names in its last line what is missing.
        is_wrong = self.is_missing and not self.waits
        mark = {"posenet": {"missing": self.name}} if is_wrong else None
        say(self.sentences, metadata=mark)
        _show_table(self.shown)
        for heading, content in self.sections:
            display(Markdown(f"### {escape_markdown(heading)}"))
            if isinstance(content, pd.DataFrame):
                _show_table(content)
            else:
                say(content)


def _show_table(table: pd.DataFrame | None) -> None:
    """Show a table under a cell, no text cut."""
    from IPython.display import display

    if table is not None and len(table):
        if isinstance(table.index, pd.RangeIndex):  # numbers that mean nothing
            table = table.set_index(table.columns[0]).rename_axis(None)
        with pd.option_context("display.max_colwidth", None):
            display(table)


def say(sentences: Sequence[str] | pd.Series, *, metadata: dict | None = None) -> None:
    """Show sentences under a cell: one as a paragraph, several as a list.

    Args:
        sentences: Plain text; whatever would be markup is shown as written. Empty ones
            are left out.
        metadata: Facts that the output carries.
    """
    from IPython.display import Markdown, display

    given = [text for text in sentences if isinstance(text, str) and text]
    lines = [escape_markdown(text) for text in given]
    if len(lines) > 1:
        lines = [f"- {line}" for line in lines]
    if lines:
        display(Markdown("\n".join(lines), metadata=metadata))


def write_answer(
    name: str,
    folder: Path,
    *,
    sentences: Sequence[str] = (),
    table: pd.DataFrame | None = None,
    charts: "dict[str, Axes | Figure] | None" = None,
    shown: pd.DataFrame | None = None,
) -> Answer:
    """Write an answer's table and charts, and return it.

    Args:
        name: What the table's file is called.
        folder: Where the files go.
        sentences: What the numbers say.
        table: All the numbers.
        charts: File stem to Axes or Figure; they are closed once they are written.
        shown: What of the table a reader sees.

    Returns:
        The answer.
    """
    import matplotlib.pyplot as plt

    paths = []
    for stem, chart in (charts or {}).items():
        figure = chart if hasattr(chart, "savefig") else chart.figure
        paths.append(Path(folder) / f"{stem}.png")
        with atomic_path(paths[-1]) as part:
            figure.savefig(part, dpi=_DPI)
        plt.close(figure)
    table = pd.DataFrame() if table is None else table
    if len(table):
        write_csv(table, Path(folder) / f"{name}.csv")
    return Answer(name, tuple(sentences), table, tuple(paths), shown=shown)


def question(ask: Callable[..., Answer]) -> Callable[..., Answer]:
    """Let a question that cannot be answered say so in one line, and the run go on.

    Args:
        ask: Takes a study first; its name is the question's.

    Returns:
        The same function. What it gives is also kept in `study.answers`.
    """

    @functools.wraps(ask)
    def asked(study: object, **options: object) -> Answer:
        import matplotlib.pyplot as plt

        try:
            answer = ask(study, **options)
        except TooFewError as error:  # to be alone is no fault
            text = f"Not known yet. {error}"
            answer = Answer(ask.__name__, (text,), is_missing=True, waits=True)
        except (ValueError, OSError) as error:  # what the data or the disk forbids
            answer = _explain(ask.__name__, str(error))
        except Exception as error:  # noqa: BLE001 - one section must not end a run
            traceback.print_exc()
            reason = f"a fault of this program, {type(error).__name__}: {error}"
            answer = _explain(ask.__name__, reason)
        if answer.is_missing:  # a chart that was begun would be shown by the cell
            plt.close("all")
        study.answers[answer.name] = answer
        return answer

    return asked


def _explain(name: str, reason: str) -> Answer:
    """Return the answer of a question that has none."""
    words = name.replace("_", " ").capitalize()
    return Answer(name, (f"{words}: not answered. {reason}",), is_missing=True)
