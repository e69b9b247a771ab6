"""One entry to every kind of source, and the contract that all of them keep."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpu.assets import asset
from gpu.cv import cv2
from gpu.errors import ChoiceError, NoisescopeError
from gpu.session import SourceSettings
from gpu.source.opening import open_source


def settings_of(kind: str, folder: Path) -> SourceSettings:
    if kind == "images":
        for number in range(4):
            picture = np.random.default_rng(number).integers(0, 256, (30, 40, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / f"{number}.png"), picture)
        return SourceSettings("images", str(folder))
    if kind == "synthetic":
        return SourceSettings("synthetic", name="swirl", height=32, frames=4)
    if kind == "flow":
        np.save(folder / "flow.npy", np.zeros((3, 24, 32, 2), np.float32))
        return SourceSettings("flow", flow_path=str(folder / "flow.npy"))
    return SourceSettings("video", height=36, frames=4)


@pytest.mark.parametrize("kind", ["video", "images", "synthetic", "flow"])
def test_every_kind_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    source = open_source(settings_of(kind, tmp_path))
    assert source.title
    assert source.frames == 4
    assert source.fps > 0
    assert all(0 < cut < 4 for cut in source.cuts)
    for t in (3, 0, 3):
        frame = source.frame(t)
        assert frame.shape == (source.height, source.width, 3)
        assert frame.dtype == np.uint8
        assert np.array_equal(frame, source.frame(t))
    for t in (-1, 4):
        with pytest.raises(IndexError):
            source.frame(t)
    assert (source.truth is not None) == (kind in ("synthetic", "flow"))
    source.close()


def test_without_a_path_the_bundled_clip_opens_at_its_own_size() -> None:
    source = open_source(SourceSettings(frames=2))
    assert (source.title, source.height, source.width) == ("bunny.mp4", 288, 512)
    assert np.array_equal(source.frame(1), open_source(SourceSettings("video", str(asset("clips/bunny.mp4")))).frame(1))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ChoiceError, match="no source kind named 'camera'"):
        open_source(SourceSettings("camera"))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["video", "images", "synthetic", "flow"])
def test_a_text_file_is_refused_by_every_kind_with_a_sentence(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "text.png"
    file.write_text("text\n" * 100)
    name = "rotation" if kind == "synthetic" else ""
    with pytest.raises(NoisescopeError, match=r"text\.png"):
        open_source(SourceSettings(kind, path=str(file), name=name, flow_path=str(file)))  # type: ignore[arg-type]
