"""Flow from files: readings, the missing direction, damaged vectors, and which reading fits two pictures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gpu.cv import cv2
from gpu.errors import ClipError, FlowError, SizeError
from gpu.flow import maps
from gpu.session import MotionSettings, SourceSettings
from gpu.source.flow_file.inverse import inverse
from gpu.source.flow_file.readings import difference, fit, read_as
from gpu.source.flow_file.source import FlowFileSource, open_flow
from gpu.source.motion import SourceMotion
from gpu.source.synthetic.source import SyntheticSource, open_synthetic
from tests.gpu.flow import flow_files

HEIGHT, WIDTH, FRAMES = 72, 96, 10


def synthetic(name: str, **given: float) -> SyntheticSource:
    return open_synthetic(
        SourceSettings("synthetic", name=name, height=HEIGHT, width=WIDTH, frames=FRAMES, parameters=given)
    )


def flows(source: SyntheticSource) -> tuple[np.ndarray, np.ndarray]:
    steps = range(source.frames - 1)
    backward = np.stack([source.truth.backward(t) for t in steps])
    return backward, np.stack([source.truth.forward(t) for t in steps])


def saved(path: Path, array: np.ndarray) -> str:
    np.save(path, array)
    return str(path)


OPENED: list[FlowFileSource] = []


@pytest.fixture(autouse=True)
def _closing() -> Iterator[None]:
    yield
    while OPENED:
        OPENED.pop().close()


def opened(flow: str, **values: Any) -> FlowFileSource:
    """A source of flow in pixels, closed after the test."""
    OPENED.append(open_flow(SourceSettings("flow", flow_path=flow, **{"flow_units": "pixels", **values})))
    return OPENED[-1]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("translation", {}),
        ("rotation-zoom", {}),
        ("zoom", {"factor": 0.95}),
        ("zoom", {"factor": 1.05}),
        ("turbulence", {}),
        ("swirl", {"degrees": 6}),
    ],
)
def test_the_missing_direction_is_the_true_inverse(tmp_path: Path, name: str, given: dict[str, float]) -> None:
    """Not the negative: that is off by the motion's own change over the displacement."""
    source = synthetic(name, **given)
    backward, forward = flows(source)
    from_backward = opened(saved(tmp_path / "b.npy", backward))
    from_forward = opened(saved(tmp_path / "f.npy", forward), flow_direction="forward")
    t = 6
    seen_there, seen_before = source.truth._step(t, t + 1).valid, source.truth.valid(t)
    for inverted, truly, where in (
        (from_backward.truth.forward(t), forward[t], seen_there),
        (from_forward.truth.backward(t), backward[t], seen_before),
    ):
        # At the frame's border the inverse needs flow from just outside of it, which a file does not hold.
        error = np.abs(inverted - truly).max(-1)[where]
        assert np.percentile(error, 99) < 0.02
        assert error.max() < 0.08
    if name in ("rotation-zoom", "zoom", "swirl"):
        negative = np.abs(-backward[t] - forward[t]).max(-1)[seen_there]
        mine = np.abs(from_backward.truth.forward(t) - forward[t]).max(-1)[seen_there]
        assert mine.mean() < 0.1 * negative.mean()
    for flow_file in (from_backward, from_forward):
        assert (flow_file.truth.valid(t) == source.truth.valid(t)).mean() > 0.98


def test_where_nothing_lands_nothing_is_found() -> None:
    """A block that moves right over a still background uncovers what is on its left."""
    flow = np.zeros((20, 30, 2), np.float32)
    flow[5:15, 10:18, 0] = 4
    back, solved = inverse(flow, np.ones((20, 30), bool))
    assert not solved[6:14, 10:13].any()
    assert solved[:4].all()
    assert np.allclose(back[6:14, 19:21], [-4, 0], atol=1e-4)
    assert solved[6:14, 19:21].all()
    assert np.allclose(back[:4], 0)


def test_unknown_vectors_are_not_inverted() -> None:
    flow = np.full((16, 16, 2), 1.0, np.float32)
    valid = np.ones((16, 16), bool)
    valid[4:8, 4:8] = False
    _, solved = inverse(np.where(valid[..., None], flow, 0), valid)
    assert not solved[6, 6]
    assert solved[12, 12]


