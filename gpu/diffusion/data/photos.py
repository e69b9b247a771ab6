"""The photos that models are trained on: fetched as Debian packages, cut into sharp random crops.

Run `python -m gpu.diffusion.data.photos FOLDER` to fetch and unpack every package named in assets/models/photos.tsv.
"""

from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.errors import ClipError

LARGEST_HEIGHT = 1800  # of the finest pyramid level: beyond it most of these photos hold no sharper detail
SMALLEST_HEIGHT = 340
LEVEL_RATIO = 0.7


@dataclass(frozen=True)
class PhotoEntry:
    """One line of photos.tsv: where a photo comes from, who made it, under which licence."""

    use: str  # "train" or "validate"
    package: str
    path: str
    author: str
    licence: str


def photo_list() -> list[PhotoEntry]:
    """Every photo the recipes use. The held-out test photos of the project are not among them."""
    with asset("models/photos.tsv").open(encoding="utf-8") as lines:
        return [PhotoEntry(**row) for row in csv.DictReader(lines, delimiter="\t")]


def fetch(folder: Path) -> None:
    """Download the packages with `apt-get download` and unpack each to folder/PACKAGE; nothing is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    for package in sorted({entry.package for entry in photo_list()}):
        if (folder / package).exists():
            continue
        subprocess.run(["apt-get", "download", package], cwd=folder, check=True)
        (archive,) = folder.glob(f"{package}_*.deb")
        subprocess.run(["dpkg", "-x", str(archive), str(folder / package)], check=True)


class Photos:
    """Random crops of photos, as a pure function of the generator it is given.

    Each photo is kept at several sizes. A crop is taken at twice its resolution, rotated, scaled and shifted by
    fractions of a pixel, and then averaged down: it is as sharp as a camera's pixels and shows no trace of a grid.
    """

    def __init__(self, folder: Path, use: str) -> None:
        self._levels: list[list[np.ndarray]] = []
        for entry in photo_list():
            if entry.use != use:
                continue
            path = folder / entry.package / entry.path
            picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if picture is None:
                raise ClipError(
                    f"The training photo {path} cannot be read; fetch it with gpu.diffusion.data.photos first."
                )
            self._levels.append(self._pyramid(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)))

    @staticmethod
    def _pyramid(picture: np.ndarray) -> list[np.ndarray]:
        levels: list[np.ndarray] = []
        height = float(min(LARGEST_HEIGHT, picture.shape[0]))
        while height >= SMALLEST_HEIGHT or not levels:
            width = round(picture.shape[1] * height / picture.shape[0])
            levels.append(cv2.resize(picture, (width, round(height)), interpolation=cv2.INTER_AREA))
            height *= LEVEL_RATIO
        return levels

    def _crop(self, rng: np.random.Generator, size: int) -> np.ndarray:
        levels = self._levels[rng.integers(len(self._levels))]
        source = levels[rng.integers(len(levels))]
        angle, zoom = rng.uniform(-0.6, 0.6), rng.uniform(0.85, 1.15)
        cosine, sine = zoom * np.cos(angle), zoom * np.sin(angle)
        mirror = 1.0 if rng.random() < 0.5 else -1.0
        matrix = np.array([[mirror * cosine, -sine], [mirror * sine, cosine]])
        reach = size * zoom * np.sqrt(2)  # the crop spans 2·size source pixels, turned by any angle
        height, width = source.shape[:2]
        centre = [rng.uniform(min(reach, side / 2), max(side - reach, side / 2)) for side in (width, height)]
        offset = np.array(centre) - matrix @ np.array([size - 0.5, size - 0.5])
        wide = cv2.warpAffine(
            source,
            np.hstack([matrix, offset[:, None]]),
            (2 * size, 2 * size),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        return cv2.resize(wide, (size, size), interpolation=cv2.INTER_AREA)

    def batch(self, rng: np.random.Generator, count: int, size: int, choices: int = 2) -> torch.Tensor:
        """(count, 3, size, size) float32 in [0, 1]. Of `choices` crops the one with most detail is kept: plain sky has
        nothing to teach."""
        crops = []
        for _ in range(count):
            drawn = [self._crop(rng, size) for _ in range(choices)]
            detail = [cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var() for crop in drawn]
            crops.append(drawn[int(np.argmax(detail))])
        return torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255


if __name__ == "__main__":
    fetch(Path(sys.argv[1]).resolve())
