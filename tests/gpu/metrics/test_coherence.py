"""Coherence along the motion: against a brute-force simulation of perfect area transport with fine white noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gpu import compiled
from gpu.flow.maps import bilinear, inside
from gpu.metrics.coherence import ceiling, correlation

HEIGHT, WIDTH, FINE, CHANNELS, MARGIN = 90, 110, 8, 6, 22


def grid(height: int, width: int) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    return torch.stack((x, y), dim=-1)


def rotation(degrees: float) -> torch.Tensor:
    a = math.radians(degrees)
    return torch.tensor([[math.cos(a), -math.sin(a)], [math.sin(a), math.cos(a)]])


def transported(matrix: torch.Tensor, shift: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noise of two frames, the second by summing fine noise over the image of each pixel, and the positions."""
    generator = torch.Generator().manual_seed(0)
    fine = torch.randn(CHANNELS, HEIGHT * FINE, WIDTH * FINE, generator=generator) / FINE
    other = fine.reshape(CHANNELS, HEIGHT, FINE, WIDTH, FINE).sum(dim=(2, 4))
    centre = torch.tensor([WIDTH / 2, HEIGHT / 2])
    positions = (grid(HEIGHT, WIDTH) - centre) @ matrix.T + centre + shift
    # Which pixel of this frame sees each fine cell: the inverse map, at the cell's centre.
    sees = (grid(HEIGHT * FINE, WIDTH * FINE) / FINE - centre - shift) @ torch.linalg.inv(matrix).T + centre
    pixel = sees.floor().long()
    used = inside(sees, HEIGHT, WIDTH) & (pixel[..., 0] < WIDTH) & (pixel[..., 1] < HEIGHT)
    index = (pixel[..., 1] * WIDTH + pixel[..., 0])[used]
    total = torch.zeros(CHANNELS, HEIGHT * WIDTH).index_add_(1, index, fine[:, used])
    count = torch.bincount(index, minlength=HEIGHT * WIDTH).clamp(min=1)
    return other, (total * FINE / count.sqrt()).reshape(CHANNELS, HEIGHT, WIDTH), positions


def middle() -> torch.Tensor:
    valid = torch.zeros(HEIGHT, WIDTH, dtype=torch.bool)
    valid[MARGIN:-MARGIN, MARGIN:-MARGIN] = True
    return valid


EYE = torch.eye(2)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("matrix", "shift"),
    [
        (EYE, (0.0, 0.0)),
        (EYE, (0.25, -0.375)),
        (EYE, (2.5, -1.5)),
        (rotation(2), (0.0, 0.0)),
        (rotation(20), (0.2, 0.1)),
        (rotation(45), (0.0, 0.0)),
        (torch.diag(torch.tensor([1.313, 0.827])), (0.0, 0.1)),
        (0.5 * EYE, (0.0, 0.0)),
        (1.371 * EYE, (0.0, 0.0)),
        (torch.tensor([[1.0, 0.4], [0.0, 1.0]]), (0.0, 0.375)),
        (0.8 * rotation(30), (0.0, 0.0)),
    ],
)
def test_ceiling_is_what_perfect_transport_reaches(matrix: torch.Tensor, shift: tuple[float, float]) -> None:
    other, this, positions = transported(matrix, torch.tensor(shift))
    valid = middle()
    measured, n = correlation(other, this, positions, valid)
    assert n == int(valid.sum())
    # 6 * 3036 values: standard error below 0.005; 4 of them are exceeded with probability 6e-5. Fractions that repeat
    # over the frame are whole eighths here, so that each fine cell lies in one pixel.
    assert ceiling(positions, valid) == pytest.approx(measured, abs=4 * 0.005)


def test_ceiling_of_uniform_offsets_is_two_thirds() -> None:
    """A slight shear spreads the fractions evenly over [0, 1)^2."""
    matrix = torch.tensor([[1.0, 1 / 37], [1 / 29, 1.0]])
    positions = grid(400, 500) @ matrix.T
    valid = torch.ones(400, 500, dtype=torch.bool)
    assert ceiling(positions, valid) == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.0), (0.5, 0.0), (0.5, 0.5), (0.1, 0.7)])
