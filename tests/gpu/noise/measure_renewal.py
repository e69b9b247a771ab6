"""Measures what the bound on bent positions does: `python -m tests.gpu.noise.measure_renewal`. No test: minutes long.

For clips of turbulent smoke and several bounds: the correlation of the noise along the true motion with the frame before, the
smallest and the mean over all frames, over 5 frames, and that with frame 0. Then the same for every bundled deformation, scene
and clip, with the usual bound and with none; and how often a pixel was renewed.
"""

from __future__ import annotations

import argparse
import math

import numpy as np

from gpu.assets import asset
from gpu.engine.clip import Clip, opened
from gpu.engine.sampling import reach
from gpu.metrics import coherence
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import BEND, Transport, TransportSettings
from gpu.session import SourceSettings
from gpu.source.deformations import DEFORMATIONS
from gpu.source.scenes import SCENES

FRAMES, CHANNELS = 48, 4
LATER = (8, 16, 32, 47)


def correlations(clip: Clip, bound: float, frames: int) -> tuple[Transport, dict[tuple[int, int], float]]:
    """By frame and gap, the correlations with the frame before, and now and then with the one 5 before and with frame 0."""
    size = clip.source.height, clip.source.width
    settings = TransportSettings(7, bend=bound)
    moved = Transport(clip.motion, NoiseGrid(*size, clip.device), clip.shot_start, clip.rasteriser, settings)
    noise = [moved.integral(t, CHANNELS)[0] for t in range(frames)]
    measured = {}
    for t in range(1, frames):
        for gap in {1, *([5] if t % 2 and t > 5 else []), *([t] if t in LATER or t == frames - 1 else [])}:
            was = reach(clip.motion, t, gap)
            measured[t, gap] = float(coherence.correlation(noise[t - gap], noise[t], was.positions, was.valid)[0])
    return moved, measured


def line(name: str, clip: Clip, bound: float, frames: int) -> None:
    """Measure, and print."""
    moved, measured = correlations(clip, bound, frames)
    before = [value for (_, gap), value in measured.items() if gap == 1]
    first = {t: value for (t, gap), value in measured.items() if gap == t}
    over_5 = [value for (_, gap), value in measured.items() if gap == 5]
    renewed = sum(moved.renewals(frames - 1).values())
    print(
        f"{name}, bound {bound:g}: with the frame before at least {min(before):.3f}, mean {np.mean(before):.3f}; over 5 "
        f"{np.mean(over_5):.3f}; with frame 0 "
        + ", ".join(f"{value:.3f} at {t}" for t, value in sorted(first.items()))
        + f"; renewed {renewed:.2f} times a pixel",
        flush=True,
    )


def everything_else(frames: int) -> None:
    """All that is bundled, with the usual bound and with none."""
    sources = {
        name: SourceSettings("synthetic", name=name, height=96, width=128, frames=frames)
        for name in DEFORMATIONS.names()
    }
    sources |= {name: SourceSettings("scene", name=name) for name in SCENES.names() if name != "smoke"}
    for name in ("bunny", "city"):
        sources[name] = SourceSettings("video", path=str(asset(f"clips/{name}.mp4")), height=144, frames=frames)
    for name, source in sources.items():
        for bound in (BEND, math.inf):
            with opened(source) as clip:
                line(name, clip, bound, min(frames, clip.source.frames))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bounds", default=f"1,1.5,{BEND:g},3,inf")
    parser.add_argument("--seeds", default="3,5", help="of the scene")
    parser.add_argument("--frames", type=int, default=96, help="of everything else; 0 leaves it out")
    given = parser.parse_args()
    for seed in given.seeds.split(","):
        for bound in given.bounds.split(","):
            with opened(SourceSettings("scene", name="smoke", parameters={"seed": int(seed)})) as clip:
                line(f"smoke {seed}", clip, math.inf if bound == "inf" else float(bound), FRAMES)
    if given.frames:
        everything_else(given.frames)


if __name__ == "__main__":
    main()
