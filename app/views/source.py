"""The panel at the left: where frames and motion come from, the grid, the noise, the task."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app import theme
from app.catalogue import Catalogue, Sample
from app.views.forms import LABEL_WIDTH, Choices, Scroll, Section, Whole, name
from app.views.sliders import ParameterSlider
from app.views.source_gallery import Gallery, Preview
from gpu.engine.results import SourceInfo
from gpu.parameters import ParameterInfo
from gpu.session import Session

WIDTH = 264
KINDS = (
    ("video", "Video", "A video file; its motion is estimated"),
    ("images", "Image sequence", "Numbered pictures in a folder; their motion is estimated"),
    ("synthetic", "Still and deformation", "One picture, moved by a known deformation: its motion is exact"),
    ("scene", "Generated scene", "A world that is computed; its motion is exact"),
    ("flow", "Flow file", "Motion from a .npy, .npz, .flo or KITTI .png file"),
)
ROWS = (72, 96, 144, 192, 216, 288, 360, 480, 576, 720)
GAMMA = ParameterInfo(
    "gamma", "Degradation γ", 0, 0, 1, 0.01, "", "Share of fresh noise mixed into every prior: 0 none, 1 all of it."
)
SCALE = ParameterInfo(
    "scale", "Working size", 1, 0.25, 2, 0.05, "×", "Size at which motion is estimated, relative to the noise grid."
)


class SourcePanel(QWidget):
    """Shows a session and says which settings the person wants instead."""

    changed = Signal(object, str, str)  # Session, what was changed, merge key for undo
    open_wanted = Signal(str)  # a kind of KINDS, or "still"
    check_wanted = Signal()  # look at how a flow file's conventions fit
    sample_chosen = Signal(object)  # Sample

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(WIDTH - 24)
        self._session = Session()
        self._catalogue: Catalogue | None = None
        self._sliders: dict[str, ParameterSlider] = {}
        self._formulas: dict[str, QLineEdit] = {}
        self._built_for = ""
        self.preview = Preview()
        self.gallery = Gallery()
        self.gallery.chosen.connect(self.sample_chosen)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, theme.GRID, 0, theme.GRID)
        column.setSpacing(2)
        self._sections = [self._make_source(), self._make_motion(), self._make_task(), self._make_noise()]
        for section in self._sections:
            column.addWidget(section)
        column.addStretch(1)
        scroll = Scroll(body)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    # -- building

    def _make_source(self) -> Section:
        section = Section("Source", "Where the frames and their motion come from")
        section.wide(self.preview)
        self._kind = Choices(KINDS)
        self._kind.picked.connect(self._pick_kind)
        self._open = QToolButton()
        name(self._open, "Open a file", "Choose the file for this kind of source (Ctrl+O opens a video)")
        self._open.clicked.connect(lambda: self.open_wanted.emit(self._session.source.kind))
        name(self._kind, "Kind of source", "Where the frames come from")
        section.wide(_beside(self._kind, self._open))
        section.wide(self.gallery)
        self._deformation = Choices()
        self._deformation.picked.connect(self._pick_deformation)
        self._deformation_row = _labelled("Moved by", self._deformation, "The deformation that moves the still")
        section.wide(self._deformation_row)
        self._parameters = QWidget()
        self._parameter_box = QVBoxLayout(self._parameters)
        self._parameter_box.setContentsMargins(0, 0, 0, 0)
        self._parameter_box.setSpacing(theme.GRID - 2)
        section.wide(self._parameters)
        self._wrong = QLabel()
        self._wrong.setObjectName("wrong")
        self._wrong.setWordWrap(True)
        self._wrong.hide()
        section.wide(self._wrong)
        self._flow = QWidget()
        flow = QVBoxLayout(self._flow)
        flow.setContentsMargins(0, 0, 0, 0)
        flow.setSpacing(theme.GRID - 2)
        self._flow_label = QLabel()
        self._flow_label.setObjectName("dim")
        self._flow_label.setWordWrap(True)
        self._check = QPushButton("Direction, axes and sign …")
        name(self._check, "Direction, axes and sign", "How the flow file is read, and which reading fits best")
        self._check.clicked.connect(self.check_wanted)
        flow.addWidget(self._flow_label)
        flow.addWidget(self._check)
        section.wide(self._flow)
        rows = [(0, "automatic", "The picture's own shape, at most 288 rows")]
        rows += [(row, f"{row} rows", f"Noise, output and pictures have {row} rows") for row in ROWS]
        self._height = Choices(rows)
        self._height.picked.connect(lambda rows: self._source("Resolution", "", height=rows, width=0))
        section.row("Resolution", self._height, "Size of the noise grid and of the pictures; larger is slower")
        self._frames = Whole(0, 100000, "all", " frames")
        self._frames.picked.connect(lambda frames: self._source("Length", "frames", frames=frames))
        section.row("Length", self._frames, "How many frames to take; 0 takes all")
        self._start = Whole(0, 10**6)
        self._start.picked.connect(lambda start: self._source("First frame", "start", start=start))
        section.row("First frame", self._start, "The frame of the clip to start at")
        return section

    def _make_motion(self) -> Section:
        section = Section("Motion", "How the motion along which noise is carried is found")
        self._estimator = Choices((("auto", "automatic", "The truth where the source has it, else DIS"),))
        self._estimator.picked.connect(lambda value: self._motion("Estimator", "", estimator=value))
        section.row("Estimator", self._estimator, "What estimates the optical flow")
        self._preset = Choices()
        self._preset.picked.connect(lambda value: self._motion("Preset", "", preset=value))
        self._preset_field = section.row("Preset", self._preset, "Faster or finer")
        self._scale = ParameterSlider(SCALE, 1.0)
        self._scale.changed.connect(lambda _, value: self._motion("Working size", "scale", scale=value))
        section.wide(self._scale)
        return section

    def _make_task(self) -> Section:
        section = Section("Diffusion task", "What a diffusion model makes of each noise")
        self._task = Choices((("", "none", "Only the noise, no diffusion model"),))
        self._task.picked.connect(lambda value: self._task_changed("Task", "", name=value))
        section.row("Task", self._task, "What the diffusion model does")
        self._sampler = Choices((("", "the task's", "The sampler that the task was tuned with"),))
        self._sampler.picked.connect(lambda value: self._task_changed("Sampler", "", sampler=value))
        section.row("Sampler", self._sampler, "How the reverse diffusion is integrated")
        self._steps = Whole(0, 200, "the task's")
        self._steps.picked.connect(lambda value: self._task_changed("Steps", "steps", steps=value))
        section.row("Steps", self._steps, "Sampler steps: more are finer and slower")
        self._sigma = ParameterSlider(
            ParameterInfo(
                "sigma_max", "σ max", 0, 0, 80, 0.5, "", "Noise level the sampler starts from; 0: the task's."
            ),
            0.0,
            least="the task's",
        )
        self._sigma.changed.connect(lambda _, value: self._task_changed("σ max", "sigma", sigma_max=value))
        section.wide(self._sigma)
        return section

    def _make_noise(self) -> Section:
        section = Section("Noise", "The noise grid, its seed and what computes it")
        self._seed = Whole(0, 2**31 - 1)
        self._seed.setMinimumWidth(8 * theme.GRID)
        self._seed.picked.connect(lambda seed: self._noise("Seed", "seed", seed=seed))
        self._dice = QToolButton()
        name(self._dice, "Another seed", "Roll another seed")
        self._dice.clicked.connect(lambda: self._noise("Seed", "", seed=random.randrange(2**31)))
        name(self._seed, "Seed", "The one seed of the session: the same seed gives the same noise, always")
        section.wide(_labelled("Seed", _beside(self._seed, self._dice), "The one seed of the session"))
        self._gamma = ParameterSlider(GAMMA, 0.0)
        self._gamma.changed.connect(self._pick_gamma)
        section.wide(self._gamma)
        self._k = Choices([(k, f"k = {k}", f"{2**k} × {2**k} sub-pixels a pixel") for k in range(7)])
        self._k.picked.connect(lambda k: self._noise("Level k", "", k=k))
        section.row("Sub-pixels", self._k, "Level k of the fine noise: 2^k × 2^k sub-pixels in a pixel (integral)")
        self._s = Choices([(s, f"s = {s}", f"{s} segments a side") for s in (1, 2, 4, 8, 16)])
        self._s.picked.connect(lambda s: self._noise("Contour s", "", s=s))
        section.row("Contour", self._s, "Segments s on each side of a pixel's outline when it is moved (integral)")
        self._channels = Whole(1, 64)
        self._channels.picked.connect(lambda value: self._noise("Channels", "channels", channels=value))
        section.row("Channels", self._channels, "Noise channels; a latent diffusion model wants 4")
        self._fill = Choices(
            (
                (
                    "two-stage",
                    "two-stage",
                    "What comes into sight inherits or opens an anchor that is then carried along",
                ),
                ("random", "random fill", "What comes into sight gets fresh noise in every frame (the baseline)"),
            )
        )
        self._fill.picked.connect(lambda value: self._noise("Disocclusion", "", fill=value))
        section.row("New areas", self._fill, "What happens where the motion uncovers something new")
        self._backend = Choices(
            (
                ("auto", "automatic", "The faster of the two on this machine"),
                ("gl", "OpenGL", "Rasterise with the graphics card, or its software stand-in"),
                ("torch", "torch", "Rasterise with torch"),
            )
        )
        self._backend.picked.connect(lambda value: self._noise("Backend", "", backend=value))
        section.row("Backend", self._backend, "What rasterises the moved pixels (integral)")
        return section

    # -- showing

    def set_theme(self, colours: theme.Theme) -> None:
        for section in self._sections:
            section.set_theme(colours)
        self._open.setIcon(theme.icon("folder-open", colours))
        self._dice.setIcon(theme.icon("dices", colours))

    def set_catalogue(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._deformation.set_choices([(one.name, one.title, one.summary) for one in catalogue.deformations])
        automatic = ("auto", "automatic", "The truth where the source has it, else DIS")
        self._estimator.set_choices([automatic, *((one.name, one.title, one.summary) for one in catalogue.estimators)])
        self._task.set_choices(
            [
                ("", "none", "Only the noise, no diffusion model"),
                *((one.name, one.title, one.summary) for one in catalogue.tasks),
            ]
        )
        samplers = [("", "the task's", "The sampler that the task was tuned with")]
        self._sampler.set_choices([*samplers, *((one.name, one.title, "") for one in catalogue.samplers)])
        self._built_for = ""
        self.show_session(self._session)

    def set_samples(self, samples: list[Sample]) -> None:
        self.gallery.set_samples(samples)

    def show_info(self, info: SourceInfo) -> None:
        """What is known once the source is open."""
        self._frames.setSpecialValueText(f"all ({info.frames})" if self._session.source.frames == 0 else "all")
        self.preview.set_caption(f"{info.width} × {info.height} · {info.fps:g} fps · {info.motion}")

    def show_wrong(self, sentence: str) -> None:
        """An error that belongs to this panel, such as a formula that is not understood; empty when all is well."""
        self._wrong.setText(sentence)
        self._wrong.setVisible(bool(sentence))
        for field in self._formulas.values():
            field.setProperty("wrong", "true" if sentence else "false")
            field.style().unpolish(field)
            field.style().polish(field)

    def show_session(self, session: Session) -> None:
        self._session = session
        source, motion, noise, task = session.source, session.motion, session.noise, session.task
        synthetic, flow = source.kind == "synthetic", source.kind == "flow"
        self._kind.show_value(source.kind)
        self._height.show_value(source.height)
        self._frames.show_value(source.frames)
        self._start.show_value(source.start)
        for widget, visible in ((self._deformation_row, synthetic), (self._parameters, synthetic), (self._flow, flow)):
            widget.setVisible(visible)
        if synthetic:
            self._deformation.show_value(source.name)
            self._show_parameters()
        if flow:
            reading = f"{source.flow_direction}, {'dx, dy' if source.flow_axes == 'xy' else 'dy, dx'}, "
            reading += "sign as stored" if source.flow_sign > 0 else "sign reversed"
            self._flow_label.setText(f"{Path(source.flow_path).name or 'No flow file yet'}\nread as {reading}")
        self.gallery.show_open(source, task.name)
        self._estimator.show_value(motion.estimator)
        self._show_presets()
        self._scale.set_value(motion.scale)
        self._sections[1].setVisible(source.kind in ("video", "images") or motion.estimator != "auto")
        self._task.show_value(task.name)
        self._sampler.show_value(task.sampler)
        self._steps.show_value(task.steps)
        self._sigma.set_value(task.sigma_max)
        for field in (self._sampler, self._steps, self._sigma):
            field.setEnabled(bool(task.name))
        self._seed.show_value(noise.seed)
        self._gamma.set_value(session.priors[0].gamma if session.priors else 0.0)
        self._k.show_value(noise.k)
        self._s.show_value(noise.s)
        self._channels.show_value(noise.channels)
        self._fill.show_value(noise.fill)
        self._backend.show_value(noise.backend)

    def _show_presets(self) -> None:
        motion, presets = self._session.motion, ()
        if self._catalogue is not None:
            chosen = "dis" if motion.estimator == "auto" else motion.estimator
            presets = next((one.choices for one in self._catalogue.estimators if one.name == chosen), ())
        self._preset.set_choices([(preset, preset, "") for preset in presets])
        self._preset.setEnabled(bool(presets))
        self._preset.show_value(motion.preset)

    def _show_parameters(self) -> None:
        source = self._session.source
        about = self._catalogue.deformation(source.name) if self._catalogue else None
        if about is not None and self._built_for != about.name:
            self._built_for = about.name
            self._build_parameters(about.parameters)
        for info in about.parameters if about is not None else ():
            value = source.parameters.get(info.name, info.text or info.default)
            if info.name in self._sliders:
                self._sliders[info.name].set_value(float(value))
            elif not self._formulas[info.name].hasFocus():
                self._formulas[info.name].setText(str(value))

    def _build_parameters(self, parameters: tuple[ParameterInfo, ...]) -> None:
        self._sliders.clear()
        self._formulas.clear()
        while (item := self._parameter_box.takeAt(0)) is not None:
            item.widget().deleteLater()
        for info in parameters:
            if info.text:
                field = QLineEdit()
                field.setPlaceholderText(info.text)
                field.textEdited.connect(lambda text, key=info.name: self._parameter(key, text))
                self._formulas[info.name] = field
                self._parameter_box.addWidget(_labelled(info.label, field, info.tip))
            else:
                slider = ParameterSlider(info, info.default)
                slider.changed.connect(self._parameter)
                self._sliders[info.name] = slider
                self._parameter_box.addWidget(slider)

    # -- what the person did

    def _source(self, what: str, merge: str, **values: Any) -> None:
        self.changed.emit(replace(self._session, source=replace(self._session.source, **values)), what, merge)

    def _motion(self, what: str, merge: str, **values: Any) -> None:
        self.changed.emit(replace(self._session, motion=replace(self._session.motion, **values)), what, merge)

    def _noise(self, what: str, merge: str, **values: Any) -> None:
        self.changed.emit(replace(self._session, noise=replace(self._session.noise, **values)), what, merge)

    def _task_changed(self, what: str, merge: str, **values: Any) -> None:
        self.changed.emit(replace(self._session, task=replace(self._session.task, **values)), what, merge)

    def _parameter(self, key: str, value: float | str) -> None:
        parameters = {**self._session.source.parameters, key: value}
        self._source(f"Change {key}", f"parameter {key}", parameters=parameters)

    def _pick_gamma(self, _: str, gamma: float) -> None:
        priors = tuple(replace(prior, gamma=round(gamma, 4)) for prior in self._session.priors)
        self.changed.emit(replace(self._session, priors=priors), "Degradation γ", "gamma")

    def _pick_deformation(self, chosen: str) -> None:
        self._source("Deformation", "", name=chosen, parameters={})

    def _pick_kind(self, kind: str) -> None:
        self._kind.show_value(self._session.source.kind)  # until there is a file for it, nothing changes
        if kind == "synthetic" and self._session.source.kind != "synthetic":
            first = self._catalogue.deformations[0].name if self._catalogue and self._catalogue.deformations else ""
            known = first if not self._session.source.name else self._session.source.name
            self._source("Still and deformation", "", kind="synthetic", path="", name=known, frames=48, start=0)
        elif kind != self._session.source.kind:
            self.open_wanted.emit(kind)


def _beside(field: QWidget, button: QWidget) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    layout.addWidget(field, 1)
    layout.addWidget(button)
    return box


def _labelled(label: str, field: QWidget, tip: str) -> QWidget:
    box = QWidget()
    layout = QHBoxLayout(box)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(theme.GRID)
    text = QLabel(label)
    text.setFixedWidth(LABEL_WIDTH)
    text.setToolTip(tip)
    text.setBuddy(field)
    if not field.accessibleName():
        name(field, label, tip)
    field.setSizePolicy(QSizePolicy.Policy.Expanding, field.sizePolicy().verticalPolicy())
    layout.addWidget(text)
    layout.addWidget(field, 1)
    return box
