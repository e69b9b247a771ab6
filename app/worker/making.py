"""Makes the engine that the worker works with."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from gpu.session import Session

if TYPE_CHECKING:
    from gpu.engine import Engine

MakeEngine = Callable[[Session], "Engine"]


def real_engine(session: Session) -> Engine:
    """The engine of a session, on the thread that asks. Where kernels are not compiled on this machine yet, somebody else
    compiles them, so that the first frame does not wait for it."""
    from gpu import compiled
    from gpu.engine import Engine

    compiled.compile_beside()
    return Engine(session)
