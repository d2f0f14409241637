from . import (
    background_images,
    chunk,
    extraction,
    images,
    plan,
    shown,
    store,
    workspace,
)
from .extraction import extract, extract_frames
from .images import read_image, read_images
from .shown import show_images
