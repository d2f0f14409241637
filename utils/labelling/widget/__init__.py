"""The labelling cell: what the browser draws, and what it is told.

`static/` is the front end, ES modules that `core.esm` joins: `main.js` joins its parts
and hears the kernel; `saving.js` and `kernel.js` know what is on disk; `player.js` is
the playhead, `painter.js` labels, `input.js` hears keys and mouse; `view/` draws;
`logic/` knows nothing of the page and is tested by node (`tests/labelling/front`).
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
