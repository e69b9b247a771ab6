"""Measure a task on photos its model has not seen, under known motion, for every prior: the table of its model card.

`python -m tests.gpu.diffusion.evaluate_photos PHOTO... [--task NAME[:k=v,…]] [--priors random,fixed,integral] [--json FILE]`
It goes through the engine, so that the figures are those of the window and of `noisescope render`. No test: minutes long.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from gpu.cv import cv2
from gpu.engine import Engine
from gpu.engine.sampling import reach
from gpu.metrics.quality import laplacian_variance, psnr, warp_error
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings, TaskSettings
from gpu.source.motion import SourceMotion

MOTIONS = {
    "rotation-zoom": {"degrees": 2.0, "factor": 1.015},
    "swirl": {"degrees": 4.0, "radius": 0.25},
}
SHEET = ("input", "integral", "truth")
MEASURES = ("warp_error", "warp_error_5", "laplacian", "psnr")


def measure(
    given: argparse.Namespace, photo: Path, motion: str, columns: list[torch.Tensor]
) -> dict[str, dict[str, float]]:
    """Means over frames of each prior's measures, with `input` and `truth` for comparison; warp errors ×10⁻³."""
    parameters = MOTIONS[motion] if not given.default_motion else {}
    session = Session(
        source=SourceSettings("synthetic", str(photo), motion, parameters, given.height, given.width, 0, given.frames),
        noise=NoiseSettings(seed=given.seed),
        priors=tuple(PriorSettings(name) for name in given.priors.split(",")),
        task=TaskSettings(
            given.task, given.sampler, given.steps, given.sigma_max, given.sigma_min, parameters=dict(given.parameter)
        ),
    )
    engine = Engine(session)
    try:
        videos: dict[str, list[torch.Tensor]] = {name: [] for name in ("truth", "input")}
        with tqdm(total=given.frames, desc=f"{photo.stem[:12]} {motion}", file=sys.stderr) as bar:
            for t in range(given.frames):
                *_, last = engine.compute(t)
                assert last.result is not None
                truth = torch.from_numpy(last.result.image).permute(2, 0, 1).float() / 255
                videos["truth"].append(truth)
                assert last.result.input is not None
                videos["input"].append(torch.from_numpy(last.result.input))
                for key, column in last.result.columns.items():
                    assert column.output is not None
                    videos.setdefault(key, []).append(torch.from_numpy(column.output))
                bar.update()
        if given.sheet:
            columns.append(torch.cat([videos[name][0][:, :120, :120] for name in SHEET], dim=1))
        track = SourceMotion(engine.source, session.motion, torch.device("cpu"))
        return {key: _summary(track, video, videos["truth"]) for key, video in videos.items()}
    finally:
        engine.close()


def _summary(motion: SourceMotion, video: list[torch.Tensor], truth: list[torch.Tensor]) -> dict[str, float]:
    errors: dict[int, list[float]] = {1: [], 5: []}
    for gap, gap_errors in errors.items():
        for t in range(gap, len(video)):
            positions, valid = reach(motion, t, gap)
            error, _, _ = warp_error(video[t], video[t - gap], positions.cpu(), valid.cpu())
            gap_errors.append(1000 * error)
    return {
        "warp_error": float(np.mean(errors[1])),
        "warp_error_5": float(np.mean(errors[5])),
        "laplacian": float(np.mean([laplacian_variance(image) for image in video])),
        "psnr": float(np.mean([psnr(image, true) for image, true in zip(video, truth, strict=True)])),
    }


def _named(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    return name, float(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--task", default="super-resolution")
    parser.add_argument("--parameter", action="append", default=[], type=_named, metavar="NAME=VALUE")
    parser.add_argument("--priors", default="random,fixed,bilinear,integral")
    parser.add_argument("--motions", default=",".join(MOTIONS))
    parser.add_argument("--default-motion", action="store_true", help="the deformations' own defaults")
    parser.add_argument("--height", type=int, default=144)
    parser.add_argument("--width", type=int, default=144)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sampler", default="")
    parser.add_argument("--steps", type=int, default=0)
    parser.add_argument("--sigma-max", type=float, default=0.0)
    parser.add_argument("--sigma-min", type=float, default=0.0)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="PNG of the first frames: one column a photo, rows as in SHEET")
    given = parser.parse_args()
    columns: list[torch.Tensor] = []
    began = time.monotonic()
    everything: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    for motion in given.motions.split(","):
        everything[motion] = {photo.stem: measure(given, photo, motion, columns) for photo in given.photos}
        print(f"\n{motion}: mean over {len(given.photos)} photos")
        print(
            "| prior | warp error, gap 1 | gap 5 | variance of the Laplacian | PSNR |\n| --- | --- | --- | --- | --- |"
        )
        photos = everything[motion].values()
        for key in next(iter(photos)):
            means = [np.mean([photo[key][name] for photo in photos]) for name in MEASURES]
            print(f"| {key} | {means[0]:.2f} | {means[1]:.2f} | {means[2]:.0f} | {means[3]:.2f} |")
        for stem, by_prior in everything[motion].items():
            if {"random", "integral", "fixed"} <= by_prior.keys():
                a, b, c = (by_prior[name] for name in ("random", "integral", "fixed"))
                print(
                    f"{stem}: random/integral {a['warp_error'] / b['warp_error']:.2f} (gap 5 "
                    f"{a['warp_error_5'] / b['warp_error_5']:.2f}), fixed/integral "
                    f"{c['warp_error'] / b['warp_error']:.2f} (gap 5 {c['warp_error_5'] / b['warp_error_5']:.2f}), "
                    f"sharpness integral/random {b['laplacian'] / a['laplacian']:.3f}"
                )
    print(f"\n{time.monotonic() - began:.0f} s")
    if given.sheet:
        sheet = (255 * torch.cat(columns[: len(given.photos)], dim=2).permute(1, 2, 0)).round().byte().numpy()
        cv2.imwrite(str(given.sheet), cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    if given.json:
        given.json.write_text(json.dumps(everything, indent=1))


if __name__ == "__main__":
    main()
