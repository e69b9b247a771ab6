"""Compiles every kernel for this machine: `python -m gpu.engine.warm_up`, which setting up runs.

numba compiles a kernel when it is first called and keeps the result on disk. Somebody's first frame would wait for that; here a
few frames of every prior are made, so small that all the time goes into compiling.
"""

from __future__ import annotations

import time

from gpu import compiled
from gpu.engine.clip import opened, with_previous
from gpu.metrics import whiteness
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import Transport, TransportSettings
from gpu.priors import PRIORS
from gpu.session import NoiseSettings, PriorSettings, SourceSettings

MOTIONS = ("rotation", "turbulence")
"""One that keeps what is linked linked, and one that folds and tears."""


def renew() -> None:
    """Turbulence for so long, and followed so strictly, that pixels are renewed."""
    source = SourceSettings("synthetic", name="turbulence", height=24, width=32, frames=10)
    with opened(source, "torch") as clip:
        grid = NoiseGrid(clip.source.height, clip.source.width, clip.device)
        moved = Transport(clip.motion, grid, clip.shot_start, clip.rasteriser, TransportSettings(bend=0.05))
        for channels in (1, 4):
            moved.integral(9, channels)


def main() -> None:
    """Make the frames; say how long it took."""
    if not compiled.available():
        print("numba is not installed: torch does what kernels would do.")
        return
    began = time.monotonic()
    names = [name for name in PRIORS.names() if not PRIORS.get(name).info.uses_task]
    for name in MOTIONS:
        source = SourceSettings("synthetic", name=name, height=24, width=32, frames=4)
        with opened(source, "torch") as clip:
            noise = NoiseSettings(backend="torch")
            for prior in names:
                run = clip.start(PriorSettings(prior), noise)
                for t in range(4):
                    frame = run.frame(t).noise
                whiteness.measure(frame)
                with_previous(clip, run, 3, 1)
    renew()
    place = compiled.folder()
    if place is not None:
        (place / compiled.COMPLETE).touch()
    print(f"Kernels are compiled for this machine ({time.monotonic() - began:.0f} s).")


if __name__ == "__main__":
    main()
