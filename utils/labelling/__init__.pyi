from . import (
    actions,
    clips,
    csv_store,
    cursor,
    formats,
    journal,
    labels,
    proposals,
    review,
    session,
    spans,
    state,
    widget,
)
from .formats.convert import export_labels, import_labels
from .labels import (
    advise_labels,
    find_labels,
    label_frames,
    read_labels,
    summarise_labels,
)
from .review import compare_annotators, find_doubts
from .widget.bridge import show
