"""What every deformation in the registry must keep to: exact maps there and back, on known grids, with known signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu.errors import SessionError
from gpu.flow import maps
from gpu.session import SourceSettings
from gpu.source.deformations import DEFORMATIONS, Grid, Values, Warp, derivative, resolve
from gpu.source.deformations.kit.newton import invert
from gpu.source.synthetic.source import SyntheticSource, open_synthetic
from gpu.source.synthetic.truth import DeformationTruth

GRID = Grid(40, 56, 24)
NAMES = DEFORMATIONS.names()
SMOOTH = [name for name in NAMES if name not in ("layers", "fold")]
TIMES = (0, 9, 22)


def values_of(name: str, **given: float | str) -> Values:
    return resolve(name, DEFORMATIONS.get(name), given)


def warp_of(name: str, **given: float | str) -> Warp:
    return DEFORMATIONS.get(name).make(GRID, values_of(name, **given))


def truth_of(name: str, grid: Grid = GRID, **given: float | str) -> DeformationTruth:
    return DeformationTruth(DEFORMATIONS.get(name).make(grid, values_of(name, **given)), grid)


def reference(warp: Warp, t: int, points: torch.Tensor) -> torch.Tensor:
    return warp.to_reference(t, points, warp.surface(t, points))


def exact(truth: DeformationTruth, start: int, end: int, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where what is seen at `points` of frame `start` is in frame `end`, and whether it is seen there."""
    warp = truth.warp
    surface = warp.surface(start, points)
    there = warp.from_reference(end, warp.to_reference(start, points, surface), surface, points)
    seen = there.isfinite().all(-1) & (surface >= 0) & (warp.surface(end, there.nan_to_num(-1e9)) == surface)
    return there, seen


def test_the_registry_holds_what_the_design_lists() -> None:
    wanted = "translation rotation zoom shear swirl wave lens perspective turbulence rotation-zoom fold layers formula"
    assert set(wanted.split()) <= set(NAMES)
    for _, deformation in DEFORMATIONS.items():
        assert deformation.title
        assert deformation.about.endswith(".")
        for info in deformation.parameters:
            assert info.text or info.low <= info.default <= info.high
            assert info.tip


@pytest.mark.parametrize("name", NAMES)
def test_frame_0_is_the_reference(name: str) -> None:
    truth = truth_of(name)
    assert np.array_equal(
        truth.to_reference(0),
        maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64).numpy().astype(np.float32),
    )
    assert np.allclose(truth.jacobian(0), 1, atol=1e-6)
    assert truth.reference_valid(0).all()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("t", TIMES)
def test_forward_undoes_backward(name: str, t: int) -> None:
    """At the exact positions between the pixels, and so in the flows' own values."""
    truth = truth_of(name)
    centres = maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64)
    backward, valid = torch.from_numpy(truth.backward(t)).double(), truth.valid(t)
    assert valid.mean() > 0.5
    assert not valid[~np.isfinite(truth.backward(t)).all(-1)].any()
    there, seen = exact(truth, t, t + 1, centres + backward)
    assert seen.numpy()[valid].mean() > 0.995  # float32 can push a point over the edge of a layer or a fold
    both = torch.from_numpy(valid) & seen
    assert (there - centres)[both].abs().max() < 1e-3
    forward, valid_forward = torch.from_numpy(truth.forward(t)).double(), truth._step(t, t + 1).valid
    back, seen = exact(truth, t + 1, t, centres + forward)
    both = torch.from_numpy(valid_forward) & seen
    assert seen.numpy()[valid_forward].mean() > 0.995
    assert (back - centres)[both].abs().max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_valid_means_inside_the_frame_before(name: str) -> None:
    truth = truth_of(name)
    for t in TIMES:
        at = maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64).numpy() + truth.backward(t)
        inside = ((at >= 0) & (at <= [GRID.width, GRID.height])).all(-1)
        assert not truth.valid(t)[~inside].any()


@pytest.mark.parametrize("name", SMOOTH)
def test_within_the_frame_all_is_valid_where_nothing_hides(name: str) -> None:
    truth = truth_of(name)
    at = maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64).numpy() + truth.backward(9)
    inside = ((at >= 1e-3) & (at <= [GRID.width - 1e-3, GRID.height - 1e-3])).all(-1)
    assert truth.valid(9)[inside].all()


