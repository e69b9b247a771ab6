"""The numbers of a scene in large type, beside each other or, where the window is narrow, in several rows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QSizePolicy, QVBoxLayout, QWidget

from app.lessons.compute.scene import Fact
from app.lessons.view import type_sizes
from app.look import theme
from app.look.palette import SYMBOLS
from app.views.widgets.words import Label

SIDE = 10  # pixels left and right of a card's words


class FactCard(QFrame):
    """One number in large type."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._parts = [Label(), Label(), Label()]
        column = QVBoxLayout(self)
        column.setContentsMargins(SIDE, 6, SIDE, 6)
        column.setSpacing(0)
        for part in self._parts:
            part.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
            part.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            column.addWidget(part)
        self._parts[1].setFont(theme.tabular(self.font()))
        column.addStretch(1)

    def show_fact(self, fact: Fact, type_: int) -> None:
        """Draw this number."""
        sign = "" if fact.ok is None else f" {SYMBOLS[fact.ok]}"
        value_ink = fact.ink if fact.ok is None else "good" if fact.ok else "bad"
        rows = (
            (fact.label, 0.85, "dim", False), (fact.value + sign, 1.5, value_ink, True), (fact.note, 0.8, "dim", False)
        )  # fmt: skip
        for part, (text, size, ink, bold) in zip(self._parts, rows, strict=True):
            type_sizes.words(part, text, type_ * size, ink, bold)
        self.setAccessibleName(f"{fact.label}: {fact.value}{sign}, {fact.note}")
        self.setToolTip(f"{fact.label}: {fact.note}" if fact.note else "")

    def needed(self) -> int:
        """The width at which nothing is cut."""
        return max(part.sizeHint().width() for part in self._parts if part.text()) + 2 * SIDE


class FactRow(QWidget):
    """All numbers of a scene."""

    def __init__(self) -> None:
        super().__init__()
        self._cards: list[FactCard] = []
        self._shown = 0
        self._columns = 0
        self._widest = 0  # the most that the cards have asked for: numbers that change do not change the rows
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.GRID // 2)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def show_facts(self, facts: tuple[Fact, ...], type_: int, anew: bool = False) -> None:
        """Draw these numbers; `anew` forgets how wide the ones before were."""
        while len(self._cards) < len(facts):
            self._cards.append(FactCard())
            self._cards[-1].setParent(self)
        for card, fact in zip(self._cards, facts):
            card.show_fact(fact, type_)
        if anew or len(facts) != self._shown:
            self._shown, self._widest, self._columns = len(facts), 0, 0
        self._arrange()

    def _arrange(self) -> None:
        """As few rows as the width allows."""
        if not self._shown:
            return
        needs = [card.needed() for card in self._cards[: self._shown]]
        self._widest = max(self._widest, sum(needs))
        space = self._grid.spacing()
        columns = self._shown
        if self.width() < self._widest + space * (columns - 1):
            for columns in range(self._shown - 1, 0, -1):
                rows = -(-self._shown // columns)
                even = -(-self._shown // rows)  # three and two rather than four and one
                widths = [max(needs[at::even]) for at in range(even)]
                if even == columns and sum(widths) + space * (even - 1) <= self.width():
                    break
        if columns == self._columns:
            return
        self._columns = columns
        while self._grid.count():
            self._grid.takeAt(0)
        for index, card in enumerate(self._cards):
            card.setVisible(index < self._shown)
            if index < self._shown:
                self._grid.addWidget(card, index // columns, index % columns)
        for column in range(self._grid.columnCount()):
            self._grid.setColumnStretch(column, max(needs[column::columns], default=0) if column < columns else 0)
        self.updateGeometry()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        QTimer.singleShot(0, self, self._arrange)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().event(event)

    def minimumSizeHint(self) -> QSize:
        return QSize(0, self._grid.minimumSize().height())
