"""`make run`: execute `poseNet.ipynb`, leave its results, an answer and a report."""

import argparse
import os
import re
import signal
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import nbformat

    from utils.screen import Screen

# Loaded inside functions: pandas, papermill and Jinja take longer than the first line
# may, and whoever types a wrong setting need not wait for them.

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "poseNet.ipynb"
DONE, STOPPED, INCOMPLETE = 0, 1, 3
_INTERRUPTED = 128  # and the signal's number, as shells say it
_TURN = "YourTurn"  # the error that means that nothing is wrong
_MARK = "posenet"  # key of what an output tells `make run`
_LOOK_S = 0.2
_ERRNO = re.compile(r"\[Errno \d+\] ")
_MEMORY = (
    "The kernel was killed, most likely because memory ran out. Set N_JOBS=1, or a "
    "larger EVERY_S; what was done is kept."
)


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        failure: The sentence of the cell that stopped it; empty if none did.
        is_turn: Whether it stopped because a person has to do something first.
        missing: Headings of what was not done, and questions without an answer.
    """

    failure: str = ""
    is_turn: bool = False
    missing: list[str] = field(default_factory=list)

    @property
    def code(self) -> int:
        """The exit code."""
        if self.failure and not self.is_turn:
            return STOPPED
        return INCOMPLETE if self.missing and not self.is_turn else DONE


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the notebook with `NAME=value` settings.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if all was done, or if it is the user's turn; 1 with one sentence on stderr if
        the run stopped; 3 if it reached its end and a section could not be done.
    """
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("settings", nargs="*", metavar="NAME=value")
    given = parser.parse_args(arguments).settings
    before = signal.signal(signal.SIGTERM, _raise_interrupt)
    try:
        print("[    0 s] Settings, labels and videos.csv", flush=True)
        from utils.screen import follow_bars

        _watch_make()
        with follow_bars():
            settings, results = _prepare(given)
        outcome = run_notebook(settings, results=results)
        return finish(outcome, results)
    except (ValueError, OSError) as error:
        print(f"make run stopped. {_say_plainly(error)}", file=sys.stderr)
        return STOPPED
    except KeyboardInterrupt as error:
        print("\nStopped. What is done is kept: the same command goes on from here.")
        sys.stdout.flush()
        _end_kernels()
        # A thread still waits for the kernel; nothing is left that must be put away.
        os._exit(_INTERRUPTED + (error.args or (signal.SIGINT,))[0])
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_interrupt(number: int, _: object) -> None:
    """End on SIGTERM as on ctrl-C, with no worker left behind."""
    raise KeyboardInterrupt(number)


def _watch_make() -> None:
    """Stop when the make that started this run is gone: whoever kills it means both."""
    import psutil

    above = [p for p in psutil.Process().parents() if p.name() in ("make", "gmake")]
    if "MAKELEVEL" not in os.environ or not above:
        return

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            while above[0].is_running() and above[0].status() != psutil.STATUS_ZOMBIE:
                time.sleep(_LOOK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def _prepare(given: Sequence[str]) -> tuple[dict[str, Any], Path]:
    """Read and check all settings; return those given, and the folder of results."""
    import nbformat

    from utils import settings
    from utils.core.files import DATA_VARIABLE, is_writable

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    own = settings.read_settings(settings.list_given(given), notebook)
    own = settings.place_folders(own, start=Path.cwd(), root=ROOT)
    values = settings.read_defaults(notebook) | own
    settings.check_settings(values, root=ROOT)
    results = ROOT / values["RESULTS"]
    if not is_writable(ROOT / "data"):  # then what can be made again goes elsewhere
        os.environ.setdefault(DATA_VARIABLE, str(results / "data"))
    settings.check_labels_fit(values, root=ROOT)
    return own, results


def _say_plainly(error: Exception) -> str:
    """Return an error as a sentence without numbers of the system, safe to print."""
    from utils.core.markup import escape_terminal

    said = str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        said = f"{where}{error.strerror}."
    return escape_terminal(said.replace("\n", " "))


def run_notebook(settings: dict[str, Any], *, results: Path) -> Outcome:
    """Execute a copy of the notebook, keep it in the results folder, write the report.

    A heading is printed when its section begins, then what its cells print.

    Args:
        settings: Parameters that differ from the notebook's own.
        results: Folder for the executed notebook and the report.

    Returns:
        How it ended.
    """
    from utils.core.files import ANSWER_FILE

    (results / ANSWER_FILE).unlink(missing_ok=True)  # of an earlier run
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with tempfile.TemporaryDirectory(prefix="posenet-") as folder:
        executed = Path(folder) / NOTEBOOK.name
        outcome = _wait_for(settings, executed)
        if executed.is_file():
            hide = [Path(v) for v in settings.values() if str(v).startswith(os.sep)]
            _keep(executed, results / NOTEBOOK.name, outcome, hide)
    return outcome


def _wait_for(settings: dict[str, Any], executed: Path) -> Outcome:
    """Execute the notebook in a thread, so that ctrl-C reaches this one at once."""
    from utils.screen import follow_bars

    ended: list[Outcome] = []
    with follow_bars() as screen:
        thread = threading.Thread(
            target=lambda: ended.append(_execute(settings, executed, screen)),
            daemon=True,
        )
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK_S)
    return ended[0] if ended else Outcome("The run ended without saying why.")