@pytest.mark.parametrize("name", NAMES)
def test_the_determinant_is_that_of_finite_differences(name: str) -> None:
    warp, t = warp_of(name), 17
    random = torch.Generator().manual_seed(1)
    points = torch.rand(400, 2, generator=random, dtype=torch.float64) * torch.tensor([GRID.width, GRID.height])
    step = 1e-5
    across, down = torch.tensor([step, 0.0]).double(), torch.tensor([0.0, step]).double()
    surface = warp.surface(t, points)
    # A difference across the outline of a layer is no derivative.
    whole = torch.stack([warp.surface(t, points + s * d) == surface for s in (1, -1) for d in (across, down)]).all(0)
    dx, dy = (
        (warp.to_reference(t, points + d, surface) - warp.to_reference(t, points - d, surface)) / (2 * step)
        for d in (across, down)
    )
    differences = dx[:, 0] * dy[:, 1] - dx[:, 1] * dy[:, 0]
    assert whole.float().mean() > 0.95
    assert torch.allclose(warp.determinant(t, points)[whole], differences[whole], atol=1e-5, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_accumulated_backward_flow_is_the_map(name: str) -> None:
    """Points followed back step by step, exactly, arrive where `to_reference` says."""
    truth, t = truth_of(name), 12
    points = maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64)
    at, alive = points, torch.ones(GRID.height, GRID.width, dtype=torch.bool)
    for step in range(t, 0, -1):
        at, seen = exact(truth, step, step - 1, at)
        alive &= seen
        at = at.nan_to_num(0)
    assert alive.float().mean() > 0.3  # objects cover much of so small a frame
    assert np.abs(at.numpy() - truth.to_reference(t))[alive.numpy()].max() < 2e-3


@pytest.mark.parametrize("name", ["rotation-zoom", "swirl", "wave"])
def test_flow_is_the_difference_of_neighbouring_maps(name: str) -> None:
    """backward[t] carries Phi_{t+1} onto Phi_t: Phi_{t+1}(p) = Phi_t(p + backward[t](p))."""
    truth, t = truth_of(name), 11
    at = maps.pixel_centres(GRID.height, GRID.width, dtype=torch.float64) + torch.from_numpy(truth.backward(t)).double()
    assert np.abs(reference(truth.warp, t, at).numpy() - truth.to_reference(t + 1)).max() < 1e-4


def test_translation_moves_the_picture_to_the_right_and_down() -> None:
    truth = truth_of("translation", dx=2.5, dy=0.75)
    assert np.allclose(truth.backward(3), [-2.5, -0.75])
    assert np.allclose(truth.forward(3), [2.5, 0.75])
    assert np.allclose(truth.to_reference(4) - truth.to_reference(0), [-10, -3])
    valid = truth.valid(3)  # what came in from the left and from above
    assert not valid[:, :2].any()
    assert not valid[:1].any()
    assert valid[1:, 3:].all()


def test_rotation_is_clockwise_on_the_screen() -> None:
    """What was at the right of the centre is below it a quarter turn later."""
    warp = warp_of("rotation", degrees=9)
    x, y = GRID.centre
    below = torch.tensor([[x, y + 7.0]], dtype=torch.float64)
    assert torch.allclose(reference(warp, 10, below), torch.tensor([[x + 7.0, y]], dtype=torch.float64))


def test_zoom_and_its_area() -> None:
    truth = truth_of("zoom", factor=1.02)
    corner = truth.to_reference(10)[0, 0]
    centre = np.array(GRID.centre)
    assert np.allclose(corner, centre + (np.array([0.5, 0.5]) - centre) / 1.02**10, atol=1e-4)
    assert np.allclose(truth.jacobian(10), 1.02**-20, rtol=1e-5)
    assert truth_of("zoom", factor=0.98).jacobian(10).min() > 1


