"""LPIPS, FID and Improved Precision in the table of outputs: what they say, and why a figure is not there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from app.look.theme import Theme, icon
from app.views.widgets.words import tooltip

if TYPE_CHECKING:
    from gpu.engine.perceptual import Perception


@dataclass(frozen=True)
class Measure:
    """`name` as sentences call it, `field` of gpu.engine.perceptual.Perceived, decimals, and how to read it."""

    name: str
    heading: str
    field: str
    digits: int
    tip: str


PERCEPTUAL = (
    Measure(
        "LPIPS",
        "LPIPS",
        "lpips",
        3,
        "Distance to the true frames in the features of AlexNet (v0.1): 0 for the same picture, about 0.1 where one must look.",
    ),
    Measure(
        "FID",
        "FID",
        "fid",
        1,
        "Fréchet distance of Inception features to real pictures. It falls with the number of frames: compare equal numbers.",
    ),
    Measure(
        "Improved Precision",
        "precision",
        "precision",
        2,
        "Improved Precision: share of the frames that lie where the real pictures do, in the features of VGG-16, k = 3.",
    ),
)
NOT_YET = "Not measured yet: the button above the table measures the outputs computed so far."


def perceptual_cell(
    measure: Measure, key: str, perception: Perception | None, missing: Mapping[str, str]
) -> tuple[str, str]:
    """Text and tip of a cell; a dash where there is no figure, and the tip says why."""
    if missing.get(measure.name):
        return "–", f"{measure.tip}\n\n{measure.name} {missing[measure.name]}"
    perceived = perception.columns.get(key) if perception is not None else None
    if perception is None or perceived is None:
        return "–", f"{measure.tip}\n\n{NOT_YET}"
    value = getattr(perceived, measure.field)
    told = [note for note in perception.notes if measure.name in note]
    against = f" against {perception.real} real pictures" if measure.field != "lpips" else ""
    about = "\n\n".join([measure.tip, f"Of {perceived.n} frames{against}.", *told])
    return ("–" if math.isnan(value) else f"{value:.{measure.digits}f}"), about


class PerceptualButton(QToolButton):
    """Opens the menu from which these measures are taken and their weights found."""

    measure_wanted = Signal()
    weights_wanted = Signal()
    reference_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setText("LPIPS, FID")
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setAccessibleName("Perceptual measures")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.measure = menu.addAction("Measure the outputs computed so far")
        self.measure.triggered.connect(lambda: self.measure_wanted.emit())
        menu.addSeparator()
        self.weights = menu.addAction("Folder of weights …")
        self.weights.setToolTip("Where the published files of AlexNet, LPIPS, Inception and VGG-16 lie")
        self.weights.triggered.connect(lambda: self.weights_wanted.emit())
        self.reference = menu.addAction("Folder of real pictures …")
        self.reference.setToolTip("What FID and Improved Precision compare with; else the true frames")
        self.reference.triggered.connect(lambda: self.reference_wanted.emit())
        self.setMenu(menu)
        self.show_missing({})

    def set_theme(self, colours: Theme) -> None:
        """Draw in these colours from now on."""
        self.setIcon(icon("chevron-down", colours))

    def show_missing(self, missing: Mapping[str, str]) -> None:
        """Say what is not there; there must be something to measure with."""
        told = [f"{name} {sentence}" for name, sentence in missing.items() if sentence]
        self.measure.setEnabled(bool(missing) and len(told) < len(missing))
        self.setToolTip(tooltip("Measures of the outputs by networks that others trained.", *told))
        self.measure.setToolTip(
            "" if self.measure.isEnabled() else "None of the weights are there: choose their folder"
        )
