"""What a written video loses: decoded by another reader than wrote it, and compared with the frames that were put."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from app.export.kit import video_writer
from gpu.assets import asset

U8 = npt.NDArray[np.uint8]


def noise(seed: int) -> U8:
    """(H, W) white noise as the window draws it: three standard deviations to either side of the middle."""
    values = np.random.default_rng(seed).standard_normal((96, 128))
    return np.clip(127.5 + values * 42.5, 0, 255).astype(np.uint8)


def photo(seed: int) -> U8:
    """(H, W) a part of a bundled photo, that moves by a pixel a frame."""
    whole = cv2.imread(str(asset("stills/bowl.jpg")), cv2.IMREAD_GRAYSCALE)
    return np.asarray(whole[200 + seed : 296 + seed, 200:328], np.uint8)


def written(picture: Callable[[int], U8], path: Path) -> float:
    """PSNR in dB of six grey frames, in which neither subsampled colour nor its matrix takes part."""
    frames = [np.repeat(picture(seed)[..., None], 3, axis=2) for seed in range(6)]
    with video_writer.video(path, 24.0) as put:
        for frame in frames:
            put(frame)
    clip, errors = cv2.VideoCapture(str(path)), []
    for frame in frames:
        there, read = clip.read()
        assert there
        errors.append(np.square(read.astype(float) - frame).mean())
    clip.release()
    return 10 * math.log10(255**2 / float(np.mean(errors)))


@pytest.mark.parametrize(("picture", "least"), [(noise, 37.0), (photo, 47.0)])
def test_a_written_video_is_close_to_its_frames(picture: Callable[[int], U8], least: float, tmp_path: Path) -> None:
    """At 37 dB the error has 3.6 grey levels, a twelfth of the 42.5 of the noise: what is seen of noise is noise."""
    assert written(picture, tmp_path / "clip.mp4") >= least


@pytest.mark.parametrize("picture", [noise, photo])
def test_quality_is_what_the_encoder_is_told(
    picture: Callable[[int], U8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six steps of the rate factor double the quantiser: about 5 dB, and a smaller file."""
    as_is = written(picture, tmp_path / "fine.mp4")
    monkeypatch.setattr(video_writer, "QUALITY", video_writer.QUALITY + 6)
    coarse = written(picture, tmp_path / "coarse.mp4")
    assert 2.5 < as_is - coarse < 8
    assert (tmp_path / "coarse.mp4").stat().st_size < 0.9 * (tmp_path / "fine.mp4").stat().st_size
