"""Measure tasks on the scene that suits each, or on a video, over several clips and seeds: the tables of the model cards.

`python -m tests.gpu.diffusion.evaluate_scenes TASK… [--seeds 101-106] [--priors random,fixed,integral] [--json FILE]`
Each seed is another noise and, where the scene has a pattern or seed of its own, another clip. It goes through the engine, so
that the figures are those of the window and of `noisescope render`. No test: minutes long.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from tqdm import tqdm

from gpu.cv import cv2
from gpu.engine import Engine
from gpu.metrics import intervals
from gpu.metrics.intervals import Interval
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings
from gpu.source.scenes import SCENES

MEASURES = ("warp_error", "warp_error_5", "laplacian", "coverage", "coverage_5")
VARIED = ("pattern", "seed")
"""Parameters by which one scene is made into several clips."""


@dataclass
class Clip:
    """Of one clip and seed: the means of the measures by column (warp errors ×10⁻³), and pictures for a sheet."""

    values: dict[str, dict[str, float]]
    frames: dict[str, list[np.ndarray]] = field(default_factory=dict)


def sources(task: str, given: argparse.Namespace) -> list[SourceSettings]:
    """One for each seed."""
    height, width = given.size
    size = {"height": height, "width": width, "frames": max(given.at) + 1}
    if given.video:
        return [
            SourceSettings("video", str(given.video), start=given.start + given.apart * number, **size)
            for number in range(len(given.seeds))
        ]
    names = [name for name, scene in SCENES.items() if scene.task == task]
    if not names:
        raise SystemExit(f"{task} has no scene that suits it; give a --video.")
    infos = {info.name: info for info in SCENES.get(names[0]).parameters}
    varied = next((name for name in VARIED if name in infos), None)
    clips = []
    for number in range(len(given.seeds)):
        values = dict(given.scene_parameter)
        if varied and varied not in values:
            values[varied] = infos[varied].default + number
        clips.append(SourceSettings("scene", name=names[0], parameters=values, **size))
    return clips


def measure(task: str, source: SourceSettings, seed: int, given: argparse.Namespace) -> Clip:
    """Sample the frames `given.at` with every prior."""
    settings = TaskSettings(
        task, given.sampler, given.steps, given.sigma_max, given.sigma_min, parameters=dict(given.parameter)
    )
    columns = tuple(PriorSettings(name) for name in given.priors.split(","))
    engine = Engine(Session(source=source, noise=NoiseSettings(seed=seed), priors=columns, task=settings))
    lists: dict[str, dict[str, list[float]]] = {}
    clip = Clip({})
    try:
        for update in tqdm(engine.fill(given.at), desc=f"seed {seed}", unit="step", file=sys.stderr, leave=False):
            result = update.result
            if result is None or not result.complete:
                continue
            clip.frames.setdefault("source", []).append(result.image)
            assert result.input is not None
            clip.frames.setdefault("input", []).append(_bytes(result.input))
            for key, column in result.columns.items():
                assert column.output is not None
                clip.frames.setdefault(key, []).append(_bytes(column.output))
                for name in MEASURES:
                    value = getattr(column.quality, name)
                    if math.isfinite(value):
                        lists.setdefault(key, {}).setdefault(name, []).append(value)
    finally:
        engine.close()
    for key, measured in lists.items():
        clip.values[key] = {name: float(np.mean(measured[name])) for name in MEASURES if name in measured}
        for name in ("warp_error", "warp_error_5"):
            clip.values[key][name] *= 1e3
    return clip


def report(task: str, clips: list[Clip], priors: list[str]) -> dict[str, object]:
    """Print the table and the ratios, with 95 % intervals over clips; return them."""
    told: dict[str, object] = {"clips": [clip.values for clip in clips]}

    def values(prior: str, name: str) -> list[float]:
        return [clip.values[prior][name] for clip in clips]

    print(f"\n{task}: {len(clips)} clips, each with its own seed; mean [95 %]")
    print("| prior | warp error, gap 1 | gap 5 | variance of the Laplacian | coverage, gap 1 / 5 |")
    print("| --- | --- | --- | --- | --- |")
    for prior in priors:
        error, five, sharp = (intervals.mean(values(prior, name)) for name in MEASURES[:3])
        covered = " / ".join(f"{np.mean(values(prior, name)):.3f}" for name in MEASURES[3:])
        print(f"| {prior} | {_text(error)} | {_text(five)} | {_text(sharp, 0)} | {covered} |")
        told[prior] = {name: vars(intervals.mean(values(prior, name))) for name in MEASURES}
    for above, below, name in (
        ("random", "integral", "warp_error"),
        ("random", "integral", "warp_error_5"),
        ("fixed", "integral", "warp_error"),
        ("fixed", "integral", "warp_error_5"),
        ("integral", "random", "laplacian"),
        ("bilinear", "random", "laplacian"),
    ):
        if above in priors and below in priors:
            interval = intervals.ratio(values(above, name), values(below, name))
            single = [a / b for a, b in zip(values(above, name), values(below, name), strict=True)]
            spread = f"{min(single):.2f} to {max(single):.2f} clip by clip"
            print(f"{above} / {below}, {name}: {_text(interval, 3)}; {spread}")
            told[f"{above}/{below} {name}"] = vars(interval)
    return told


def _text(interval: Interval, digits: int = 2) -> str:
    if math.isnan(interval.low):
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def sheet(clip: Clip, zoom: int = 2) -> np.ndarray:
    """Rows source, input and one a prior; across: the sampled frames, and their middle rows one below the other."""
    rows = []
    for frames in clip.frames.values():
        picked = [*frames[:3], frames[-1]]
        line = np.stack([frame[frame.shape[0] // 2] for frame in frames])
        tall = cv2.resize(line, (line.shape[1], picked[0].shape[0]), interpolation=cv2.INTER_NEAREST)
        rows.append(np.concatenate([*picked, tall], axis=1))
    return np.asarray(np.concatenate(rows).repeat(zoom, axis=0).repeat(zoom, axis=1))


def _bytes(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0))


def _named(text: str) -> tuple[str, float | str]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        return name, value


def _seeds(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def _whole(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _size(text: str) -> tuple[int, int]:
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="+")
    parser.add_argument("--seeds", type=_seeds, default=_seeds("101-104"), metavar="FIRST-LAST")
    parser.add_argument("--priors", default="random,fixed,bilinear,integral")
    parser.add_argument("--at", type=_whole, default=_whole("1,2,6,7"), metavar="T,…", help="frames (default 1,2,6,7: two "
                        "pairs for each gap; frame 0 would be the same for every prior)")  # fmt: skip
    parser.add_argument("--size", type=_size, default=(128, 128), metavar="HxW")
    parser.add_argument("--parameter", action="append", default=[], type=_named, metavar="NAME=VALUE")
    parser.add_argument("--scene-parameter", action="append", default=[], type=_named, metavar="NAME=VALUE")
    parser.add_argument(
        "--video", type=Path, help="instead of the scene, with estimated flow; each seed another place in it"
    )
    parser.add_argument("--start", type=int, default=0, help="first frame of the video")
    parser.add_argument("--apart", type=int, default=0, help="frames from one seed's first frame to the next one's")
    parser.add_argument("--sampler", default="")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--sigma-max", type=float, default=0.0)
    parser.add_argument("--sigma-min", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="PNG of the first clip of the last task")
    given = parser.parse_args()
    began, everything = time.monotonic(), {}
    for task in given.tasks:
        clips = [
            measure(task, source, seed, given)
            for source, seed in zip(sources(task, given), given.seeds, strict=True)
        ]  # fmt: skip
        everything[task] = report(task, clips, given.priors.split(","))
    print(f"\n{time.monotonic() - began:.0f} s")
    if given.sheet:
        cv2.imwrite(str(given.sheet), sheet(clips[0])[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if given.json:
        given.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
