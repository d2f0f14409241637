"""`python benchmarks/first_page.py RESULTS`: the README's pictures, from a run.

Copies the run's example and curves to `docs/`, and joins their left halves (by epoch)
to `docs/overview.png`. Prints the rows of the README's table.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

DOCS = Path(__file__).parents[1] / "docs"
PICTURES = ("example.png", "val_loss.png", "val_acc.png")
_HEIGHT_PX, _GAP_PX = 360, 24
_EXAMPLE = 0.402  # share of the example that is the picture without names


def join_overview(results: Path) -> Image.Image:
    """Join the example and the curves by epoch into one picture, side by side."""
    parts = []
    for name in PICTURES:
        picture = Image.open(results / name).convert("RGB")
        picture = cut_title(trim(picture))
        right = picture.width * _EXAMPLE if name == PICTURES[0] else find_gap(picture)
        picture = trim(picture.crop((0, 0, round(right), picture.height)))
        size_wh = (round(picture.width * _HEIGHT_PX / picture.height), _HEIGHT_PX)
        parts.append(picture.resize(size_wh, Image.Resampling.LANCZOS))
    width = sum(part.width + _GAP_PX for part in parts) - _GAP_PX
    overview = Image.new("RGB", (width, _HEIGHT_PX), "white")
    left = 0
    for part in parts:
        overview.paste(part, (left, 0))
        left += part.width + _GAP_PX
    return overview


def find_gap(picture: Image.Image) -> int:
    """Return the column where the second of two charts begins: the widest gap."""
    white = (np.asarray(picture) > 250).all(axis=(0, 2))
    middle = np.flatnonzero(white[: int(0.7 * len(white))])
    runs = np.split(middle, np.flatnonzero(np.diff(middle) > 1) + 1)
    inner = [run for run in runs if run[0] > 0.3 * len(white)]
    return int(max(inner, key=len).mean())


def cut_title(picture: Image.Image) -> Image.Image:
    """Cut off the line over both charts: what is above the first white row."""
    white = (np.asarray(picture) > 250).all(axis=(1, 2))
    top = int(np.flatnonzero(white)[0]) if white.any() else 0
    return picture.crop((0, top, picture.width, picture.height))


def trim(picture: Image.Image) -> Image.Image:
    """Cut the white border off."""
    ink = (np.asarray(picture) < 250).any(axis=2)
    rows, columns = np.flatnonzero(ink.any(1)), np.flatnonzero(ink.any(0))
    box = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    return picture.crop(box)


def main() -> None:
    """Read the command line, write the pictures, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path, help="folder of a finished run")
    results = parser.parse_args().results
    for name in PICTURES:
        picture = Image.open(results / name).convert("RGB")
        picture.quantize(256).save(DOCS / name, optimize=True)
    join_overview(results).save(DOCS / "overview.png", optimize=True)
    print(pd.read_csv(results / "comparison.csv").to_string(index=False))
    print(pd.read_csv(results / "verdict.csv").to_string(index=False))


if __name__ == "__main__":
    main()
