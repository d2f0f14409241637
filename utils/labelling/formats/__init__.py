"""Labels from and to other programs.

convert       import_labels, export_labels: the one call each way, and the clocks
matching      which of our videos a file of another program means
boris         its exported events
elan          its annotation files, and its tab-delimited text
label_studio  its JSON
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
