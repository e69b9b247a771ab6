"""The reading of a flow file that explains the open clip is found; without a clip nothing is claimed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import shiboken6

from app.views.source.flow_dialog import FlowDialog
from app.window.main_window import Window
from app.worker.flow_check import flow_fits
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
    fits = flow_fits(moving_clip(), str(path))  # type: ignore[arg-type]
    assert len(fits) == 8
    best = fits[0].error
    # A constant flow reads the same backward and, reversed, forward: both explain it, and nothing else does.
    assert ("backward", axes, sign) in [(fit.direction, fit.axes, fit.sign) for fit in fits if fit.error < best + 1e-3]
    assert sum(fit.error < best + 1e-3 for fit in fits) == 2
    assert all(fit.picture is not None and fit.picture.shape == (64, 96, 3) for fit in fits)


def test_a_still_that_was_carried_by_the_flow_proves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    np.save(path, np.zeros((3, 64, 96, 2), np.float32))
    clip = moving_clip()
    clip.session = Session(source=SourceSettings(kind="flow", flow_path=str(path)))
    assert flow_fits(clip, str(path)) == []  # type: ignore[arg-type]
    assert flow_fits(None, str(path)) == []


def test_a_file_that_is_no_flow_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "flow.npy"
    path.write_text("not an array")
    with pytest.raises(FlowError, match=r"flow\.npy"):
        flow_fits(None, str(path))


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
