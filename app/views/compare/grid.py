"""The comparison grid in the middle of the window: tools, heads of the columns, pictures, figures."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from app.look import theme
from app.model.catalogue import Catalogue
from app.model.frame_pictures import U8, FramePictures
from app.model.state import View
from app.views.compare.canvas import Canvas
from app.views.compare.cell_layout import GAP, GUTTER, MIN_COLUMN
from app.views.compare.column_heads import Chip, dot
from app.views.compare.figures import Figures
from app.views.widgets.forms import Scroll
from app.views.widgets.words import entry, tooltip
from gpu.engine.results import FrameResult
from gpu.session import PriorSettings

CHIP_HEIGHT = 28


class CompareView(QWidget):
    """Holds no truth: it is given session parts, view, pictures and results, and says what the person did."""

    prior_added = Signal(object)
    prior_removed = Signal(str)
    prior_moved = Signal(str, int)
    prior_replaced = Signal(str, object, str)
    reference_chosen = Signal(str)
    hidden_toggled = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.canvas = Canvas()
        self.figures = Figures()
        self._chips: list[Chip] = []
        self._priors: tuple[PriorSettings, ...] = ()
        self._catalogue: Catalogue | None = None
        self._view = View()
        self._with_output = False
        self._heads = QWidget()
        self._heads.setFixedHeight(CHIP_HEIGHT + GAP // 2)
        self.add = QToolButton(self._heads)
        self.add.setText("Add")
        self.add.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.add.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.add.setToolTip("Add a noise prior to the comparison")
        self.add.setAccessibleName("Add a prior")
        self.add.setMenu(QMenu(self.add))
        self.add.menu().setToolTipsVisible(True)
        self.add.menu().aboutToShow.connect(self._fill_menu)
        self.add.setGeometry(0, 0, GUTTER - GAP, CHIP_HEIGHT)
        self.tools = QHBoxLayout()
        self.tools.setContentsMargins(GAP, GAP // 2, GAP, GAP // 2)
        self.tools.setSpacing(2)
        self._grid = QWidget()
        grid = QVBoxLayout(self._grid)
        grid.setContentsMargins(GAP, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self._heads)
        grid.addWidget(self.canvas, 1)
        grid.addWidget(self.figures)
        self._scroll = Scroll(self._grid)
        self._scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.tools)
        layout.addWidget(self._scroll, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(GUTTER + 2 * MIN_COLUMN)
        self.canvas.arranged.connect(self._place)

    # -- what to show

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """The priors that can be added, and what heads say of them."""
        self._catalogue = catalogue
        self._show_chips()

    def set_columns(self, priors: tuple[PriorSettings, ...], view: View, reference: str, with_output: bool) -> None:
        """The columns and how they are looked at."""
        self._priors, self._view, self._with_output = priors, view, with_output
        while len(self._chips) > len(priors):
            chip = self._chips.pop()
            chip.hide()
            chip.deleteLater()
        while len(self._chips) < len(priors):
            self._chips.append(self._make_chip(priors[len(self._chips)]))
        self._reference = reference
        self._show_chips()
        self._grid.setMinimumWidth(GUTTER + GAP + (MIN_COLUMN + GAP) * len(priors))
        self.canvas.set_view(view, tuple(prior.key for prior in priors), reference)

    def show_last(self) -> None:
        """Bring the last column into view: it was just added."""
        QTimer.singleShot(0, self, lambda: self._scroll.ensureVisible(self._grid.width(), 0))

    def show_pictures(self, pictures: FramePictures | None) -> None:
        """Draw a frame in every column; None: there is none."""
        self.canvas.set_pictures(pictures)

    def show_slices(self, slices: Mapping[tuple[str, str], U8]) -> None:
        """Draw x-t slices, (frames, W, 4) RGBA bytes by column and kind."""
        self.canvas.set_slices(slices)

    def picture(self) -> QImage:
        """The grid with heads and figures, for a file or the clipboard."""
        return self._grid.grab().toImage()

    def show_result(self, result: FrameResult | None) -> None:
        """The figures below the columns; None: there are none."""
        self.figures.show_result(result)

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self.add.setIcon(theme.icon("plus", colours))

    # -- inside

    def _make_chip(self, prior: PriorSettings) -> Chip:
        chip = Chip(prior, self._heads)
        chip.removed.connect(self.prior_removed)
        chip.replaced.connect(self.prior_replaced)
        chip.referenced.connect(self.reference_chosen)
        chip.hidden_toggled.connect(self.hidden_toggled)
        chip.moved.connect(lambda key, step: self.prior_moved.emit(key, self._index(key) + step))
        chip.dropped.connect(self._dropped)
        chip.show()
        return chip

    def _index(self, key: str) -> int:
        return [prior.key for prior in self._priors].index(key)

    def _show_chips(self) -> None:
        for chip, prior in zip(self._chips, self._priors, strict=True):
            chip.show_state(prior, prior.key == self._reference, prior.key in self._view.hidden, self._catalogue)

    def _place(self) -> None:
        columns = self.canvas.columns
        for chip, column in zip(self._chips, columns, strict=False):
            chip.setGeometry(column.x(), 0, column.width(), CHIP_HEIGHT)
        self.figures.set_columns(tuple(prior.key for prior in self._priors), columns, self._with_output)

    def _dropped(self, key: str, point: QPoint) -> None:
        x = self._heads.mapFromGlobal(point).x()
        columns = self.canvas.columns
        nearest = min(range(len(columns)), key=lambda index: abs(columns[index].center().x() - x))
        if nearest != self._index(key):
            self.prior_moved.emit(key, nearest)
        self._place()

    def _fill_menu(self) -> None:
        menu = self.add.menu()
        menu.clear()
        if self._catalogue is None:
            menu.addAction("The priors are still being loaded …").setEnabled(False)
            return
        present = {prior.key for prior in self._priors}
        colours = theme.current()
        for name, info in self._catalogue.priors.items():
            for index, mode in enumerate(info.modes or ("",)):
                prior = PriorSettings(name, "" if index == 0 else mode)  # type: ignore[arg-type]
                action = menu.addAction(dot(prior.key, colours), entry(prior.key))
                action.setToolTip(tooltip(f"{info.summary}\n{info.source}".strip()))
                action.setEnabled(prior.key not in present)
                action.triggered.connect(lambda _=False, prior=prior: self.prior_added.emit(prior))
