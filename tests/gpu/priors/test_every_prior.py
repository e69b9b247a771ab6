"""What every registered prior and mode must hold to, whatever it does."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from scipy import stats

from gpu.metrics.whiteness import measure
from gpu.noise import rng
from gpu.priors import PRIORS, Run
from gpu.priors.kit import sequence

COLUMNS = [(name, mode) for name, prior in PRIORS.items() for mode in prior.info.modes or ("",)]
MOVING = [(name, mode) for name, mode in COLUMNS if PRIORS.get(name).info.uses_motion]
# Priors whose noise is drawn: it begins with white noise and depends on the seed. Inverted noise comes from the picture.
DRAWN = [(name, mode) for name, mode in COLUMNS if not PRIORS.get(name).info.uses_task]
Build = Callable[..., object]


def test_priors_are_listed_without_torch() -> None:
    """Menus, colours and help texts ask for them before anything is computed."""
    heavy_names = "{'torch', 'numpy'} & set(sys.modules)"
    code = f"import sys; from gpu.priors import PRIORS; print(len(PRIORS.names()), sorted({heavy_names}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    count, heavy = done.stdout.split(maxsplit=1)
    assert int(count) == len(PRIORS.names()) >= 11
    assert heavy.strip() == "[]"


@pytest.mark.parametrize("name", PRIORS.names())
def test_info_says_what_it_is(name: str) -> None:
    info = PRIORS.get(name).info
    assert info.title
    assert info.source
    assert info.summary.endswith(".")
    assert set(info.modes) <= {"anchored", "chained"}
    for parameter in info.parameters:
        assert parameter.low <= parameter.default <= parameter.high


def start(make: Build, flow: object, name: str, mode: str, **settings: object) -> Run:
    return PRIORS.get(name).start(make(flow, mode=mode, **settings))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), COLUMNS)
def test_random_access_equals_sequence(
    make: Build, turning: Build, name: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bit for bit, over a cut, with so little memory that chains must drop frames, and for a fresh run per frame."""
    monkeypatch.setattr(sequence, "BUDGET", 3 * 20 * 28 * 9)
    flow = turning()
    inorder = start(make, flow, name, mode, cut=6)
    frames = [inorder.frame(t) for t in range(14)]
    order = list(range(14)) * 2
    random.Random(3).shuffle(order)
    scattered = start(make, flow, name, mode, cut=6)
    for t in order:
        again = scattered.frame(t)
        assert torch.equal(again.noise, frames[t].noise), t
        assert torch.equal(again.state, frames[t].state), t
    alone = start(make, flow, name, mode, cut=6).frame(11)
    assert torch.equal(alone.noise, frames[11].noise)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), COLUMNS)
def test_frames_have_the_promised_form(make: Build, turning: Build, name: str, mode: str) -> None:
    run = start(make, turning(), name, mode, channels=3)
    for t in (0, 1, 5):
        frame = run.frame(t)
        assert frame.noise.shape == (3, 20, 28)
        assert frame.noise.dtype == torch.float32
        assert frame.state.shape == (20, 28)
        assert frame.state.dtype == torch.uint8
        assert int(frame.state.max()) <= 3
        assert bool(torch.isfinite(frame.noise).all())


@pytest.mark.parametrize(("name", "mode"), [c for c in DRAWN if PRIORS.get(c[0]).info.born_white])
def test_columns_start_equal_and_start_anew_at_a_cut(make: Build, turning: Build, name: str, mode: str) -> None:
    context = make(turning(), mode=mode, cut=4)
    run = PRIORS.get(name).start(context)
    for t in (0, 4):
        assert torch.equal(run.frame(t).noise, context.white(rng.FIELD, t))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), DRAWN)
def test_the_seed_decides(make: Build, turning: Build, name: str, mode: str) -> None:
    first, second, other = (start(make, turning(), name, mode, seed=s).frame(3).noise for s in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.allclose(first, other, atol=0.1)


@pytest.mark.parametrize(("name", "mode"), MOVING)
def test_no_motion_keeps_the_noise(make: Build, translation: Build, name: str, mode: str) -> None:
    run = start(make, translation(0, 0), name, mode)
    assert torch.allclose(run.frame(9).noise, run.frame(0).noise, rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "mode"), MOVING)
