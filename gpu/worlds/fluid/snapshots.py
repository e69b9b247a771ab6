"""What a model of fine smoke learns from: snapshots of simulations finer than the ones it will be given."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from tqdm import tqdm

from gpu.worlds.fluid.solver import Fluid, State, advance, start

ROWS = 192  # cells a picture height
WARM_UP = 120  # frames before the first snapshot
EVERY = 4  # frames from one snapshot to the next


@lru_cache(maxsize=2)
def snapshots(use: str, runs: int = 0, rows: int = ROWS, count: int = 24) -> torch.Tensor:
    """(N, DYES, H, rows) float32 densities of `runs` simulations with settings drawn at random, `count` of each.

    `use` is "train" or "validate": other seeds (and by default 5 runs, or 1). Takes minutes; kept for the process.
    """
    training = use == "train"
    kept = []
    for run in range(runs or (5 if training else 1)):
        rng = np.random.default_rng((run, int(training)))
        fluid = Fluid(
            rows=rows,
            columns=rows,
            buoyancy=rng.uniform(1.0, 2.2),
            vorticity=rng.uniform(0.05, 0.3),
            turbulence=rng.uniform(0.2, 0.7),
            wind=rng.uniform(-0.2, 0.2),
            drag=rng.uniform(0.5, 1.0),
            source=rng.uniform(0.07, 0.11),
            fading=rng.uniform(0.1, 0.25),
            seed=int(rng.integers(2**31)),
        )
        with torch.no_grad():
            state = _warm(fluid)
            for frame in tqdm(range(count * EVERY), desc=f"smoke to {use} on, {run + 1}", mininterval=5):
                state = advance(fluid, state, WARM_UP + frame)
                if frame % EVERY == EVERY - 1:
                    kept.append(state.smoke[:, : round(1.05 * rows)].clone())
    return torch.stack(kept)


def _warm(fluid: Fluid) -> State:
    state = start(fluid, dtype=torch.float32)
    for frame in tqdm(range(0, WARM_UP, 2), desc="warming up", mininterval=5):
        state = advance(fluid, state, frame, 2.0)
    return state
