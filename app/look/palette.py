"""One colour and one dash for every prior, everywhere; colours and symbols of good, bad and no judgement. No Qt here.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), which stay apart for colour-blind eyes; blue and
vermillion are a little lighter than published, to be legible on our dark background. There are eight of them and more
priors than that, so a hue is shared by at most two priors, which then differ by dash. Each hue has a variant for dark
and one for light backgrounds; tests/app/look/test_palette.py computes that their contrast is at least 3:1.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache

from gpu.priors import PRIORS

Dash = tuple[int, ...]

SOLID: Dash = ()
DASHES: tuple[Dash, ...] = (SOLID, (6, 3), (2, 2), (7, 3, 2, 3), (12, 3), (7, 2, 2, 2, 2, 2), (4, 6))
"""Dash patterns: lengths of line and gap in turn, in multiples of the line's width; empty is a solid line."""

DASH_NAMES = dict(
    zip(("solid", "dashed", "dotted", "dash-dot", "long", "dash-double-dot", "sparse"), DASHES, strict=True)
)
"""What a prior may ask for as its dash."""

# Hues as (on dark, on light).
HUES = {
    "neutral": ("#d3d7df", "#3f444d"),  # Okabe-Ito's black
    "orange": ("#e69f00", "#bd7e00"),
    "sky": ("#56b4e9", "#2490cf"),
    "green": ("#009e73", "#00825f"),
    "yellow": ("#f0e442", "#6b6300"),
    "blue": ("#2b7fc4", "#0b4f96"),
    "vermillion": ("#e05f10", "#b83a00"),
    "purple": ("#cc79a7", "#b3568a"),
}
"""What a prior may ask for as its hue: name to colours on dark and on light."""


@dataclass(frozen=True)
class Style:
    """How a prior is drawn: `colour` on dark and `colour_light` on light backgrounds (#rrggbb), and a dash pattern."""

    colour: str
    colour_light: str
    dash: Dash


def _style(hue: tuple[str, str], dash: Dash = SOLID) -> Style:
    return Style(hue[0], hue[1], dash)


_SPARE = ("blue", "purple", "orange", "sky", "yellow", "green", "vermillion")


@lru_cache(maxsize=1)
def _styles() -> dict[str, Style]:
    return {
        name: _style(HUES[prior.info.hue], DASH_NAMES[prior.info.dash or "solid"]) if prior.info.hue else _derived(name)
        for name, prior in PRIORS.items()
    }


def is_prior(key: str) -> bool:
    """Whether a name or column key, such as "bilinear (chained)", is that of a prior there is."""
    return key.partition(" (")[0] in PRIORS


def style(key: str) -> Style:
    """The style of a prior's name or of a column key such as "bilinear (chained)".

    A variant keeps the prior's colour and takes another dash; the same key always gives the same style.
    """
    name, _, extras = key.partition(" (")
    styles = _styles()
    base = styles.get(name) or _derived(name)
    if not extras:
        return base
    kin = [other for other, candidate in styles.items() if candidate.colour == base.colour]
    free = [dash for dash in DASHES if dash != base.dash and all(dash != styles[other].dash for other in kin)]
    if extras == "chained)" and name in kin:  # the common variant: certainly unlike that of the prior of the same hue
        return Style(base.colour, base.colour_light, free[kin.index(name)])
    return Style(base.colour, base.colour_light, free[zlib.crc32(key.encode()) % len(free)])


def _derived(name: str) -> Style:
    number = zlib.crc32(name.encode())
    return _style(HUES[_SPARE[number % len(_SPARE)]], DASHES[number // len(_SPARE) % len(DASHES)])


GOOD = _style(("#4cc38a", "#18794e"))
BAD = _style(("#ff7a70", "#c62a2f"))
WARN = _style(("#f0b429", "#8f6400"))
NEUTRAL = _style(("#9aa3b2", "#5f6774"))

SYMBOLS: dict[bool | None, str] = {True: "✓", False: "✗", None: "–"}
"""Symbols of a verdict, so that it never hangs on colour alone."""


def verdict_style(ok: bool | None) -> Style:
    """The colour of a verdict: good, bad, or no judgement."""
    return NEUTRAL if ok is None else GOOD if ok else BAD


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb in [0, 1] (WCAG 2.2)."""
    channels = (int(colour[index : index + 2], 16) / 255 for index in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    """Contrast ratio of two colours, from 1 to 21 (WCAG 2.2); a line or symbol wants at least 3, small text 4.5."""
    high, low = sorted((luminance(first), luminance(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)