def test_both_directions_are_taken_as_they_are(tmp_path: Path) -> None:
    backward, forward = flows(synthetic("rotation"))
    source = opened(saved(tmp_path / "b.npy", backward), forward_path=saved(tmp_path / "f.npy", forward))
    assert np.array_equal(source.truth.backward(3), backward[3])
    assert np.array_equal(source.truth.forward(3), forward[3])
    assert source.truth.valid(3)[20:50, 20:70].all()


def test_axes_and_sign(tmp_path: Path) -> None:
    flow = np.zeros((2, 8, 12, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1.5, -0.5
    path = saved(tmp_path / "flow.npy", flow)
    assert np.allclose(opened(path).truth.backward(0), [1.5, -0.5])
    assert np.allclose(opened(path, flow_axes="yx").truth.backward(1), [-0.5, 1.5])
    assert np.allclose(opened(path, flow_sign=-1).truth.backward(1), [-1.5, 0.5])
    forward = opened(path, flow_direction="forward", flow_sign=-1).truth
    assert np.allclose(forward.forward(0), [-1.5, 0.5])
    assert np.allclose(forward.backward(0)[3:5, 4:8], [1.5, -0.5], atol=1e-5)


@pytest.mark.parametrize("ending", flow_files.WRITERS)
def test_every_format_is_read(tmp_path: Path, ending: str) -> None:
    backward, _ = flows(synthetic("swirl"))
    path = tmp_path / f"flow{ending}"
    flow_files.write(path, backward[3:4])
    source = opened(str(path))
    assert (source.height, source.width, source.frames) == (HEIGHT, WIDTH, 2)
    assert np.abs(source.truth.backward(0) - backward[3]).max() < 0.01  # KITTI files have steps of 1/64
    assert source.frame(1).shape == (HEIGHT, WIDTH, 3)


def test_the_map_is_accumulated_and_does_not_depend_on_order(tmp_path: Path) -> None:
    source = synthetic("rotation-zoom")
    path = saved(tmp_path / "b.npy", flows(source)[0])
    first, other = opened(path).truth, opened(path).truth
    inner = np.s_[16:-16, 16:-16]
    for t in (0, 3, 9):
        assert np.abs(first.to_reference(t) - source.truth.to_reference(t))[inner].max() < 1e-3
        assert np.abs(first.jacobian(t) - source.truth.jacobian(t))[inner].max() < 1e-3
    for t in (9, 8, 3, 0, 9, 1):
        assert np.array_equal(other.to_reference(t), first.to_reference(t))


def test_damaged_vectors_are_invalid_counted_and_spoil_nothing_else(tmp_path: Path) -> None:
    flow = np.ones((3, 20, 24, 2), np.float32)
    flow[1, 4, 5] = np.nan
    flow[1, 6, 7, 0] = np.inf
    flow[1, 8, 9] = 1e9
    for direction in ("backward", "forward"):
        source = opened(saved(tmp_path / "bad.npy", flow), flow_direction=direction)
        truth = source.truth
        assert (truth.bad(0), truth.bad(1), truth.bad(2)) == (0, 3, 0)
        assert np.isfinite(truth.to_reference(3)).all()
        assert np.isfinite(truth.jacobian(3)).all()
        assert np.abs(truth.to_reference(3) - truth.to_reference(0)).max() < 10
        assert source.frame(3).shape == (20, 24, 3)
        valid = truth.valid(1)
        if direction == "backward":
            assert not valid[[4, 6, 8], [5, 7, 9]].any()
            assert not np.isfinite(truth.backward(1)[[4, 6, 8], [5, 7, 9]]).any()
        else:
            assert not valid[[5, 7, 9], [6, 8, 10]].any()
        assert valid[12:18, 4:20].all()
        motion = SourceMotion(source, MotionSettings(), torch.device("cpu"))
        assert bool(motion.backward(1).isfinite().all())
        assert bool(motion.forward(1).isfinite().all())
        assert not motion.valid(1).numpy()[~valid].any()
        assert motion.invalid(1) == (3 if direction == "backward" else 0)


def test_another_size_scales_the_vectors(tmp_path: Path) -> None:
    flow = np.zeros((1, 10, 20, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2, -1
    flow[0, 5, 5] = np.nan
    path = saved(tmp_path / "flow.npy", flow)
    larger = opened(path, height=20, width=60)
    assert (larger.height, larger.width) == (20, 60)
    backward = larger.truth.backward(0)
    assert np.allclose(backward[:6], [6, -2])
    assert np.isnan(backward[10, 16]).all()
    assert not larger.truth.valid(0)[10, 16]
    smaller = opened(path, height=5)
    assert (smaller.height, smaller.width) == (5, 10)
    assert np.allclose(smaller.truth.backward(0)[0], [1, -0.5])
    assert (opened(path).height, opened(path).width) == (10, 20)
    with pytest.raises(SizeError):
        opened(path, height=16384)


def test_start_and_length(tmp_path: Path) -> None:
    flow = np.arange(5, dtype=np.float32)[:, None, None, None] * np.ones((1, 8, 8, 2), np.float32)
    path = saved(tmp_path / "flow.npy", flow)
    assert opened(path).frames == 6
    part = opened(path, start=2, frames=3)
    assert part.frames == 3
    assert [part.truth.backward(t)[0, 0, 0] for t in range(2)] == [2, 3]
    assert opened(path, start=2).frames == 4
    assert opened(path, frames=1).frames == 1
    assert opened(path, frames=1).frame(0).shape == (8, 8, 3)
    with pytest.raises(FlowError, match="6 frames"):
        opened(path, start=5)


def test_the_still_is_frame_0_and_is_carried_along(tmp_path: Path) -> None:
    moved = synthetic("rotation")
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.ascontiguousarray(moved.frame(0)[..., ::-1]))
    source = opened(saved(tmp_path / "b.npy", flows(moved)[0]), path=str(still))
    assert np.abs(source.frame(0).astype(int) - moved.frame(0)).mean() < 2.5  # drawn again, a little softer
    inner = np.s_[16:-16, 16:-16]
    error = np.abs(source.frame(6).astype(float) - moved.frame(6))[inner].mean()
    assert error < 0.4 * np.abs(source.frame(0).astype(float) - moved.frame(6))[inner].mean()
    with pytest.raises(ClipError):
        opened(saved(tmp_path / "b.npy", flows(moved)[0]), path=str(tmp_path / "none.png"))


def test_without_a_still_there_is_a_texture_that_shows_motion(tmp_path: Path) -> None:
    source = opened(saved(tmp_path / "b.npy", flows(synthetic("translation"))[0]))
    frame = source.frame(0)
    assert 20 < frame.std() < 70
    assert abs(float(frame.mean()) - 128) < 10
    assert np.abs(frame.astype(int) - source.frame(1)).mean() > 5
    assert np.array_equal(source.frame(1), source.frame(1))


@pytest.mark.parametrize("shape", [(5, 8, 8, 5), (8, 8), (4, 8, 8), (0, 8, 8, 2), (3, 0, 8, 2), (2, 3, 8, 8, 2)])
def test_wrong_shapes_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(FlowError, match="shape"):
        opened(saved(tmp_path / "flow.npy", np.zeros(shape, np.float32)))


@pytest.mark.parametrize("dtype", ["complex64", "U4", "bool"])
def test_wrong_types_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(FlowError, match="type"):
        opened(saved(tmp_path / "flow.npy", np.zeros((2, 4, 4, 2), dtype)))


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    text, empty, other = tmp_path / "text.npy", tmp_path / "empty.flo", tmp_path / "flow.xyz"
    for path, content in ((text, b"not an array"), (empty, b""), (other, b"")):
        path.write_bytes(content)
        with pytest.raises(FlowError, match=path.name):
            opened(str(path))
    with pytest.raises(FlowError, match="none"):
        opened(str(tmp_path / "none.npy"))
    with pytest.raises(FlowError, match="No flow file"):
        opened("")


def test_contradictions_are_refused(tmp_path: Path) -> None:
    short, other = saved(tmp_path / "a.npy", np.zeros((2, 4, 4, 2))), saved(tmp_path / "b.npy", np.zeros((3, 4, 4, 2)))
    with pytest.raises(FlowError, match="must be the same"):
        opened(short, forward_path=other)
    with pytest.raises(FlowError, match="forward flow too"):
        opened(short, forward_path=short, flow_direction="forward")


def test_frames_outside_the_range_are_refused(tmp_path: Path) -> None:
    truth = opened(saved(tmp_path / "a.npy", np.zeros((2, 4, 4, 2)))).truth
    for call in (truth.backward, truth.forward, truth.valid, truth.to_reference):
        with pytest.raises(IndexError):
            call(3)
        with pytest.raises(IndexError):
            call(-1)


STRONG = {"zoom": {"factor": 1.06}, "translation": {"dx": 3, "dy": 1}}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["rotation-zoom", "zoom", "translation", "layers"])
def test_the_fit_finds_how_flow_was_stored(name: str) -> None:
    """Forward flow with its sign reversed is nearly backward flow: of two readings the motion must tell, if it can."""
    source = synthetic(name, **STRONG.get(name, {}))
    backward, forward = flows(source)
    first, second = source.frame(4), source.frame(5)
    for direction, flow in (("backward", backward[4]), ("forward", forward[4])):
        for axes in ("xy", "yx"):
            for sign in (1, -1):
                stored = read_as(flow, axes, sign)  # type: ignore[arg-type]
                fits = fit(first, second, stored)
                assert len(fits) == 8
                errors = [fitted.error for fitted in fits]
                assert errors == sorted(errors)
                if name in ("translation", "layers"):  # where pieces do not change, forward is backward's negative
                    assert {fitted[:3] for fitted in fits[:2]} == {
                        (direction, axes, sign),
                        ("forward" if direction == "backward" else "backward", axes, -sign),
                    }
                else:
                    assert fits[0][:3] == (direction, axes, sign)
                assert fits[0].error < 0.5 * fits[2].error


def test_what_a_reading_leaves_is_dark_where_it_fits() -> None:
    source = synthetic("rotation-zoom")
    first, second, flow = source.frame(4), source.frame(5), source.truth.backward(4)
    good, bad = (difference(first, second, flow, "backward", axes, 1) for axes in ("xy", "yx"))
    assert good.shape == (HEIGHT, WIDTH, 3)
    assert good.dtype == np.uint8
    assert good.mean() < 0.3 * bad.mean()
    halved = flow[::2, ::2] / 2
    smaller = difference(first, second, halved, "backward", "xy", 1)  # pictures are brought to the flow's size
    assert smaller.shape == (HEIGHT // 2, WIDTH // 2, 3)


def test_a_fit_without_common_ground_is_unknown_and_last() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    fits = fit(picture, picture, np.full((16, 16, 2), 40, np.float32))
    assert all(np.isnan(fitted.error) for fitted in fits)
    with pytest.raises(FlowError, match="shape"):
        fit(picture, picture, np.zeros((16, 16), np.float32))


def test_flow_of_a_single_pixel_or_row(tmp_path: Path) -> None:
    for size in ((1, 1), (2, 300), (300, 1)):
        source = opened(saved(tmp_path / "a.npy", np.full((2, *size, 2), 0.3, np.float32)))
        assert source.frame(2).shape == (*size, 3)
        assert np.isfinite(source.truth.forward(1)).all()
        assert source.truth.jacobian(2).shape == size
        assert maps.pixel_centres(*size).shape == source.truth.to_reference(1).shape


def test_a_flow_written_over_while_it_is_read_is_refused(tmp_path: Path) -> None:
    """Fields are read when they are asked for: half of one flow and half of another would look like a flow."""
    source = opened(saved(tmp_path / "flow.npy", np.zeros((3, 8, 8, 2), np.float32)))
    assert source.truth.backward(0).shape == (8, 8, 2)
    saved(tmp_path / "flow.npy", np.ones((5, 8, 8, 2), np.float32))
    with pytest.raises(FlowError, match=r"flow\.npy has changed since it was opened"):
        source.truth.backward(1)