def test_shear_slides_rows_by_their_distance_from_the_centre() -> None:
    backward = truth_of("shear", across=0.1, down=0).backward(0)
    assert np.allclose(backward[..., 0], -0.1 * (np.arange(40) + 0.5 - 20)[:, None], atol=1e-5)
    assert np.allclose(backward[..., 1], 0, atol=1e-6)


def test_swirl_turns_the_middle_alone() -> None:
    grid = Grid(101, 101, 10)
    truth = truth_of("swirl", grid, degrees=3, radius=0.1)
    flow = truth.backward(4)
    beside = flow[50, 52]  # two pixels right of the centre: the picture comes from above
    expected = math.radians(3) * math.exp(-0.5 * (2 / 10.1) ** 2)
    assert beside[1] == pytest.approx(-2 * math.sin(expected), abs=1e-4)
    assert np.abs(flow[0]).max() < 1e-3


def test_a_lens_magnifies_at_its_middle() -> None:
    truth = truth_of("lens", strength=0.5, travel=0, period=20)
    assert truth.jacobian(10)[20, 28] == pytest.approx(0.25, abs=0.01)
    assert truth_of("lens", strength=-0.5, travel=0, period=20).jacobian(10)[20, 28] > 2


def test_a_board_that_swings_shows_its_near_side_larger() -> None:
    truth = truth_of("perspective", yaw=30, pitch=0, period=40)
    areas = truth.jacobian(10)
    assert areas[20, 2] / areas[20, -3] > 1.5 or areas[20, -3] / areas[20, 2] > 1.5
    assert np.allclose(areas[:, 28], areas[::-1, 28], rtol=1e-4)


def test_a_board_seen_edge_on_from_near_leaves_invalid_pixels_and_no_nan() -> None:
    truth = truth_of("perspective", yaw=60, pitch=60, period=20, distance=0.6)
    for t in range(9):
        for array in (truth.backward(t), truth.forward(t), truth.to_reference(t), truth.jacobian(t)):
            assert np.isfinite(array).all()
    assert 0 < min(truth.valid(t).mean() for t in range(9)) < 1


@pytest.mark.parametrize("pattern", [1, 2, 3])
def test_turbulence_is_smooth_and_another_for_every_pattern(pattern: int) -> None:
    truth = truth_of("turbulence", pattern=pattern)
    flow = truth.backward(12)
    assert np.abs(np.diff(flow, axis=0)).max() < 1
    assert not np.allclose(flow, truth_of("turbulence", pattern=pattern + 10).backward(12), atol=0.1)


def test_the_fold_repeats_the_outside_inside() -> None:
    grid = Grid(80, 80, 48)
    truth = truth_of("fold", grid, strength=2, radius=0.15, travel=0, period=48)
    t, radius = 23, 12.0
    # At frame 24 the strength is 2: R(r) = r (1 - 2 exp(-r^2 / (2 radius^2))), zero at radius sqrt(2 ln 2).
    inner = radius * math.sqrt(2 * math.log(2))
    distance = np.hypot(*np.moveaxis(maps.pixel_centres(80, 80, dtype=torch.float64).numpy() - 40, -1, 0))
    valid = truth.valid(t)
    assert not valid[distance < inner - 0.01].any()
    edge = valid[(distance > inner + 1) & (distance < 38)]
    assert edge.all()
    places = truth.to_reference(t + 1)
    inside = np.argwhere((distance < inner - 1) & (distance > 2))
    visible = places[distance > inner]
    gaps = [np.hypot(*(visible - places[i, j]).T).min() for i, j in inside[::17]]
    assert max(gaps) < 1.5  # every point seen inside is seen outside too
    assert (truth.jacobian(t + 1)[distance < inner - 0.5] < 0).any()


def test_the_visible_sheet_of_a_fold_is_one_to_one() -> None:
    """No two visible points share a place, as the areas of their places tell: they add up to no more than the plane."""
    grid = Grid(80, 80, 48)
    truth = truth_of("fold", grid, strength=2.5, radius=0.12, travel=0, period=48)
    label = truth.places(24)[1].numpy()
    areas = truth.jacobian(24)
    assert (areas[label == 0] > -1e-6).all()
    shown = truth.to_reference(24)
    frame = (shown[-1, -1] - shown[0, 0] + 1).prod()  # the drop ends well before the border
    assert areas[label == 0].sum() == pytest.approx(frame, rel=0.03)


