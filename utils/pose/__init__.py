"""A picture in, 17 body keypoints out; keypoints in, 34 numbers out.

crop      which part of a picture is used: networks' squares, a person's box and crop
networks  the pose networks by name (NETWORKS; how to add one), pixels in and out
estimate  the passes over a picture, turned pictures; cache key
follow    one person through a video: one look a frame, the search when lost
looks     which further looks are taken at a person whose place is known
pictures  poses found in a table of pictures, on all cores, kept
people    in which frames a person is seen, and what that says of a video
features  the 34 numbers of a pose and of its mirror image
cutout    pictures without their person, persons without their room
metrics   how near found keypoints are to true ones: PCK, OKS
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
