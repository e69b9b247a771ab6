"""The look: figures of one width where numbers stand, and words set as they should be."""

from __future__ import annotations

import os

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QFont, QFontMetricsF
from PySide6.QtWidgets import QDoubleSpinBox, QLabel

from app.look import palette, theme
from app.window import start


def widths(font: QFont, *texts: str) -> list[float]:
    return [QFontMetricsF(font).horizontalAdvance(text) for text in texts]


def test_numbers_have_figures_of_one_width_and_words_their_own_hyphens(qapp: object) -> None:
    words = start.application().font()
    numbers = theme.tabular(words)
    assert len(set(widths(numbers, "111", "000", "888"))) == 1
    assert widths(words, "111") < widths(words, "000")
    assert widths(words, "x-t") < widths(numbers, "x-t"), "the hyphen of numbers is as wide as a figure"


def test_both_sizes_keep_what_they_are_for(qapp: object) -> None:
    words = start.application().font()
    plain, numbers = theme.small(words), theme.small(theme.tabular(words))
    assert plain.pixelSize() == numbers.pixelSize() == theme.SMALL
    assert len(set(widths(numbers, "111", "000"))) == 1 < len(set(widths(plain, "111", "000")))


def test_fields_of_numbers_have_them_without_asking(qapp: object) -> None:
    start.application()
    field, label = QDoubleSpinBox(), QLabel()
    for widget in (field, label):
        widget.ensurePolished()
    assert len(set(widths(field.font(), "111", "000"))) == 1 < len(set(widths(label.font(), "111", "000")))


def test_a_theme_gives_the_colour_for_its_own_background() -> None:
    style = palette.style("integral")
    assert (theme.DARK.ink(style), theme.LIGHT.ink(style)) == (style.colour, style.colour_light)
    assert theme.rgb("#102030") == (16, 32, 48)
