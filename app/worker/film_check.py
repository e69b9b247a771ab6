"""How long a film is, by its header: asked in the worker before the film is opened."""

from __future__ import annotations

from pathlib import Path


def frames_told(path: str) -> int:
    """How many frames the film at `path` says it has; 0 where it does not say, or cannot be read (opening it tells why)."""
    from gpu.decoders.process import prepare
    from gpu.decoders.video import VideoReader
    from gpu.errors import NoisescopeError

    try:
        reader = VideoReader(str(Path(path).absolute()))
    except NoisescopeError:
        return 0
    reader.close()
    prepare()  # for opening it, which comes next
    return reader.header.estimate
