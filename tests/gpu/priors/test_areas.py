"""integral-exact: shares by exact area, by compiled code as by torch; white where motion folds, mirrors and lies in layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from gpu import compiled
from gpu.flow import maps
from gpu.noise import rng
from gpu.noise.areas import FULL, overlaps
from gpu.priors import NEW, PRIORS
from gpu.priors.kit import areas
from gpu.priors.kit.areas import Areas
from tests.gpu.noise import motions
from tests.gpu.priors import carried
from tests.gpu.priors.conftest import Flow

Build = Callable[..., Any]


def start(context: Any) -> Areas:
    run = PRIORS.get("integral-exact").start(context)
    assert isinstance(run, Areas)
    return run


def mirror(height: int, width: int) -> Flow:
    """x -> 0.93 (width - x) + 0.7, y shifted and turned a little: outlines run the other way round."""
    return carried._linear(height, width, [[-0.93, 0.05], [0.04, 1.02]], (0.7, -0.4))


def given(motion: motions.Given) -> motions.Given:
    """A motion of gpu/noise's tests, whose size `make` asks for."""
    motion.vectors = torch.zeros(*motion.size, 2)
    return motion


EVERY: dict[str, Callable[[int, int], Any]] = {
    **{name: lambda h, w, name=name: carried.with_holes(name, h, w) for name in carried.MOTIONS},
    "mirror": mirror,
}


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("motion", [*EVERY, "turbulence"])
@pytest.mark.parametrize(("fill", "channels"), [("two-stage", 1), ("two-stage", 6), ("random", 3)])
def test_compiled_code_gives_what_torch_gives(
    make: Build, motion: str, fill: str, channels: int, monkeypatch: Any
) -> None:
    """Up to frame 6, with holes, folds and whole frames that become anchors; states are the same, values to 1e-5."""
    flow = EVERY[motion](30, 42) if motion in EVERY else given(motions.turbulent((30, 42)))
    by_kernels = start(make(flow, channels=channels, fill=fill))
    frames = {t: by_kernels.frame(t) for t in (1, 2, 6)}
    monkeypatch.setattr(compiled, "available", lambda: False)
    by_torch = start(make(flow, channels=channels, fill=fill))
    monkeypatch.setattr(by_torch, "_compiled", None)
    for t, frame in frames.items():
        other = by_torch.frame(t)
        assert torch.equal(frame.state, other.state)
        assert torch.allclose(frame.noise, other.noise, rtol=0, atol=2e-5), t
    if motion == "turbulence" and fill == "two-stage":
        assert by_torch.tracks.anchors() == by_kernels.tracks.anchors()


def test_a_whole_frame_becomes_the_anchor_of_turbulent_motion(make: Build) -> None:
    """And what pixels share with it is their areas in it, by the noise of that frame."""
    run = start(make(given(motions.turbulent((30, 42)))))
    run.frame(9)
    whole = run.tracks.anchors()
    assert whole
    shown = run.inspect(9, 20, 15)
    if shown.shares is not None and shown.shares.source in whole:
        held = run.frame(shown.shares.source).noise
        at = shown.shares.pixels
        np.testing.assert_array_equal(shown.shares.values, held[:, at[:, 1], at[:, 0]].numpy())


def test_no_source_hands_out_more_than_it_has(make: Build) -> None:
    for name in EVERY:
        run = start(make(EVERY[name](30, 42)))
        asked = areas.ask(overlaps(run.prepared(3), 4), 30 * 42)
        given = torch.zeros(len(asked.place)).index_add_(0, asked.source, asked.share)
        assert float(given.max()) <= 1 + 1e-6
        assert torch.allclose(given + asked.rest, torch.tensor(1.0), atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["contraction", "fold", "rotation", "mirror"])
