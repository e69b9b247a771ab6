"""Measures what the bound on bent positions does: `python -m tests.gpu.noise.measure_reanchoring`. No test: minutes long.

For clips of turbulent smoke and several bounds: how many frames became anchors, the correlation of the noise along the true
motion over 1, 5 and 10 frames (means over all frames), and that with frame 0. Then how far the positions of every bundled
deformation, scene and clip are bent after 8, 24 and 96 frames when nothing renews them.
"""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np

from gpu.assets import asset
from gpu.engine.clip import opened
from gpu.engine.sampling import reach
from gpu.metrics import coherence
from gpu.noise import tracks
from gpu.noise.tiling import NoiseGrid
from gpu.noise.transport import Transport, TransportSettings
from gpu.session import SourceSettings
from gpu.source.deformations import DEFORMATIONS
from gpu.source.scenes import SCENES

FRAMES, CHANNELS = 48, 4
GAPS = (1, 5, 10)
LATER = (8, 16, 32)


def smoke(seed: int, bounds: list[float]) -> None:
    """One clip with every bound."""
    with opened(SourceSettings("scene", name="smoke", parameters={"seed": seed})) as clip:
        size = clip.source.height, clip.source.width
        for bound in bounds:
            settings = TransportSettings(7, bend=bound)
            moved = Transport(clip.motion, NoiseGrid(*size, clip.device), lambda t: 0, clip.rasteriser, settings)
            noise = [moved.integral(t, CHANNELS)[0] for t in range(FRAMES)]

            def correlation(t: int, gap: int, noise: Any = noise) -> float:
                was = reach(clip.motion, t, gap)
                return float(coherence.correlation(noise[t - gap], noise[t], was.positions, was.valid)[0])

            means = [np.mean([correlation(t, gap) for t in range(gap, FRAMES, 2)]) for gap in GAPS]
            first = [correlation(t, t) for t in LATER]
            print(
                f"smoke {seed}, bound {bound:g}: {len(moved.tracks.whole_anchors())} anchors; over {GAPS} frames "
                + ", ".join(f"{mean:.3f}" for mean in means)
                + f"; frames {LATER} with frame 0 "
                + ", ".join(f"{value:.3f}" for value in first),
                flush=True,
            )


def bends() -> None:
    """Everything else that is bundled."""
    sources = {
        name: SourceSettings("synthetic", name=name, height=96, width=128, frames=97) for name in DEFORMATIONS.names()
    }
    sources |= {name: SourceSettings("scene", name=name) for name in SCENES.names() if name != "smoke"}
    for name in ("bunny", "city"):
        sources[name] = SourceSettings("video", path=str(asset(f"clips/{name}.mp4")), height=144, frames=97)
    for name, source in sources.items():
        with opened(source) as clip:
            track = clip.transport().track
            bends = {t: tracks.bend(track(t)) for t in (8, 24, min(96, clip.source.frames - 1))}
            print(name, ", ".join(f"frame {t}: {bend:.3f}" for t, bend in bends.items()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bounds", default="0.12,0.25,0.3,0.35,0.5,inf")
    parser.add_argument("--seeds", default="3,5", help="of the scene")
    given = parser.parse_args()
    for seed in given.seeds.split(","):
        smoke(int(seed), [math.inf if bound == "inf" else float(bound) for bound in given.bounds.split(",")])
    bends()


if __name__ == "__main__":
    main()
