from . import (
    forms,
    model_json,
    onnx_file,
    pack,
    source,
    tflite,
)
from .forms import write
from .model_json import Facts, build_model, read_model
from .pack import Recipe, write_pack
