from . import (
    model_json,
)
