"""The window of the lessons: steps, controls, handles, draw again, reset, keys, mathematics, exports, errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PIL import Image
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPen
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.lessons.compute import animation
from app.lessons.compute.lesson import Lesson, Settings, Step
from app.lessons.compute.scene import Curve, Scene
from app.lessons.models import LESSONS
from app.lessons.view import items
from app.lessons.view.board import Board
from app.lessons.view.controls import SliderRow
from app.lessons.view.glossary import Glossary
from app.lessons.view.lesson_window import LessonWindow
from app.lessons.view.panel import LegendBar, _fit_dash
from app.look import theme
from gpu.errors import ChoiceError
from tests.app.lessons import scenes
from tests.app.lessons.conftest import SECONDS, OpenLesson


def alpha_of(window: LessonWindow) -> float:
    """Where the scene on the board says that the new pixel lies."""
    scene = window.board.scene
    assert scene is not None
    window_of_pixel = scene.panel("walk").items[0]
    return float(window_of_pixel.shapes[0][0, 0])  # type: ignore[union-attr]


@pytest.mark.slow
def test_next_and_back_go_through_the_steps(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    lesson = LESSONS.get("why-not-interpolate")
    seen = []
    for step in lesson.steps:
        seen.append(window.state.step.heading if window.state.step else "")
        assert step.heading in window.text_view.toPlainText()
        if step is not lesson.steps[-1]:
            with qtbot.waitSignal(window.settled, timeout=SECONDS):
                qtbot.mouseClick(window.foot.next_button, Qt.MouseButton.LeftButton)
    assert seen == [step.heading for step in lesson.steps]
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.mouseClick(window.foot.back_button, Qt.MouseButton.LeftButton)
    assert window.state.index == len(lesson.steps) - 2
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.keyClick(window, Qt.Key.Key_Home)
    assert window.state.index == 0
    assert not window.foot.back_button.isEnabled(), "there is nothing before the first step of the first lesson"


def test_a_slider_moves_the_board(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    assert alpha_of(window) == 0.5
    before = window.board.picture()
    row = window.controls.rows["alpha"]
    assert isinstance(row, SliderRow)
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        row.slider.bar.setValue(80)
    assert window.state.values["alpha"] == pytest.approx(0.8)
    assert alpha_of(window) == pytest.approx(0.8)
    assert window.board.picture() != before


def test_draw_again_and_reset(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    first = window.board.picture()
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.mouseClick(window.controls.again_button, Qt.MouseButton.LeftButton)
    assert window.board.picture() != first
    window.set_value("alpha", 0.2)
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.mouseClick(window.head.reset_button, Qt.MouseButton.LeftButton)
    assert window.state.values == LESSONS.get("why-not-interpolate").settings()
    assert window.board.picture() == first, "the same picture to the last pixel"


def test_a_slider_that_plays_stops_with_the_step(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    qtbot.keyClick(window, Qt.Key.Key_Space)
    row = window.controls.rows["alpha"]
    assert isinstance(row, SliderRow)
    assert row.playing
    qtbot.waitUntil(lambda: window.state.values["alpha"] != 0.5, timeout=SECONDS)
    window.go(1)
    assert not row.playing


def test_a_handle_can_be_dragged(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("2")
    (handle,) = (
        graphic for _, graphic in window.board.panels["pixels"]._graphics if isinstance(graphic, items._Handle)
    )
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        handle.setPos(4.2, 1.7)
    assert (window.state.values["pixel_x"], window.state.values["pixel_y"]) == (4.2, 1.7)
    handle.sigPositionChangeFinished.emit(handle)
    assert (handle.pos().x(), handle.pos().y()) == (4.5, 1.5), "let go, it snaps to the middle of its pixel"


@pytest.mark.slow
def test_mathematics_stays_within_the_window(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("3")
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.keyClick(window, Qt.Key.Key_M)
    text = window.text_view.toPlainText()
    assert all(heading in text for heading in ("Mathematics", "Exercises", "Source"))
    assert window.text_view.document().size().width() <= window.text_view.viewport().width()
    assert (window.width(), window.height()) == (1280, 800)
    window.head.maths_button.click()
    assert "Mathematics" not in window.text_view.toPlainText()


def test_full_screen_and_back(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert not window.head.full_button.isChecked()


def test_the_theme_reaches_plots_and_words(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.apply(app, theme.LIGHT)
    panel = window.board.panels["walk"]
    qtbot.waitUntil(lambda: panel.plot.backgroundBrush().color().name() == theme.LIGHT.panel, timeout=SECONDS)
    assert theme.LIGHT.text in panel.title.styleSheet()


@pytest.mark.slow
def test_a_picture_is_written(open_lesson: OpenLesson, tmp_path: Path) -> None:
    window = open_lesson("1")
    path = tmp_path / "step.png"
    window.exporter.png(path)
    assert window.error == f"Written: {path}"
    image = QImage(str(path))
    assert (image.width(), image.height()) == (2 * window.board.width(), 2 * window.board.height())
    with Image.open(path) as picture:
        assert len(picture.convert("RGB").quantize(256).getcolors()) > 50
    window.exporter.png(tmp_path / "nowhere" / "step.png")
    assert "nowhere" in window.error


@pytest.mark.slow
def test_an_animation_is_written(
    open_lesson: OpenLesson, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_lesson("1")
    monkeypatch.setattr(animation, "positions", lambda low, high, step: [0.0, 0.4, 1.0])
    path = tmp_path / "step.gif"
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        window.exporter.gif(path)
        assert window.exporter.busy
    assert window.error == f"Written: {path}"
    assert window.state.values["alpha"] == 0.5, "the animation leaves the lesson as it was"
    assert alpha_of(window) == 0.5
    with Image.open(path) as picture:
        assert picture.n_frames == 3
        assert picture.width <= 960
        frames = []
        for index in range(3):
            picture.seek(index)
            frames.append(np.asarray(picture.convert("RGB")).copy())
    assert not np.array_equal(frames[0], frames[1])
    assert not np.array_equal(frames[1], frames[2])


def test_a_key_stops_an_animation(open_lesson: OpenLesson, qtbot: QtBot, tmp_path: Path) -> None:
    window = open_lesson("1")
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        window.exporter.gif(tmp_path / "step.gif")
        qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert "stopped" in window.error
    assert not list(tmp_path.iterdir())


def test_positions_of_an_animation() -> None:
    assert animation.positions(0, 1, 0.5) == [0, 0.5, 1]
    places = animation.positions(0, 1, 0.01)
    assert places[0] == 0
    assert places[-1] == 1
    assert len(places) <= animation.FRAMES + 1
    assert animation.positions(0, 5, 1) == [0, 1, 2, 3, 4, 5]


def _broken(settings: Settings) -> Iterator[Scene]:
    raise ChoiceError("There is no such thing.")
    yield


def test_what_goes_wrong_is_said(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    good = LESSONS.get("why-not-interpolate")
    window.state.lesson = Lesson(good.controls, (Step("Broken", _broken), *good.steps))
    window.go(0)
    qtbot.waitUntil(lambda: window.error == "There is no such thing.", timeout=SECONDS)
    assert window.message.isVisible()
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        window.go(1)
    assert alpha_of(window) == 0.5, "the window is alive"


@pytest.mark.slow
@pytest.mark.parametrize("name", LESSONS.names())
def test_every_step_fits_a_small_window(qtbot: QtBot, name: str) -> None:
    """No number, legend or control makes the window larger than 1280 x 800."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme.load_font(app)
    window = LessonWindow()
    qtbot.addWidget(window)
    window.show()
    lesson = LESSONS.get(name)
    window.head.chooser.setCurrentIndex(window.head.chooser.findData(name))
    for number, step in enumerate(lesson.steps):
        controls = [lesson.control(one) for one in step.controls]
        window.controls.set_controls(controls, lesson.settings(), step.draws)
        window.board.show_scene(scenes.first(name, number))
        for _ in range(3):  # layouts, without drawing
            app.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
        least = window.minimumSizeHint()
        assert (least.width() <= 1280, least.height() <= 800) == (True, True), (step.heading, least)
        assert (window.width(), window.height()) == (1280, 800), step.heading
    window.close()