def test_ceiling_of_a_translation_is_exact(a: float, b: float) -> None:
    positions = grid(30, 40) + torch.tensor([a + 3, b - 2])
    theory = math.sqrt((a * a + (1 - a) ** 2) * (b * b + (1 - b) ** 2))
    assert ceiling(positions, torch.ones(30, 40, dtype=torch.bool)) == pytest.approx(theory, abs=1e-4)


def test_ceiling_without_pixels_is_undefined() -> None:
    positions = grid(20, 20)
    assert math.isnan(ceiling(positions, torch.zeros(20, 20, dtype=torch.bool)))
    assert math.isnan(ceiling(positions * 9, torch.ones(20, 20, dtype=torch.bool)))
    assert math.isnan(ceiling(grid(1, 1), torch.ones(1, 1, dtype=torch.bool)))
    assert math.isnan(ceiling(torch.full((20, 20, 2), math.nan), torch.ones(20, 20, dtype=torch.bool)))


def test_correlation_follows_the_motion_and_not_its_opposite() -> None:
    """Content moves by (dx, dy) = (3, -2): what is at p was at p - (3, -2)."""
    other = torch.randn(4, 40, 50, generator=torch.Generator().manual_seed(1))
    this = other.roll((-2, 3), dims=(1, 2))
    valid = torch.ones(40, 50, dtype=torch.bool)
    value, n = correlation(other, this, grid(40, 50) + torch.tensor([-3.0, 2.0]), valid)
    assert value == pytest.approx(1, abs=1e-6)
    assert n == 38 * 47  # the rolled-in border is outside the other frame
    wrong, _ = correlation(other, this, grid(40, 50) + torch.tensor([3.0, -2.0]), valid)
    assert abs(wrong) < 5 / math.sqrt(4 * n)


def test_correlation_of_independent_noise_is_zero_and_degenerate_input_is_nan() -> None:
    generator = torch.Generator().manual_seed(2)
    a, b = torch.randn(2, 4, 60, 60, generator=generator)
    valid = torch.ones(60, 60, dtype=torch.bool)
    value, n = correlation(a, b, grid(60, 60) + 0.3, valid)
    assert abs(value) < 5 / math.sqrt(4 * n)
    assert math.isnan(correlation(a, torch.ones_like(b), grid(60, 60), valid)[0])
    nan, n = correlation(a, b, grid(60, 60), torch.zeros_like(valid))
    assert math.isnan(nan)
    assert n == 0
    positions = grid(60, 60)
    positions[10, 10] = math.nan
    value, n = correlation(a, a, positions, valid)
    assert (value, n) == (pytest.approx(1, abs=1e-6), 3599)


def test_bilinear_sampling() -> None:
    field = torch.arange(12.0).reshape(1, 3, 4)  # 4 y + x at pixel (y, x)
    at = torch.tensor([[0.5, 0.5], [3.5, 2.5], [1.25, 1.0], [0.0, 0.5], [4.0, 3.0], [-9.0, 99.0]])
    assert bilinear(field, at)[0].tolist() == pytest.approx([0, 11, 4 * 0.5 + 0.75, 0, 11, 8])
    big = torch.randn(2, 150, 170, generator=torch.Generator().manual_seed(3))  # more positions than one chunk
    assert torch.equal(bilinear(big, grid(150, 170)), big)
    assert torch.equal(
        bilinear(big, grid(150, 170) + torch.tensor([7.0, -4.0]))[:, 10:-10, 10:-10], big[:, 6:-14, 17:-3]
    )


@pytest.mark.parametrize(
    ("x", "y", "n"), [(0.2, 0.0, 9 * 6), (-0.2, 0.0, 9 * 6), (0.0, 0.3, 10 * 5), (0.1, 0.1, 9 * 5), (0, 0, 60)]
)
def test_positions_nearer_to_the_border_than_half_a_pixel_do_not_count(x: float, y: float, n: int) -> None:
    """There two of the four neighbours are missing: of 10 x 6 pixels moved a little, a column or a row less."""
    noise = torch.randn(2, 6, 10, generator=torch.Generator().manual_seed(5))
    positions = grid(6, 10) + torch.tensor([float(x), float(y)])
    assert correlation(noise, noise, positions, torch.ones(6, 10, dtype=torch.bool))[1] == n


