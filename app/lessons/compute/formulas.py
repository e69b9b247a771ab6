"""Formulas as outlines: TeX through matplotlib's mathtext, so that any size and colour is crisp. No Qt here.

Importing matplotlib takes a second or two and a formula some milliseconds: the lessons' thread calls this.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from app.lessons.compute.texts import Formula

UNIT = 100.0
"""Type size, in points, of the outlines; whoever draws them scales."""

FAMILY = "stix"


@dataclass(frozen=True)
class Outline:
    """A formula at type size UNIT: `points` (n, 2) with y down from the baseline, `codes` (n,) as matplotlib's Path has them
    (1 move, 2 line, 3 quadratic, 4 cubic, 79 close), and its extent beside and around the baseline."""

    points: npt.NDArray[np.float32]
    codes: npt.NDArray[np.uint8]
    width: float
    ascent: float
    descent: float


@lru_cache(maxsize=2048)
def outline(tex: str, display: bool = False) -> Outline:
    """The outline of one formula; ValueError says where mathtext does not understand it."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    one_line = " ".join(tex.split())
    if display:
        one_line = one_line.replace(r"\frac", r"\dfrac")  # mathtext knows no \displaystyle
    font = FontProperties(size=UNIT, math_fontfamily=FAMILY)
    path = TextPath((0, 0), f"${one_line}$", size=UNIT, prop=font, usetex=False)
    points = np.asarray(path.vertices, dtype=np.float32) * np.array([1, -1], dtype=np.float32)
    codes = np.asarray(path.codes, dtype=np.uint8)
    inked = points[codes != 79]
    low, high = (inked.min(0), inked.max(0)) if len(inked) else (np.zeros(2), np.zeros(2))
    return Outline(points, codes, float(high[0] + 0.04 * UNIT), float(-low[1]), float(max(high[1], 0.0)))


def outlines(formulas: Iterable[Formula]) -> tuple[Outline, ...]:
    """The outlines of many formulas, in order."""
    return tuple(outline(formula.tex, formula.display) for formula in formulas)
