"""Motion of a source: conventions, the truth, cuts, and vectors that are not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu.assets import asset
from gpu.cv import cv2
from gpu.errors import ChoiceError, FlowError
from gpu.flow import maps
from gpu.session import MotionSettings, SourceSettings
from gpu.source import motion as motion_module
from gpu.source.motion import SourceMotion
from gpu.source.opening import open_source

CPU = torch.device("cpu")
HEIGHT, WIDTH = 64, 96


class Truth:
    """A constant backward motion, with what else a test puts into it."""

    def __init__(self, backward: np.ndarray, forward: np.ndarray, valid: np.ndarray) -> None:
        self.fields = backward, forward, valid

    def backward(self, t: int) -> np.ndarray:
        return self.fields[0]

    def forward(self, t: int) -> np.ndarray:
        return self.fields[1]

    def valid(self, t: int) -> np.ndarray:
        return self.fields[2]

    def to_reference(self, t: int) -> np.ndarray:
        raise NotImplementedError

    jacobian = to_reference


class Shifting:
    """Blurred noise that moves by (5, -3) pixels a frame, with new content coming in."""

    title, fps, height, width = "shifting", 25.0, HEIGHT, WIDTH

    def __init__(self, frames: int = 4, cuts: tuple[int, ...] = (), truth: Truth | None = None) -> None:
        self.frames, self.cuts, self.truth, self.reads = frames, cuts, truth, 0
        noise = np.random.default_rng(8).integers(0, 256, (HEIGHT + 60, WIDTH + 60, 3)).astype(np.uint8)
        smooth = cv2.GaussianBlur(noise, (0, 0), 1.5).astype(np.float32)
        self._wide = np.clip((smooth - 128) * 4 + 128, 0, 255).astype(np.uint8)

    def frame(self, t: int) -> np.ndarray:
        self.reads += 1
        x, y = 50 - 5 * t, 30 + 3 * t
        return self._wide[y : y + HEIGHT, x : x + WIDTH]

    def close(self) -> None: ...


def moving(step: tuple[float, float] = (-5, 3), **changes: np.ndarray) -> Truth:
    fields = {
        "backward": np.broadcast_to(np.float32(step), (HEIGHT, WIDTH, 2)).copy(),
        "forward": np.broadcast_to(-np.float32(step), (HEIGHT, WIDTH, 2)).copy(),
        "valid": np.ones((HEIGHT, WIDTH), bool),
    }
    return Truth(**{**fields, **changes})


@pytest.mark.parametrize("estimator", ["auto", "dis", "farneback"])
def test_a_shift_is_found_with_the_right_sign_on_the_right_grid(estimator: str) -> None:
    motion = SourceMotion(Shifting(), MotionSettings(estimator), CPU)
    assert np.median(motion.forward(1).numpy(), axis=(0, 1)) == pytest.approx([5, -3], abs=0.3)
    assert np.median(motion.backward(1).numpy(), axis=(0, 1)) == pytest.approx([-5, 3], abs=0.3)
    valid = motion.valid(1)
    # What came in at the left (5 columns) and at the bottom (3 rows) was not there before.
    assert not valid[:, :4].any()
    assert not valid[-2:].any()
    # Farneback is less sure of itself than DIS.
    assert valid[10:-10, 12:-10].float().mean() > (0.75 if estimator == "farneback" else 0.97)
    error = motion.error(1)
    assert float(error[10:-10, 12:-10].median()) < 0.2
    assert (error[:, 0] == maps.UNSEEN).all()
    for tensor, kind in ((motion.backward(1), torch.float32), (valid, torch.bool), (error, torch.float32)):
        assert tensor.dtype == kind
        assert tensor.shape[:2] == (HEIGHT, WIDTH)
    assert motion.invalid(1) == 0


def test_labels() -> None:
    assert SourceMotion(Shifting(), MotionSettings(), CPU).label == "DIS medium"
    assert SourceMotion(Shifting(), MotionSettings("farneback", "fine", 0.5), CPU).label == "Farneback fine at ×0.5"
    assert SourceMotion(Shifting(truth=moving()), MotionSettings(), CPU).label == "true motion"
    assert SourceMotion(Shifting(truth=moving()), MotionSettings("dis", "fast"), CPU).label == "DIS fast"


def test_the_truth_is_taken_where_there_is_one() -> None:
    valid = np.ones((HEIGHT, WIDTH), bool)
    valid[20, 30] = False
    truth = moving((-2.5, 1.25), valid=valid)
    source = Shifting(truth=truth)
    for estimator in ("auto", "truth"):
        motion = SourceMotion(source, MotionSettings(estimator), CPU)
        np.testing.assert_array_equal(motion.backward(0).numpy(), truth.fields[0])
        np.testing.assert_array_equal(motion.forward(0).numpy(), truth.fields[1])
        assert source.reads == 0
        expected = torch.from_numpy(valid) & maps.inside(
            maps.pixel_centres(HEIGHT, WIDTH) + motion.backward(0), HEIGHT, WIDTH
        )
        assert torch.equal(motion.valid(0), expected)
        assert (motion.error(0)[expected] == 0).all()
        assert (motion.error(0)[~expected] == maps.UNSEEN).all()


def test_the_truth_of_a_source_without_one_is_refused() -> None:
    with pytest.raises(FlowError, match="shifting has no true motion"):
        SourceMotion(Shifting(), MotionSettings("truth"), CPU)
    with pytest.raises(ChoiceError, match=r"no flow estimator named 'magic'\. Choose one of: dis"):
        SourceMotion(Shifting(), MotionSettings("magic"), CPU)
    with pytest.raises(ChoiceError, match="DIS has no preset 'best'"):
        SourceMotion(Shifting(), MotionSettings("dis", "best"), CPU)


def test_vectors_that_are_not_finite_become_invalid_and_are_counted() -> None:
    truth = moving((0, 0))
    truth.fields[0][10, 10, 0], truth.fields[0][11, 11] = math.nan, 1e9
    truth.fields[0][12, 12, 1] = -math.inf
    motion = SourceMotion(Shifting(truth=truth), MotionSettings(), CPU)
    assert motion.backward(0).isfinite().all()
    assert not motion.backward(0).any()
    assert (~motion.valid(0)).nonzero().tolist() == [[10, 10], [11, 11], [12, 12]]
    assert motion.invalid(0) == 3
    assert (motion.error(0) == maps.UNSEEN).sum() == 3


def test_a_forward_vector_that_is_not_finite_spoils_what_looks_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of estimated motion: the check has nothing to compare with there."""
    forward = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    forward[10, 10] = math.nan

    class Broken:
        title, presets = "Broken", ("medium",)

        def estimate(self, a: np.ndarray, b: np.ndarray, preset: str, scale: float) -> np.ndarray:
            return forward

    motion = SourceMotion(Shifting(), MotionSettings(), CPU)
    monkeypatch.setattr(motion._estimation, "_estimator", Broken())
    assert motion.forward(0).isfinite().all()
    assert (~motion.valid(0)).nonzero().tolist() == [[10, 10]]
    assert float(motion.error(0)[10, 10]) == maps.UNSEEN


