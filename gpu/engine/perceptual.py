"""Perceptual measures of the outputs that are at hand: LPIPS, FID and Improved Precision, as far as their weights are there."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from gpu import pictures, sequences
from gpu.engine.frame_cache import FrameCache
from gpu.engine.results import Update
from gpu.errors import SizeError
from gpu.metrics.perceptual import fid, inception, lpips, precision, vgg, weights
from gpu.source.stills import read_picture


@dataclass(frozen=True)
class Perceived:
    """Of one column: mean LPIPS to the true frames, FID and Improved Precision of its frames against the real pictures.
    NaN where it could not be measured; `n` frames of it were taken."""

    lpips: float
    fid: float
    precision: float
    n: int


@dataclass(frozen=True)
class Perception:
    """Of all columns. `real` counts the pictures that FID and Improved Precision compare with; `notes` are sentences on
    what could not be measured and why, and on how to read what was."""

    columns: Mapping[str, Perceived]
    real: int
    notes: tuple[str, ...] = field(default=())


Steps = Generator[Update, None, Perception]
"""Work in progress: yields after each picture (closing it cancels) and returns what was measured."""


def measure(
    cache: FrameCache,
    keys: Sequence[str],
    truth: Callable[[int], torch.Tensor | None],
    device: torch.device,
    folder: Path | None,
    reference: Path | None = None,
) -> Steps:
    """Measure all frames of the columns `keys` whose outputs are at hand.

    `truth(t)`: what a perfect output (3, H, W) of frame t would be, None where nothing is known. Real pictures are the
    true frames, or those of the folder `reference`, of any size. `folder` holds weights (gpu.metrics.perceptual.weights.find
    says where else they are looked for). ModelError for a file that is not the published one or is damaged, ClipError
    for a picture that cannot be read; what is merely missing is told in `notes`.
    """
    usable, notes = {}, []
    for name, needs in (("LPIPS", lpips.NEEDS), ("FID", fid.NEEDS), ("Improved Precision", precision.NEEDS)):
        absent = weights.missing(needs, folder)
        usable[name] = not absent
        if absent:
            notes.append(f"{name} {absent}")
    frames = {key: [t for t in range(cache.frames) if _output(cache, key, t) is not None] for key in keys}
    if not any(usable.values()) or not any(frames.values()):
        return Perception(
            {key: Perceived(math.nan, math.nan, math.nan, len(frames[key])) for key in keys}, 0, tuple(notes)
        )
    distance = lpips.measure(folder, device) if usable["LPIPS"] else None
    inside = _extractor(inception.features, weights.load(fid.NEEDS[0], folder, device)) if usable["FID"] else None
    deep = (
        _extractor(vgg.features, weights.load(precision.NEEDS[0], folder, device))
        if usable["Improved Precision"]
        else None
    )

    true = {t: truth(t) for t in sorted({t for at_hand in frames.values() for t in at_hand})}
    real: list[torch.Tensor | Path] = [picture for picture in true.values() if picture is not None]
    if reference is not None:
        real = list(sequences.find(reference, pictures.SUFFIXES, strict=False).files)
    total, done = len(real) + sum(map(len, frames.values())), 0
    real_inside: list[torch.Tensor] = []
    real_deep: list[torch.Tensor] = []
    for number, picture in enumerate(real):
        yield Update(done, total, f"features of real picture {number + 1} of {len(real)}")
        opened = (_read(picture) if isinstance(picture, Path) else picture).to(device)
        _append(real_inside, inside, opened)
        _append(real_deep, deep, opened)
        done += 1
    columns = {}
    for key in keys:
        distances: list[float] = []
        made_inside: list[torch.Tensor] = []
        made_deep: list[torch.Tensor] = []
        for t in frames[key]:
            yield Update(done, total, f"{key}: features of frame {t + 1}")
            output = _output(cache, key, t)
            done += 1
            if output is None:  # dropped from memory meanwhile
                continue
            output = output.to(device)
            perfect = true[t]
            if distance is not None and perfect is not None:
                try:
                    distances.append(distance(output, perfect.to(device)))
                except SizeError as error:
                    notes.append(f"LPIPS: {error}")
                    distance = None
            _append(made_inside, inside, output)
            _append(made_deep, deep, output)
        columns[key] = Perceived(
            sum(distances) / len(distances) if distances else math.nan,
            fid.frechet(torch.cat(made_inside), torch.cat(real_inside)) if made_inside and real_inside else math.nan,
            precision.precision(torch.cat(made_deep), torch.cat(real_deep)) if made_deep and real_deep else math.nan,
            len(frames[key]),
        )
    if not real:
        notes.append(
            "FID and Improved Precision need real pictures: this task has no true frames, and none were given."
        )
    elif usable["FID"] and min(len(real), *map(len, frames.values())) < fid.RELIABLE:
        notes.append(
            f"FID of {min(map(len, frames.values()))} frames against {len(real)} is biased upwards by much "
            f"(below {fid.RELIABLE} of either): compare only figures of equal numbers."
        )
    return Perception(columns, len(real), tuple(notes))


Extract = Callable[[torch.Tensor], torch.Tensor]


def _extractor(features: Callable[[weights.State, torch.Tensor], torch.Tensor], state: weights.State) -> Extract:
    def extract(picture: torch.Tensor) -> torch.Tensor:
        return features(state, picture[None])

    return extract


def _append(features: list[torch.Tensor], extract: Extract | None, picture: torch.Tensor) -> None:
    if extract is not None:
        features.append(extract(picture))


def _read(path: Path) -> torch.Tensor:
    """A picture file as (3, h, w) in [0, 1]."""
    return torch.from_numpy(read_picture(path).copy()).permute(2, 0, 1).to(torch.float32) / 255


def _output(cache: FrameCache, key: str, t: int) -> torch.Tensor | None:
    result = cache.get(t)
    column = result.columns.get(key) if result else None
    return None if column is None or column.output is None else torch.from_numpy(column.output)