def _keep(executed: Path, kept: Path, outcome: Outcome, hide: Sequence[Path]) -> None:
    """Put the executed notebook and its report among the results, if there is room."""
    from utils.report import write_report

    try:
        outcome.missing += _tidy(executed, kept, hide)
        write_report(
            kept,
            failure=outcome.failure,
            is_turn=outcome.is_turn,
            missing=outcome.missing,
        )
    except OSError as error:
        outcome.failure = outcome.failure or _say_plainly(error)
        outcome.missing.append("report.html")


def _execute(settings: dict[str, Any], executed: Path, screen: "Screen") -> Outcome:
    """Execute the notebook by papermill; return how it ended."""
    import logging

    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.CRITICAL)
    _register_engine(screen)
    # at its end the kernel may log into a stream that is closed: nobody need know
    watch = (
        "import logging; logging.raiseExceptions = False; "
        "from utils.core.parallel import watch_parent as w; w(whole_group=True)"
    )
    # papermill puts parameters into braces that stand in a path.
    path = str(executed).replace("{", "{{").replace("}", "}}")
    try:
        papermill.execute_notebook(
            str(NOTEBOOK).replace("{", "{{").replace("}", "}}"),
            path,
            parameters=settings,
            engine_name="posenet",
            kernel_name="python3",
            language="python",
            cwd=str(ROOT),
            progress_bar=False,
            shutdown_kernel="immediate",  # nothing is left to be said or written
            stdout_file=screen,
            stderr_file=screen,
            extra_arguments=[
                "--IPKernelApp.log_level=CRITICAL",  # not for users
                f"--IPKernelApp.exec_lines={watch}",
            ],
        )
    except PapermillExecutionError as error:
        if error.ename == "TerminatedWorkerError":
            return Outcome(_MEMORY)
        said = _ERRNO.sub("", str(error.evalue).strip()) or error.ename
        return Outcome(said, is_turn=error.ename == _TURN)
    except DeadKernelError:
        _end_kernels()
        return Outcome(_MEMORY)
    except (ValueError, OSError) as error:
        return Outcome(_say_plainly(error))
    return Outcome()


_KERNELS: set[int] = set()  # the processes that this one has started


def _end_kernels() -> None:
    """End the kernel and its workers, which are in its group."""
    import psutil

    with suppress(psutil.Error):
        _KERNELS.update(child.pid for child in psutil.Process().children())
    for pid in _KERNELS:
        with suppress(OSError, AttributeError):
            os.killpg(pid, signal.SIGTERM)
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            child.kill()


def _register_engine(screen: "Screen") -> None:
    """Let papermill say which section it is at."""
    import psutil
    from papermill.engines import NBClientEngine, papermill_engines

    class TalkingEngine(NBClientEngine):
        """Papermill's own engine, with a line before each section."""

        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,  # noqa: ANN401 (papermill's own signature)
            kernel_name: str,
            **options: Any,  # noqa: ANN401
        ) -> object:
            begin, start = nb_man.cell_start, time.monotonic()
            titles, said = name_sections(nb_man.nb), [""]

            def cell_start(
                cell: "nbformat.NotebookNode", cell_index: int, **kwargs: object
            ) -> object:
                title = titles.get(cell_index, "")
                if title not in ("", said[-1]):
                    screen.say(f"[{time.monotonic() - start:5.0f} s] {title}")
                    said.append(title)
                if not _KERNELS:
                    _KERNELS.update(p.pid for p in psutil.Process().children())
                return begin(cell, cell_index, **kwargs)

            nb_man.cell_start = cell_start
            # Saved once at its end, films and charts and all: not twice a cell.
            path, nb_man.output_path = nb_man.output_path, None
            try:
                return super().execute_managed_notebook(nb_man, kernel_name, **options)
            finally:
                nb_man.output_path = path

    papermill_engines.register("posenet", TalkingEngine)


