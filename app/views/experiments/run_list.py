"""The runs of experiments: a list of them, and of the chosen one how far it is, its claims, and where its report is."""

from __future__ import annotations

from html import escape
from typing import Any

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QPushButton, QVBoxLayout, QWidget

from app.look import theme
from app.look.durations import duration
from app.look.palette import SYMBOLS, verdict_style
from app.model.experiment_runs import Run, claim_text
from app.views.widgets.forms import Paragraph, Scroll
from app.views.widgets.progress_bar import Bar
from app.views.widgets.words import Label, shown, tooltip

EMPTY = "No experiment has run yet.\nChoose one at the left and press Start; it is listed here with what it finds."
LIST_HEIGHT = 132


class RunsView(QWidget):
    """Every run of this window, the latest first. The signals come with the Run that is chosen."""

    cancel_wanted = Signal(object)
    report_wanted = Signal(object)
    folder_wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._runs: list[Run] = []
        self._colours = theme.current()
        self.list = QListWidget()
        self.list.setAccessibleName("Runs")
        self.list.setToolTip("The runs of this window, the latest first")
        self.list.setFixedHeight(LIST_HEIGHT)
        self.list.setFrameStyle(0)
        self.list.setUniformItemSizes(True)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.list.currentRowChanged.connect(lambda _: self._show())
        self.empty = Label(EMPTY)
        self.empty.setObjectName("dim")
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.title = Label()
        self.what = Paragraph()
        self.bar = Bar()
        self.bar.setAccessibleName("Progress of the experiment")
        self.claims = QLabel()
        self.claims.setAccessibleName("Claims")
        self.claims.setWordWrap(True)
        self.claims.setTextFormat(Qt.TextFormat.RichText)
        self.claims.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.claims.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.claims.setContentsMargins(0, 0, theme.GRID, 0)
        self.cancel = _button("Cancel", "Stop this run; nothing half-written is left")
        self.report = _button("Open report", "Figures, tables and claims in the browser")
        self.folder = _button("Open folder", "Figures, tables and result.json as files")
        for button, signal in (
            (self.cancel, self.cancel_wanted),
            (self.report, self.report_wanted),
            (self.folder, self.folder_wanted),
        ):
            button.clicked.connect(lambda _=False, signal=signal: signal.emit(self.run))
        self._detail = QWidget()
        inside = QVBoxLayout(self._detail)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(theme.GRID)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.GRID)
        buttons.addWidget(self.cancel)
        buttons.addStretch(1)
        buttons.addWidget(self.folder)
        buttons.addWidget(self.report)
        inside.addWidget(self.title)
        inside.addWidget(self.what)
        inside.addWidget(self.bar)
        inside.addWidget(Scroll(self.claims), 1)
        inside.addLayout(buttons)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID, 2 * theme.GRID)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.list)
        layout.addWidget(self._detail, 1)
        layout.addWidget(self.empty, 1)
        self.set_theme(self._colours)
        self._show()

    @property
    def run(self) -> Run | None:
        """The chosen one."""
        row = self.list.currentRow()
        return self._runs[row] if 0 <= row < len(self._runs) else None

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._colours = colours
        self.title.setFont(_bold(self.font()))
        self.list.setStyleSheet(
            f"QListWidget {{ background: {colours.window}; border: 1px solid {colours.border}; border-radius: 4px; }}"
            f"QListWidget::item {{ padding: 3px 8px; color: {colours.text}; }}"
            f"QListWidget::item:selected {{ background: {colours.hover}; color: {colours.text}; }}"
        )
        for row, run in enumerate(self._runs):
            self._dress(self.list.item(row), run)
        self._show()

    def show_run(self, run: Run) -> None:
        """A run is new, or has come further."""
        if run not in self._runs:
            self._runs.insert(0, run)
            with QSignalBlocker(self.list):
                self.list.insertItem(0, QListWidgetItem())
                self.list.setCurrentRow(0)
        row = self._runs.index(run)
        self._dress(self.list.item(row), run)
        if run is self.run:
            self._show()

    def _dress(self, item: QListWidgetItem, run: Run) -> None:
        preset = "quick" if run.request.quick else "full"
        changed = ", ".join(
            f"{key} {value:g}" if isinstance(value, float) else f"{key} {value}"
            for key, value in run.request.values.items()
        )
        parts = [run.request.title, preset, f"seed {run.request.seed}", *([changed] if changed else []), _state(run)]
        item.setText(shown(f"{_symbol(run)}  {' · '.join(parts)}"))
        item.setToolTip(tooltip(f"{' · '.join(parts)}\n{run.out}"))
        good = {"done": True, "failed": False}.get(run.state)
        colour = self._colours.ink(verdict_style(good)) if good is not None else self._colours.dim
        item.setForeground(QColor(colour if run.ended else self._colours.text))

    def _show(self) -> None:
        run = self.run
        self._detail.setVisible(run is not None)
        self.list.setVisible(bool(self._runs))
        self.empty.setVisible(run is None)
        if run is None:
            return
        self.title.setText(run.request.title)
        self.what.setText(_sentence(run))
        self.what.setObjectName("wrong" if run.problem else "")
        self.what.style().unpolish(self.what)
        self.what.style().polish(self.what)
        self.what.fit()
        self.bar.setVisible(not run.ended)
        self.bar.show_share(run.share)
        text = claims_html(run, self._colours)
        if text != self.claims.text():
            self.claims.setText(text)
        self.cancel.setVisible(not run.ended)
        self.cancel.setEnabled(run.state in ("running", "waiting"))
        there = bool(run.claims) or run.state == "done"
        self.report.setEnabled(there)
        self.folder.setEnabled(there)


