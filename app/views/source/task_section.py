"""The part of the left panel about the diffusion task: which, its own settings, the sampler, and what to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QWidget

from app.look import theme
from app.model.catalogue import Catalogue, menu
from app.views.source.proposing import propose
from app.views.widgets.forms import Choices, Section, WholeNumber, name, note, show_note
from app.views.widgets.parameter_fields import PATH, Parameters
from app.views.widgets.sliders import ParameterSlider
from gpu.parameters import ParameterInfo
from gpu.session import Session, TaskSettings

if TYPE_CHECKING:
    from gpu.diffusion.tasks import Task

HIGHEST, LOWEST = 0.1, 0.001  # where the logarithmic sliders of σ max and σ min begin
SIGMA_MAX = ParameterInfo(
    "sigma_max",
    "σ max",
    0,
    0,
    1000,
    0.01,
    "",
    "Noise level the sampler starts from, in units of the data; 0: the task's.",
)
SIGMA_MIN = ParameterInfo(
    "sigma_min",
    "σ min",
    0,
    0,
    10,
    0.001,
    "",
    "Least noise level before the last step, in units of the data; 0: the task's.",
)
CHURN = ParameterInfo(
    "churn",
    "Stochasticity",
    0.5,
    0,
    1,
    0.05,
    "",
    "How much noise a stochastic sampler adds on its way, 0 none to 1 most. It comes from the prior as well.",
)
NONE = ("", "none", "Only the noise, no diffusion model")


class TaskSection(Section):
    """Shows a session's task and says which settings the person wants instead."""

    changed = Signal(object, str, str)  # Session, what was changed, merge key for undo
    refused = Signal(str)  # why settings that were asked for cannot be had
    folder_wanted = Signal()  # the person wants to look for a model's folder
    check_wanted = Signal(str)  # the model at this path is new: what is it?

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Diffusion task", "What a diffusion model makes of each noise", parent=parent)
        self._session = Session()
        self._catalogue: Catalogue | None = None
        self._kept: dict[str, Mapping[str, Any]] = {}  # a task's own settings, for when it is chosen again
        self._checked = ""
        self._task = Choices((NONE,))
        self._task.picked.connect(self._pick)
        self.row("Task", self._task, "What the diffusion model does")
        self._about = note()
        self.wide(self._about)
        self._suits = note()
        self.wide(self._suits)
        self.parameters = Parameters(live=False)
        self.parameters.changed.connect(self._parameter)
        self.parameters.browse_wanted.connect(lambda _: self.folder_wanted.emit())
        self.wide(self.parameters)
        self._model = note()
        self._wrong = note("wrong")
        self.wide(self._model)
        self.wide(self._wrong)
        self._sampler = Choices()
        self._sampler.picked.connect(lambda value: self._change("Sampler", "", sampler=value))
        self.row("Sampler", self._sampler, "How the reverse diffusion is integrated")
        self._steps = WholeNumber(0, 200)
        self._steps.picked.connect(lambda value: self._change("Steps", "steps", steps=value))
        self.row("Steps", self._steps, "Sampler steps: more are finer and slower; 0: the task's")
        self._sigma_max = ParameterSlider(SIGMA_MAX, 0.0, "the task's", HIGHEST)
        self._sigma_max.changed.connect(lambda _, value: self._change("σ max", "sigma_max", sigma_max=value))
        self._sigma_min = ParameterSlider(SIGMA_MIN, 0.0, "the task's", LOWEST)
        self._sigma_min.changed.connect(lambda _, value: self._change("σ min", "sigma_min", sigma_min=value))
        self._churn = ParameterSlider(CHURN, CHURN.default)
        self._churn.changed.connect(lambda _, value: self._change("Stochasticity", "churn", churn=round(value, 4)))
        for slider in (self._sigma_max, self._sigma_min, self._churn):
            self.wide(slider)
        self._reset = QPushButton("Reset to the task's defaults")
        tip = "Sampler, steps, noise levels and the task's own settings as it was tuned; a model's path stays"
        name(self._reset, "Reset to the task's defaults", tip)
        self._reset.clicked.connect(self._reset_all)
        self.wide(self._reset)

    @property
    def session(self) -> Session:
        """The settings that are shown."""
        return self._session

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        super().set_theme(colours)
        self.parameters.set_theme(colours)
        self._reset.setIcon(theme.icon("rotate-ccw", colours))

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """The tasks and samplers there are."""
        self._catalogue = catalogue
        self._task.set_choices([NONE, *menu(catalogue.tasks)])
        self.show_session(self._session)

    def show_session(self, session: Session) -> None:
        """Show the settings; nothing is emitted."""
        self._session = session
        task = session.task
        chosen = self._catalogue.tasks.get(task.name) if self._catalogue else None
        self._kept[task.name] = task.parameters
        self._task.show_value(task.name)
        show_note(self._about, chosen.about if chosen else "")
        show_note(self._suits, self._best_seen(session))
        self.parameters.show_values(chosen.parameters if chosen else (), task.parameters)
        self._show_samplers(chosen)
        self._steps.setSpecialValueText(_default(chosen.defaults.steps if chosen else 0))
        self._steps.show_value(task.steps)
        self._sigma_max.set_least(_default(chosen.defaults.sigma_max if chosen else 0))
        self._sigma_min.set_least(_default(chosen.defaults.sigma_min if chosen else 0))
        self._sigma_max.set_value(task.sigma_max)
        self._sigma_min.set_value(task.sigma_min)
        self._churn.set_value(task.churn)
        for field in (self._sampler, self._steps, self._sigma_max, self._sigma_min):
            field.setEnabled(bool(task.name))
        usual = chosen.defaults.sampler if chosen else ""
        sampler = self._catalogue.samplers.get(task.sampler or usual) if self._catalogue else None
        self._churn.setEnabled(bool(task.name) and sampler is not None and sampler.stochastic)
        self._reset.setEnabled(bool(task.name) and task != self._defaults())
        self._check(str(task.parameters.get(PATH, "")) if chosen is not None else "")

    def _best_seen(self, session: Session) -> str:
        """Which scene shows the task best, unless it is the one that is open."""
        best = self._catalogue.scene_for(session.task.name) if self._catalogue else ""
        if self._catalogue is None or not best or (session.source.kind, session.source.name) == ("scene", best):
            return ""
        return f"Best seen on the scene {self._catalogue.scenes[best].title}, under Source."

    def show_model(self, path: str, sentence: str, good: bool) -> None:
        """What was found at the path of a model."""
        if path == self._checked:
            show_note(self._model, sentence if good else "")
            show_note(self._wrong, "" if good else sentence)

    def show_path(self, path: str) -> None:
        """The person has chosen a model's folder."""
        self._parameter(PATH, path)

    def _check(self, path: str) -> None:
        if path != self._checked:
            self._checked = path
            show_note(self._model, "")
            show_note(self._wrong, "")
            if path:
                self.check_wanted.emit(path)

    def _show_samplers(self, task: Task | None) -> None:
        samplers = self._catalogue.samplers if self._catalogue else {}
        usual = samplers.get(task.defaults.sampler) if task is not None else None
        text = f"{usual.title.partition(' (')[0]} (task's)" if usual else "the task's"
        first = ("", text, "The sampler that the task was tuned with")
        said = "adds noise, which the prior gives too"
        entries = [(name, sampler.title, said if sampler.stochastic else "") for name, sampler in samplers.items()]
        self._sampler.set_choices([first, *entries])
        self._sampler.show_value(self._session.task.sampler)

    # -- what the person did

    def _change(self, what: str, merge: str, **values: Any) -> None:
        task = replace(self._session.task, **values)
        if task != self._session.task:
            propose(self, lambda: replace(self._session, task=task), what, merge)

    def _parameter(self, key: str, value: float | str) -> None:
        task = self._catalogue.tasks.get(self._session.task.name) if self._catalogue else None
        info = next((info for info in task.parameters if info.name == key), None) if task else None
        if info is None:
            return
        old = self._session.task.parameters
        if value == old.get(key, info.usual):
            return  # a text that was only looked at
        merge = "" if info.is_text else f"task {key}"
        self._change(info.label, merge, parameters={**old, key: value})

    def _pick(self, chosen: str) -> None:
        """Another task: the sampler and its steps stay, the noise levels and settings are the new task's."""
        old = self._session.task
        kept = self._kept.get(chosen, {})
        task = TaskSettings(chosen, old.sampler, old.steps, churn=old.churn, parameters=kept)
        propose(self, lambda: replace(self._session, task=task), "Task")

    def _defaults(self) -> TaskSettings:
        old = self._session.task
        kept = {PATH: old.parameters[PATH]} if PATH in old.parameters else {}
        return TaskSettings(name=old.name, parameters=kept)

    def _reset_all(self) -> None:
        propose(self, lambda: replace(self._session, task=self._defaults()), "Reset of the task")


def _default(value: float | None) -> str:
    return f"{value:g} (task's)" if value else "the task's"
