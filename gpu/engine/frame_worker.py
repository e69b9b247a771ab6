"""What a worker does that makes frames of noise of one clip: opens it, and answers for the frames that it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gpu.engine.results import F32, U8
from gpu.metrics.whiteness_result import Whiteness
from gpu.session import Session


class Step(NamedTuple):
    """A request, and the answer when it is done: the motion between frames t and t+1, put where all workers find it."""

    t: int


class Frame(NamedTuple):
    """A request: the noise of frame t."""

    t: int


class Made(NamedTuple):
    """The answer: (C, H, W) noise of frame t, its (H, W) state, and its whiteness where that was measured as well."""

    t: int
    noise: F32
    state: U8
    whiteness: Whiteness | None


def work(
    requests: Iterator[Step | Frame],
    tell: Callable[[Step | Made | None], None],
    session: Session,
    key: str,
    pairs: Path | None,
) -> None:
    """Tell None once the clip is open, then answer requests for frames of the column `key`. Motion that others estimate as well
    lies in the file `pairs`."""
    import torch

    from gpu.cv import cv2
    from gpu.engine import Engine
    from gpu.metrics import whiteness
    from gpu.source.pair_file import PairFile

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    engine = Engine(session)
    if pairs is not None:
        engine.opened.motion.share(PairFile(pairs, engine.source.height, engine.source.width))
    tell(None)
    for request in requests:
        if isinstance(request, Step):
            engine.opened.motion.backward(request.t)
            tell(request)
        else:
            noise, state = engine.noise(key, request.t)
            tell(Made(request.t, noise, state, whiteness.measure(noise)))