def test_covariances_with_frame_0_are_the_shares(make: Build, motion: str) -> None:
    """Of 4000 draws of a small grid: frame 2 with frame 0 t / √Σt, with itself the identity, each entry within 5 standard
    errors; the chance that one of 2 x 10,000 entries is not is below 0.012, for a seed that is fixed."""
    height, width, draws, each = 9, 11, 4000, 50
    flow = mirror(height, width) if motion == "mirror" else carried.MOTIONS[motion](height, width)
    before, after, fresh = [], [], torch.zeros(height * width, dtype=torch.bool)
    for seed in range(draws // each):
        run = start(make(flow, channels=each, seed=seed))
        frame = run.frame(2)
        before.append(run.frame(0).noise.reshape(each, -1))
        after.append(frame.noise.reshape(each, -1))
        fresh = (frame.state != 0).reshape(-1)
    x, y = torch.cat(before).double(), torch.cat(after).double()
    run = start(make(flow, channels=1))
    asked = areas.ask(overlaps(run.prepared(2), 4), height * width)
    theory = torch.zeros(height * width, height * width, dtype=torch.float64)
    kept = (asked.anchor == 0) & ~fresh[asked.pixel]
    place, pixel = asked.place[asked.source[kept]], asked.pixel[kept]
    theory[place, pixel] = (asked.share[kept] * asked.total[pixel].rsqrt()).double()
    assert float((theory > 0.1).sum()) > 50
    for expected, other in ((theory, x), (torch.eye(height * width, dtype=torch.float64), y)):
        spread = ((1 + expected**2) / draws).sqrt()
        assert float(((other.T @ y / draws - expected) / spread).abs().max()) < 5


@pytest.mark.slow
@pytest.mark.parametrize("motion", EVERY)
def test_frames_are_white_within_and_across(make: Build, motion: str) -> None:
    """Where the picture grows, frames share less and less: what a few values held, and no detail below them."""
    context = make(EVERY[motion](64, 90), channels=4)
    least = 0.1 if motion in ("expansion", "fold") else 0.3
    carried.assert_white(start(context), context, least, motion == "mirror")


@pytest.mark.slow
def test_layers_are_white_within_and_across(make: Build) -> None:
    context = make(given(motions.layers((64, 90))), channels=4)
    carried.assert_white(start(context), context, least=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("motion", ["fold", "mirror"])
def test_p_values_are_uniform_over_seeds(make: Build, motion: str) -> None:
    """In frame 3, of several anchors, with holes."""
    flow = EVERY[motion](20, 28)
    carried.assert_p_values_are_uniform(lambda seed: start(make(flow, seed=seed)).frame(3).noise)


@pytest.mark.slow
def test_memory(make: Build) -> None:
    """Rotation of 2° a frame: with frame 0 what integral has; with the frame before what two frames have in common by the
    values that they share. A standard error of 0.002 each."""
    first, previous, variance = carried.memory("integral-exact", {})
    assert first == pytest.approx(0.665, abs=0.01)
    assert previous == pytest.approx(PREVIOUS, abs=0.01)
    assert variance == pytest.approx(1, abs=5 * math.sqrt(2 / (4 * 256 * 256)))


PREVIOUS = 0.445


def test_what_is_drawn_depends_on_anchor_frame_and_pixels_alone(make: Build, translation: Build) -> None:
    """A hole elsewhere changes nothing here, and fewer channels are the first of many."""
    hole = torch.ones(20, 28, dtype=torch.bool)
    hole[2:5, 3:9] = False
    still = translation(0.37, -0.21)
    one = start(make(still, channels=4)).frame(3).noise
    other = start(make(Flow(still.vectors, lambda t: hole), channels=2)).frame(3).noise
    assert torch.allclose(one[:2, 9:, 14:], other[:, 9:, 14:], rtol=0, atol=1e-5)
    assert not torch.allclose(one[0, :9, :14], other[0, :9, :14], atol=0.1)


def test_a_pixel_that_covers_nothing_opens_an_anchor(make: Build) -> None:
    """All of the picture is drawn to a line: outlines of no area."""
    height, width = 20, 28
    centres = maps.pixel_centres(height, width)
    flat = torch.zeros(height, width, 2)
    flat[..., 0] = 14.0 - centres[..., 0]
    context = make(Flow(flat))
    run = start(context)
    frame = run.frame(1)
    assert (frame.state == NEW).all()
    assert torch.allclose(frame.noise, context.white(rng.FIELD, 1), rtol=0, atol=1e-6)
    assert run.inspect(1, 5, 6).sentence.startswith("The outline of this pixel has shrunk to a line in frame 0")


@pytest.mark.parametrize("kernels", [True, False])
def test_the_pixel_page_has_what_the_frame_has(
    make: Build, turning: Build, kernels: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernels:
        monkeypatch.setattr(compiled, "available", lambda: False)
    run = start(make(turning(), channels=3))
    frame = run.frame(3)
    for x, y in [(14, 10), (4, 7), (20, 15)]:
        shown = run.inspect(3, x, y)
        part = shown.shares
        assert part is not None
        assert part.source == int(run.prepared(3).label[y, x])
        np.testing.assert_allclose(part.parts @ part.weights, frame.noise[:, y, x].numpy(), atol=2e-5)
        np.testing.assert_allclose(part.weights**2 * part.shares.sum(), 1, rtol=1e-5)
        held = run.context.white(rng.FIELD, part.source)[:, part.pixels[:, 1], part.pixels[:, 0]]
        np.testing.assert_allclose(part.values, held.numpy(), atol=1e-6)
        middle = (part.shares[:, None] * (part.pixels + 0.5)).sum(0) / part.shares.sum()
        assert np.abs(middle - part.position).max() < 0.3
    assert run.inspect(0, 3, 4).sentence.startswith("Frame 0 is the first of its shot")


def test_many_overlaps_of_one_pixel_find_room(make: Build) -> None:
    """The picture shrinks 20 times: a pixel asks for hundreds of others, more than there was room for at first."""
    run = start(make(carried._linear(60, 80, [[20.0, 0.3], [0, 17.0]])))
    found = overlaps(run.prepared(1), 4)
    assert int(torch.bincount(found.pixel).max()) > 300
    assert int(found.area.max()) == FULL
    assert abs(float(run.frame(1).noise.square().mean()) - 1) < 0.1
