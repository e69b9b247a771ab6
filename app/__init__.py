"""The window and the command line. The only package that imports PySide6."""

from __future__ import annotations

import ctypes
import os
import sys


def _keep_singletons_alive() -> None:
    """Give None, True and False references to spare.

    PySide6 6.12.0 drops one reference to None at every call that returns nothing (measured: 100 × QPainter.setPen costs
    100; 6.11.3 costs none), and one to a bool at every `triggered(bool)`. Python 3.12 made them immortal; before that,
    the count reaches zero after some seconds of painting and the interpreter aborts with "none_dealloc: deallocating
    None" or "bool_dealloc: deallocating True or False". The count is the object's first word.
    """
    if sys.implementation.name == "cpython" and sys.version_info < (3, 12):
        for singleton in (None, True, False):
            ctypes.c_ssize_t.from_address(id(singleton)).value += sys.maxsize // 4


_keep_singletons_alive()
# Set to another binding, pyqtgraph would draw half the window with that; and a backend that matplotlib does not know keeps
# it from being imported, although figures are drawn without any.
os.environ["PYQTGRAPH_QT_LIB"] = "PySide6"
os.environ["MPLBACKEND"] = "agg"
