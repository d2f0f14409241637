"""The rooms behind `poseNet.ipynb`, one module a stage.

`import utils` loads nothing; a room is loaded when it is first named, as in
`utils.frames.read_image(path)`.
"""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    """Load a room at its first use (PEP 562)."""
    try:
        return importlib.import_module(f"utils.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"utils.{name}":
            raise
        raise AttributeError(f"There is no room utils/{name}.py.") from error
