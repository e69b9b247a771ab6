"""Estimators: the sign of what they return, any size, the same bytes again, and sentences for bad input."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.cv import cv2
from gpu.errors import BackendError, ChoiceError, FlowError
from gpu.flow.estimators import ESTIMATORS, raft
from gpu.flow.estimators.raft import VARIABLE
from gpu.flow.pairs import pick

CLASSIC = [(name, preset) for name in ("dis", "farneback") for preset in ESTIMATORS.get(name).presets]


@pytest.fixture(scope="module")
def texture() -> np.ndarray:
    """(96, 128, 3) blurred noise: structure everywhere, without a repeating pattern."""
    noise = np.random.default_rng(5).integers(0, 256, (96, 128, 3)).astype(np.uint8)
    smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
    return np.clip((smooth - 128) * 4 + 128, 0, 255).astype(np.uint8)


def test_the_registry_lists_what_the_design_asks_for() -> None:
    assert ESTIMATORS.names() == ["dis", "farneback", "raft"]
    for _, estimator in ESTIMATORS.items():
        assert estimator.title
        assert estimator.presets


@pytest.mark.parametrize(("name", "preset"), CLASSIC)
def test_a_picture_shifted_right_and_up_moves_right_and_up(texture: np.ndarray, name: str, preset: str) -> None:
    moved = np.roll(texture, (-3, 5), axis=(0, 1))
    flow = ESTIMATORS.get(name).estimate(texture, moved, preset, 1.0)
    assert flow.shape == (96, 128, 2)
    assert flow.dtype == np.float32
    assert np.median(flow[20:-20, 20:-20], axis=(0, 1)) == pytest.approx([5, -3], abs=0.3)


@pytest.mark.parametrize("name", ["dis", "farneback"])
@pytest.mark.parametrize("scale", [0.5, 0.8, 2.0])
def test_at_a_working_resolution_vectors_stay_in_full_pixels(texture: np.ndarray, name: str, scale: float) -> None:
    moved = np.roll(texture, (-2, 4), axis=(0, 1))
    flow = ESTIMATORS.get(name).estimate(texture, moved, "medium", scale)
    assert flow.shape == (96, 128, 2)
    assert np.median(flow[20:-20, 20:-20], axis=(0, 1)) == pytest.approx([4, -2], abs=0.4)


@pytest.mark.parametrize(("name", "preset"), CLASSIC)
def test_every_size_works_and_stillness_is_zero(name: str, preset: str) -> None:
    generator = np.random.default_rng(1)
    for height, width, scale in ((1, 1, 1.0), (1, 1, 0.05), (2, 300, 1.0), (90, 3, 0.3), (5, 5, 4.0)):
        picture = generator.integers(0, 256, (height, width, 3)).astype(np.uint8)
        flow = ESTIMATORS.get(name).estimate(picture, picture.copy(), preset, scale)
        assert flow.shape == (height, width, 2)
        assert np.isfinite(flow).all()
        # Farneback's own treatment of borders moves single pixels of a still picture; DIS moves none.
        assert (np.abs(flow).max() if name == "dis" else np.median(np.abs(flow))) < 1e-2


def test_a_strip_of_2_by_3000_works() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (2, 3000, 3)).astype(np.uint8)
    assert np.abs(ESTIMATORS.get("dis").estimate(picture, picture.copy(), "medium", 1.0)).max() < 1e-3


@pytest.mark.parametrize("name", ["dis", "farneback"])
def test_the_same_bytes_on_every_run_and_with_any_number_of_threads(texture: np.ndarray, name: str) -> None:
    moved = np.roll(texture, (1, 2), axis=(0, 1))
    before = cv2.getNumThreads()
    results = []
    try:
        for threads in (1, 1, 2, 5):
            cv2.setNumThreads(threads)
            results.append(ESTIMATORS.get(name).estimate(texture, moved, "medium", 1.0).tobytes())
    finally:
        cv2.setNumThreads(before)
    assert len(set(results)) == 1


def test_bad_pictures_get_a_sentence(texture: np.ndarray) -> None:
    dis = ESTIMATORS.get("dis")
    with pytest.raises(FlowError, match="of one size, but these are 128x96 and 127x96"):
        dis.estimate(texture, texture[:, :-1], "medium", 1.0)
    with pytest.raises(FlowError, match=r"second picture .* shape \(96, 128\)"):
        dis.estimate(texture, texture[..., 0], "medium", 1.0)
    with pytest.raises(FlowError, match="float32"):
        dis.estimate(texture.astype(np.float32), texture, "medium", 1.0)


def test_presets() -> None:
    assert pick("RAFT", "medium", ("large", "small")) == "large"
    assert pick("DIS", "fast", ("medium", "fast")) == "fast"
    with pytest.raises(ChoiceError, match=r"DIS has no preset 'finest'\. Choose one of: medium, fast"):
        pick("DIS", "finest", ("medium", "fast"))


def test_raft_without_weights_says_where_it_looked(
    texture: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(BackendError, match=f"{tmp_path}.*raft_small.*{VARIABLE}"):
        ESTIMATORS.get("raft").estimate(texture, texture, "small", 1.0)
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.pth"))
    with pytest.raises(BackendError, match=r"absent\.pth"):
        ESTIMATORS.get("raft").estimate(texture, texture, "large", 1.0)


def test_raft_refuses_a_file_that_is_no_weights(
    texture: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either way it ends in a sentence: torchvision is missing here, or it reads the file and finds nothing in it."""
    (tmp_path / "weights.pth").write_text("no weights")
    monkeypatch.setenv(VARIABLE, str(tmp_path / "weights.pth"))
    with pytest.raises(BackendError, match=r"torchvision|weights\.pth cannot be read"):
        ESTIMATORS.get("raft").estimate(texture, texture, "small", 1.0)


