"""The classifier as source text: a Python file that needs numpy alone, a C header.

Both are templates (`templates/`) into which names, numbers and check vectors are put;
both check themselves before they answer.
"""

import re
import struct
import textwrap
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from utils.core.files import atomic_path
from utils.export.model_json import (
    Model,
    build_check_numbers,
    describe_model,
    format_model,
)
from utils.pose.features import TORSO_FACTOR

TEMPLATES = Path(__file__).parent / "templates"


def write_python(model: Model, path: Path) -> Path:
    """Write the classifier as a Python file that needs numpy alone.

    Args:
        model: From `build_model`.
        path: Where to, e.g. `posture.py`.

    Returns:
        The path.
    """
    # in a raw string, where JSON can hold neither three quotes nor a last backslash
    parts = {"ABOUT": _comment(model), "MODEL": format_model(model)}
    return _fill("posture.py.in", parts, Path(path))


def write_c(model: Model, path: Path) -> Path:
    """Write the classifier as a C header without heap (C99 and C++).

    Args:
        model: From `build_model`.
        path: Where to, e.g. `posture.h`.

    Returns:
        The path.
    """
    names = [*model["labels"], *model["keypoints"]]
    doubt = {"threshold": 0, "log_dets": (), "offsets": (), "roots": ()}
    doubt |= model.get("doubt", {})
    tables = [model["weights"], model["bias"]]
    tables += [doubt[name] for name in ("log_dets", "offsets", "roots")]
    numbers = np.concatenate([np.ravel(table) for table in tables])
    answers = [
        [c["probabilities"][x] for x in model["labels"]] for c in model["checks"]
    ]
    parts = {
        "N_LEARNT": str(len(doubt["roots"])),
        "THRESHOLD": _write_float(doubt["threshold"]),
        "LOG_DETS": _write_row(doubt["log_dets"]),
        "OFFSETS": _write_rows(doubt["offsets"]),
        "ROOTS": ",\n".join(
            f"  {{\n{_write_rows(root)}\n  }}" for root in doubt["roots"]
        ),
        "UNLIKE": _write_row(c.get("unlike", 0.0) for c in model["checks"]),
        "ABOUT": textwrap.indent(_comment(model).replace("*/", "* /"), "   "),
        "N_LABELS": str(len(model["labels"])),
        "N_CHECKS": str(len(model["checks"])),
        "RULE": model["features"]["rule"].upper(),
        "TEMPERATURE": _write_float(model["temperature"]),
        "NONE_BELOW": _write_float(model["none_below"]),
        "MIN_SCORE": _write_float(model["person"]["min_score"]),
        "MIN_MEAN_SCORE": _write_float(model["person"]["min_mean_score"]),
        "DIGEST": model["digest"],
        "WORDS": str(_hash_words(names, numbers)),
        "LABELS": _write_names(model["labels"]),
        "KEYPOINTS": _write_names(model["keypoints"]),
        "WEIGHTS": _write_rows(model["weights"]),
        "BIAS": _write_row(model["bias"]),
        "NUMBERS": _write_rows(build_check_numbers(model)),
        "ANSWERS": _write_rows(answers),
    }
    return _fill("posture.h.in", parts, Path(path))


def _comment(model: Model) -> str:
    """Return the lines that head a file."""
    lines = describe_model(model).replace("\\", "/").replace('"""', "'''").splitlines()
    return "\n".join(part for line in lines for part in textwrap.wrap(line, 84) or [""])


def _fill(template: str, parts: dict[str, str], path: Path) -> Path:
    """Write a template with its `@NAME@` marks replaced."""
    text = (TEMPLATES / template).read_text(encoding="utf-8")
    parts = {"TORSO_FACTOR": repr(TORSO_FACTOR)} | parts
    # in one pass, so that a mark inside what is put in stays as it is
    filled = re.sub(r"@([A-Z_]+)@", lambda mark: parts[mark[1]], text)
    with atomic_path(path) as part:
        part.write_text(filled, encoding="utf-8")
    return path


def _write_names(names: Iterable[str]) -> str:
    """Write names as C strings; bytes outside ASCII as octal escapes."""
    return ",\n".join(f'    "{_escape(name)}"' for name in names)


def _escape(name: str) -> str:
    """Escape a C string; `?` too, for `??/` is a trigraph."""
    return "".join(
        chr(byte) if 32 <= byte < 127 and chr(byte) not in '\\"?' else f"\\{byte:03o}"
        for byte in name.encode()
    )


def _write_rows(rows: Iterable[Iterable[float]]) -> str:
    """Write rows of numbers in braces, a line each."""
    return ",\n".join(f"    {_write_row(row)}" for row in rows)


def _write_row(row: Iterable[float]) -> str:
    """Write numbers in braces."""
    return "{" + ", ".join(map(_write_float, row)) + "}"


def _write_float(value: float) -> str:
    """Write a float of C.

    Example:
        >>> _write_float(1), _write_float(2.5e-10)
        ('1.0f', '2.5e-10f')
    """
    text = f"{value:.9g}"
    return f"{text}f" if set(text) & set(".e") else f"{text}.0f"


def _hash_words(names: Iterable[str], numbers: Iterable[float]) -> int:
    """Return 32-bit FNV-1a of names, each ended by 0, and of numbers as float32."""
    named = b"".join(name.encode() + b"\0" for name in names)
    value = 2166136261
    for byte in named + b"".join(struct.pack("<f", number) for number in numbers):
        value = (value ^ byte) * 16777619 % 2**32
    return value
