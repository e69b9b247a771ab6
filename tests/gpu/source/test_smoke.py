"""The smoke scene: its motion against its own pictures, random access against playing, seeds, sizes, the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest

from app.cli import main
from gpu import interrupt
from gpu.engine import Engine
from gpu.errors import SessionError, SizeError
from gpu.session import PriorSettings, Session, SourceSettings
from gpu.source.opening import open_source
from gpu.source.scenes import SCENES
from gpu.worlds.fluid import history
from tests.gpu.source.test_flat import sampled

SIZE = (32, 40)
COARSE = {"rows": 16.0}


def opened(size=SIZE, frames=14, **parameters):
    return open_source(SourceSettings("scene", "", "smoke", {**COARSE, **parameters}, *size, 0, frames))


@pytest.fixture(scope="module")
def scene():
    return opened()


def test_it_is_in_the_menu_with_a_task_of_its_own():
    scene = SCENES.get("smoke")
    assert scene.task == "surrogate-rendering"
    assert {"seed", "speed", "rows", "buoyancy", "drag"} <= {info.name for info in scene.parameters}


@pytest.mark.slow
@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_the_flow_leads_to_what_is_seen(direction):
    """Pictures carried along the flow differ less than with either axis, the sign or the grid wrong. Wind and rising make
    the motion differ in x and y."""
    scene, t = opened((64, 80), wind=0.8, buoyancy=3.0, speed=2.0, rows=32.0), 1
    y, x = np.mgrid[0:64, 0:80] + 0.5
    if direction == "backward":
        flow, valid, start, end = scene.truth.backward(t), scene.truth.valid(t), scene.frame(t + 1), scene.frame(t)
    else:
        flow, valid, start, end = (
            scene.truth.forward(t),
            scene.truth._inside(scene.truth._there(t, t + 1)),
            scene.frame(t),
            scene.frame(t + 1),
        )
    inner = valid & (x > 6) & (x < 74) & (y > 6) & (y < 58)

    def difference(dx, dy):
        return np.abs(sampled(end, x + dx, y + dy) - start)[inner].mean()

    dx, dy = flow[..., 0], flow[..., 1]
    true = difference(dx, dy)
    assert np.abs(flow[inner]).mean(axis=0).min() > 0.5
    assert true < 6
    for wrong in ((0 * dx, 0 * dy), (-dx, dy), (dx, -dy), (-dx, -dy), (dy, dx), (2 * dx, dy), (dx, 2 * dy)):
        assert difference(*wrong) > 1.5 * true


@pytest.mark.slow
def test_wind_to_the_right_comes_from_the_left():
    flow = opened(wind=1.0).truth.backward(3)
    assert flow[..., 0].mean() < -0.5
    forward = opened(wind=1.0).truth.forward(3)
    assert forward[..., 0].mean() > 0.5


@pytest.mark.slow
def test_flows_are_each_others_inverse(scene):
    """backward(t) at p, then forward(t) of where that led, returns to p: up to bilinear sampling of the smooth forward."""
    backward, valid = scene.truth.backward(5).astype(np.float64), scene.truth.valid(5)
    y, x = np.mgrid[0:32, 0:40] + 0.5
    forward = sampled(scene.truth.forward(5), x + backward[..., 0], y + backward[..., 1])
    inner = valid & (x > 2) & (x < 38) & (y > 2) & (y < 30)
    assert np.abs(backward[inner] + forward[inner]).max() < 0.2
    assert np.abs(backward[inner] + forward[inner]).mean() < 0.01
    assert np.abs(backward[inner]).max() > 0.5


@pytest.mark.slow
def test_what_comes_in_is_not_valid():
    """A wind from the left: the first column was outside, and the picture does not go round though its box does."""
    scene = opened(wind=1.0)
    valid, came_from = scene.truth.valid(4), scene.truth.backward(4)[..., 0] + np.arange(40) + 0.5
    assert not valid[came_from < 0].any()
    assert (came_from < 0).any()
    assert valid.mean() > 0.8


@pytest.mark.slow
def test_scrubbing_gives_what_playing_gives():
    """Bit for bit, also beyond what is kept at once, backwards, and after an interruption."""
    frames = history.RECENT + 2 * history.EVERY
    played = opened(frames=frames, seed=1)
    shown = [played.frame(t) for t in range(frames)]
    flows = {t: played.truth.backward(t) for t in (0, 3, 9, 17, frames - 2)}
    history._warm.clear()
    scrubbed = opened(frames=frames, seed=1)
    asked = iter([False] * 30)
    interrupt.watch(lambda: next(asked, True))
    try:
        with pytest.raises(interrupt.Interrupted):
            scrubbed.frame(frames - 1)
    finally:
        interrupt.watch(None)
    for t in (frames - 1, 3, 0, 17, 9):
        assert np.array_equal(scrubbed.frame(t), shown[t])
        assert np.array_equal(scrubbed.truth.backward(min(t, frames - 2)), flows[min(t, frames - 2)])
    assert np.array_equal(played.frame(2), shown[2])
    assert (shown[0] != shown[5]).any()


@pytest.mark.slow
def test_work_is_told_step_by_step_and_done_once():
    history._warm.clear()
    scene = opened(seed=6)
    told = list(scene.prepare(4))
    assert told[-1] == (len(told), len(told))
    assert len(told) == history.WARM_STEPS + 4
    assert list(scene.prepare(4)) == []
    # Another size or speed needs no second warm-up.
    assert len(list(opened((48, 60), seed=6, speed=0.5).prepare(2))) == 2


@pytest.mark.slow
def test_the_engine_tells_how_far_the_simulation_is():
    history._warm.clear()
    source = SourceSettings("scene", "", "smoke", COARSE, *SIZE, 0, 3)
    engine = Engine(Session(source, priors=(PriorSettings("random"),)))
    try:
        updates = list(engine.compute(1))
        waiting = [update.what for update in updates if update.result is None]
        assert waiting[-1] == f"scene: step {len(waiting)} of {history.WARM_STEPS + 1}"
        assert len(waiting) == history.WARM_STEPS + 1
        assert updates[-1].result.complete
        assert all(update.result is not None for update in engine.compute(1))
    finally:
        engine.close()


@pytest.mark.slow
def test_a_seed_decides_the_frames():
    first, again, other = (opened(seed=seed).frame(2) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert (first != other).mean() > 0.2


@pytest.mark.slow
def test_half_the_speed_is_half_the_motion():
    """The first frame is the same, so are the velocities there."""
    full, half = (opened(speed=speed).truth.backward(0) for speed in (1.0, 0.5))
    np.testing.assert_allclose(half, 0.5 * full, atol=0.1)
    assert np.abs(full).max() > 0.5


def test_the_map_to_the_first_frame_composes_the_flows(scene):
    y, x = np.mgrid[0:32, 0:40] + 0.5
    np.testing.assert_allclose(scene.truth.to_reference(0), np.stack([x, y], axis=-1), atol=1e-6)
    backward = scene.truth.backward(5)
    through = sampled(scene.truth.to_reference(5), x + backward[..., 0], y + backward[..., 1])
    inner = (slice(3, -3), slice(3, -3))
    assert np.abs(through - scene.truth.to_reference(6))[inner].mean() < 0.05
    determinant = scene.truth.jacobian(6)[inner]
    assert abs(float(determinant.mean()) - 1) < 0.03  # no divergence
    assert (determinant > 0).all()


@pytest.mark.parametrize("size", [(1, 1), (7, 64), (16, 100)])
def test_sizes_that_hold_no_plume_are_refused(size):
    with pytest.raises(SizeError, match=f"{size[0]} × {size[1]} .rows × columns"):
        opened(size)


def test_wrong_parameters_are_named(scene):
    with pytest.raises(SessionError, match="colours"):
        opened(colours="mud")
    with pytest.raises(SessionError, match="buoyancy"):
        opened(buoyancy=99.0)
    with pytest.raises(IndexError):
        scene.frame(14)
    with pytest.raises(IndexError):
        scene.truth.backward(13)


@pytest.mark.slow
def test_the_command_line_renders_it(tmp_path):
    command = "render --scene smoke:rows=16 --task surrogate-rendering --priors random,integral --frames 2 --size 32x32"
    assert main([*command.split(), "--steps", "2", "--out", str(tmp_path)]) == 0
    priors = json.loads((tmp_path / "metrics.json").read_text())["priors"]
    assert priors["integral"]["warp_error"] > 0
