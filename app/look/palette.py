"""One colour and one dash for every prior, everywhere; colours and symbols of good, bad and no judgement. No Qt here.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), which stay apart for colour-blind eyes; blue and
vermillion are a little lighter than published, to be legible on our dark background. There are eight of them and more
priors than that, so a hue is shared by at most two priors, which then differ by dash. Each hue has a variant for dark
and one for light backgrounds; tests/app/look/test_palette.py computes that their contrast is at least 3:1.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

Dash = tuple[int, ...]

SOLID: Dash = ()
DASHES: tuple[Dash, ...] = (SOLID, (6, 3), (2, 2), (7, 3, 2, 3), (12, 3), (7, 2, 2, 2, 2, 2), (4, 6))
"""Dash patterns: lengths of line and gap in turn, in multiples of the line's width; empty is a solid line."""

_DASHED, _DOTTED, _DASH_DOT, _LONG, _DASH_DOUBLE_DOT = DASHES[1:6]

# Hues as (on dark, on light).
_NEUTRAL = ("#d3d7df", "#3f444d")  # Okabe-Ito's black
_ORANGE = ("#e69f00", "#bd7e00")
_SKY = ("#56b4e9", "#2490cf")
_GREEN = ("#009e73", "#00825f")
_YELLOW = ("#f0e442", "#6b6300")
_BLUE = ("#2b7fc4", "#0b4f96")
_VERMILLION = ("#e05f10", "#b83a00")
_PURPLE = ("#cc79a7", "#b3568a")


@dataclass(frozen=True)
class Style:
    """How a prior is drawn: `colour` on dark and `colour_light` on light backgrounds (#rrggbb), and a dash pattern."""

    colour: str
    colour_light: str
    dash: Dash

    def on(self, dark: bool) -> str:
        """The colour for a dark (True) or a light (False) background, as #rrggbb."""
        return self.colour if dark else self.colour_light


def _style(hue: tuple[str, str], dash: Dash = SOLID) -> Style:
    return Style(hue[0], hue[1], dash)


_STYLES: dict[str, Style] = {
    "random": _style(_NEUTRAL, _DOTTED),
    "fixed": _style(_SKY, _DASHED),
    "pyoco-mixed": _style(_YELLOW, _DASHED),
    "pyoco-progressive": _style(_YELLOW, _DASH_DOUBLE_DOT),
    "control-a-video": _style(_PURPLE, _DASHED),
    "bilinear": _style(_VERMILLION, _DASH_DOT),
    "bicubic": _style(_VERMILLION, _LONG),
    "nearest": _style(_ORANGE, _DOTTED),
    "root-bilinear": _style(_ORANGE, _LONG),
    "integral": _style(_GREEN),
    "ddim-inversion": _style(_BLUE, _DASH_DOT),
    "integral-exact": _style(_GREEN, _DASHED),
    "infinite-particle": _style(_BLUE),
    "go-with-the-flow": _style(_PURPLE),
}
PRIOR_NAMES = tuple(_STYLES)
"""Priors with a colour of their own (DESIGN.md 2.5); any other name gets one derived from its letters."""

_SPARE = (_BLUE, _PURPLE, _ORANGE, _SKY, _YELLOW, _GREEN, _VERMILLION)


def style(key: str) -> Style:
    """The style of a prior's name or of a column key such as "bilinear (chained)".

    A variant keeps the prior's colour and takes another dash; the same key always gives the same style.
    """
    name, _, extras = key.partition(" (")
    base = _STYLES.get(name) or _derived(name)
    if not extras:
        return base
    kin = [other for other, its in _STYLES.items() if its.colour == base.colour]
    free = [dash for dash in DASHES if dash != base.dash and all(dash != _STYLES[other].dash for other in kin)]
    if extras == "chained)" and name in kin:  # the common variant: certainly unlike that of the prior of the same hue
        return Style(base.colour, base.colour_light, free[kin.index(name)])
    return Style(base.colour, base.colour_light, free[zlib.crc32(key.encode()) % len(free)])


def _derived(name: str) -> Style:
    number = zlib.crc32(name.encode())
    return _style(_SPARE[number % len(_SPARE)], DASHES[number // len(_SPARE) % len(DASHES)])


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
