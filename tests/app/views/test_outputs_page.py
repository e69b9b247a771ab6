"""The page on outputs: means over frames, flicker in dB, empty states that say why, perceptual measures with their reasons."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from app.views.statistics.outputs_page import ALL_HIDDEN, NO_RUN, NO_TASK, OutputsPage
from app.views.statistics.panel import StatisticsPanel
from app.views.statistics.perceptual_cells import NOT_YET
from gpu.engine.perceptual import Perceived, Perception
from gpu.engine.results import SERIES, Flickers
from gpu.metrics.flicker import Flicker

NAN = float("nan")


def series(**curves: list[float]) -> dict[str, np.ndarray]:
    """Curves of one prior over four frames; those not named are not known."""
    return {name: np.array(curves.get(name, [NAN] * 4), np.float32) for name in SERIES}


def flicker(power: float) -> Flicker:
    frequency = np.arange(1, 9, dtype=np.float32) / 16
    flat = np.full(8, power, np.float32)
    return Flicker(frequency, flat, 2 * flat, 3, 16, 1, 0.8)


@pytest.fixture
def page(themed: object) -> OutputsPage:
    page = OutputsPage()
    page.resize(360, 600)
    return page


def texts(page: OutputsPage) -> dict[str, list[str]]:
    table = page.table
    return {
        table.verticalHeaderItem(row).text().strip(): [
            table.item(row, column).text() for column in range(table.columnCount())
        ]
        for row in range(table.rowCount())
    }


MEASURED = {
    "random": series(warp_error=[NAN, 0.006, 0.008, NAN], coverage=[NAN, 0.9, 0.8, NAN], laplacian=[10, 20, 30, NAN]),
    "integral": series(warp_error=[NAN, 0.002, 0.002, NAN], coverage=[NAN, 0.9, 0.8, NAN], laplacian=[10, 20, 30, NAN]),
}


def test_the_table_shows_means_over_the_known_frames(page: OutputsPage) -> None:
    page.show_measures(MEASURED, None)
    shown = texts(page)
    assert shown["warp ×10⁻³"] == ["7.00", "2.00"]
    assert shown["coverage %"] == ["85", "85"]
    assert shown["Laplacian"] == ["20", "20"], "sharpness where no true frame is known"
    assert "PSNR dB" not in shown
    assert "3 outputs" in page._note.text()
    assert NO_RUN in page._note.text()


def test_sharpness_takes_the_place_of_the_laplacian(page: OutputsPage) -> None:
    page.show_measures({"random": series(laplacian=[10] * 4, sharpness=[0.9] * 4, psnr=[24.0] * 4)}, None)
    shown = texts(page)
    assert shown["sharpness"] == ["0.90"]
    assert shown["PSNR dB"] == ["24.0"]
    assert "Laplacian" not in shown


def test_flicker_is_drawn_in_decibels_beside_the_true_one(page: OutputsPage) -> None:
    page.show_measures(MEASURED, Flickers({"random": flicker(100.0), "integral": flicker(1.0)}, flicker(0.01), 16))
    curve = page.along._curves["random"]
    assert np.allclose(curve[1], 20.0)
    assert np.allclose(page.fixed._curves["integral"][1], 10 * np.log10(2))
    assert page.along._reference is not None
    assert np.allclose(page.along._reference[1], -20.0)
    assert page.along.ends_y() == (-20, 30)
    rms = [float(text) for text in texts(page)["flicker rms"]]
    assert rms == pytest.approx([(100 * (0.5 - 1 / 32)) ** 0.5, (0.5 - 1 / 32) ** 0.5], abs=0.006)
    assert "frames 3 … 18" in page._note.text()


def test_empty_states_say_what_to_do(page: OutputsPage) -> None:
    page.show_measures({"random": series()}, None)
    assert page._pages.currentWidget() is page._empty
    assert page._empty.text() == NO_TASK
    page.show_measures(MEASURED, None)
    assert page._pages.currentIndex() == 1
    page.set_hidden_keys({"random"})
    assert page.table.columnCount() == 1
    page.set_hidden_keys({"random", "integral"})
    assert page._empty.text() == ALL_HIDDEN
    assert page._pages.currentWidget() is page._empty


def test_perceptual_measures_say_why_they_are_not_there(page: OutputsPage) -> None:
    page.show_measures(MEASURED, None)
    assert [texts(page)[name] for name in ("LPIPS", "FID", "precision")] == [["–", "–"]] * 3
    page.show_missing({"LPIPS": "needs alex.pth, not found in /w.", "FID": "", "Improved Precision": ""})
    rows = list(texts(page))
    assert "alex.pth" in page.table.item(rows.index("LPIPS"), 0).toolTip()
    assert NOT_YET in page.table.item(rows.index("FID"), 0).toolTip()
    assert page.perceptual.measure.isEnabled()
    page.show_missing(dict.fromkeys(("LPIPS", "FID", "Improved Precision"), "needs a file."))
    assert not page.perceptual.measure.isEnabled()
    assert "LPIPS needs a file." in page.perceptual.toolTip()


def test_perceptual_measures_are_shown_with_their_numbers_of_pictures(page: OutputsPage) -> None:
    page.show_measures(MEASURED, None)
    page.show_missing(dict.fromkeys(("LPIPS", "FID", "Improved Precision"), ""))
    columns = {"random": Perceived(0.123, 61.23, 0.5, 3), "integral": Perceived(0.1, NAN, 0.75, 3)}
    page.show_perception(Perception(columns, 40, ("FID of 3 frames against 40 is biased upwards by much.",)))
    shown = texts(page)
    assert shown["LPIPS"] == ["0.123", "0.100"]
    assert shown["FID"] == ["61.2", "–"]
    assert shown["precision"] == ["0.50", "0.75"]
    tip = page.table.item(list(shown).index("FID"), 0).toolTip()
    assert "3 frames against 40 real pictures" in tip
    assert "biased" in tip


def test_the_corner_of_the_table_has_the_panels_colour(page: OutputsPage) -> None:
    page.show_measures(MEASURED, None)
    page.show()
    picture = page.table.grab().toImage()
    assert picture.pixelColor(3, 3).lightness() < 60
    page.close()


def test_the_page_asks_when_it_is_seen_and_a_folded_panel_forgets_the_pixel(themed: object, qtbot: Any) -> None:
    panel = StatisticsPanel()
    panel.resize(360, 700)
    qtbot.addWidget(panel)
    panel.show()
    with qtbot.waitSignal(panel.outputs.wanted):
        panel.open_page("outputs")
    panel.hide()
    panel.show()
    assert panel.subjects.currentIndex() == 1, "outputs stay"
    with qtbot.waitSignal(panel.inspector.wanted):
        panel.open_page("pixel")
    panel.hide()
    panel.show()
    assert panel.subjects.currentIndex() == 0
