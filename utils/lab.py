"""`make lab`: JupyterLab on a private copy of `poseNet.ipynb`.

The copy lies beside the notebook, so that its folders are the project's, and git does
not see it: what is drawn and set in it stays there, `poseNet.ipynb` stays as it came.
"""

import os
import sys
from pathlib import Path

import nbformat

from utils.core.files import atomic_path, hash_file

NOTEBOOK = Path(__file__).parents[1] / "poseNet.ipynb"
COPY = "my_poseNet.ipynb"
_SOURCE = "copied_from"  # in the copy's metadata: sha256 of what it is a copy of


def main() -> None:
    """Open the copy in JupyterLab, which then takes this process's place."""
    try:
        copy, words = make_copy(NOTEBOOK)
    except (OSError, ValueError) as error:
        sys.exit(f"make lab stopped. {error}")
    print(words, flush=True)
    os.chdir(NOTEBOOK.parent)
    command = [sys.executable, "-m", "jupyterlab", copy.name]
    # Each save writes RESULTS/report.html, as `make run` does at its end.
    hook = "--FileContentsManager.post_save_hook=utils.report.save_report"
    os.execv(sys.executable, [*command, hook, *sys.argv[1:]])


def make_copy(notebook: Path) -> tuple[Path, str]:
    """Copy a notebook for one person's use, unless there is a copy of it already.

    Args:
        notebook: The notebook that is in git.

    Returns:
        The copy beside it, and a sentence on it. A copy of an older notebook is set
        aside under another name, with all that was done in it.
    """
    source, copy = hash_file(notebook), notebook.with_name(COPY)
    words = f"{COPY} is yours: git and make run do not see what you change in it."
    if copy.exists():
        if nbformat.read(copy, as_version=4).metadata.get(_SOURCE) == source:
            return copy, words
        n = 1
        while (aside := copy.with_stem(f"{copy.stem}_{n}")).exists():
            n += 1
        copy.rename(aside)
        words = f"poseNet.ipynb is newer than your copy, now {aside.name}. {words}"
    own = nbformat.read(notebook, as_version=4)
    own.metadata[_SOURCE] = source
    with atomic_path(copy) as part:
        nbformat.write(own, part)
    return copy, words


if __name__ == "__main__":
    main()
