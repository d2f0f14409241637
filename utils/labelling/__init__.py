"""People give spans of time a posture; what they gave is on disk at once.

spans      arithmetic of labelled spans of time
actions    one line of the log
state      the log folded into the labels that hold: undo, classes, renamed films
journal    the log on disk, then the CSV file
csv_store  the CSV file that people read and edit
labels     labels as a table: read, look frames up, count, advise
clips      one video's frames and poses, cut into still poses and moves
proposals  a class for what is not labelled yet
review     labels to look at again; two annotators compared
cursor     where a person is in which video
session    what one person does: a method for each message of the front end
widget     the labelling cell in the notebook
formats    labels from and to BORIS, ELAN, Label Studio and CSV
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
