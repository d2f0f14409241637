"""`make predict`: label a new film with a saved classifier."""

import argparse
import sys
from collections.abc import Sequence

from utils.core.markup import escape_terminal
from utils.predict.classify import predict_video
from utils.screen import follow_bars


def main(arguments: Sequence[str] | None = None) -> int:
    """Label one film.

    Args:
        arguments: Command line, without the program's name; the process's own if None.

    Returns:
        0 if it was labelled; 1 with one sentence on stderr if not.
    """
    parser = argparse.ArgumentParser(prog="make predict", description=__doc__)
    parser.add_argument("video", help="the film, e.g. film.mp4")
    parser.add_argument("model", nargs="?", default="", help="else that in results")
    parser.add_argument("--results", default="data/results", help="where files go")
    settings = parser.parse_args(arguments)
    try:
        with follow_bars():
            found = predict_video(
                settings.video, settings.model, results=settings.results
            )
    except (ValueError, OSError) as error:
        print(escape_terminal(f"make predict stopped. {error}"), file=sys.stderr)
        return 1
    seconds = found.postures.assign(s=found.postures.eval("end_s - start_s"))
    for label, total_s in seconds.groupby("label")["s"].sum().items():
        print(f"  {escape_terminal(label):<24} {total_s:7.1f} s")
    where = escape_terminal(found.annotated)
    print(f"{len(found.postures)} bouts of postures and {where}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
