"""The panel at the left: where frames and motion come from, the grid, the noise, the task."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from app.look import theme
from app.model.catalogue import Catalogue, Sample, menu
from app.views.source.gallery import Gallery, Preview
from app.views.source.noise_section import NoiseSection
from app.views.source.proposing import propose
from app.views.source.task_section import TaskSection
from app.views.widgets.forms import Choices, Scroll, Section, WholeNumber, beside, labelled, name, note, show_note
from app.views.widgets.parameter_fields import Parameters
from app.views.widgets.sliders import ParameterSlider
from app.views.widgets.words import shown, tooltip
from gpu.engine.results import SourceInfo
from gpu.parameters import ParameterInfo
from gpu.session import MOST_ROWS, Session, SourceSettings

WIDTH = 264
SHORT = 24  # letters of a file's name in a line
Kind = Literal["video", "images", "synthetic", "flow", "scene"]
KINDS: tuple[tuple[Kind, str, str], ...] = (
    ("video", "Video", "A video file; its motion is estimated"),
    ("images", "Image sequence", "Numbered pictures in a folder; their motion is estimated"),
    ("synthetic", "Still and deformation", "One picture, moved by a known deformation: its motion is exact"),
    ("scene", "Generated scene", "A world that is computed; its motion is exact"),
    ("flow", "Flow file", "Motion from a file: .npy, .npz, .pt, .safetensors, .flo, .flo5, .pfm, .exr or KITTI .png"),
)
ROWS = (72, 96, 144, 192, 216, 288, 360, 480, 576, 720)
SHAPES = tuple((shape, shape, "") for shape in ("16:9", "3:2", "4:3", "1:1", "3:4", "9:16"))
RATES = (5, 8, 10, 12, 15, 24, 25, 30)
INTERLACED = (
    ("auto", "make whole", "Frames with combs are made whole by a filter; all others stay as they are"),
    ("off", "leave", "Frames stay as they are"),
    ("fields", "each field", "A picture of each field: twice as many frames"),
)
FITS = (
    ("stretch", "stretch", "The whole picture on the whole grid, whatever becomes of its shape"),
    ("crop", "crop", "The middle of the picture, as much as has the shape of the grid"),
    ("pad", "pad", "The whole picture between black bars; nothing moves in bars and nothing is measured there"),
)
SCALE = ParameterInfo(
    "scale", "Working size", 1, 0.25, 2, 0.05, "×", "Size at which motion is estimated, relative to the source's own."
)
EXPOSURE = ParameterInfo(
    "exposure",
    "Exposure",
    0,
    -10,
    10,
    0.25,
    "stops",
    "Brightness of pictures of light (EXR, HDR), beside what suits them.",
)


class SourcePanel(QWidget):
    """Shows a session and says which settings the person wants instead."""

    changed = Signal(object, str, str)  # Session, what was changed, merge key for undo
    refused = Signal(str)  # why settings that were asked for cannot be had
    open_wanted = Signal(str)  # a kind of KINDS, or "still"
    check_wanted = Signal()  # look at how a flow file's conventions fit
    sample_chosen = Signal(object)  # Sample

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setMinimumWidth(WIDTH)
        self._session = Session()
        self._catalogue: Catalogue | None = None
        self.preview = Preview()
        self.gallery = Gallery()
        self.gallery.chosen.connect(self.sample_chosen)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, theme.GRID, 0, theme.GRID)
        column.setSpacing(2)
        self.task = TaskSection()
        self.noise = NoiseSection()
        for part in (self.task, self.noise):
            part.changed.connect(self.changed)
            part.refused.connect(self.refused)
        self._sections = [self._make_source(), self._make_motion(), self.task, self.noise]
        for section in self._sections:
            column.addWidget(section)
        column.addStretch(1)
        scroll = Scroll(body)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)

    @property
    def session(self) -> Session:
        """The settings that are shown."""
        return self._session

    # -- building

    def _make_source(self) -> Section:
        section = Section("Source", "Where the frames and their motion come from")
        section.wide(self.preview)
        self._told = note()
        section.wide(self._told)
        self._kind = Choices(KINDS)
        self._kind.picked.connect(self._pick_kind)
        self._open = QToolButton()
        name(self._open, "Open a file", "Choose the file for this kind of source (Ctrl+O opens a video)")
        self._open.clicked.connect(lambda: self.open_wanted.emit(self._session.source.kind))
        name(self._kind, "Kind of source", "Where the frames come from")
        section.wide(beside(self._kind, self._open))
        section.wide(self.gallery)
        self._deformation = Choices()
        self._deformation.picked.connect(lambda chosen: self._pick_name("Deformation", chosen))
        self._deformation_row = labelled("Moved by", self._deformation, "The deformation that moves the still")
        section.wide(self._deformation_row)
        self._scene = Choices()
        self._scene.picked.connect(lambda chosen: self._pick_name("Scene", chosen))
        self._scene_row = labelled("Scene", self._scene, "The world that is computed")
        section.wide(self._scene_row)
        self._scene_about = note()
        section.wide(self._scene_about)
        self._file = QLineEdit()
        self._file.setPlaceholderText("the built-in one")
        self._file.setClearButtonEnabled(True)
        name(self._file.findChildren(QToolButton)[0], "Clear", "Use the built-in one again")
        name(self._file, "File of the scene", "A file that the scene reads; empty: the built-in one")
        self._file.editingFinished.connect(self._take_file)
        self._file.textChanged.connect(lambda text: None if text else self._take_file())
        self._find = QToolButton()
        name(self._find, "Choose the scene's file", "Look for a file that the scene reads")
        self._find.clicked.connect(lambda: self.open_wanted.emit("scene"))
        self._file_row = labelled("File", beside(self._file, self._find), "A file that the scene reads")
        section.wide(self._file_row)
        self.parameters = Parameters(live=True)
        self.parameters.changed.connect(self._parameter)
        section.wide(self.parameters)
        self._wrong = note("wrong")
        section.wide(self._wrong)
        self._flow = QWidget()
        flow = QVBoxLayout(self._flow)
        flow.setContentsMargins(0, 0, 0, 0)
        flow.setSpacing(theme.GRID - 2)
        self._flow_label = note()
        self._check = QPushButton("How it is read …")
        name(self._check, "How the flow file is read", "Direction, axes, sign and units, and which reading fits best")
        self._check.clicked.connect(self.check_wanted)
        self._flow_file = QPushButton("Motion from a file …")
        name(self._flow_file, "Motion from a flow file", "Take the motion of these pictures from a flow file")
        self._flow_file.clicked.connect(lambda: self.open_wanted.emit("flow"))
        self._estimate = QPushButton("Estimate it instead")
        name(
            self._estimate, "Estimate the motion", "Leave the flow file out: the motion is estimated from the pictures"
        )
        self._estimate.clicked.connect(lambda: self._source("Estimate the motion", "", flow_path="", forward_path=""))
        for part in (self._check, self._flow_file, self._estimate):
            flow.addWidget(part)
        section.wide(self._flow_label)
        section.wide(self._flow)
        rows = [(0, "automatic", "The picture's own shape, at most 288 rows")]
        rows += [(row, f"{row} rows", f"Noise, output and pictures have {row} rows") for row in ROWS]
        self._height = Choices(rows)
        self._height.picked.connect(self._pick_height)
        section.row("Resolution", self._height, "Size of the noise grid and of the pictures; larger is slower")
        self._shape = Choices([("", "the picture's own", "The grid has the shape of the picture"), *SHAPES])
        self._shape.picked.connect(self._pick_shape)
        section.row("Shape", self._shape, "Width to height of the noise grid")
        self._fit = Choices(FITS)
        self._fit.picked.connect(lambda fit: self._source("Fit", "", fit=fit))
        section.row("Fit", self._fit, "What becomes of pictures whose shape is not that of the grid")
        self._frames = WholeNumber(0, 100000, "all", " frames")
        self._frames.picked.connect(lambda frames: self._source("Length", "frames", frames=frames))
        section.row("Length", self._frames, "How many frames to take; 0 takes all")
        self._start = WholeNumber(0, 10**6)
        self._start.picked.connect(lambda start: self._source("First frame", "start", start=start))
        section.row("First frame", self._start, "The frame of the clip to start at")
        self._every = WholeNumber(1, 10**6, "each frame")
        self._every.setPrefix("1 of ")
        self._every.picked.connect(lambda every: self._source("Every N-th frame", "every", every=every))
        section.row("Every", self._every, "Take one of so many frames of the film: motion grows with it")
        self._rate = Choices([(0.0, "its own", "All frames of the film"), *((float(r), f"{r} fps", "") for r in RATES)])
        self._rate.picked.connect(lambda fps: self._source("Frames a second", "", fps=fps))
        section.row(
            "Rate", self._rate, "Take the frames nearest to so many a second; a sequence of pictures counts as 25"
        )
        self._layer = Choices()
        self._layer.picked.connect(lambda layer: self._source("Layer", "", layer=layer))
        section.row("Layer", self._layer, "The layer of the EXR pictures that is shown")
        self._exposure = ParameterSlider(EXPOSURE, 0.0)
        self._exposure.changed.connect(lambda _, stops: self._source("Exposure", "exposure", exposure=stops))
        section.wide(self._exposure)
        self._interlaced = Choices(INTERLACED)
        self._interlaced.picked.connect(lambda how: self._source("Interlaced footage", "", deinterlace=how))
        section.row("Interlaced", self._interlaced, "Of a film whose frames hold two moments, line by line")
        self._form = section.form
        self._show_light(None, ())
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

    # -- showing

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        for section in self._sections:
            section.set_theme(colours)
        self._open.setIcon(theme.icon("folder-open", colours))
        self._find.setIcon(theme.icon("folder-open", colours))

    def set_catalogue(self, catalogue: Catalogue) -> None:
        """What there is to choose from: deformations, scenes, estimators, tasks."""
        self._catalogue = catalogue
        self._deformation.set_choices(menu(catalogue.deformations))
        automatic = ("auto", "automatic", "The truth where the source has it, else DIS")
        self._estimator.set_choices([automatic, *menu(catalogue.estimators)])
        self._scene.set_choices(menu(catalogue.scenes))
        self.task.set_catalogue(catalogue)
        self.show_session(self._session)

    def set_samples(self, samples: list[Sample]) -> None:
        """The bundled samples."""
        self.gallery.set_samples(samples)

    def show_info(self, info: SourceInfo) -> None:
        """What is known once the source is open."""
        self._frames.setSpecialValueText(f"all ({info.frames})" if self._session.source.frames == 0 else "all")
        self.preview.set_caption(f"{info.width} × {info.height} · {info.fps:g} fps · {info.motion}")
        self._show_light(info.exposure, info.layers)

    def _show_light(self, exposure: float | None, layers: tuple[str, ...]) -> None:
        """What can be chosen of pictures of light: nothing of others."""
        self._exposure.setVisible(exposure is not None)
        self._form.setRowVisible(self._layer, bool(layers))
        self._layer.set_choices(
            [("", "the main one", "The finished picture"), *((layer, layer, "") for layer in layers)]
        )
        self._layer.show_value(self._session.source.layer)

    def show_findings(self, warnings: Sequence[str], notes: Sequence[str]) -> None:
        """What is to be known of the source: notes below the picture, all of it in the tooltip."""
        show_note(self._told, " ".join(notes))
        tip = "\n".join((*warnings, *notes))
        for widget in (self.preview, self._told):
            widget.setToolTip(tip)

    def show_wrong(self, sentence: str) -> None:
        """An error that belongs to this panel, such as a formula that is not understood; empty when all is well."""
        show_note(self._wrong, sentence)
        self.parameters.show_wrong(bool(sentence))

    def show_session(self, session: Session) -> None:
        """Show the settings; nothing is emitted."""
        self._session = session
        source, motion = session.source, session.motion
        kind = source.kind
        self._kind.show_value(kind)
        self._height.show_value(source.height)
        self._frames.show_value(source.frames)
        self._start.show_value(source.start)
        self._shape.show_value(_shape(source))
        self._every.show_value(source.every)
        self._rate.show_value(source.fps)
        self._interlaced.show_value(source.deinterlace)
        self._fit.show_value(source.fit)
        self._layer.show_value(source.layer)
        self._exposure.set_value(source.exposure)
        self._form.setRowVisible(self._start, kind not in ("synthetic", "scene"))
        self._form.setRowVisible(self._every, kind not in ("synthetic", "scene"))
        self._form.setRowVisible(self._rate, kind in ("video", "images"))
        self._form.setRowVisible(self._interlaced, kind == "video")
        # Without both sizes the grid has the picture's shape, and nothing is left to fit.
        self._form.setRowVisible(self._fit, kind not in ("synthetic", "scene") and bool(source.height and source.width))
        self._deformation_row.setVisible(kind == "synthetic")
        self._scene_row.setVisible(kind == "scene")
        self._open.setVisible(kind != "scene")
        self._show_flow(source)
        self._show_parameters()
        self.gallery.show_open(source, session.task.name)
        self._estimator.show_value(motion.estimator)
        self._show_presets()
        self._scale.set_value(motion.scale)
        self._sections[1].setVisible(kind in ("video", "images") or motion.estimator != "auto")
        self.task.show_session(session)
        self.noise.show_session(session)

    def _show_flow(self, source: SourceSettings) -> None:
        """The flow file of the source, or that its pictures may have one."""
        filmed, has = source.kind in ("video", "images"), bool(source.flow_path)
        self._flow.setVisible(source.kind == "flow" or filmed)
        self._check.setVisible(has)
        self._flow_file.setVisible(filmed and not has)
        self._estimate.setVisible(filmed and has)
        parts: list[str] = ["direction as its names say" if source.flow_direction == "auto" else source.flow_direction]
        parts += ["dx, dy" if source.flow_axes == "xy" else "dy, dx"]
        parts += ["sign as stored" if source.flow_sign > 0 else "sign reversed"]
        parts += [source.flow_units] if source.flow_units != "auto" else []
        file = Path(source.flow_path).name
        short = file if len(file) <= SHORT else f"{file[: SHORT - 9]}…{file[-8:]}"  # two lines would be cut
        said = f"Motion from {shown(short)}" if has else "No flow file yet."
        show_note(self._flow_label, said if has or source.kind == "flow" else "")
        self._flow_label.setToolTip(tooltip(f"{file}, read as {', '.join(parts)}") if has else "")

    def _show_presets(self) -> None:
        motion = self._session.motion
        chosen = "dis" if motion.estimator == "auto" else motion.estimator
        estimator = self._catalogue.estimators.get(chosen) if self._catalogue else None
        presets = estimator.presets if estimator is not None else ()
        self._preset.set_choices([(preset, preset, "") for preset in presets])
        self._preset.setEnabled(bool(presets))
        self._preset.show_value(motion.preset)

    def _show_parameters(self) -> None:
        source, deformation, scene = self._session.source, None, None
        if self._catalogue is not None and source.kind == "synthetic":
            deformation = self._catalogue.deformations.get(source.name)
            self._deformation.show_value(source.name)
        elif self._catalogue is not None and source.kind == "scene":
            scene = self._catalogue.scenes.get(source.name)
            self._scene.show_value(source.name)
        show_note(self._scene_about, scene.about if scene is not None else "")
        self._file_row.setVisible(scene is not None and bool(scene.files))
        if not self._file.hasFocus():
            self._file.setText(shown(source.path))
        self._file.setToolTip(tooltip(source.path or "A file that the scene reads; empty: the built-in one"))
        entry = deformation or scene
        self.parameters.show_values(entry.parameters if entry is not None else (), source.parameters)

    # -- what the person did

    def _pick_height(self, rows: int) -> None:
        width = _columns(rows, _shape(self._session.source)) if rows else 0
        self._source("Resolution", "", height=rows, width=width)

    def _pick_shape(self, shape: str) -> None:
        rows = self._session.source.height
        rows = rows or MOST_ROWS if shape else rows
        self._source("Shape", "", height=rows, width=_columns(rows, shape))

    def _source(self, what: str, merge: str, **values: Any) -> None:
        propose(self, lambda: replace(self._session, source=replace(self._session.source, **values)), what, merge)

    def _motion(self, what: str, merge: str, **values: Any) -> None:
        propose(self, lambda: replace(self._session, motion=replace(self._session.motion, **values)), what, merge)

    def _parameter(self, key: str, value: float | str) -> None:
        parameters = {**self._session.source.parameters, key: value}
        self._source(f"Change {key}", f"parameter {key}", parameters=parameters)

    def _pick_name(self, what: str, chosen: str) -> None:
        path = "" if what == "Scene" else self._session.source.path
        self._source(what, "", name=chosen, path=path, parameters={})

    def _take_file(self) -> None:
        if self._session.source.kind == "scene" and self._file.text() != shown(self._session.source.path):
            self._source("File of the scene", "", path=self._file.text())

    def _pick_kind(self, kind: Kind) -> None:
        old, catalogue = self._session.source, self._catalogue
        self._kind.show_value(old.kind)  # until there is a file for it, nothing changes
        if kind == old.kind:
            return
        names = list(catalogue.scenes if kind == "scene" else catalogue.deformations) if catalogue else []
        if kind in ("synthetic", "scene") and names:
            frames = 48 if kind == "synthetic" else 0
            title = next(title for name, title, _ in KINDS if name == kind)
            source = SourceSettings(kind=kind, name=names[0], height=old.height, frames=frames)
            propose(self, lambda: replace(self._session, source=source), title)
        elif kind not in ("synthetic", "scene"):
            self.open_wanted.emit(kind)


def _columns(rows: int, shape: str) -> int:
    """How wide a grid of `rows` is in a shape such as "16:9"; 0, its picture's width, where none is chosen."""
    if not shape:
        return 0
    wide, high = shape.split(":")
    return max(1, round(rows * int(wide) / int(high)))


def _shape(source: SourceSettings) -> str:
    """The shape that the settings ask for, empty for the picture's own."""
    if not (source.height and source.width):
        return ""
    for shape, _, _ in SHAPES:
        if _columns(source.height, shape) == source.width:
            return shape
    common = math.gcd(source.height, source.width)
    return f"{source.width // common}:{source.height // common}"
