"""The live page: a static folder for any host, and the same as one file.

Nothing outside is asked for: a content security policy forbids it, and the worker, made
from text, is held by the page's own.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from utils.core.colours import SIDE_COLOURS, colour_classes
from utils.core.esm import join_modules
from utils.core.files import atomic_path
from utils.core.weights import find_weights, read_sha256sums
from utils.export.model_json import (
    Facts,
    build_model,
    check_model,
    format_model,
    read_model,
)

if TYPE_CHECKING:
    from utils.training.softmax import PoseClassifier

# What can be shown: see `load_model`.
Shown: TypeAlias = "PoseClassifier | Mapping[str, Any] | Path | str | None"

STATIC = Path(__file__).parent / "static"
LITERT = STATIC / "litert"
NETWORK = "movenet_lightning.tflite"  # Thunder takes 100 ms and more in a browser

_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; "
    "script-src {script} 'wasm-unsafe-eval'; style-src {style}; connect-src {connect}; "
    "worker-src blob:; img-src data: blob:; media-src blob:"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<title>Live postures</title>
<link rel="icon" href="data:,">
{style}
</head>
<body>
<main id="live"><noscript>This page needs JavaScript.</noscript></main>
<script type="application/json" id="setup">{setup}</script>
{parts}{script}
</body>
</html>
"""
# The ground behind the page, where it stands alone.
_ALONE = (
    "\nbody { margin: 0; background: #ffffff; }\n"
    "@media (prefers-color-scheme: dark) { body { background: #161616; } }\n"
)


def load_model(classifier: Shown, facts: Facts | None = None) -> dict[str, Any] | None:
    """Return what `model.json` holds, of a classifier, a path, or itself.

    Args:
        classifier: A finished classifier, what `model.json` holds, or the path of one;
            None where there is none yet.
        facts: What a classifier does not say: on whom it was tested, its temperature.

    Returns:
        The model, checked; None for None.

    Raises:
        ValueError: If the model contradicts itself.
    """
    if classifier is None:
        return None
    if isinstance(classifier, Mapping):
        return check_model(dict(classifier))
    if isinstance(classifier, str | Path):
        return read_model(Path(classifier))
    return build_model(classifier, facts)


def build_setup(
    model: Mapping[str, Any] | None, classes: Sequence[str] = ()
) -> dict[str, Any]:
    """Gather what the front end is told beside the model.

    Args:
        model: What `model.json` holds; None where there is none yet.
        classes: Postures that can be taught; default: the model's.

    Returns:
        `colours` by class, those chosen in the labelling widget where the model knows
        them, and of the `sides` of the body, `classes`, `has_model`, and `sha256` of
        the network's weights.
    """
    labels = list(model["labels"]) if model else []
    classes = list(dict.fromkeys([*labels, *classes]))
    chosen = model.get("colours", {}) if model else {}
    looks = {name: {"colour": colour} for name, colour in chosen.items()}
    coloured = colour_classes(classes, looks=looks)
    return {
        "colours": {each["name"]: each["colour"] for each in coloured},
        "sides": SIDE_COLOURS,
        "classes": classes,
        "has_model": model is not None,
        "sha256": read_sha256sums()[NETWORK],
    }


@lru_cache(maxsize=1)
def build_worker() -> str:
    """Return the worker's script: LiteRT.js and the tracking, joined."""
    packages = {
        "@litertjs/core": LITERT / "core.js",
        "@litertjs/wasm-utils": STATIC / "pose/wasm_loader.js",
    }
    glue = (LITERT / "litert_wasm_compat_internal.js").read_text(encoding="utf-8")
    return f"{glue}\n{join_modules(STATIC / 'pose/worker.js', packages=packages)}"


def read_parts() -> dict[str, bytes]:
    """Return what the network needs, by file name: worker, WebAssembly, weights."""
    return {
        "worker.js": build_worker().encode(),
        "litert.wasm.gz": (LITERT / "litert_wasm_compat_internal.wasm.gz").read_bytes(),
        NETWORK: find_weights(NETWORK).read_bytes(),
    }


def build_site(
    model: Mapping[str, Any] | None,
    *,
    classes: Sequence[str] = (),
    token: str = "",
) -> dict[str, bytes]:
    """Build the files of the static folder.

    Args:
        model: What `model.json` holds; None for a page that only records.
        classes: Postures that can be taught beside the model's.
        token: What the page shows a server that keeps recordings; "": there is none,
            and recordings are downloads.

    Returns:
        Content by file name.

    Raises:
        ValueError: If the model contradicts itself.
    """
    policy = _POLICY.format(script="'self'", style="'self'", connect="'self'")
    page = _PAGE.format(
        policy=policy,
        style='<link rel="stylesheet" href="style.css">',
        setup=_write_json(build_setup(model, classes) | {"token": token}),
        parts="",
        script='<script src="live.js"></script>',
    )
    site = {
        "index.html": page.encode(),
        "live.js": join_modules(STATIC / "page.js").encode(),
        "style.css": _read_style().encode(),
        "LICENSE-LiteRT.txt": (LITERT / "LICENSE").read_bytes(),
        **read_parts(),
    }
    if model is not None:
        site["model.json"] = format_model(check_model(dict(model))).encode()
    return site


def build_file(
    model: Mapping[str, Any] | None, *, classes: Sequence[str] = ()
) -> bytes:
    """Build the page as one file of 10 MB that opens from disk; see `build_site`."""
    site = build_site(model, classes=classes)
    script, style = site["live.js"].decode(), site["style.css"].decode()
    policy = _POLICY.format(script=_hash(script), style=_hash(style), connect="'none'")
    inside = ["worker.js", "litert.wasm.gz", NETWORK, "model.json"]
    parts = "".join(
        f'<script type="text/plain" id="part-{name}">'
        f"{base64.b64encode(site[name]).decode()}</script>\n"
        for name in inside
        if name in site
    )
    page = _PAGE.format(
        policy=policy,
        style=f"<style>{style}</style>",
        setup=_write_json(build_setup(model, classes)),
        parts=parts,
        script=f"<script>{script}</script>",
    )
    return page.encode()


def write_page(
    classifier: Shown,
    folder: Path,
    *,
    facts: Facts | None = None,
    classes: Sequence[str] = (),
) -> list[Path]:
    """Write `live/`, a static folder for any host, and `live.html`, the same in a file.

    Args:
        classifier: As for `load_model`; None for a page that only records.
        folder: Where to, e.g. RESULTS.
        facts: As for `load_model`.
        classes: Postures that can be taught beside the model's.

    Returns:
        The folder and the file.

    Raises:
        ValueError: If the model contradicts itself.
    """
    folder, model = Path(folder), load_model(classifier, facts)
    for name, content in build_site(model, classes=classes).items():
        with atomic_path(folder / "live" / name) as part:
            part.write_bytes(content)
    with atomic_path(folder / "live.html") as part:
        part.write_bytes(build_file(model, classes=classes))
    return [folder / "live", folder / "live.html"]


def _read_style() -> str:
    return (STATIC / "style.css").read_text(encoding="utf-8") + _ALONE


def _write_json(value: object) -> str:
    """Write JSON that cannot end the script element it stands in."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")


def _hash(text: str) -> str:
    """Return the source expression by which a policy lets a text in."""
    digest = hashlib.sha256(text.encode()).digest()
    return escape(f"'sha256-{base64.b64encode(digest).decode()}'")
