"""The reading of a flow file that explains the open clip is found; without a clip nothing is claimed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import shiboken6
from PySide6.QtWidgets import QRadioButton, QWidget
from pytestqt.qtbot import QtBot

from app.model.flow_fits import FlowFit, FlowReport, Units, untried
from app.views.source.flow_dialog import FlowDialog
from app.window.main_window import Window
from app.worker.flow_check import flow_report
from gpu.errors import FlowError
from gpu.session import Session, SourceSettings
from tests.app.window.conftest import wait_for


def moving_clip() -> SimpleNamespace:
    """Smooth texture that moves by (3, 1) pixels a frame."""
    texture = np.random.default_rng(0).random((64, 96, 3)).astype(np.float32)
    smooth = cv2.normalize(cv2.GaussianBlur(texture, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    return SimpleNamespace(
        session=Session(source=SourceSettings(kind="video")),
        info=SimpleNamespace(frames=4),
        source=SimpleNamespace(frame=lambda t: np.roll(smooth, (t, 3 * t), axis=(0, 1))),
    )


@pytest.mark.parametrize(("stored", "axes", "sign"), [((-3, -1), "xy", 1), ((3, 1), "xy", -1), ((-1, -3), "yx", 1)])
def test_the_true_reading_fits_best(tmp_path: Path, stored: tuple[int, int], axes: str, sign: int) -> None:
    path = tmp_path / "flow.npy"
    np.save(path, np.broadcast_to(np.array(stored, np.float32), (3, 64, 96, 2)))
    report = flow_report(moving_clip(), SourceSettings("flow", flow_path=str(path)))  # type: ignore[arg-type]
    fits = report.fits
    assert report.about == "3 fields of 96 × 64 vectors (THWC)"
    assert (report.directions, report.units, report.belongs) == ((), ("pixels",), True)
    assert len(fits) == 8
    best = fits[0].error
    assert (fits[0].direction, fits[0].axes, fits[0].sign) == ("backward", axes, sign) or sign < 0, (
        "the plainest of ties"
    )
    # A constant flow reads the same backward and, reversed, forward: both explain it, and nothing else does.
    assert ("backward", axes, sign) in [(fit.direction, fit.axes, fit.sign) for fit in fits if fit.error < best + 1e-3]
    assert sum(fit.error < best + 1e-3 for fit in fits) == 2
    assert all(fit.picture is not None and fit.picture.shape == (64, 96, 3) for fit in fits)


def test_a_still_that_was_carried_by_the_flow_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    np.save(path, np.zeros((3, 64, 96, 2), np.float32))
    clip = moving_clip()
    clip.session = Session(source=SourceSettings(kind="flow", flow_path=str(path)))
    source = SourceSettings("flow", flow_path=str(path))
    for engine in (clip, None):
        assert all(fit.error is None for fit in flow_report(engine, source).fits)  # type: ignore[arg-type]


def test_a_file_that_is_no_flow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    path.write_text("not an array")
    with pytest.raises(FlowError, match=r"flow\.npy"):
        flow_report(None, SourceSettings("flow", flow_path=str(path)))


@pytest.mark.slow
def test_the_question_goes_with_a_file_that_is_no_flow(window: Window, tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    path.write_text("not an array")
    before = window.state.session
    window.documents.check_flow(SourceSettings(kind="flow", flow_path=str(path)))
    dialog = window.findChildren(FlowDialog)[-1]
    assert dialog.isVisible()
    wait_for(lambda: "flow.npy" in window.banner.text)
    assert not shiboken6.isValid(dialog), "it is closed, and what is closed is deleted"
    assert window.state.session == before


def test_what_names_say_is_no_choice(tmp_path: Path) -> None:
    """Both directions in one file: they are read alike, and only axes and sign are tried."""
    flow = np.broadcast_to(np.array((-3, -1), np.float32), (3, 64, 96, 2))
    np.savez(tmp_path / "both.npz", backward=flow, forward=-flow)
    np.savez(tmp_path / "fwd.npz", forward=-flow)
    both = flow_report(moving_clip(), SourceSettings("flow", flow_path=str(tmp_path / "both.npz")))  # type: ignore[arg-type]
    assert both.directions == ("backward", "forward")
    assert len(both.fits) == 4
    assert both.fits[0].words == "both directions, stored as dx, dy, sign as stored"
    ahead = flow_report(moving_clip(), SourceSettings("flow", flow_path=str(tmp_path / "fwd.npz")))  # type: ignore[arg-type]
    assert ahead.directions == ("forward",)
    assert {fit.direction for fit in ahead.fits} == {"forward"}
    assert (ahead.fits[0].axes, ahead.fits[0].sign) == ("xy", 1)


def test_units_are_told_by_the_clip(tmp_path: Path) -> None:
    flow = np.broadcast_to(np.array((-3 / 48, -1 / 32), np.float32), (3, 64, 96, 2))
    np.save(tmp_path / "bwd.npy", flow)
    report = flow_report(moving_clip(), SourceSettings("flow", flow_path=str(tmp_path / "bwd.npy")))  # type: ignore[arg-type]
    assert report.units == ("pixels", "normalised", "fraction")
    assert (report.fits[0].units, report.fits[0].sign) == ("normalised", 1)


@pytest.fixture
def dialog(qtbot: QtBot) -> Callable[..., FlowDialog]:
    """A dialog for a flow file beside a film, or alone."""
    parent = QWidget()
    qtbot.addWidget(parent)

    def make(film: bool = True) -> FlowDialog:
        clip = SourceSettings("video", path="clip.mp4", height=96, frames=20)
        return FlowDialog(parent, SourceSettings("flow", flow_path="flow.npy"), clip if film else None)

    return make


def test_pictures_stay_or_go(dialog: Callable[..., FlowDialog]) -> None:
    shown = dialog()
    fits = FlowFit("forward", "yx", -1, 0.01), FlowFit("backward", "xy", 1, 0.2)
    shown.show_report(FlowReport("3 fields", fits=fits))
    assert shown.source.kind == "flow", "a flow of another clip has nothing to do with these pictures"
    shown.show_report(FlowReport("3 fields", fits=fits, belongs=True))
    kept = shown.source
    assert (kept.kind, kept.path, kept.height, kept.frames, kept.flow_path) == ("video", "clip.mp4", 96, 20, "flow.npy")
    assert (kept.flow_direction, kept.flow_axes, kept.flow_sign) == ("forward", "yx", -1)
    shown._keep.setChecked(False)
    assert (shown.source.kind, shown.source.path) == ("flow", "")
    assert dialog(film=False).source.kind == "flow"


def test_an_array_is_asked_for(dialog: Callable[..., FlowDialog]) -> None:
    shown, asked = dialog(), []
    shown.asked.connect(lambda: asked.append(shown.read))
    shown.show_report(
        FlowReport(question="It holds dis, raft; --key NAME says which.", setting="flow_key", choices=("dis", "raft"))
    )
    assert not shown._ok.isEnabled()
    assert shown._state.text() == "It holds dis, raft; choose it here."
    shown._key.setCurrentIndex(1)
    shown._key.activated.emit(1)
    assert asked[0].flow_key == "raft"
    shown.show_report(FlowReport("3 fields", ("forward",), fits=untried(("forward",))))
    assert shown._ok.isEnabled()
    shown._take(untried(("forward",))[2])
    assert (shown.source.flow_key, shown.source.flow_direction, shown.source.flow_axes) == ("raft", "auto", "yx")


def test_an_order_of_axes_is_asked_for(dialog: Callable[..., FlowDialog]) -> None:
    """Also one that the list does not offer by itself."""
    shown, asked = dialog(), []
    shown.asked.connect(lambda: asked.append(shown.read))
    question = FlowReport(
        question="It is 2x40; --flow-layout says which.", setting="flow_layout", choices=("THWC", "HWCT")
    )
    shown.show_report(question)
    shown.show_report(question)
    orders = [shown._layout.itemData(place) for place in range(shown._layout.count())]
    assert orders.count("HWCT") == orders.count("THWC") == 1
    place = orders.index("HWCT")
    assert shown._layout.itemText(place) == "H, W, 2, T"
    shown._layout.setCurrentIndex(place)
    shown._layout.activated.emit(place)
    assert asked[0].flow_layout == "HWCT"


@pytest.mark.parametrize("taken", ["backward", "forward"])
def test_the_direction_that_numbers_speak_for_is_ticked(
    taken: str, dialog: Callable[..., FlowDialog], tmp_path: Path
) -> None:
    for t in range(3):
        here, there = (t, t + 1) if taken == "forward" else (t + 1, t)
        np.save(tmp_path / f"{here}_{there}.npy", np.full((12, 16, 2), 3, np.float32))
    report = flow_report(None, SourceSettings("flow", flow_path=str(tmp_path)))
    assert (report.directions, report.taken) == ((), taken)
    shown = dialog(film=False)
    shown.show_report(report)
    buttons = [shown._grid.itemAtPosition(row, 0).widget() for row in range(len(report.fits))]
    (ticked,) = [button.text() for button in buttons if isinstance(button, QRadioButton) and button.isChecked()]
    assert ticked.startswith(taken)


def test_units_without_pictures_are_asked_for(dialog: Callable[..., FlowDialog]) -> None:
    units: tuple[Units, ...] = ("pixels", "normalised", "fraction")
    shown = dialog(film=False)
    shown.show_report(FlowReport("3 fields", (), units, untried((), units)))
    assert not shown._ok.isEnabled()
    assert "say which" in shown._state.text()
    shown._units.setCurrentIndex(1)
    shown._units.activated.emit(1)
    assert shown._ok.isEnabled()
    shown._take(untried((), ("normalised",))[1])
    assert (shown.source.flow_units, shown.source.flow_sign) == ("normalised", -1)