def test_pixels_of_the_other_sheet_point_at_the_visible_one() -> None:
    grid = Grid(80, 80, 48)
    truth = truth_of("fold", grid, strength=2, radius=0.15, travel=0, period=48)
    at = maps.pixel_centres(80, 80, dtype=torch.float64) + torch.from_numpy(truth.backward(24)).double()
    hidden = truth.places(25)[1] < 0
    assert (truth.warp.surface(24, at)[hidden] == 0).all()
    assert np.abs(reference(truth.warp, 24, at).numpy() - truth.to_reference(25))[hidden.numpy()].max() < 1e-3


def test_newton_gives_nothing_where_there_is_no_solution() -> None:
    target = torch.tensor([[3.0, 1.0], [-3.0, 1.0], [math.nan, 0.0]], dtype=torch.float64)
    near = torch.ones(3, 2, dtype=torch.float64)
    solution = invert(lambda p: torch.stack([p[..., 0] ** 2, p[..., 1] ** 3], dim=-1), target, near)
    assert torch.allclose(solution[0], torch.tensor([math.sqrt(3), 1.0], dtype=torch.float64), atol=1e-6)
    assert solution[1:].isnan().all()


def test_derivative_of_a_linear_map() -> None:
    points = torch.rand(5, 2, dtype=torch.float64)
    value, along_x, along_y = derivative(lambda p: torch.stack([2 * p[..., 0] + p[..., 1], 3 * p[..., 1]], -1), points)
    assert torch.allclose(value[:, 1], 3 * points[:, 1])
    assert (along_x == torch.tensor([2.0, 0.0])).all()
    assert (along_y == torch.tensor([1.0, 3.0])).all()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"speed": 1}, "no parameter 'speed'"),
        ({"dx": math.nan}, "finite number"),
        ({"dx": math.inf}, "finite number"),
        ({"dx": "fast"}, "finite number"),
        ({"dx": True}, "finite number"),
        ({"dx": 1000}, "between -32 and 32"),
    ],
)
def test_bad_parameters_are_named(given: dict[str, float | str], said: str) -> None:
    with pytest.raises(SessionError, match=said) as caught:
        open_synthetic(SourceSettings("synthetic", name="translation", parameters=given))
    assert "translation" in str(caught.value)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [(1, 1), (2, 300), (65, 3)])
def test_any_size_of_grid_works(name: str, size: tuple[int, int]) -> None:
    grid = Grid(*size, 6)
    picture = np.zeros((*size, 3), np.uint8)
    source = SyntheticSource(name, picture, DEFORMATIONS.get(name).make(grid, values_of(name)), grid)
    assert source.frame(4).shape == (*size, 3)
    for array in (source.truth.backward(4), source.truth.forward(4), source.truth.to_reference(4)):
        assert array.shape == (*size, 2)
        assert np.isfinite(array).all()
    assert source.truth.valid(4).shape == size


@pytest.mark.parametrize("name", NAMES)
def test_extreme_parameters_give_finite_motion(name: str) -> None:
    for low in (True, False):
        given = {
            info.name: info.low if low else info.high for info in DEFORMATIONS.get(name).parameters if not info.text
        }
        truth = truth_of(name, **given)
        for array in (truth.backward(20), truth.forward(20), truth.to_reference(21), truth.jacobian(21)):
            assert np.isfinite(array).all()


def test_frames_outside_the_range_are_refused() -> None:
    truth = truth_of("rotation")
    for call in (truth.backward, truth.forward, truth.valid):
        with pytest.raises(IndexError):
            call(GRID.frames - 1)
    with pytest.raises(IndexError):
        truth.to_reference(-1)
    with pytest.raises(IndexError):
        truth.jacobian(GRID.frames)


def test_any_order_gives_the_same_motion() -> None:
    first, other = truth_of("turbulence"), truth_of("turbulence")
    forwards = [first.backward(t) for t in range(10)]
    assert all(np.array_equal(other.backward(t), forwards[t]) for t in reversed(range(10)))