def test_a_flow_of_the_wrong_shape_gets_a_sentence() -> None:
    truth = moving(backward=np.zeros((HEIGHT, WIDTH + 1, 2), np.float32))
    motion = SourceMotion(Shifting(truth=truth), MotionSettings(), CPU)
    with pytest.raises(FlowError, match=rf"backward flow .* shape \({HEIGHT}, {WIDTH + 1}, 2\)"):
        motion.backward(0)


def test_nothing_is_valid_across_a_cut_and_nothing_is_estimated() -> None:
    source = Shifting(cuts=(2,))
    motion = SourceMotion(source, MotionSettings(), CPU)
    assert not motion.valid(1).any()
    assert not motion.backward(1).any()
    assert not motion.forward(1).any()
    assert (motion.error(1) == maps.UNSEEN).all()
    assert source.reads == 0
    assert motion.valid(0).any()


def test_frames_outside_are_refused() -> None:
    motion = SourceMotion(Shifting(), MotionSettings(), CPU)
    for t in (-1, 3):
        for ask in (motion.backward, motion.forward, motion.valid, motion.error):
            with pytest.raises(IndexError):
                ask(t)


def test_order_and_memory_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plenty = SourceMotion(Shifting(8), MotionSettings(preset="fast"), CPU)
    wanted = [plenty.backward(t).clone() for t in range(7)]
    monkeypatch.setattr(motion_module, "CACHE_BYTES", 1)
    scarce = SourceMotion(Shifting(8), MotionSettings(preset="fast"), CPU)
    for t in (6, 0, 3, 6, 1, 2):
        assert torch.equal(scarce.backward(t), wanted[t])
        assert len(scarce._steps) <= 2
        assert len(scarce._forwards) <= 2


def test_each_flow_is_estimated_once_and_each_frame_read_once() -> None:
    source = Shifting()
    motion = SourceMotion(source, MotionSettings(preset="ultrafast"), CPU)
    for _ in range(3):
        motion.backward(0), motion.forward(0), motion.valid(0), motion.error(0)
    assert source.reads == 2


def test_dis_on_the_bunny_explains_the_next_frame_better_than_standing_still() -> None:
    """End to end: frame t sampled at p + backward(p) resembles frame t+1."""
    source = open_source(SourceSettings("video", str(asset("clips/bunny.mp4")), height=144, frames=24))
    motion = SourceMotion(source, MotionSettings(), CPU)
    t = 20
    before, after = (torch.from_numpy(source.frame(index).copy()).permute(2, 0, 1).float() for index in (t, t + 1))
    valid = motion.valid(t)
    carried = maps.bilinear(before, maps.pixel_centres(source.height, source.width) + motion.backward(t))
    moved = (carried - after).square().mean(dim=0)[valid].mean()
    still = (before - after).square().mean(dim=0)[valid].mean()
    assert valid.float().mean() > 0.8
    assert moved < 0.25 * still


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3000)])
def test_tiny_and_thin_pictures_work(height: int, width: int) -> None:
    class Thin(Shifting):
        def frame(self, t: int) -> np.ndarray:
            return np.full((height, width, 3), 100 + t, np.uint8)

    source = Thin()
    source.height, source.width = height, width
    motion = SourceMotion(source, MotionSettings(), CPU)
    assert motion.backward(0).shape == (height, width, 2)
    assert motion.backward(0).isfinite().all()
    assert motion.valid(0).shape == (height, width)