def test_whole_pixels_move_the_noise_exactly(make: Build, translation: Build, name: str, mode: str) -> None:
    """Content moves by (3, -2) a frame: right and up. What comes in is each frame's own fresh noise."""
    context = make(translation(3, -2), mode=mode)
    run = PRIORS.get(name).start(context)
    first, second = run.frame(0), run.frame(2)
    assert torch.allclose(second.noise[:, :-4, 6:], first.noise[:, 4:, :-6], rtol=0, atol=1e-5)
    assert (second.state[:-4, 6:] == 0).all()
    assert (second.state[:, :3] == 2).all()
    assert (second.state[-2:] == 2).all()
    assert (second.state[:-4, 3:6] == 1).all()
    fresh = context.white(rng.FIELD, 2)
    assert torch.allclose(second.noise[:, :, :3], fresh[:, :, :3], rtol=0, atol=1e-5)
    assert torch.allclose(second.noise[:, :-4, 3:6], run.frame(1).noise[:, 2:-2, :3], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("name", "mode"), MOVING)
def test_flow_that_is_not_finite_makes_fresh_noise(
    make: Build, translation: Build, masked: Build, name: str, mode: str
) -> None:
    flow = translation(0.4, 0.3)
    flow.vectors = flow.vectors.clone()
    flow.vectors[5:8, 10:12] = float("nan")
    flow.vectors[12, 3] = 1e9
    context = make(masked(flow, lambda t: torch.isfinite(flow.vectors).all(dim=-1)), mode=mode)
    frame = PRIORS.get(name).start(context).frame(3)
    assert bool(torch.isfinite(frame.noise).all())
    assert (frame.state[5:8, 10:12] == 2).all()
    assert frame.state[12, 3] == 2
    assert torch.allclose(frame.noise[:, 5:8, 10:12], context.white(rng.FIELD, 3)[:, 5:8, 10:12], rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), MOVING)
def test_a_hole_is_filled_once_or_ever_anew(
    make: Build, translation: Build, masked: Build, name: str, mode: str
) -> None:
    """Two-stage: fresh noise once, kept from then on. Random fill: fresh and undefined in every frame."""
    hole = torch.zeros(20, 28, dtype=torch.bool)
    hole[4:9, 6:16] = True
    flow = masked(translation(0, 0), lambda t: ~hole if t == 1 else torch.ones_like(hole))
    context = make(flow, mode=mode)
    run = PRIORS.get(name).start(context)
    assert (run.frame(1).state == 0).all()
    assert torch.equal(run.frame(2).state == 2, hole)
    assert torch.equal(run.frame(3).state == 1, hole)
    assert torch.allclose(run.frame(6).noise, run.frame(2).noise, rtol=0, atol=1e-5)
    assert torch.allclose(run.frame(6).noise[:, hole], context.white(rng.FIELD, 2)[:, hole], rtol=0, atol=1e-5)
    random_fill = start(make, flow, name, mode, fill="random")
    third, fourth = random_fill.frame(3), random_fill.frame(4)
    assert torch.equal(third.state == 3, hole)
    assert torch.equal(fourth.state == 3, hole)
    assert (third.noise - fourth.noise)[:, hole].abs().mean() > 0.5
    assert torch.allclose(third.noise[:, ~hole], fourth.noise[:, ~hole], rtol=0, atol=1e-5)


WHITE = [column for column in COLUMNS if PRIORS.get(column[0]).info.white]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "mode"), WHITE)
def test_white_priors_are_white(make: Build, turning: Build, name: str, mode: str) -> None:
    """p-values over 100 seeds are uniform. Nine KS tests each: some p below 1e-4 by chance with probability 0.0045."""
    p_values = [measure(start(make, turning(), name, mode, seed=seed).frame(2).noise).p for seed in range(100)]
    for key in p_values[0]:
        assert stats.kstest([p[key] for p in p_values], "uniform").pvalue > 1e-4, key


NOT_WHITE = [column for column in COLUMNS if not PRIORS.get(column[0]).info.white]


@pytest.mark.parametrize(("name", "mode"), NOT_WHITE)
def test_priors_said_not_to_be_white_are_caught(make: Build, turning: Build, name: str, mode: str) -> None:
    flow = turning(zoom=0.08, angle=0.05, height=80, width=100)  # the backward map contracts: the picture expands
    result = measure(start(make, flow, name, mode).frame(5).noise)
    assert result.verdict.ok is False
    assert result.verdicts["moran"].ok is False
    unit = PRIORS.get(name).info.unit_variance
    # Copies and ties make the variance of the variance larger, by at most the 4 pixels one value reaches into.
    assert (abs(result.variance - 1) < 5 * 2 * (result.variance_high - 1) / 3.3) == unit


def test_only_motion_keeps_noise_on_the_content(make: Build, translation: Build) -> None:
    """Content moves by (4, 0): only priors that use the motion correlate along it."""
    for name, mode in DRAWN:
        run = start(make, translation(4, 0, 40, 60), name, mode)
        before, after = run.frame(1).noise, run.frame(2).noise
        along = torch.corrcoef(torch.stack((before[:, :, :-4].flatten(), after[:, :, 4:].flatten())))[0, 1]
        assert (along > 0.9) == PRIORS.get(name).info.uses_motion, name
