"""`make run`: execute `poseNet.ipynb`, leave its results and a report."""

import argparse
import ast
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from utils.core.files import atomic_path
from utils.core.parallel import follow_bars
from utils.report import write_report

ROOT = Path(__file__).parents[1]
NOTEBOOK = ROOT / "poseNet.ipynb"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the notebook with `NAME=value` settings.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if every cell ran; 1 with one sentence on stderr if not.
    """
    parser = argparse.ArgumentParser(prog="make run", description=__doc__)
    parser.add_argument("settings", nargs="*", metavar="NAME=value")
    try:
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        settings = read_settings(parser.parse_args(arguments).settings, notebook)
        results = Path(settings.get("RESULTS") or read_defaults(notebook)["RESULTS"])
        with follow_bars():
            executed = run_notebook(settings, results=results)
        report = write_report(executed)
    except (ValueError, OSError) as error:
        print(f"\nmake run stopped. {error}", file=sys.stderr)
        return 1
    print_results(results, report)
    return 0


def read_defaults(notebook: nbformat.NotebookNode) -> dict[str, Any]:
    """Read names and values of the cell tagged `parameters`.

    Args:
        notebook: The notebook.

    Returns:
        Name to literal value, in the cell's order.

    Raises:
        ValueError: If there is no such cell.
    """
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            return {
                target.id: ast.literal_eval(node.value)
                for node in ast.parse(cell.source).body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
    raise ValueError("poseNet.ipynb has no cell tagged `parameters`. Restore it.")


def read_settings(
    settings: Sequence[str], notebook: nbformat.NotebookNode
) -> dict[str, Any]:
    """Turn `NAME=value` texts into values of the type that the notebook's own have.

    Args:
        settings: Texts such as `EVERY_S=0.5` or `VIDEOS=my films`.
        notebook: The notebook whose parameters they set.

    Returns:
        Name to value.

    Raises:
        ValueError: If a name is unknown or a value has another type.
    """
    defaults, values = read_defaults(notebook), {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or name not in defaults:
            raise ValueError(
                f"Unknown setting {setting!r}: expected NAME=value with a NAME out of "
                f"{', '.join(defaults)}."
            )
        values[name] = _read_value(name, text, defaults[name])
    return values


def _read_value(name: str, text: str, default: object) -> object:
    """Read one value: text stays text, all else must be a literal of the same kind."""
    if isinstance(default, str):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        value = text
    if isinstance(default, float) and isinstance(value, int):
        value = float(value)
    if not isinstance(value, type(default)):
        raise ValueError(
            f"{name}={text}: expected a value like {default!r}. Correct the setting."
        )
    return value


def run_notebook(settings: dict[str, Any], *, results: Path) -> Path:
    """Execute a copy of the notebook and keep it in the results folder.

    What a cell prints is printed here too, as it comes, under the cell's heading.

    Args:
        settings: Parameters that differ from the notebook's own.
        results: Folder for the executed notebook.

    Returns:
        Path of the executed notebook.

    Raises:
        ValueError: If a cell fails; the message is the cell's own.
    """
    import papermill
    from papermill.exceptions import PapermillExecutionError

    executed = results / NOTEBOOK.name
    if executed.resolve() == NOTEBOOK.resolve():
        raise ValueError("RESULTS is the project's own folder. Choose another one.")
    results.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")
    _register_engine()
    try:
        papermill.execute_notebook(
            NOTEBOOK,
            executed,
            parameters=settings,
            engine_name="posenet",
            kernel_name="python3",
            language="python",
            cwd=str(ROOT),
            progress_bar=False,
            stdout_file=sys.stdout,
            stderr_file=sys.stderr,
            extra_arguments=["--IPKernelApp.log_level=CRITICAL"],  # not for users
        )
    except PapermillExecutionError as error:
        reason = str(error.evalue).strip() or error.ename
        raise ValueError(
            f"{error.ename} in cell {error.exec_count} of {executed}: {reason}"
        ) from error
    _forget_paths(executed)
    return executed


def _forget_paths(executed: Path) -> None:
    """Take the paths of this machine, which papermill notes, out of a notebook."""
    notebook = nbformat.read(executed, as_version=4)
    for name in ("input_path", "output_path"):
        notebook.metadata.get("papermill", {}).pop(name, None)
    with atomic_path(executed) as part:
        nbformat.write(notebook, part)


def _register_engine() -> None:
    """Teach papermill to say which cell it is at."""
    from papermill.engines import NBClientEngine, papermill_engines

    class TalkingEngine(NBClientEngine):
        """Papermill's own engine, with a line before each code cell."""

        @classmethod
        def execute_managed_notebook(
            cls,
            nb_man: Any,  # noqa: ANN401 (papermill's own signature)
            kernel_name: str,
            **options: Any,  # noqa: ANN401
        ) -> object:
            begin, start = nb_man.cell_start, time.monotonic()
            titles = name_cells(nb_man.nb)

            def cell_start(
                cell: nbformat.NotebookNode, cell_index: int, **kwargs: object
            ) -> object:
                if cell_index in titles:
                    spent_s = time.monotonic() - start
                    print(f"[{spent_s:5.0f} s] {titles[cell_index]}", flush=True)
                return begin(cell, cell_index, **kwargs)

            nb_man.cell_start = cell_start
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("posenet", TalkingEngine)


def name_cells(notebook: nbformat.NotebookNode) -> dict[int, str]:
    """Name each code cell by its place and the heading above it.

    Args:
        notebook: The notebook.

    Returns:
        Cell index to text such as `cell 3 of 40: Frames`.
    """
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    heading, titles = "", {}
    for idx, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            heading = cell.source.splitlines()[0].lstrip("# ")
        elif cell.cell_type == "code":
            titles[idx] = f"cell {code.index(idx) + 1} of {len(code)}: {heading}"
    return titles


def print_results(results: Path, report: Path) -> None:
    """Say where the results are."""
    print(f"\nResults in {results}:")
    for path in sorted(results.iterdir()):
        if path.is_file() and not path.name.startswith("."):
            size_kb = path.stat().st_size / 1024
            print(f"  {path.name:<28} {size_kb:>9,.0f} KB")
    print(f"Open {report} in a browser.")


if __name__ == "__main__":
    sys.exit(main())
