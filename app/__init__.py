"""The window and the command line. The only package that imports PySide6."""

from __future__ import annotations

import ctypes
import sys


def _keep_none_alive() -> None:
    """Give None references to spare.

    PySide6 6.12.0 drops one reference to None at every call that returns nothing (measured: 100 × QPainter.setPen costs
    100; 6.11.3 costs none). Python 3.12 made None immortal; before that, the count reaches zero after some seconds of
    painting and the interpreter aborts with "none_dealloc: deallocating None". The count is the object's first word.
    """
    if sys.implementation.name == "cpython" and sys.version_info < (3, 12):
        ctypes.c_ssize_t.from_address(id(None)).value += sys.maxsize // 4


_keep_none_alive()
