from . import bridge, images, messages, panel
