"""The engine: a session in, frame results out, each by random access, with a cache, progress and cancelling."""

from gpu.engine.results import SERIES, Column, FrameResult, SourceInfo, Update

__all__ = ["SERIES", "Column", "FrameResult", "SourceInfo", "Update"]
