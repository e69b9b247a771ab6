"""Display matrices: every quarter turn, mirrored or not, against the matrix at work on positions."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from gpu.decoders.interlacing import combed
from gpu.decoders.orientation import ONE, Orientation, from_matrix, turned


def matrix(a: float, b: float, c: float, d: float) -> bytes:
    numbers = [a, b, 0, c, d, 0, 0, 0, 1 << 14]
    return struct.pack("=9i", *(round(number * ONE) for number in numbers))


@pytest.mark.parametrize("signs", [(x, y) for x in (1, -1) for y in (1, -1)])
@pytest.mark.parametrize("swap", [False, True])
def test_pixels_go_where_the_matrix_sends_them(signs: tuple[int, int], swap: bool) -> None:
    """A stored position (p, q) is shown at (a p + c q, b p + d q), moved back into the frame."""
    across, down = signs
    a, b, c, d = (0, down, across, 0) if swap else (across, 0, 0, down)
    stored = np.arange(6, dtype=np.uint8).reshape(2, 3, 1)
    orientation, exact = from_matrix(matrix(a, b, c, d))
    assert exact
    shown = turned(stored, orientation)
    places = {}
    for q in range(2):
        for p in range(3):
            places[a * p + c * q, b * p + d * q] = stored[q, p, 0]
    columns, rows = (sorted({place[axis] for place in places}) for axis in (0, 1))
    expected = np.array([[places[x, y] for x in columns] for y in rows])
    np.testing.assert_array_equal(shown[..., 0], expected)


def test_odd_angles_are_the_nearest_quarter_and_said() -> None:
    turn = np.deg2rad(80)
    orientation, exact = from_matrix(matrix(np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)))
    assert orientation == Orientation(True, False, True)
    assert not exact
    assert from_matrix(bytes(36)) == (Orientation(), True), "a header of zeros says nothing"
    with pytest.raises(ValueError, match="nine numbers"):
        from_matrix(b"short")


def test_combs_are_two_moments_and_not_detail() -> None:
    rng = np.random.default_rng(2)
    texture = np.kron(rng.integers(0, 256, (24, 40)), np.ones((4, 4))).astype(np.uint8)
    assert not combed(texture)
    woven = texture.copy()
    woven[1::2] = np.roll(texture, 6, axis=1)[1::2]
    assert combed(woven)
    part = texture.copy()
    part[40:64:2, 60:90] = np.roll(texture, 6, axis=1)[40:64:2, 60:90]  # something small moves
    assert combed(part)
    noise = rng.integers(120, 124, texture.shape).astype(np.uint8)
    assert not combed(noise)
    assert not combed(texture[:1])