def test_widgets_are_kept_while_only_numbers_change(qtbot: QtBot) -> None:
    """Moving a slider makes nothing anew, so that it stays smooth."""
    board = Board()
    qtbot.addWidget(board)
    step = LESSONS.get("why-not-interpolate").steps[0]
    defaults = LESSONS.get("why-not-interpolate").settings()
    board.show_scene(next(iter(step.compute(defaults))))
    panel = board.panels["walk"]
    graphics = [graphic for _, graphic in panel._graphics]
    board.show_scene(next(iter(step.compute({**defaults, "alpha": 0.7}))))
    assert board.panels["walk"] is panel
    assert [graphic for _, graphic in panel._graphics] == graphics


@pytest.mark.slow
@pytest.mark.parametrize("name", ["transport", "independence", "when-things-appear"])  # with wide controls
def test_mathematics_does_not_widen_the_window(name: str, open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson(name)
    assert window.width() == 1280
    window.show_maths(True)
    qtbot.wait(300)
    assert window.width() == 1280
    assert window.controls.geometry().top() > window.text_view.geometry().bottom(), "below both, and wide"
    window.show_maths(False)
    qtbot.wait(300)
    assert window.width() == 1280
    assert window.controls.geometry().left() >= window.text_view.geometry().right()


@pytest.mark.parametrize("dash", [(2.0, 2.0), (6.0, 3.0), (12.0, 4.0), (6.0, 2.0, 1.0, 2.0)])
def test_a_sample_of_a_line_ends_with_a_whole_dash(dash: tuple[float, ...]) -> None:
    line = QPen(QColor("black"), 2.5)
    line.setDashPattern(list(dash))
    length = _fit_dash(line, 40.0)
    pattern = [2.5 * one for one in line.dashPattern()]
    times = (length + pattern[-1]) / sum(pattern)
    assert length <= 40.0
    assert times == pytest.approx(round(times))
    assert round(times) >= 2, "one dash alone looks like a solid line"


@pytest.mark.slow
def test_titles_within_a_narrow_panel_cover_nothing(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    """Lesson 4 names its two rows of pixels in the panel, which is narrow beside the mathematics."""
    window = open_lesson("independence")
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        window.show_maths(True)
    qtbot.wait(300)
    panel = window.board.panels["strip"]
    graphics = [graphic for _, graphic in panel._graphics]
    rows = [one.sceneBoundingRect() for one in graphics if isinstance(one, pg.ImageItem)]
    words = [one for one in graphics if isinstance(one, pg.TextItem) and len(one.toPlainText()) > 2]
    margin = words[0].textItem.document().documentMargin()
    top = panel.plot.getPlotItem().getViewBox().sceneBoundingRect().top()
    for title, row, above in zip(words, rows, (top, rows[0].bottom()), strict=True):
        area = title.textItem.mapRectToScene(title.textItem.boundingRect())
        assert above <= area.top() + margin, title.toPlainText()
        assert area.bottom() - margin <= row.top(), title.toPlainText()


def _screen(window: LessonWindow) -> QImage:
    """What is on the screen, which is not what the window would paint now."""
    return window.screen().grabWindow(window.winId()).toImage()


@pytest.mark.slow
def test_an_export_leaves_nothing_behind_on_the_screen(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("2", "2")
    qtbot.wait(200)
    before = _screen(window)
    for value in (-3.0, -2.0, 2.0, 1.0):
        with qtbot.waitSignal(window.settled, timeout=SECONDS):
            window.set_value("value", value)
        window.board.picture(0.7)
    qtbot.wait(200)
    assert _screen(window) == before


@pytest.mark.slow
def test_one_glossary_that_a_key_opens_and_closes(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("1")
    qtbot.keyClick(window, Qt.Key.Key_G)
    qtbot.keyClick(window, Qt.Key.Key_G)
    (glossary,) = window.findChildren(Glossary)
    assert glossary.view.pixels >= 17, "to be read from the back row"
    qtbot.keyClick(glossary, Qt.Key.Key_Escape)
    assert not glossary.isVisible()


def test_a_name_too_long_for_its_panel_takes_two_lines(qtbot: QtBot) -> None:
    legend = LegendBar()
    qtbot.addWidget(legend)
    name = "sub-pixels that it owns, and others"
    legend.set_entries([(name, Curve(np.zeros(2), np.zeros(2), label=name))], 19)
    needed = QFontMetrics(legend.font()).horizontalAdvance(name)
    one, two = legend.heightForWidth(2 * needed), legend.heightForWidth(needed)
    assert two > 1.5 * one


@pytest.mark.slow
def test_beside_mathematics_a_plot_has_the_width_of_the_board(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("transport", "What the Jacobian")
    window.show_maths(True)
    qtbot.wait(300)
    with_it, without, chart = (window.board.panels[name] for name in ("with", "without", "areas"))
    assert chart.width() > 0.95 * window.board.width()
    assert with_it.y() == without.y() < chart.y()
    window.show_maths(False)
    qtbot.wait(300)
    assert window.board.panels["areas"].y() == window.board.panels["with"].y()


@pytest.mark.slow
def test_keys_go_through_the_steps_after_a_click_on_a_control(open_lesson: OpenLesson, qtbot: QtBot) -> None:
    window = open_lesson("7")
    window.activateWindow()
    window.setFocus()
    for name in ("frame", "motion", "still"):
        row = window.controls.rows[name]
        widget = row.slider.bar if isinstance(row, SliderRow) else row.field
        assert not widget.focusPolicy() & Qt.FocusPolicy.ClickFocus, name
    row = window.controls.rows["frame"]
    assert isinstance(row, SliderRow)
    row.slider.bar.setFocus()  # with the Tab key
    with qtbot.waitSignal(window.settled, timeout=SECONDS):
        qtbot.keyClick(row.slider.bar, Qt.Key.Key_PageDown)
    assert window.state.index == 1