def test_correlation_is_pearsons_of_all_channels_together() -> None:
    """Against numpy, of values whose means are not 0, where half of the pixels are valid."""
    a, b = torch.randn(2, 3, 8, 9, generator=torch.Generator().manual_seed(6)) + torch.tensor([5.0, -2.0]).view(
        2, 1, 1, 1
    )
    valid = torch.rand(8, 9, generator=torch.Generator().manual_seed(7)) < 0.5
    value, n = correlation(a, a + 0.7 * b, grid(8, 9), valid)
    assert n == int(valid.sum())
    expected = np.corrcoef(a[:, valid].reshape(-1).numpy(), (a + 0.7 * b)[:, valid].reshape(-1).numpy())[0, 1]
    assert value == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("across", "down"), [(1, 0), (0, 1)])
def test_the_ceiling_leaves_out_what_is_stretched_fourfold(across: int, down: int) -> None:
    """A pixel's image of 3.99 x 1 still counts, one of 4.01 x 1 does not; of both kinds only the first enters."""

    def stretched(factor: float) -> torch.Tensor:
        centre = torch.tensor([60.0, 60.0])
        scale = torch.tensor([factor if across else 1.0, factor if down else 1.0])
        return (grid(24, 24) - 12) * scale + centre

    valid = torch.ones(24, 24, dtype=torch.bool)

    def of(positions: torch.Tensor) -> float:
        whole = torch.full((120, 120, 2), math.nan)
        whole[:24, :24] = positions
        return ceiling(whole, torch.nn.functional.pad(valid, (0, 96, 0, 96)))

    assert of(stretched(3.99)) > 0
    assert math.isnan(of(stretched(4.01)))


@pytest.mark.parametrize(("factor", "expected"), [(0.5, 0.5), (0.25, 0.25), (3.0, 1 / 3)])
def test_the_ceiling_about_a_centre_is_the_share_of_the_noise(factor: float, expected: float) -> None:
    """An image of f x f about the centre of a pixel Q, which is all that is sampled: G = W(A) / f and S = W(Q), so that the
    correlation is f where A lies in Q, and 1/f where Q lies in A (f = 3: in the middle of its 3 x 3 boxes)."""
    places, valid = torch.full((90, 90, 2), math.nan), torch.zeros(90, 90, dtype=torch.bool)
    places[10:13, 10:13] = (grid(3, 3) - 1.5) * factor + torch.tensor([40.5, 30.5])
    valid[10:13, 10:13] = True  # a pixel with its four neighbours
    assert ceiling(places, valid) == pytest.approx(expected, abs=1e-4)


@pytest.mark.slow
@pytest.mark.skipif(not compiled.available(), reason="numba is not installed")
@pytest.mark.parametrize("seed", range(4))
def test_compiled_code_gives_the_numbers_of_torch(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Along motions that turn, stretch and leave the frame, with holes; also where hardly anything is left."""
    random = torch.Generator().manual_seed(seed)
    first, second = torch.randn(2, 3, 190, 210, generator=random)[:, :, : 190 - 40 * seed].unbind()
    height, width = first.shape[1:]
    matrix = rotation(20.0 * seed) @ torch.tensor([[1.0 + 0.4 * seed, 0.1], [-0.2, 1.0]])
    middle = torch.tensor([width / 2, height / 2])
    positions = (grid(height, width) - middle) @ matrix.T + middle + torch.randn(height, width, 2, generator=random) / 4
    valid = torch.rand(height, width, generator=random) > 0.03
    positions[5, 5], positions[9, 9, 0] = math.nan, math.inf
    second = second + bilinear(first, positions)
    cases = [
        (first, second, valid),
        (first[:, ::2, ::2], second[:, ::2, ::2], valid[::2, ::2]),
        (first, first, valid & False),
    ]
    cases += [(torch.ones_like(first), second, valid), (first, torch.zeros_like(first), valid)]

    def numbers() -> list[float]:
        here = []
        for other, this, there in cases:
            places = positions[: there.shape[0], : there.shape[1]]
            here += [*correlation(other, this, places, there), ceiling(places, there)]
        return here

    by_code = numbers()
    monkeypatch.setattr(compiled, "available", lambda: False)
    by_torch = numbers()
    assert by_code == pytest.approx(by_torch, rel=1e-5, abs=1e-6, nan_ok=True)
    assert abs(by_code[0]) > 0.1
    assert math.isnan(by_code[6])
    assert math.isnan(by_code[9])
    assert math.isnan(by_code[12])
