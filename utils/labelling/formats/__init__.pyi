from . import boris, convert, elan, films, label_studio
