"""`make bench`: measure speed and memory, write docs/bench.md, .csv and .png.

python benchmarks/bench.py --help tells what can be set.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    sys.exit(
        subprocess.call(
            [sys.executable, "-m", "benchmarks.suite", *sys.argv[1:]],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
    )
