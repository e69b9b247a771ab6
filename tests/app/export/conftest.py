"""An engine for the tests of export: white noise, a flow and pictures made by numpy, by random access."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from gpu.engine.results import Column, FrameResult, SourceInfo, Update
from gpu.session import NoiseSettings, PriorSettings, Session, TaskSettings
from gpu.source import Findings

FRAMES, CHANNELS, HEIGHT, WIDTH = 5, 3, 14, 17


class ArrayEngine:
    """What app.export uses of gpu.engine.Engine."""

    def renews(self, key: str) -> bool:
        return key == "integral"

    def renewals(self, key: str, t: int) -> dict[int, float]:
        return {1: 0.25} if t >= 1 else {}

    def __init__(self, frames: int = FRAMES) -> None:
        generator = np.random.default_rng(3)
        self.noises = generator.standard_normal((frames, CHANNELS, HEIGHT, WIDTH)).astype(np.float32)
        self.states = generator.integers(0, 5, (frames, HEIGHT, WIDTH)).astype(np.uint8)
        self.flows = generator.uniform(-3, 3, (2, max(frames - 1, 0), HEIGHT, WIDTH, 2)).astype(np.float32)
        self.pictures = generator.integers(0, 256, (frames, HEIGHT, WIDTH, 3)).astype(np.uint8)
        self.session = Session(
            noise=NoiseSettings(channels=CHANNELS),
            priors=(PriorSettings("integral"), PriorSettings("bilinear", "chained")),
            task=TaskSettings("super-resolution"),
        )
        self.info = SourceInfo("noise", HEIGHT, WIDTH, frames, 12.0, (), "true motion", True, "torch cpu", "cpu")
        self.source = SimpleNamespace(frame=lambda t: self.pictures[t])

    def judged(self) -> Findings:
        return Findings(("All frames are alike.",), ("Read by hand.",))

    def noise(self, key: str, t: int) -> tuple[Any, Any]:
        return self.noises[t], self.states[t]

    def motion(self, t: int) -> tuple[Any, Any, Any]:
        return self.flows[0, t], self.flows[1, t], np.ones((HEIGHT, WIDTH), bool)

    def compute(self, t: int) -> Iterator[Update]:
        white: Any = None
        output = np.ascontiguousarray(self.pictures[t].transpose(2, 0, 1)).astype(np.float32) / 255
        columns = {
            prior.key: Column(prior.key, self.noises[t], self.states[t], white, None, output, None, None)
            for prior in self.session.priors
        }
        yield Update(0, 2, "motion")
        yield Update(2, 2, "ready", FrameResult(t, self.pictures[t], None, None, None, columns, True))


@pytest.fixture
def engine() -> Any:
    return ArrayEngine()


@pytest.fixture
def finish() -> Callable[[Generator[Update, None, Any]], tuple[list[Update], Any]]:
    """Run the work: its Updates, and what it returns."""

    def run(steps: Generator[Update, None, Any]) -> tuple[list[Update], Any]:
        updates = []
        while True:
            try:
                updates.append(next(steps))
            except StopIteration as end:
                return updates, end.value

    return run
