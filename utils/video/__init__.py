"""Videos: found, opened with care, read frame by frame at their own time, written.

catalogue  `choose_films`: yours or the demo; `list_videos`: the table of videos
source     a file opened so that every refusal is one sentence and nothing hangs
probe      which stream, its size, turn, codec: what is known before it is read
structure  whether a file is cut or encrypted, by its own parts
timing     when each frame is shown, by packets
decode     frames in order, each with its number in the file; damaged ones left out
hdr        high dynamic range made into ordinary colours
reader     `read_video`, `write_video`, and `choose_frames`: the sampling rule
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
