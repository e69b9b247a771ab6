"""How decoded pictures are shown with 8 bits: the view transform of linear light, primaries, ICC profiles.

Scene-linear light (OpenEXR, Radiance HDR, PFM, float TIFF) is brought to the primaries of BT.709, multiplied by 2^exposure, and
shown by `view`. Integers are taken to be sRGB and stay as they are, unless a file says otherwise: an ICC profile is converted
to sRGB, PQ and HLG are toned as those of films are (gpu.decoders.colour).
"""

from __future__ import annotations

import io
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

SHOULDER = 0.8
"""Linear light up to here is shown as it is; above, highlights are rolled off towards 1 instead of being cut."""

MOST_LIGHT = np.float32(1e30)
MIDDLE = 0.18
DARKEST, BRIGHTEST = 0.01, 1.0
"""Where the geometric mean of a picture's luminance lies between these, it is shown at exposure 0."""

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of BT.709
BT709 = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)

_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def view(linear: F32, exposure: float) -> U8:
    """sRGB of scene-linear light of BT.709 primaries, `exposure` in stops.

    Where the largest of the three is above SHOULDER, all three are scaled alike, so that it becomes
    1 - (1 - SHOULDER) exp(-(m - SHOULDER) / (1 - SHOULDER)): hue stays, and no highlight is cut. What is
    negative or not a number is black.
    """
    light = np.fmin(np.fmax(linear, np.float32(0)), MOST_LIGHT)  # these take the number of a number and none
    if exposure:
        light = np.minimum(light * np.float32(2.0**exposure), MOST_LIGHT)
    most = np.maximum(np.maximum(light[..., 0], light[..., 1]), light[..., 2])
    bright = most > SHOULDER
    if bright.any():
        room = np.float32(1 - SHOULDER)
        rolled = 1 - room * np.exp(-(most[bright] - SHOULDER) / room)
        light[bright] *= (rolled / most[bright])[:, None]
    return _table()[(np.sqrt(np.minimum(light, 1)) * np.float32(65535) + np.float32(0.5)).astype(np.uint16)]


@lru_cache(1)
def _table() -> U8:
    """(65536,) 8-bit sRGB over the square root of linear light: a 200th of a step from the curve where it is steepest."""
    roots = np.arange(65536, dtype=np.float64) / 65535
    return np.asarray(encoded((roots**2).astype(np.float32)) * 255 + 0.5, np.uint8)


def encoded(light: F32) -> F32:
    """sRGB's transfer curve (IEC 61966-2-1) of linear light in [0, 1]."""
    power = 1.055 * np.power(np.maximum(light, 0.0031308), np.float32(1 / 2.4)) - 0.055
    return np.where(light <= 0.0031308, 12.92 * light, power).astype(np.float32)


def fitting_exposure(log_mean: float) -> float:
    """Stops at which a picture of this mean log2 luminance is shown: 0 where it is in reach, else whole stops that bring it
    to middle grey."""
    if not math.isfinite(log_mean) or math.log2(DARKEST) <= log_mean <= math.log2(BRIGHTEST):
        return 0.0
    return float(round(math.log2(MIDDLE) - log_mean))


def log_luminance(linear: F32) -> tuple[float, int]:
    """Sum of log2 of the luminance where it is positive and finite, and how many pixels that are."""
    with np.errstate(invalid="ignore", over="ignore"):
        luminance = linear @ LUMINANCE
    usable = luminance[np.isfinite(luminance) & (luminance > 1e-9)]
    return float(np.log2(usable, dtype=np.float64).sum()), int(usable.size)


def to_bt709(chromaticities: tuple[float, ...]) -> F32 | None:
    """3x3 matrix from primaries (x, y of red, green, blue and white) to those of BT.709, the white adapted by Bradford's
    transform; None where they are BT.709's or make no sense."""
    if len(chromaticities) != 8 or not all(math.isfinite(value) for value in chromaticities):
        return None
    if np.allclose(chromaticities, BT709, atol=2e-3):
        return None
    try:
        ours, theirs = _to_xyz(BT709), _to_xyz(chromaticities)
        cone = (_BRADFORD @ _white(BT709)) / (_BRADFORD @ _white(chromaticities))
        matrix = np.linalg.inv(ours) @ np.linalg.inv(_BRADFORD) @ np.diag(cone) @ _BRADFORD @ theirs
    except (np.linalg.LinAlgError, ZeroDivisionError):
        return None
    return matrix.astype(np.float32) if np.isfinite(matrix).all() else None


def _white(chromaticities: tuple[float, ...]) -> npt.NDArray[np.float64]:
    x, y = chromaticities[6:8]
    return np.array([x / y, 1, (1 - x - y) / y])


def _to_xyz(chromaticities: tuple[float, ...]) -> npt.NDArray[np.float64]:
    columns = np.array(
        [[x / y, 1, (1 - x - y) / y] for x, y in zip(chromaticities[:6:2], chromaticities[1:6:2], strict=True)]
    ).T
    return columns * np.linalg.solve(columns, _white(chromaticities))


def linear_of_printing_density(code: F32) -> F32:
    """Linear light of the printing density of film scans (SMPTE 268M, "Cineon"), values in [0, 1] of 10 bits: 95 is black and
    685 is white, 0.002 of density a step at a gamma of 0.6."""
    black = 10 ** ((95 - 685) * 0.002 / 0.6)
    light = (np.power(np.float32(10), (code * 1023 - 685) * np.float32(0.002 / 0.6)) - black) / (1 - black)
    return np.asarray(np.maximum(light, 0), np.float32)


def to_srgb(pixels: U8, profile: bytes, mode: str) -> tuple[U8 | None, str]:
    """`pixels` (H, W, 3 or 4) of an ICC profile for `mode` ("RGB", "L" or "CMYK") as sRGB, and the profile's name.

    None where they are sRGB already, or where the profile is of another kind or cannot be used: then they stay as they are.
    """
    from PIL import Image, ImageCms

    try:
        theirs = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        name = ImageCms.getProfileDescription(theirs).strip()
        space = theirs.profile.xcolor_space.strip()
        if "srgb" in name.lower() or space != {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}[mode]:
            return None, name
        transform = ImageCms.buildTransform(theirs, ImageCms.createProfile("sRGB"), mode, "RGB")
        image = Image.fromarray(pixels[..., 0] if mode == "L" else pixels, mode if mode == "CMYK" else None)
        converted = ImageCms.applyTransform(image, transform)
    except (ImageCms.PyCMSError, OSError, ValueError, KeyError):
        return None, ""
    return np.asarray(converted, np.uint8), name
