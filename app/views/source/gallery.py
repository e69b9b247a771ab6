"""The source's current frame, and the bundled samples to choose from."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QToolButton, QWidget

from app.look import theme
from app.model.catalogue import Sample, is_open
from app.model.frame_pictures import U8
from app.views.widgets.words import tooltip
from gpu.session import SourceSettings

THUMBNAIL = QSize(38, 26)
ACROSS = 5


class Preview(QWidget):
    """The current frame of the source with a line of facts under it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image: U8 | None = None
        self._caption = "Opening …"
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Current frame of the source")
        self.setToolTip("The current frame of the source, its size, speed and motion")

    def sizeHint(self) -> QSize:
        return QSize(232, 152)

    def set_image(self, image: U8 | None) -> None:
        """Show a picture (H, W, 3); None: there is none."""
        self._image = image
        self.update()

    def set_caption(self, caption: str) -> None:
        """The line below the picture."""
        self._caption = caption
        self.setAccessibleDescription(caption)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        colours = theme.current()
        painter = QPainter(self)
        box = QRectF(self.rect()).adjusted(0, 0, 0, -20)
        painter.fillRect(box, QColor(colours.canvas))
        if self._image is not None:
            height, width = self._image.shape[:2]
            image = QImage(self._image.data, width, height, self._image.strides[0], QImage.Format.Format_RGB888)
            scale = min(box.width() / width, box.height() / height)
            target = QRectF(0, 0, width * scale, height * scale)
            target.moveCenter(box.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(target, image)
        painter.setFont(theme.small(self.font()))
        painter.setPen(QColor(colours.dim))
        line = QRectF(0, box.bottom(), self.width(), 20)
        text = painter.fontMetrics().elidedText(self._caption, Qt.TextElideMode.ElideRight, self.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
        painter.end()


class Gallery(QWidget):
    """Thumbnails of the bundled clips, stills and scenes."""

    chosen = Signal(object)  # Sample

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._grid.setColumnStretch(ACROSS, 1)
        self._buttons: list[tuple[Sample, QToolButton]] = []
        self._open: tuple[SourceSettings, str] = (SourceSettings(), "")
        self.setAccessibleName("Bundled samples")

    def set_samples(self, samples: list[Sample]) -> None:
        """A button for each sample."""
        for _, button in self._buttons:
            button.deleteLater()
        self._buttons = []
        for index, sample in enumerate(samples):
            button = QToolButton()
            button.setCheckable(True)
            button.setIcon(_thumbnail(sample.picture))
            button.setIconSize(THUMBNAIL)
            opens = f"Opens with the task {sample.task}" if sample.task else ""
            parts = (sample.title, sample.about, opens, sample.credit)
            button.setToolTip(tooltip("\n".join(part for part in parts if part)))
            button.setAccessibleName(f"Sample: {sample.title}")
            button.setAccessibleDescription(sample.about)
            button.setStyleSheet("padding: 1px;")
            button.setFixedSize(THUMBNAIL.width() + 6, THUMBNAIL.height() + 6)
            button.clicked.connect(lambda _=False, sample=sample: self._choose(sample))
            self._grid.addWidget(button, index // ACROSS, index % ACROSS)
            self._buttons.append((sample, button))
        self.show_open(*self._open)

    def set_picture(self, sample: Sample, picture: U8) -> None:
        """The thumbnail of a sample that came without one."""
        for listed, button in self._buttons:
            if listed is sample:
                button.setIcon(_thumbnail(picture))

    def show_open(self, source: SourceSettings, task: str) -> None:
        """Mark the sample that is open: where several show the same source, the one with the same task."""
        self._open = (source, task)
        shown = [sample for sample, _ in self._buttons if is_open(sample, source)]
        marked = next((sample for sample in shown if sample.task == task), shown[0] if shown else None)
        for sample, button in self._buttons:
            button.setChecked(sample is marked)

    def _choose(self, sample: Sample) -> None:
        self.show_open(*self._open)
        self.chosen.emit(sample)


def _thumbnail(picture: U8 | None) -> QPixmap:
    if picture is None:  # it is still being computed
        empty = QPixmap(THUMBNAIL)
        empty.fill(QColor(theme.current().canvas))
        return empty
    height, width = picture.shape[:2]
    image = QImage(picture.data, width, height, picture.strides[0], QImage.Format.Format_RGB888)
    scaled = image.scaled(
        THUMBNAIL, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation
    )
    x, y = (scaled.width() - THUMBNAIL.width()) // 2, (scaled.height() - THUMBNAIL.height()) // 2
    return QPixmap.fromImage(scaled.copy(x, y, THUMBNAIL.width(), THUMBNAIL.height()))
