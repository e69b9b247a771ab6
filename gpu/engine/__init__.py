"""The engine: a session in, frame results out, each by random access, with a cache, progress and cancelling.

Importing this package does not import torch: the window shows before it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpu.engine.results import SERIES, Column, FrameResult, SourceInfo, Update

if TYPE_CHECKING:
    from gpu.engine.engine import Engine

__all__ = ["SERIES", "Column", "Engine", "FrameResult", "SourceInfo", "Update"]


def __getattr__(name: str) -> Any:
    if name == "Engine":
        from gpu.engine.engine import Engine

        return Engine
    raise AttributeError(name)
