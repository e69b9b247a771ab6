"""The timeline: transport, scrub bar, loop, curves; what a person does comes out as signals."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QSpinBox

from app.views.timeline.curves import decimate, lonely
from app.views.timeline.measures import CURVES
from app.views.timeline.panel import TimelinePanel
from app.views.timeline.scrub_bar import ScrubBar

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, themed, source_info):
    panel = TimelinePanel()
    qtbot.addWidget(panel)
    panel.resize(1280, 190)
    panel.show()
    panel.set_info(source_info())
    return panel


@pytest.fixture
def asked(panel):
    frames = []
    panel.frameRequested.connect(frames.append)
    return frames


def middle(bar: ScrubBar, t: int) -> QPoint:
    return QPoint(round(bar.left_of(t + 0.5)), bar.height() // 2)


def test_transport_asks_for_frames(panel, asked):
    panel.set_frame(12)
    for name in ("forward", "back", "last", "first", "first"):
        QTest.mouseClick(panel.buttons[name], LEFT)
    assert asked == [13, 12, 47, 0]  # the second "first" asks for nothing new
    assert panel.number.value() == 0


def test_transport_keeps_to_the_loop(panel, asked):
    panel.set_loop((10, 20))
    QTest.mouseClick(panel.buttons["last"], LEFT)
    QTest.mouseClick(panel.buttons["first"], LEFT)
    assert asked == [20, 10]


def test_play_asks_and_waits_to_be_told(panel):
    said = []
    panel.playToggled.connect(said.append)
    QTest.mouseClick(panel.buttons["play"], LEFT)
    panel.set_playing(True)
    assert panel.buttons["play"].accessibleName() == "Pause"
    QTest.mouseClick(panel.buttons["play"], LEFT)
    assert said == [True, False]


def test_given_state_is_not_echoed(panel, asked):
    loops = []
    panel.loopChanged.connect(loops.append)
    panel.set_frame(7)
    panel.set_loop((3, 9))
    panel.set_loop(None)
    assert asked == loops == []
    assert panel.clock.text() == "/ 48 · 0.29 s"


def test_loop_button_and_handles(panel, qtbot):
    loops = []
    panel.loopChanged.connect(loops.append)
    QTest.mouseClick(panel.buttons["loop"], LEFT)
    assert loops == [(0, 47)]
    bar = panel.scrub
    panel.set_frame(30)
    QTest.mousePress(bar, LEFT, pos=QPoint(round(bar.left_of(0)), 15))
    QTest.mouseMove(bar, QPoint(round(bar.left_of(8)), 15))
    QTest.mouseRelease(bar, LEFT, pos=QPoint(round(bar.left_of(8)), 15))
    assert loops[-1] == (8, 47)
    QTest.mousePress(bar, LEFT, pos=QPoint(round(bar.left_of(48)), 15))
    QTest.mouseMove(bar, QPoint(round(bar.left_of(2)), 15))  # cannot pass the first
    QTest.mouseRelease(bar, LEFT, pos=QPoint(round(bar.left_of(2)), 15))
    assert loops[-1] == (8, 8)
    QTest.mouseClick(panel.buttons["loop"], LEFT)
    assert loops[-1] is None


def test_scrubbing(panel, asked):
    bar = panel.scrub
    QTest.mousePress(bar, LEFT, pos=middle(bar, 20))
    QTest.mouseMove(bar, middle(bar, 25))
    QTest.mouseMove(bar, QPoint(bar.width() + 50, 15))
    QTest.mouseRelease(bar, LEFT, pos=middle(bar, 25))
    QTest.mouseMove(bar, middle(bar, 3))
    assert asked == [20, 25, 47]


def test_scrub_keys(panel, asked):
    panel.scrub.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_Left, Qt.Key.Key_End, Qt.Key.Key_Home):
        QTest.keyClick(panel.scrub, key)
    assert asked == [1, 11, 10, 47, 0]


def test_typing_a_frame(panel, asked):
    panel.number.setFocus()
    panel.number.selectAll()
    QTest.keyClicks(panel.number, "31")
    assert asked == []
    QTest.keyClick(panel.number, Qt.Key.Key_Return)
    assert asked == [31]


def test_the_bar_says_what_is_there(panel):
    mask = np.zeros(48, bool)
    mask[:10] = True
    panel.set_computed(mask)
    bar = panel.scrub
    assert bar.text_at(middle(bar, 5).x()) == "Frame 5, 0.21 s, computed"
    assert bar.text_at(middle(bar, 30).x()) == "Frame 30, 1.25 s, not computed yet, a new shot starts here"
    assert bar._runs() == [(0, 10)]


def test_computed_frames_are_drawn(panel):
    bar = panel.scrub
    before = bar.grab().toImage().pixelColor(middle(bar, 20))
    mask = np.zeros(48, bool)
    mask[18:23] = True
    panel.set_computed(mask)
    image = bar.grab().toImage()
    assert image.pixelColor(middle(bar, 20)) != before
    assert image.pixelColor(middle(bar, 40)) == before


def test_a_click_on_a_curve_goes_to_that_frame(panel, asked, time_series):
    panel.set_series(time_series())
    panel._redraw()
    plot = panel.plots[1].plot
    QTest.qWait(20)
    for t in (9, 33):
        scene = plot.getPlotItem().getViewBox().mapViewToScene(QPointF(t, 0.5))
        QTest.mouseClick(plot.viewport(), LEFT, pos=plot.mapFromScene(scene))
    assert asked == [9, 33]
    QTest.mouseClick(plot.viewport(), LEFT, pos=QPoint(3, 3))  # on the axis: nothing
    assert asked == [9, 33]
    panel._redraw()
    assert plot._cursor.value() == 33


def test_curves_are_scaled_and_gapped(panel, time_series):
    series = time_series()
    series["integral"]["warp_error"][5:8] = np.nan
    panel.set_series(series)
    panel._redraw()
    _, y = panel.plots[0].plot._items["integral"].getOriginalDataset()
    np.testing.assert_allclose(y, series["integral"]["warp_error"] * 1e3, rtol=1e-6)
    assert panel.plots[0].plot._items["integral"].opts["connect"] == "finite"
    assert panel.legend._keys == ["random", "integral"]


def test_hovering_reads_the_values(panel, time_series, monkeypatch):
    shown = []
    monkeypatch.setattr("app.views.timeline.curves.QToolTip.showText", lambda place, text, widget: shown.append(text))
    panel.set_series(time_series())
    panel._redraw()
    QTest.qWait(20)
    plot = panel.plots[0].plot
    scene = plot.getPlotItem().getViewBox().mapViewToScene(QPointF(0, 1))
    for place in (plot.mapFromScene(scene), QPoint(2, 2)):
        event = QHelpEvent(QEvent.Type.ToolTip, place, plot.viewport().mapToGlobal(place))
        QApplication.sendEvent(plot.viewport(), event)
    assert shown[0] == "frame 0, 0.00 s\nrandom: 8 ×10⁻³\nintegral: 2 ×10⁻³"
    assert "Mean squared difference" in shown[1]


def test_redraws_are_capped(panel, time_series, monkeypatch):
    calls = []
    plot = panel.plots[0]
    monkeypatch.setattr(plot, "set_series", lambda series: calls.append(1))
    for _ in range(50):
        panel.set_series(time_series())
        panel.set_frame(3)
    assert calls == []
    QTest.qWait(120)
    assert len(calls) == 1


def test_choosing_a_measure(panel, time_series):
    names = []
    panel.measuresChanged.connect(names.append)
    panel.set_series(time_series())
    panel._redraw()
    panel.plots[2].choose("warp_error")
    assert names == [["warp_error", "variance", "warp_error"]]
    assert panel.plots[2].plot.accessibleName() == "Warp error, gap 1 over time"
    assert panel.plots[2].plot.highest() == pytest.approx(8.8, rel=0.02)
    panel.set_measures(["psnr", "sharpness", "new"])
    assert panel.measures() == ["psnr", "sharpness", "new"]
    assert panel.plots[0].plot._hint.text().startswith("no output yet")


@pytest.mark.slow
@pytest.mark.parametrize("frames", [0, 1, 2, 48, 10_000])
@pytest.mark.parametrize("nothing", [False, True])
def test_any_length_draws(panel, source_info, time_series, frames, nothing):
    panel.set_info(source_info(frames=frames, cuts=(frames // 2,) if frames > 1 else ()))
    panel.set_series(time_series(frames, nothing))
    panel.set_computed(np.arange(frames) % 2 == 0)
    panel.set_frame(max(0, frames - 1))
    panel.set_loop((0, max(0, frames - 1)))
    panel._redraw()
    assert not panel.grab().isNull()
    for plot in panel.plots:
        for _, y in plot.plot._curves.values():
            assert len(y) <= 700


def test_plots_give_way_to_width(panel, qtbot):
    assert [plot.isHidden() for plot in panel.plots] == [False, False, False]
    panel.resize(650, 190)
    assert [plot.isHidden() for plot in panel.plots] == [False, False, True]
    panel.resize(400, 190)
    assert [plot.isHidden() for plot in panel.plots] == [False, True, True]


def test_thinning_keeps_extremes_and_gaps():
    x = np.arange(10_000.0)
    y = np.sin(x / 500)
    y[1234] = 9.0
    y[7000:7200] = np.nan
    thin_x, thin_y = decimate(x, y, 600)
    assert len(thin_y) <= 620
    assert np.nanmax(thin_y) == 9.0
    assert np.isnan(thin_y[(thin_x > 7040) & (thin_x < 7160)]).all()
    assert np.all(np.diff(thin_x) >= 0)
    same_x, same_y = decimate(x[:50], y[:50], 600)
    assert same_x is not None
    np.testing.assert_array_equal(same_y, y[:50])


def test_lonely_points_are_found():
    y = np.array([1, np.nan, 2, np.nan, 3, 4, np.nan, 5.0])
    x, values = lonely(np.arange(8.0), y)
    assert x.tolist() == [0, 2, 7]
    assert values.tolist() == [1, 2, 5]


def test_curves_as_files(panel, time_series, tmp_path):
    series = time_series()
    series["random"]["warp_error"][3] = np.nan
    panel.set_series(series)
    figure = panel.figures()["warp-error"]
    for suffix in ("csv", "png", "svg"):
        figure.save(tmp_path / f"curve.{suffix}")
        assert (tmp_path / f"curve.{suffix}").stat().st_size > 500
    with (tmp_path / "curve.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["frame", "time (s)", "random: warp error, gap 1 (×10⁻³)", "integral: warp error, gap 1 (×10⁻³)"]
    assert len(rows) == 49
    assert rows[4][2] == ""
    assert float(rows[13][1]) == 0.5
    assert float(rows[13][3]) == pytest.approx(series["integral"]["warp_error"][12] * 1e3, rel=1e-6)


def test_disabled_without_a_source(qtbot, themed):
    panel = TimelinePanel()
    qtbot.addWidget(panel)
    panel.resize(900, 190)
    panel.show()
    asked = []
    panel.frameRequested.connect(asked.append)
    QTest.mouseClick(panel.scrub, LEFT, pos=QPoint(100, 15))
    assert not any(button.isEnabled() for button in panel.buttons.values())
    assert asked == []
    assert "once a source is open" in panel.scrub.text_at(50)


def test_every_control_has_a_name_and_a_tip(panel):
    for control in panel.findChildren(QAbstractButton) + panel.findChildren(QComboBox) + panel.findChildren(QSpinBox):
        assert control.accessibleName(), control
        assert control.toolTip(), control
    assert panel.scrub.accessibleName()
    assert len({curves.series for curves in CURVES}) == len(CURVES)


def test_measures_are_those_of_the_engine():
    from gpu.engine.results import SERIES

    assert {curves.series for curves in CURVES} == set(SERIES)


@pytest.mark.slow
@pytest.mark.parametrize("frames", [0, 1, 2, 5])
def test_short_clips_have_no_fractions_of_frames(panel, source_info, time_series, frames):
    panel.set_info(source_info(frames=frames))
    panel.set_series(time_series(frames))
    panel.resize(1200, 300)
    axis = panel.plots[0].plot.getPlotItem().getAxis("bottom")
    ticks = [value for _, values in axis.tickValues(-0.5, frames + 0.5, 400) for value in values]
    assert ticks
    assert all(value == round(value) for value in ticks)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["png", "svg", "csv"])
def test_a_curve_is_saved_from_its_menu(panel, suffix, tmp_path, monkeypatch):
    """The menu's own way: a plot over time once took the ending for a place that was clicked."""
    plot = panel.plots[0].plot
    path = tmp_path / f"curve.{suffix}"
    monkeypatch.setattr("PySide6.QtWidgets.QFileDialog.getSaveFileName", lambda *_: (str(path), ""))
    action = next(action for action in plot._menu.actions() if suffix.upper() in action.text())
    action.trigger()
    assert path.stat().st_size > 0
