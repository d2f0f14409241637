"""Videos made into pictures on disk and keypoints, a chunk at a time, on all cores.

extraction  `extract`: what is missing is made, by many processes or a cluster
plan        which videos lack what, and who makes which chunks
chunk       a minute of video made into pictures and keypoints
store       where results lie on disk, and whether they are whole
images      the only reader and writer of pictures
background_images  pictures of the background test: without person, without room
shown       pictures that people look at, covered where PICTURES is off
workspace   folders for unfinished work, swept when their owner is dead
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
