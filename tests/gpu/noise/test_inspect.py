"""The pixel inspector's numbers: what is shown adds up to the noise that the backends make, whatever the motion."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gpu.noise.inspection import Footprint
from gpu.noise.ownership import Rasteriser
from gpu.noise.states import INHERITED, KEPT, NEW, UNDEFINED
from tests.gpu.noise import motions

SIZE = (30, 46)
CHANNELS = 2


def rebuilt(foot: Footprint) -> np.ndarray:
    """sum · sqrt(N_k / |Ω|), by hand."""
    return foot.values.astype(np.float64).sum(1) * np.sqrt(4.0**foot.level / foot.count)


@pytest.mark.slow
@pytest.mark.parametrize("name", motions.ALL)
def test_sub_pixels_add_up_to_the_noise(name: str, rasteriser: Rasteriser) -> None:
    carrier = motions.carrier(motions.ALL[name](SIZE), rasteriser)
    pick = np.random.default_rng(5)
    for t in (1, 3):
        noise, state = carrier.integral(t, CHANNELS)
        gathered, owned = carrier.gather(carrier.tracks.before_renewal(t), t, CHANNELS)
        for x, y in zip(pick.integers(0, SIZE[1], 6), pick.integers(0, SIZE[0], 6), strict=True):
            inspection = carrier.inspect(t, int(x), int(y), CHANNELS)
            foot = inspection.footprint
            assert foot is not None
            value = noise[:, y, x].numpy()
            np.testing.assert_allclose(inspection.value, value, atol=1e-4)
            np.testing.assert_allclose(rebuilt(foot), value, atol=1e-4)
            assert inspection.state == state[y, x]
            assert len({tuple(place) for place in foot.subpixels.tolist()}) == foot.count
            if inspection.state in (KEPT, INHERITED):
                assert foot.count == owned[y, x]
                np.testing.assert_allclose(rebuilt(foot), gathered[:, y, x], atol=1e-4)
                assert foot.anchor == carrier.tracks.transported(t).label[y, x]
                assert foot.count <= foot.covered
            else:
                assert foot.anchor == t
                assert "fresh noise" in inspection.sentence


def test_a_fraction_of_a_pixel(rasteriser: Rasteriser) -> None:
    """Moved by (2.5, -1): the outline is a unit square half way between two pixels, 8 of whose columns come from each."""
    carrier = motions.carrier(motions.translation(SIZE, 2.5, -1), rasteriser)
    foot = carrier.inspect(1, 20, 10, CHANNELS).footprint
    assert foot is not None
    np.testing.assert_allclose(foot.position, (18.0, 11.5))
    assert (foot.polygon.min(0), foot.polygon.max(0)) == (pytest.approx((17.5, 11)), pytest.approx((18.5, 12)))
    assert foot.area == pytest.approx(1)
    assert foot.jacobian == pytest.approx(1)
    assert foot.count == foot.covered == 64
    assert set((foot.subpixels[:, 0] // 8).tolist()) == {17, 18}
    assert {(neighbour.x - 20, neighbour.y - 10) for neighbour in foot.neighbours} == {
        (dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1) if dx or dy
    }
    right = next(neighbour for neighbour in foot.neighbours if (neighbour.x, neighbour.y) == (21, 10))
    np.testing.assert_allclose(right.polygon, foot.polygon + np.array([1, 0]), atol=1e-4)


def test_jacobian_and_area_of_a_zoom(rasteriser: Rasteriser) -> None:
    carrier = motions.carrier(motions.zoom(SIZE, 1.3), rasteriser)
    foot = carrier.inspect(2, 20, 10, CHANNELS).footprint
    assert foot is not None
    assert foot.area == pytest.approx(1.3**-4, rel=0.02)
    assert foot.jacobian == pytest.approx(1.3**-4, rel=0.02)
    assert foot.count / 4**foot.level == pytest.approx(foot.area, abs=0.15)


@pytest.mark.slow
def test_why_a_pixel_is_fresh(rasteriser: Rasteriser) -> None:
    moved = motions.carrier(motions.translation(SIZE, 2.5, -1), rasteriser)
    first = moved.inspect(0, 3, 3, CHANNELS)
    assert "first of its shot" in first.sentence
    assert first.footprint is not None
    assert first.footprint.count == 64
    entered = moved.inspect(1, 1, 10, CHANNELS)
    assert entered.state == NEW
    assert "outside the picture" in entered.sentence
    unseen = motions.Given(SIZE, lambda t: torch.zeros(*SIZE, 2), valid=lambda t: torch.zeros(SIZE, dtype=torch.bool))
    hidden = motions.carrier(unseen, rasteriser).inspect(1, 5, 5, CHANNELS)
    assert "forward-backward check" in hidden.sentence
    random_fill = motions.carrier(unseen, rasteriser, fill="random").inspect(1, 5, 5, CHANNELS)
    assert random_fill.state == UNDEFINED
    assert "Random fill" in random_fill.sentence
    folded = motions.carrier(motions.fold(SIZE), rasteriser)
    lost = torch.nonzero((folded.integral(1, 1)[1] == NEW) & (folded.tracks.before_renewal(1).state != NEW))
    assert len(lost)
    y, x = lost[0].tolist()
    inspection = folded.inspect(1, x, y, CHANNELS)
    assert "folds" in inspection.sentence or "shrunk" in inspection.sentence
    assert inspection.footprint is not None
    assert inspection.footprint.anchor == 1


@pytest.mark.slow
def test_frames_beyond_one_piece_and_sparse_anchors(rasteriser: Rasteriser) -> None:
    """A frame of several pieces of 32 pixels, whose outlines cross their borders, and anchors that few pixels look at."""
    size = (40, 70)
    carrier = motions.carrier(motions.layers(size), rasteriser)
    noise, state = carrier.integral(4, CHANNELS)
    track = carrier.tracks.transported(4)
    later = torch.nonzero((track.label > 0) & (state == INHERITED))
    crossing = torch.nonzero(((track.position - 32).abs() < 0.45).any(-1) & (state == KEPT))
    assert len(later) > 3
    assert len(crossing) > 3
    for y, x in [*later[::17].tolist(), *crossing[::11].tolist()]:
        inspection = carrier.inspect(4, x, y, CHANNELS)
        assert inspection.footprint is not None
        assert inspection.footprint.anchor == track.label[y, x]
        np.testing.assert_allclose(rebuilt(inspection.footprint), noise[:, y, x], atol=1e-4)
