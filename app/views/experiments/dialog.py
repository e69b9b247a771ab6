"""The dialog of the experiments: what to run with which settings at the left, the runs and what they found at the right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.look import theme
from app.model.experiment_runs import ALL, ExperimentChoice, Request
from app.views.experiments.run_list import RunsView
from app.views.widgets.forms import Choices, Paragraph, Scroll, WholeNumber, beside, labelled, name
from app.views.widgets.parameter_fields import Parameters
from app.views.widgets.words import Label
from gpu.parameters import Value

PRESETS = (
    (True, "Quick", "Fewer and smaller runs: a minute or two on a small machine. The intervals are wider."),
    (False, "Full", "What the documentation reports: minutes to an hour"),
)
ALL_ABOUT = (
    "Runs every experiment with its preset, one after the other, and links their reports on one page. "
    "What is finished stays when the rest is stopped."
)
ALONE = "It measures times: the window computes nothing meanwhile, and other programs should rest too."
FORM_WIDTH, SIZE = 320, (940, 620)


class ExperimentsDialog(QDialog):
    """Asks and shows; `start_wanted` comes with a Request, the other signals with a Run."""

    start_wanted = Signal(object)
    settings_changed = Signal(object)  # {"folder", "seed", "quick"}, to be remembered

    def __init__(
        self, choices: Sequence[ExperimentChoice], settings: Mapping[str, Any], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Experiments")
        self.setModal(False)
        self._choices = {choice.name: choice for choice in choices}
        self._values: dict[str, dict[str, Value]] = {}  # what was changed, by experiment
        every = (ALL, "All experiments", ALL_ABOUT)
        self.which = Choices([every, *((choice.name, choice.title, choice.about) for choice in choices)])
        self.about = Paragraph()
        self.alone = Paragraph()
        self.alone.setObjectName("dim")
        self.alone.setText(ALONE)
        self.preset = Choices(PRESETS)
        self.seed = WholeNumber(0, 2**31 - 1)
        self.folder = QLineEdit()
        self._look = QToolButton()
        name(self._look, "Choose the folder", "Look for a folder on this machine")
        self.parameters = Parameters(live=False, nothing="all")
        self._none = Label("This experiment has no settings of its own.")
        self._none.setObjectName("dim")
        self.start = QPushButton("Start")
        self.start.setToolTip("Run it; the window stays usable meanwhile")
        self.start.setDefault(True)
        self.runs = RunsView()
        self._build()
        self._connect()
        self.preset.show_value(bool(settings.get("quick", True)))
        self.seed.show_value(_whole(settings.get("seed"), 7))
        folder = settings.get("folder")
        self.folder.setText(folder if isinstance(folder, str) else str(Path.home() / "noisescope-experiments"))
        self.set_theme(theme.current())
        self.resize(*SIZE)
        self.show_experiment(choices[0].name if choices else ALL)

    def _build(self) -> None:
        form = QWidget()
        form.setFixedWidth(FORM_WIDTH)
        left = QVBoxLayout(form)
        left.setContentsMargins(2 * theme.GRID, 2 * theme.GRID, theme.GRID, 2 * theme.GRID)
        left.setSpacing(theme.GRID)
        inside = QWidget()
        middle = QVBoxLayout(inside)
        middle.setContentsMargins(0, 0, theme.GRID, 0)
        middle.setSpacing(theme.GRID)
        for field in (self.about, self.alone, self.parameters, self._none):
            middle.addWidget(field)
        middle.addStretch(1)
        self.which.setMaxVisibleItems(24)
        name(self.which, "Experiment", "Which question is to be answered")
        left.addWidget(self.which)
        left.addWidget(Scroll(inside), 1)
        left.addWidget(labelled("Preset", self.preset, "How much is computed"))
        left.addWidget(labelled("Seed", self.seed, "Of all randomness: the same seed gives the same numbers"))
        tip = "Every run gets a folder of its own in here; nothing is overwritten"
        name(self.folder, "Folder", tip)
        left.addWidget(labelled("Folder", beside(self.folder, self._look), tip))
        left.addWidget(self.start)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(form)
        layout.addWidget(self.runs, 1)

    def _connect(self) -> None:
        self.which.picked.connect(lambda which: self.show_experiment(str(which)))
        self.preset.picked.connect(lambda _: self._preset_picked())
        self.seed.picked.connect(lambda _: self._keep())
        self.folder.editingFinished.connect(self._keep)
        self._look.clicked.connect(self._browse)
        self.parameters.changed.connect(self._set)
        self.start.clicked.connect(self._start)

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        self._look.setIcon(theme.icon("folder-open", colours))
        self.parameters.set_theme(colours)
        self.runs.set_theme(colours)

    # -- what is asked for

    def show_experiment(self, which: str) -> None:
        """Offer this experiment, with the settings that it was given last."""
        self.which.show_value(which)
        choice = self._choices.get(which)
        self.about.setText(choice.about if choice else ALL_ABOUT)
        self.about.fit()
        self.alone.setVisible(bool(choice and choice.alone))
        self._show_values()

    def _show_values(self) -> None:
        choice = self._choices.get(self.experiment)
        infos = choice.parameters if choice else ()
        usual = choice.preset(self.quick) if choice else {}
        self.parameters.show_values(infos, {**usual, **self._values.get(self.experiment, {})})
        self._none.setVisible(choice is not None and not infos)

    @property
    def experiment(self) -> str:
        return str(self.which.currentData())

    @property
    def quick(self) -> bool:
        return bool(self.preset.currentData())

    def _set(self, key: str, value: Value) -> None:
        self._values.setdefault(self.experiment, {})[key] = value

    def _preset_picked(self) -> None:
        self._values.clear()  # a preset is what it says
        self._show_values()
        self._keep()

    def _keep(self) -> None:
        self.settings_changed.emit({"folder": self.folder.text(), "seed": self.seed.value(), "quick": self.quick})

    def _browse(self) -> None:
        path = QFileDialog.getExistingDirectory(self, "Folder for the reports of experiments", self.folder.text())
        if path:
            self.folder.setText(path)
            self._keep()

    def request(self) -> Request:
        """What the dialog says now."""
        choice = self._choices.get(self.experiment)
        usual = choice.preset(self.quick) if choice else {}
        given = self._values.get(self.experiment, {})
        changed = {key: value for key, value in given.items() if key in usual and value != usual[key]}
        alone = choice.alone if choice else any(each.alone for each in self._choices.values())
        return Request(
            self.experiment,
            choice.title if choice else "All experiments",
            Path(self.folder.text().strip() or ".").expanduser().absolute(),
            self.seed.value(),
            self.quick,
            changed,
            alone,
        )

    def _start(self) -> None:
        focus = self.focusWidget()
        if focus is not None:
            focus.clearFocus()  # what is being typed counts
        self.start_wanted.emit(self.request())

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(self.focusWidget(), QLineEdit):
            event.accept()  # ends the typing, and starts nothing
            return
        super().keyPressEvent(event)


def _whole(value: object, otherwise: int) -> int:
    return value if type(value) is int and 0 <= value < 2**32 else otherwise