def name_sections(notebook: "nbformat.NotebookNode") -> dict[int, str]:
    """Name each code cell by the heading above it.

    Args:
        notebook: The notebook.

    Returns:
        Cell index to heading.
    """
    heading, titles = "", {}
    for idx, cell in enumerate(notebook.cells):
        lines = cell.source.splitlines()
        if cell.cell_type == "markdown":
            heads = [line for line in lines if line.startswith("#")]
            heading = heads[-1].lstrip("# ") if heads else heading
        elif cell.cell_type == "code":
            titles[idx] = heading
    return titles


def _tidy(executed: Path, kept: Path, folders: Sequence[Path]) -> list[str]:
    """Take this machine's folders out of an executed notebook; return what is missing.

    Args:
        executed: The notebook.
        kept: Where it is written anew.
        folders: Absolute folders that settings name.

    Returns:
        Headings of sections of which no cell ran, then questions without an answer.
    """
    import nbformat

    from utils.core.files import atomic_path
    from utils.report import hide_paths

    notebook = nbformat.read(executed, as_version=4)
    notebook.cells = [
        cell
        for cell in notebook.cells
        if not any("papermill-error" in tag for tag in cell.metadata.get("tags", []))
    ]
    for name in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(name, None)

    def hide(node: Any) -> Any:  # noqa: ANN401 (whatever JSON holds)
        if isinstance(node, str):
            return hide_paths(node, folders=folders)
        if isinstance(node, dict):  # a picture's bytes are text too, and no folder
            return type(node)(
                {k: v if k.startswith("image/") else hide(v) for k, v in node.items()}
            )
        return [hide(value) for value in node] if isinstance(node, list) else node

    notebook = hide(notebook)
    put_answer_on_top(notebook)
    with atomic_path(kept) as part:
        nbformat.write(notebook, part)
    return list_missing(notebook)


def put_answer_on_top(notebook: "nbformat.NotebookNode") -> None:
    """Copy what the last cell says in words below the title: nobody scrolls for it.

    Args:
        notebook: An executed notebook; it is changed.
    """
    import nbformat

    from utils.report import ANSWER, TOP

    told = [c for c in notebook.cells if ANSWER in c.metadata.get("tags", [])][-1:]
    words = [
        output["data"]["text/markdown"]
        for cell in told
        for output in cell.get("outputs", [])
        if "text/markdown" in output.get("data", {})
    ]
    if words:
        text = "\n\n".join(["## The answer", *words])
        copy = nbformat.v4.new_markdown_cell(text, metadata={"tags": [TOP]})
        notebook.cells.insert(1, copy)


def list_missing(notebook: "nbformat.NotebookNode") -> list[str]:
    """List the sections of which no cell got done, and the questions without an answer.

    Args:
        notebook: An executed notebook.

    Returns:
        Headings and names, in order.
    """
    titles = name_sections(notebook)
    done = {
        title
        for idx, title in titles.items()
        # None where papermill did not come to the cell; its `status` lies.
        if notebook.cells[idx].metadata.get("papermill", {}).get("exception") is False
    }
    named = [title for title in dict.fromkeys(titles.values()) if title not in done]
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            facts = output.get("metadata", {})
            mark = facts.get(_MARK) or facts.get("text/markdown", {}).get(_MARK, {})
            named += [mark["missing"]] if mark.get("missing") else []
    return [name.replace("_", " ") for name in dict.fromkeys(named) if name]


def finish(outcome: Outcome, results: Path) -> int:
    """Print the answer, the files, and last what is missing.

    Args:
        outcome: How the run ended.
        results: Folder of the results.

    Returns:
        The exit code.
    """
    from utils.core.files import show_path
    from utils.core.markup import escape_terminal
    from utils.report import describe_answer

    def say(text: str) -> None:
        print(escape_terminal(text))

    print()
    if not outcome.failure:
        for line in describe_answer(results):
            say(line)
    names = [
        path.name
        for path in sorted(results.iterdir())
        if path.is_file() and not path.name.startswith(".")
    ]
    shown = f"In {show_path(results)}: {', '.join(names)}"
    say(textwrap.fill(shown, 88, subsequent_indent="  "))
    if "report.html" in names:
        say(f"Open {show_path(results / 'report.html')} in a browser.")
    sys.stdout.flush()
    if outcome.is_turn:
        say(f"{outcome.failure} `make lab` opens the notebook.")
    elif outcome.failure:
        failure = escape_terminal(outcome.failure)
        missing = textwrap.shorten(", ".join(outcome.missing), 300, placeholder=" …")
        failure += "" if failure.endswith((".", "!", "?")) else "."
        text = f"make run stopped. {failure} Not done: {missing or 'nothing else'}."
        print(text, file=sys.stderr)
    elif outcome.missing:
        say(f"Done, but for: {', '.join(outcome.missing)}.")
    return outcome.code


if __name__ == "__main__":
    sys.exit(main())
