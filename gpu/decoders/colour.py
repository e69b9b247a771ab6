"""Colours of a film that FFmpeg's scaler does not know, or that a screen of ordinary brightness cannot show.

High dynamic range (PQ and HLG, ITU-R BT.2100-3) is brought to SDR: light in cd/m², rolled off towards 203 cd/m², the white of
graphics (ITU-R BT.2408), by the curve of ITU-R BT.2390 (section 5.4.1) on the largest of the three colours, which keeps hues;
then to the primaries of BT.709, and to the display gamma of BT.1886. YCgCo and ICtCp are matrices of ITU-T H.273.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
U16 = npt.NDArray[np.uint16]
U8 = npt.NDArray[np.uint8]

PQ, HLG = 16, 18  # transfer characteristics of H.273
YCGCO, ICTCP, DERIVED = 8, 14, 12  # matrix coefficients of H.273
BT2020 = 9  # colour primaries

WHITE = 203.0  # cd/m²
PEAK = 1000.0  # of a master whose own is not told, and of HLG by definition
DISPLAY_GAMMA = 2.4

TO_709 = np.array(
    [[1.660491, -0.587641, -0.072850], [-0.124550, 1.132900, -0.008349], [-0.018151, -0.100579, 1.118730]]
)
"""Linear light of BT.2020 to BT.709 (ITU-R BT.2087)."""

LMS = np.array([[1688, 2146, 262], [683, 2951, 462], [99, 309, 3688]]) / 4096
ICTCP_OF = {
    PQ: np.array([[2048, 2048, 0], [6610, -13613, 7003], [17933, -17390, -543]]) / 4096,
    HLG: np.array([[2048, 2048, 0], [3625, -7465, 3840], [9500, -9212, -288]]) / 4096,
}


def pq_to_light(signal: F64) -> F64:
    """cd/m² of a PQ signal in [0, 1] (SMPTE ST 2084).

    >>> pq_to_light(np.array([0.0, 0.5081, 1.0])).round(0)
    array([    0.,   100., 10000.])
    """
    root = np.clip(signal, 0, 1) ** (32 / 2523)
    return np.asarray(1e4 * (np.maximum(root - 107 / 128, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610))


def light_to_pq(light: F64) -> F64:
    """The inverse of `pq_to_light`."""
    power = (np.clip(light, 0, 1e4) / 1e4) ** (2610 / 16384)
    return np.asarray(((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32))


def hlg_to_scene(signal: F64) -> F64:
    """Scene light in [0, 1] of an HLG signal in [0, 1] (BT.2100, table 5).

    >>> hlg_to_scene(np.array([0.0, 0.5, 1.0])).round(4)
    array([0.    , 0.0833, 1.    ])
    """
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    signal = np.clip(signal, 0, 1)
    return np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)


def rolled(light: F64, peak: float) -> F64:
    """`light` in cd/m² of a master that reaches `peak`, brought to at most WHITE (the curve of BT.2390, section 5.4.1).

    >>> rolled(np.array([0.0, 20.0, 1000.0]), 1000.0).round(1)
    array([  0.,  20., 203.])
    """
    if peak <= WHITE:
        return np.minimum(light, WHITE)
    top = light_to_pq(np.array(peak))
    level = np.minimum(light_to_pq(light) / top, 1)
    most = float(light_to_pq(np.array(WHITE)) / top)
    knee = 1.5 * most - 0.5
    t = np.maximum(level - knee, 0) / (1 - knee)
    spline = (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * most
    return pq_to_light(np.where(level < knee, level, spline) * top)


@lru_cache(4)
def _light_table(transfer: int) -> F32:
    """(65536,) light of a 16-bit signal: cd/m² of PQ, scene light of HLG."""
    signal = np.arange(65536) / 65535
    return (pq_to_light(signal) if transfer == PQ else hlg_to_scene(signal)).astype(np.float32)


@lru_cache(4)
def _gain_table(peak: float) -> F32:
    """(4096,) what `rolled` multiplies light by, over the fourth root of light up to 10,000 cd/m²."""
    light = (np.arange(4096) / 4095) ** 4 * 1e4
    light[0] = light[1]
    return (rolled(light, peak) / light).astype(np.float32)


@lru_cache(1)
def _display_table() -> U8:
    """(4097,) 8-bit signal over the square root of light relative to white."""
    light = (np.arange(4097) / 4096) ** 2
    return np.asarray(np.rint(255 * light ** (1 / DISPLAY_GAMMA)), np.uint8)


def toned(rgb: U16, transfer: int, peak: float = PEAK, wide: bool = True) -> U8:
    """(H, W, 3) 8-bit SDR of 16-bit RGB whose `transfer` is PQ or HLG; `wide`: its primaries are those of BT.2020."""
    return from_light(_display_light(_light_table(transfer)[rgb], transfer), peak, wide)


def _display_light(light: F32, transfer: int) -> F32:
    """cd/m²; of HLG by the display of BT.2100, 1000 cd/m² and gamma 1.2."""
    if transfer == PQ:
        return light
    luminance = light @ np.array([0.2627, 0.6780, 0.0593], np.float32)
    return np.asarray(light * (PEAK * np.maximum(luminance, 1e-9) ** 0.2)[..., None], np.float32)


def from_light(light: F32, peak: float = PEAK, wide: bool = True) -> U8:
    """(H, W, 3) 8-bit SDR of light in cd/m²."""
    largest = np.minimum(light.max(axis=-1), 1e4)
    place = np.sqrt(np.sqrt(largest / 1e4)) * 4095
    low = np.minimum(place.astype(np.int32), 4094)
    table = _gain_table(float(peak))
    gain = table[low] + (table[low + 1] - table[low]) * (place - low)
    out = light * (gain / np.float32(WHITE))[..., None]
    if wide:
        out = out @ TO_709.T.astype(np.float32)
    return np.asarray(_display_table()[(np.sqrt(np.clip(out, 0, 1)) * 4096).astype(np.int32)])


def from_planes(planes: U16, matrix: int, transfer: int, full: bool, peak: float, wide: bool) -> U8:
    """(H, W, 3) 8-bit RGB of 16-bit planes (3, H, W) in YCgCo or ICtCp (H.273, equations 57 to 59 and 69 to 75)."""
    code = planes.astype(np.float32) / 256
    if full:
        luma, first, second = np.stack((code[0], code[1] - 128, code[2] - 128)) / np.float32(65535 / 256)
    else:
        luma, first, second = (code[0] - 16) / 219, (code[1] - 128) / 224, (code[2] - 128) / 224
    if matrix == YCGCO:
        rgb = np.stack((luma - first + second, luma + first, luma - first - second), -1)
        if transfer in (PQ, HLG):
            return toned(np.rint(np.clip(rgb, 0, 1) * 65535).astype(np.uint16), transfer, peak, wide)
        return np.asarray(np.rint(np.clip(rgb, 0, 1) * 255), np.uint8)
    back = np.linalg.inv(ICTCP_OF[transfer if transfer == HLG else PQ]).astype(np.float32)
    cones = np.stack((luma, first, second), -1) @ back.T
    signal = np.rint(np.clip(cones, 0, 1) * 65535).astype(np.uint16)
    light: Any = _light_table(HLG if transfer == HLG else PQ)[signal] @ np.linalg.inv(LMS).T.astype(np.float32)
    return from_light(_display_light(np.maximum(light, 0), HLG if transfer == HLG else PQ), peak, True)
