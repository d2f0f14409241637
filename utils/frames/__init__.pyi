from . import (
    chunk,
    extraction,
    images,
    plan,
    store,
    workspace,
)
from .extraction import extract, extract_frames
from .images import read_image, read_images
