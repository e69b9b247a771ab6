"""Compiled code on the processor: the settings that all kernels of numba share, and whether numba is there.

Modules that hold kernels (`*_compiled.py`) import numba and are imported only where something is about to be computed on the
processor, after `available` was asked. Everything a kernel does is done by torch as well, which other devices use, and the
processor where numba is missing.

Kernels are compiled when they are first called, and kept on disk from then on. No reordering of sums and no fused
multiplications are allowed, so that a kernel gives the same bits on every processor.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])


@lru_cache(maxsize=1)
def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


def kernel(function: Function) -> Function:
    """`function` compiled: without the interpreter's lock, divisions as in numpy, and kept on disk where a folder for that
    can be written to. numba looks at the file of the kernel alone to see whether what it kept is stale: who changes a
    function that kernels of other files use deletes what was kept (`__pycache__/*.nbi`)."""
    import numba

    try:
        return cast(Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # no folder to keep it in: neither beside the module nor in the user's home
        return cast(Function, numba.njit(nogil=True, error_model="numpy")(function))


def inlined(function: Function) -> Function:
    """`function` as a part of the kernels that call it."""
    import numba

    return cast(Function, numba.njit(inline="always", error_model="numpy")(function))
