from . import boris, convert, elan, label_studio, matching