@pytest.mark.parametrize("size", [(132, 141), (40, 200)])
def test_raft_is_given_what_it_wants_and_gives_the_pictures_own_pixels(
    size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the network, which returns what it was given as flow: pictures in [-1, 1] of at least 128 pixels a side
    and whole multiples of 8, continued by their last row and column."""
    seen = []

    def network(first: torch.Tensor, second: torch.Tensor) -> list[torch.Tensor]:
        seen.append((first, second))
        return [torch.zeros(1), torch.stack((first[:, 0], second[:, 1]), 1)]

    loaded = []
    monkeypatch.setattr(raft, "_model", lambda *arguments: loaded.append(arguments) or network)
    name = "raft_small_C_T_V2-01064c6d.pth"
    (tmp_path / name).write_text("weights")
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    a, b = np.random.default_rng(3).integers(0, 256, (2, *size, 3)).astype(np.uint8)
    flow = raft.Raft().estimate(a, b, "small", 1.0)
    assert flow.shape == (*size, 2)
    assert flow.dtype == np.float32
    np.testing.assert_allclose(flow, np.stack((a[..., 0], b[..., 1]), -1) / np.float32(127.5) - 1, atol=1e-6)
    whole = [max(side, 128) + -max(side, 128) % 8 for side in size]
    for picture, given in zip((a, b), seen[0], strict=True):
        assert given.shape == (1, 3, *whole)
        expected = np.pad(picture, [(0, more - side) for more, side in zip(whole, size)] + [(0, 0)], mode="edge")
        np.testing.assert_allclose(given[0].permute(1, 2, 0).numpy(), expected / np.float32(127.5) - 1, atol=1e-6)
    preset, weights, changed, device = loaded[0]
    assert (preset, weights, device) == ("small", str(tmp_path / name), "cpu")
    assert changed == (tmp_path / name).stat().st_mtime_ns


def test_raft_finds_its_weights_in_a_folder_a_file_or_torchs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "raft_large_C_T_SKHT_V2-ff5fadd5.pth"
    (tmp_path / "hub" / "checkpoints").mkdir(parents=True)
    for path in (tmp_path / name, tmp_path / "mine.pth", tmp_path / "hub" / "checkpoints" / name):
        path.write_text("weights")
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert raft.find_weights("large") == tmp_path / name
    monkeypatch.setenv(VARIABLE, str(tmp_path / "mine.pth"))
    assert raft.find_weights("large") == tmp_path / "mine.pth"
    monkeypatch.delenv(VARIABLE)
    assert raft.find_weights("large") == tmp_path / "hub" / "checkpoints" / name
