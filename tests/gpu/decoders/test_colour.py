"""Colours that FFmpeg's scaler does not know: against the equations of the standards, worked backwards."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpu.decoders import colour
from gpu.session import SourceSettings
from gpu.source.opening import open_source
from tests.gpu.source.second_decoder import ffmpeg

COLOURS = np.array([[0, 0, 0], [255, 255, 255], [200, 40, 90], [10, 220, 60], [30, 60, 240], [128, 128, 128]]) / 255


def coded(luma: np.ndarray, first: np.ndarray, second: np.ndarray, full: bool) -> np.ndarray:
    """(3, 1, N) of 16 bits (ITU-T H.273, equations 20 to 28)."""
    if full:
        planes = [luma * 65535, first * 65535 + 32768, second * 65535 + 32768]
    else:
        planes = [(219 * luma + 16) * 256, (224 * first + 128) * 256, (224 * second + 128) * 256]
    return np.clip(np.rint(planes), 0, 65535).astype(np.uint16)[:, None]


def ycgco(rgb: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    red, green, blue = rgb.T
    return 0.5 * green + 0.25 * (red + blue), 0.5 * green - 0.25 * (red + blue), 0.5 * (red - blue)


@pytest.mark.parametrize("full", [False, True])
def test_ycgco_is_undone(full: bool) -> None:
    rgb = colour.from_planes(coded(*ycgco(COLOURS), full), colour.YCGCO, 1, full, colour.PEAK, False)
    np.testing.assert_allclose(rgb[0], COLOURS * 255, atol=0.51)


def test_a_film_in_ycgco_has_its_colours(tmp_path: Path) -> None:
    """Flat patches, coded without loss: what went in comes out, to within what 8 bits of luma and chroma hold."""
    planes = coded(*ycgco(np.repeat(COLOURS, 8, axis=0)), False)[:, 0] // 256
    raw = tmp_path / "raw.yuv"
    raw.write_bytes(np.repeat(planes[:, None].astype(np.uint8), 16, axis=1).tobytes())
    file = tmp_path / "ycgco.mkv"
    shape = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", "48x16", "-r", "25", "-i", raw]
    ffmpeg(*shape, "-c:v", "libx264", "-qp", "0", "-x264-params", "colormatrix=YCgCo", file)
    source = open_source(SourceSettings("video", str(file)))
    np.testing.assert_allclose(source.frame(0)[8, 4::8], COLOURS * 255, atol=4)
    source.close()


@pytest.mark.parametrize("transfer", [colour.PQ, colour.HLG])
def test_ictcp_gives_what_the_same_light_in_rgb_gives(transfer: int) -> None:
    """BT.2100, tables 6 to 8, forwards: linear RGB to cones, the transfer, and the matrix; against RGB with that transfer."""
    signal = np.clip(COLOURS, 0.05, 0.75)
    table = colour._light_table(transfer).astype(np.float64)
    light = np.interp(signal * 65535, np.arange(65536), table)
    cones = np.interp(light @ colour.LMS.T, table, np.arange(65536) / 65535)
    ictcp = cones @ colour.ICTCP_OF[transfer].T
    planes = coded(*ictcp.T, full=False)
    made = colour.from_planes(planes, colour.ICTCP, transfer, False, colour.PEAK, True)
    expected = colour.toned(np.rint(signal * 65535).astype(np.uint16)[None], transfer)
    np.testing.assert_allclose(made.astype(int), expected, atol=3)


def test_pq_and_hlg_at_points_of_the_standards() -> None:
    """SMPTE ST 2084 and ITU-R BT.2408, table 1: 58 % PQ and 75 % HLG are the white of graphics, 203 cd/m²."""
    assert colour.pq_to_light(np.array(0.5806)) == pytest.approx(203, rel=0.005)
    assert colour.pq_to_light(np.array(0.7518)) == pytest.approx(1000, rel=0.005)
    np.testing.assert_allclose(
        colour.light_to_pq(colour.pq_to_light(np.linspace(0, 1, 11))), np.linspace(0, 1, 11), atol=1e-6
    )
    scene = colour.hlg_to_scene(np.full((1, 1, 3), 0.75)).astype(np.float32)
    assert colour._display_light(scene, colour.HLG)[0, 0] == pytest.approx(np.full(3, 203), rel=0.01)


def test_primaries_are_those_of_bt_2087() -> None:
    """From the chromaticities: BT.2020 to XYZ, to BT.709; white stays white."""

    def to_xyz(primaries: list[tuple[float, float]]) -> np.ndarray:
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
        x, y = 0.3127, 0.3290
        return columns * np.linalg.solve(columns, [x / y, 1, (1 - x - y) / y])

    wide, narrow = [(0.708, 0.292), (0.170, 0.797), (0.131, 0.046)], [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)]
    np.testing.assert_allclose(colour.TO_709, np.linalg.solve(to_xyz(narrow), to_xyz(wide)), atol=1e-4)
    np.testing.assert_allclose(colour.TO_709.sum(1), 1, atol=2e-5)


def test_the_roll_off_keeps_the_dark_and_brings_the_peak_to_white() -> None:
    light = np.linspace(0, 4000, 4001)
    for peak in (300.0, 1000.0, 4000.0):
        rolled = colour.rolled(light, peak)
        assert (np.diff(rolled) >= -1e-9).all()
        assert rolled.max() == pytest.approx(colour.WHITE, rel=1e-6)
        assert colour.rolled(np.array(peak), peak) == pytest.approx(colour.WHITE, rel=1e-6)
        np.testing.assert_allclose(rolled[:20], light[:20], rtol=1e-9)
    np.testing.assert_allclose(colour.rolled(light, 100.0), np.minimum(light, 203))
    grey = colour.toned(np.arange(0, 65536, 64, dtype=np.uint16)[None, :, None].repeat(3, axis=-1), colour.PQ)
    assert (np.diff(grey[0, :, 0].astype(int)) >= 0).all()
    assert np.ptp(grey[0].astype(int), axis=-1).max() <= 1  # grey stays grey
