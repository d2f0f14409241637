"""One task of a run: a film, or a stretch of it, wherever film and results lie."""

import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from utils.core.remote import is_remote, local_copy, upload_folder
from utils.frames import store
from utils.frames.chunk import Stretch, StretchReport, extract_stretch, find_problem
from utils.frames.workspace import open_workspace


def run_stretch(stretch: Stretch) -> StretchReport:
    """Make a stretch of a film; of films or results elsewhere, make and send all.

    Args:
        stretch: What to do. Where the film or the results are not on this machine, it
            is the whole film: that is copied here, made in a folder that is removed
            afterwards, and the results are sent, the tables last.

    Returns:
        What became of it.

    Raises:
        OSError: If the disk is full; finished pieces stay.
    """
    remote = [product for product in stretch.products if is_remote(product.root)]
    if not remote and not is_remote(stretch.path):
        return extract_stretch(stretch)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="results-"))
        products = tuple(
            replace(product, root=Path(folder, product.name))
            if product in remote
            else product
            for product in stretch.products
        )
        try:
            path = stack.enter_context(local_copy(stretch.path))
        except OSError as error:
            return StretchReport(stretch.video, 0, unread=_explain(stretch, error))
        here = replace(stretch, path=path, products=products)
        report = finish_film([here], [extract_stretch(here)])
        if not report.unread:
            for product in remote:
                upload_folder(Path(folder, product.name), product.root)
    return report


def finish_film(
    stretches: list[Stretch], reports: list[StretchReport]
) -> StretchReport:
    """Make a film's tables of its pieces, once all its stretches are done.

    Args:
        stretches: All stretches of the film, its local products still in pieces.
        reports: What became of each.

    Returns:
        One report for the film.
    """
    unread = [report.unread for report in reports if report.unread]
    end_piece = max(report.end_piece for report in reports)
    if unread:
        return StretchReport(reports[0].video, end_piece, unread=unread[0])
    problem = reports[0].problem
    if any(report.problem for report in reports) and not stretches[0].is_whole:
        problem = find_problem(stretches[0])
    for product in stretches[0].products:
        with open_workspace(product.root) as work:
            store.merge_pieces(product, work, n_pieces=end_piece, problem=problem)
    return StretchReport(reports[0].video, end_piece, problem=problem)


def _explain(stretch: Stretch, error: OSError) -> str:
    """Say that a film could not be fetched."""
    return (
        f"{stretch.path} cannot be fetched ({str(error) or type(error).__name__}). "
        "Check the address and the right to read it, then run again."
    )