def _state(run: Run) -> str:
    if run.state == "done":
        counts = run.counts()
        held = f"{counts[True]} of {counts[True] + counts[False]} claims hold" if counts[True] + counts[False] else ""
        return ", ".join(part for part in (duration(run.seconds), held) if part)
    return f"{run.share:.0%}" if run.state == "running" else run.state


def _symbol(run: Run) -> str:
    return {"done": SYMBOLS[True], "failed": SYMBOLS[False], "running": "▸", "waiting": "…"}.get(
        run.state, SYMBOLS[None]
    )


def _sentence(run: Run) -> str:
    if run.state == "waiting":
        return "Waits until the run before it is done."
    if run.state == "running":
        left = f" · {duration(run.left)} left" if run.left is not None else ""
        return f"{run.share:.0%} · {run.what}{left}"
    if run.state == "stopping":
        return "Stopping …"
    if run.state == "failed":
        return run.problem
    if run.state == "stopped":
        return "Stopped. " + (run.summary if run.claims else "Nothing was written.")
    return run.summary


def claims_html(run: Run, colours: theme.Theme) -> str:
    """Every claim with its sign, what was measured and what was wanted; notes at the end."""
    parts = []
    for title, problem, claims in run.claims:
        if title:
            parts.append(f"<p style='margin: 8px 0 2px 0; font-weight: 600'>{escape(title)}</p>")
        if problem:
            parts.append(f"<p style='margin: 2px 0; color: {colours.bad}'>{escape(problem)}</p>")
        parts += [_claim(claim, colours) for claim in claims]
        if not claims and not problem:
            parts.append(f"<p style='margin: 2px 0; color: {colours.dim}'>It judges no claims; see its report.</p>")
    parts += [f"<p style='margin: 8px 0 2px 0; color: {colours.dim}'>{escape(note)}</p>" for note in run.notes]
    return "".join(parts)


def _claim(claim: dict[str, Any], colours: theme.Theme) -> str:
    colour = colours.ink(verdict_style(claim["holds"]))
    sign = SYMBOLS[claim["holds"]]
    return (
        f"<table cellspacing='0' cellpadding='2'><tr><td width='16' style='color: {colour}'>{sign}</td>"
        f"<td>{escape(claim['claim'])}<br><span style='color: {colours.dim}'>{escape(claim_text(claim))}</span></td>"
        "</tr></table>"
    )


def _button(text: str, tip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(False)
    return button


def _bold(font: Any) -> Any:
    font = type(font)(font)
    font.setWeight(type(font).Weight.DemiBold)
    return font
