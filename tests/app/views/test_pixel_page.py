"""The page on one pixel: says what it is made of, in channels, as text, as a drawing, and goes to the pixel beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.look.theme import LIGHT
from app.views.statistics.pixel_page import EMPTY, InspectorPage
from gpu.noise.inspection import Footprint, Inspection, Neighbour, Shares, Taps


def carried() -> Inspection:
    """A pixel that owns three of its four sub-pixels of level 1, two channels."""
    square = np.array([(4, 2), (5, 2), (5, 3), (4, 3)], np.float32)
    values = np.array([[0.5, -0.25, 0.25], [1.0, 1.0, -1.0]], np.float32)
    total = values.sum(1)
    value = total * np.float32((4 / 3) ** 0.5)
    foot = Footprint(
        0, np.array([4.5, 2.5], np.float32), square, (Neighbour(5, 2, square + np.array([1, 0], np.float32)),), 1,
        np.array([(8, 4), (9, 4), (8, 5)]), values, 1.0, 0.9, 4, total, value,
    )  # fmt: skip
    return Inspection(3, 6, 2, 0, value, value, "Carried from frame 0.", footprint=foot)


def interpolated() -> Inspection:
    weights = np.array([0.25, 0.25, 0.25, 0.25], np.float32)
    values = np.array([[1.0, 0.0, -1.0, 2.0]], np.float32)
    taps = Taps(
        0, np.array([4.0, 2.0], np.float32), np.array([(3, 1), (4, 1), (3, 2), (4, 2)]), weights, values,
        (weights * values).sum(1), 0.25,
    )  # fmt: skip
    return Inspection(3, 6, 2, 0, taps.value, taps.value, "Interpolated.", taps=taps)


def shared(count: int = 2, cells: int = 1, fresh: float = 0.0) -> Inspection:
    """A pixel that received a quarter of one pixel and a half of others, one channel."""
    shares = np.array([0.25, *[0.5] * (count - 1)], np.float32)
    parts, weights = np.full((1, count), 0.6, np.float32), np.full(count, 0.5, np.float32)
    value = parts @ weights + np.float32(fresh)
    received = Shares(
        2, np.array([4.0, 2.0], np.float32), np.array([(3 + at, 1) for at in range(count)]),
        np.full((1, count), -1.5, np.float32), shares, parts, weights, np.array([fresh], np.float32), value, cells,
    )  # fmt: skip
    return Inspection(3, 6, 2, 0, value, value, "Shares.", shares=received)


@pytest.fixture
def page(themed: object, qtbot: Any) -> InspectorPage:
    page = InspectorPage()
    qtbot.addWidget(page)
    page.resize(340, 620)
    page.show()
    return page


def test_without_a_pixel_it_says_what_to_do(page: InspectorPage) -> None:
    assert page._sentence.text() == EMPTY
    assert page.figures.isHidden()
    assert page.text() == ""


def test_the_numbers_give_the_value(page: InspectorPage) -> None:
    page.show_inspection("integral", carried())
    text = page.figures.toPlainText()
    assert page._title.text() == "integral\nframe 3, x 6, y 2"
    assert "owns 3 sub-pixels of 1/2 px; 1 more in the outline belong to others" in text
    assert "|Ω| / N = 3 / 4" in text
    assert "sum 0.5000 · √(4 / 3) = 0.5774" in text
    page.channel.setValue(1)
    assert "sum 1.0000 · √(4 / 3) = 1.1547" in page.figures.toPlainText()
    page.show_inspection("bilinear", interpolated())
    assert page.channel.value() == 0, "it has one channel alone"
    text = page.figures.toPlainText()
    assert "(3, 2): 0.2500 · −1.0000" in text
    assert "variance Σw² = 0.2500" in text


def test_shares_are_listed_and_all_of_them_can_be_copied(page: InspectorPage) -> None:
    page.show_inspection("infinite-particle", shared())
    text = page.figures.toPlainText()
    assert "was at (4.000, 2.000) px in frame 2" in text
    assert "(3, 1): 25.0% of −1.5000 gave 0.6000 · 0.5000" in text
    assert "sum 0.6000 σ, of independent parts: variance 1" in text
    assert "more" not in text
    page.show_inspection("go-with-the-flow", shared(11, 4, 0.125))
    text = page.figures.toPlainText()
    assert "places of cells, 4 × 4 a pixel" in text
    assert "(10, 1)" in text
    assert "(11, 1)" not in text
    assert "and 3 more" in text
    assert "drawn anew 0.1250" in text
    page.copy.click()
    assert "(13, 1): 50.0% of −1.5000" in QApplication.clipboard().text()


def test_all_sub_pixels_can_be_copied(page: InspectorPage) -> None:
    page.show_inspection("integral", carried())
    page.copy.click()
    lines = QApplication.clipboard().text().splitlines()
    assert lines[-3:] == ["8\t4\t0.500000", "9\t4\t-0.250000", "8\t5\t0.250000"]
    assert any(line.startswith("neighbour (5, 2)") for line in lines)


def test_arrow_keys_go_on_and_the_wheel_zooms(page: InspectorPage) -> None:
    moves: list[tuple[int, int]] = []
    page.moved.connect(lambda right, down: moves.append((right, down)))
    QTest.keyClick(page.drawing, Qt.Key.Key_Right)
    assert moves == [], "there is nothing to go on from"
    page.show_inspection("integral", carried())
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Up):
        QTest.keyClick(page.drawing, key)
    assert moves == [(1, 0), (0, -1)]
    before = page.drawing.grab().toImage()
    at = QPointF(page.drawing.rect().center())
    none = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False)
    QApplication.sendEvent(page.drawing, QWheelEvent(at, at, QPoint(), QPoint(0, 240), *none))
    assert page.drawing.grab().toImage() != before


def test_the_drawing_shows_what_is_owned_and_follows_the_theme(page: InspectorPage) -> None:
    empty = page.drawing.grab().toImage()
    page.show_inspection("integral", carried())
    outline = page.drawing.grab().toImage()
    page.channel.setValue(1)
    other = page.drawing.grab().toImage()
    page.set_theme(LIGHT)
    light = page.drawing.grab().toImage()
    page.show_inspection("bilinear", interpolated())
    taps = page.drawing.grab().toImage()
    page.show_inspection("infinite-particle", shared())
    shares = page.drawing.grab().toImage()
    page.show_inspection("go-with-the-flow", shared(cells=4))
    cells = page.drawing.grab().toImage()
    pictures = [empty, outline, other, light, taps, shares, cells]
    assert all(first != second for index, first in enumerate(pictures) for second in pictures[index + 1 :])
    assert light.pixelColor(2, 2).lightness() > outline.pixelColor(2, 2).lightness() + 100
