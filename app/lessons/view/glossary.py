"""The glossary: what the words of the lessons and of the program mean, in a window of its own."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, QThread, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from app.lessons.compute import formulas, texts
from app.lessons.view import type_sizes
from app.lessons.view.page import PageView

LEAST = (760, 780)
SHARE = 0.58  # of the width of the window that it belongs to, and all of its height
ACROSS = 46  # of its type: fewer than in a lesson, where text shares the width with plots


class _Formulas(QThread):
    """Draws the outlines of the glossary's formulas beside the window."""

    ready = Signal(object)

    def __init__(self, wanted: list[texts.Formula]) -> None:
        super().__init__()
        self._wanted = wanted

    def wait_for_end(self) -> None:
        """Come back once it is over: Qt ends the process where a thread is deleted that still runs."""
        self.wait()

    def run(self) -> None:
        self.ready.emit(formulas.outlines(self._wanted))


class Glossary(QWidget):
    """All entries, or those that hold a word."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Glossary · Noisescope")
        self._page = texts.read(texts.glossary())
        self._outlines: dict[texts.Formula, formulas.Outline] = {}
        self.field = QLineEdit()
        self.field.setPlaceholderText("Find a word")
        self.field.setAccessibleName("Find a word")
        self.field.setToolTip("Show only entries that hold this word")
        self.field.setClearButtonEnabled(True)
        self.view = PageView()
        self.view.setAccessibleName("Glossary")
        column = QVBoxLayout(self)
        column.addWidget(self.field)
        column.addWidget(self.view, 1)
        self._calm = QTimer(self)
        self._calm.setSingleShot(True)
        self._calm.setInterval(150)
        self._calm.timeout.connect(self._show)
        self.field.textChanged.connect(lambda: self._calm.start())
        around = parent.size() if parent is not None else self.size()
        self.resize(max(LEAST[0], round(SHARE * around.width())), max(LEAST[1], around.height()))
        self._show()
        self._wanted = [formula for _, text in self._page.sections for formula in texts.formulas(text)]
        self._thread = _Formulas(self._wanted)
        self._thread.setParent(self)
        self.destroyed.connect(self._thread.wait_for_end)
        self._thread.ready.connect(self._drawn)
        self._thread.start()

    def shown(self) -> str:
        """The Markdown of the entries that hold what is looked for."""
        word = self.field.text().strip().lower()
        chosen = [
            (heading, text) for heading, text in self._page.sections if word in heading.lower() or word in text.lower()
        ]
        if not chosen:
            return f"No entry holds “{self.field.text().strip()}”."
        return "\n\n".join(f"## {heading}\n\n{text}" for heading, text in chosen)

    def _drawn(self, outlines: tuple[formulas.Outline, ...]) -> None:
        self._outlines = dict(zip(self._wanted, outlines, strict=True))
        self._show()

    def _show(self) -> None:
        markdown = self.shown()
        drawn = [self._outlines.get(formula) for formula in texts.formulas(markdown)]
        self.view.set_text(markdown, [outline for outline in drawn if outline is not None])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        type_ = type_sizes.body(QSize(round(self.width() * 68 / ACROSS), self.height()))
        self.view.set_type(type_)
        self.field.setFont(type_sizes.font(self.font(), type_))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        else:
            super().keyPressEvent(event)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._thread.wait()
        super().closeEvent(event)


def show_glossary(parent: QWidget) -> Glossary:
    """The glossary in a window of its own, of which there is one."""
    window = parent.findChild(Glossary) or Glossary(parent)
    window.show()
    window.raise_()
    window.activateWindow()
    return window
