"""What a change of settings need not compute again: the field of frame 0 is the same along any motion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gpu import compiled
from gpu.engine.engine import Engine
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.summed_field import SummedField
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings


def turning(degrees: float, seed: int = 7) -> Session:
    source = SourceSettings(
        "synthetic", name="rotation", parameters={"degrees": degrees}, height=24, width=32, frames=12
    )
    return Session(source, noise=NoiseSettings(k=2, seed=seed, backend="torch"), priors=(PriorSettings("integral"),))


@pytest.mark.slow
@pytest.mark.parametrize("numba", [True, False])
def test_another_motion_keeps_the_field_of_frame_0(numba: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: numba)
    made: list[int] = []

    def noted(method: Any) -> Any:
        def wrapper(self: Any, label: int, *rest: Any) -> Any:
            made.append(label)
            return method(self, label, *rest)

        return wrapper

    monkeypatch.setattr(SummedField, "_made", noted(SummedField._made))
    monkeypatch.setattr(PrefixSums, "strip", noted(PrefixSums.strip))
    engine = Engine(turning(3))
    engine.noise("integral", 9)
    assert 0 in made
    for session, again in (
        (turning(5), False),
        (replace(turning(5), motion=replace(turning(5).motion, estimator="dis")), False),
        (turning(5, seed=8), True),  # another field
    ):
        made.clear()
        engine.update(session)
        noise, state = engine.noise("integral", 9)
        assert (0 in made) is again
        fresh = Engine(session)
        expected, states = fresh.noise("integral", 9)
        fresh.close()
        assert np.array_equal(noise, expected)
        assert np.array_equal(state, states)
    engine.close()
