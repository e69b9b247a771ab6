"""The window: puts the parts together and turns what the person does into new settings. It holds no numbers itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QWidget

from app.model import samples
from app.model.catalogue import Catalogue, Sample
from app.model.state import MODES, ROWS, State
from app.model.user_folder import UserFolder
from app.views.compare.canvas import Probe
from app.views.compare.grid import CompareView
from app.views.compare.probe_text import probe_text
from app.views.source.panel import SourcePanel
from app.views.widgets.banner import Banner
from app.views.widgets.once import once, start_if_idle
from app.views.widgets.words import shown
from app.window import actions, lessons_menu, menus
from app.window.appearance import CHOICES, Appearance
from app.window.documents import Documents
from app.window.doubts import Doubts
from app.window.experiments import ExperimentsMenu
from app.window.exporting import Exporting
from app.window.field_memory import FieldMemory
from app.window.frame_display import FrameDisplay
from app.window.gallery_filling import fill_gallery
from app.window.layout import Layout, build_tools
from app.window.panels import Statistics, Timeline, make_statistics, make_timeline
from app.window.perceptual_measures import PerceptualMeasures
from app.window.pixel_inspection import PixelInspection
from app.window.playback import Playback
from app.window.recovery import Recovery
from app.window.status import StatusLine
from app.worker.dispatch import Dispatch
from app.worker.messages import Failure, Progress
from app.worker.model_check import model_found
from app.worker.worker import Worker
from gpu.engine.results import FrameResult, SourceInfo
from gpu.errors import NoisescopeError
from gpu.session import PriorSettings, Session

if TYPE_CHECKING:
    from app.views.statistics.panel import StatisticsPanel
    from app.views.timeline.panel import TimelinePanel
    from app.window.pose_editor import PoseEditorLink

APPLY_MS = 25  # settings are handed to the worker at most this often


class Window(QMainWindow):
    """One session on the screen."""

    def __init__(
        self, session: Session, worker: Worker, user_folder: UserFolder, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.state = State(session)
        self.worker = worker
        self.state.setParent(self)  # what is connected to it and to the worker, and holds this window, goes with them
        worker.belong_to(self)
        self.user_folder = user_folder
        self._asks = True
        self._probed = ""
        self._poses: PoseEditorLink | None = None
        self.compare = CompareView()
        self.source = SourcePanel()
        self.statistics = Statistics(make_statistics, self._connect_statistics)
        self.timeline = Timeline(make_timeline, self._connect_timeline)
        self.banner = Banner()
        self.doubts = Doubts(worker, self.source, self)
        self.status = StatusLine()
        self.setStatusBar(self.status)
        panels: dict[str, QWidget] = {"source": self.source, "statistics": self.statistics, "timeline": self.timeline}
        self.layout_ = Layout(self, (self.banner, self.doubts.strip), self.compare, panels, self.timeline)
        self.dispatch = Dispatch(worker, self)
        self.frames = FrameDisplay(self.state, worker, self.compare, self.source, self.statistics, self.timeline, self)
        self.playback = Playback(self.state, worker, self.frames, self.compare.canvas, self.timeline, self)
        self.documents = Documents(
            self.state, self.dispatch, user_folder, self.banner, self.status, self._start_over, self
        )
        self.exporting = Exporting(
            self.state, self.frames, self.dispatch, self.compare, self.banner, lambda: self.documents.folder, self
        )
        FieldMemory(self.source.noise, user_folder, self)
        self.appearance = Appearance(self._take_theme, user_folder, self)
        self.actions_ = menus.build(self, self._commands())
        self.layout_.set_actions(self.actions_)
        experiments_menu = menus.menu_of(self, "E&xperiments")
        self.experiments = ExperimentsMenu(
            experiments_menu, self.actions_["background"], worker, user_folder, self.banner, self.status, self
        )
        lessons_menu.build(self, before="E&xperiments")
        build_tools(self.compare, self.actions_)
        self._apply = once(self, APPLY_MS, self._hand_over)
        self._handed_over = 0.0
        self.recovery = Recovery(self.state, user_folder, self.banner, self.documents.show_session, self)
        self._connect()
        self.setAcceptDrops(True)
        self.appearance.start()
        self.layout_.restore(user_folder)
        self._on_session()
        self._on_view()
        self._on_history()
        self._apply.stop()
        self.recovery.begin()
        self._hand_over()
        self.compare.canvas.setFocus()

    @property
    def info(self) -> SourceInfo | None:
        """What is known of the source, once it is open."""
        return self.frames.info

    @property
    def result(self) -> FrameResult | None:
        """The frame on the screen, as far as it is computed."""
        return self.frames.result

    @property
    def poses(self) -> PoseEditorLink:
        """The pose editor, made when it is first wanted."""
        if self._poses is None:
            from app.window.pose_editor import PoseEditorLink

            self._poses = PoseEditorLink(self.state, self.user_folder.folder / "poses", self)
        return self._poses

    # -- building

    def _commands(self) -> actions.Actions:
        commands: actions.Actions = {
            **actions.of_documents(self.documents, self.exporting),
            **actions.of_state(self.state, self.show_view),
            **actions.of_views(self.compare, self.layout_, self.statistics, self.playback),
            **actions.of_help(self, self.user_folder, self.banner),
            "quit": self.close,
            "poses": lambda: self.poses.show(),
            "full_screen": lambda on: self.showFullScreen() if on else self.showNormal(),
            "background": self.worker.set_background,
            "experiments": lambda: self.experiments.open(),
            "experiments_all": lambda: self.experiments.open_all(),
        }
        for choice in CHOICES:
            commands[f"theme_{choice}"] = lambda _=False, choice=choice: self.appearance.choose(choice)
        return commands

    def _connect(self) -> None:
        state, worker, compare = self.state, self.worker, self.compare
        state.session_changed.connect(self._on_session)
        state.view_changed.connect(self._on_view)
        state.frame_changed.connect(self._on_frame)
        state.history_changed.connect(self._on_history)
        state.saved_changed.connect(self._show_title)
        worker.catalogued.connect(self._on_catalogue)
        worker.opened.connect(self._on_opened)
        worker.progressed.connect(self._on_progress)
        worker.failed.connect(self._on_failed)
        worker.halted.connect(self._on_halted)
        self.frames.source_opened.connect(self._on_source)
        self.frames.numbers_shown.connect(self._follow_probe)
        self.frames.memory_told.connect(self.status.show_memory)
        self.dispatch.stopped.connect(lambda what: self.status.say(f"{what}: stopped"))
        self.playback.changed.connect(self._on_playing)
        self.actions_["background"].toggled.connect(self.playback.set_computing_ahead)
        compare.prior_added.connect(self._add_prior)
        compare.prior_removed.connect(state.remove_prior)
        compare.prior_moved.connect(state.move_prior)
        compare.prior_replaced.connect(self._replace_prior)
        compare.reference_chosen.connect(lambda key: state.set_view(reference=key))
        compare.hidden_toggled.connect(self._toggle_hidden)
        canvas = compare.canvas
        canvas.zoomed.connect(state.zoom)
        canvas.panned.connect(lambda x, y: state.set_view(centre=(x, y)))
        canvas.wiped.connect(lambda wipe: state.set_view(wipe=wipe))
        canvas.sliced.connect(lambda height: state.set_view(slice=height))
        canvas.frame_picked.connect(state.set_frame)
        canvas.probed.connect(self._on_probe)
        self.source.changed.connect(state.change)
        self.source.refused.connect(self.banner.show_error)
        self.source.open_wanted.connect(self.documents.open_source)
        self.source.check_wanted.connect(lambda: self.documents.check_flow(state.session.source))
        self.source.sample_chosen.connect(self._open_sample)
        self.source.task.folder_wanted.connect(self._choose_model)
        self.source.task.check_wanted.connect(self._check_model)
        self.status.cancelled.connect(self._cancel)
        for name, fill in (("recent", self.documents.fill_recent), ("restore", self.recovery.fill_menu)):
            menu = self.actions_[name].menu()
            assert isinstance(menu, QMenu)
            menu.aboutToShow.connect(lambda menu=menu, fill=fill: fill(menu))

    def _connect_statistics(self, panel: StatisticsPanel) -> None:
        panel.saved.connect(self._note_written)
        panel.problem.connect(self.banner.show_error)
        PixelInspection(panel, self.state, self.worker, self.dispatch, self.compare.canvas, self.frames)
        PerceptualMeasures(panel.outputs, self.worker, self.dispatch, self.user_folder, self.status)

    def _connect_timeline(self, panel: TimelinePanel) -> None:
        panel.saved.connect(self._note_written)
        panel.problem.connect(self.banner.show_error)
        panel.frameRequested.connect(self.state.set_frame)
        panel.playToggled.connect(self.playback.play)
        panel.loopChanged.connect(lambda loop: self.state.set_view(loop=loop))
        panel.measuresChanged.connect(lambda names: self.user_folder.set(measures=list(names)))

    # -- settings: person → state → worker

    def attempt(self, action: Callable[[], object]) -> bool:
        """Do something that may refuse with a sentence; show the sentence."""
        try:
            action()
        except NoisescopeError as problem:
            self.banner.show_error(str(problem))
            return False
        return True

    def _start_over(self, session: Session) -> None:
        self.playback.play(False)
        self.frames.clear()
        self.state.open(session)

    def _add_prior(self, prior: PriorSettings) -> None:
        if self.attempt(lambda: self.state.add_prior(prior)):
            self.compare.show_last()

    def _replace_prior(self, key: str, prior: PriorSettings, merge: str) -> None:
        if not self.attempt(lambda: self.state.replace_prior(key, prior, merge)):
            self._on_view()

    def _open_sample(self, sample: Sample) -> None:
        self.state.change(samples.opened(sample, self.state.session), f"Open {sample.title}")
        self.state.set_frame(0)  # it is seen at once; a late frame is far to go in a clip not visited yet

    def _on_session(self) -> None:
        self.source.show_session(self.state.session)
        self._show_columns()
        waited = round(1e3 * (time.monotonic() - self._handed_over))
        start_if_idle(self._apply, max(APPLY_MS - waited, 0))  # at once, and while a slider is dragged again and again
        self.recovery.note_change()
        self._show_title()

    def _on_view(self) -> None:
        self._show_columns()
        self.show_view()

    def _on_frame(self) -> None:
        self.frames.go(self.state.view.frame)

    def _on_history(self) -> None:
        for kind, text in (("undo", self.state.undo_text), ("redo", self.state.redo_text)):
            self.actions_[kind].setEnabled(bool(text))
            self.actions_[kind].setText(f"&{kind.capitalize()} {text}".rstrip())

    def _hand_over(self) -> None:
        self._handed_over = time.monotonic()
        self.compare.canvas.set_idle(False)
        self.worker.apply(self.state.session)
        self.worker.request(self.state.view.frame, self.state.order())
        self.actions_["background"].setChecked(True)

    def _show_columns(self) -> None:
        state = self.state
        with_output = bool(state.session.task.name)
        self.compare.set_columns(state.session.priors, state.view, state.reference, with_output)
        self.compare.show_result(self.result)

    def show_view(self) -> None:
        """Bring actions, worker and panels in line with what is to be seen."""
        view = self.state.view
        for row in ROWS:
            self.actions_[f"row_{row}"].setChecked(row in view.rows)
        for mode in MODES:
            self.actions_[f"mode_{mode}"].setChecked(view.mode == mode)
        self.actions_["rgb"].setChecked(view.colours == "rgb")
        self.actions_["overlay"].setChecked(view.overlay)
        self.actions_["wheel"].setChecked(view.motion == "wheel")
        self.worker.set_colours(view.colours)
        self.worker.set_slices([row.removeprefix("xt-") for row in view.rows if row.startswith("xt-")], view.slice)
        self.statistics.set_hidden(set(view.hidden))
        self.timeline.show_view(view)
        self.frames.recolour(view.colours)

    # -- what the worker says (frames go to `frames`)

    def _on_catalogue(self, catalogue: Catalogue) -> None:
        self.compare.set_catalogue(catalogue)
        self.source.set_catalogue(catalogue)
        self.documents.set_catalogue(catalogue)
        self.status.say("")
        fill_gallery(self.source, self.dispatch)

    def _on_opened(self, number: int, info: SourceInfo) -> None:
        if number == self.worker.number and not self._apply.isActive():
            self.documents.note_readable(self.state.session.source)

    def _on_source(self, info: SourceInfo) -> None:
        self.banner.clear()
        self.status.show_info(info)
        self._show_title()

    def _choose_model(self) -> None:
        path = self.documents.choose_model()
        if path:
            self.source.task.show_path(path)

    def _check_model(self, path: str) -> None:
        self.dispatch.ask(lambda _: model_found(path), lambda verdict: self.source.task.show_model(path, *verdict))

    def _on_progress(self, progress: Progress | None) -> None:
        self.status.show_progress(progress)
        self.compare.canvas.set_idle(progress is None)

    def _on_failed(self, failure: Failure) -> None:
        if failure.number < self.worker.number and failure.where in ("settings", "frame"):
            return
        if failure.kind == "FormulaError":
            self.source.show_wrong(failure.sentence)
        else:
            self.banner.show_error(failure.sentence, failure.details)
        self.compare.canvas.set_waiting("")
        if self.result is None:
            self.compare.canvas.set_empty("Nothing to show yet. Open a clip, or undo the last change (Ctrl+Z).")

    def _on_halted(self, number: int) -> None:
        """Errors ended computing ahead: the menu says so, and the person can start it again."""
        if number == self.worker.number and not self._apply.isActive():
            self.actions_["background"].setChecked(False)
            self.status.say("Stopped by errors: Play ▸ Compute ahead tries the other frames again")

    def _cancel(self, progress: Progress) -> None:
        if progress.opening:
            self.state.undo()  # what was open is shown still, and the worker leaves the rest
            self.status.say("Stopped: the source before stays open")
        elif progress.job is None:
            self.worker.halt()
            self.actions_["background"].setChecked(False)
            self.compare.canvas.set_waiting("")
            self.status.say("Stopped: Play ▸ Compute ahead goes on with the other frames")
        else:
            self.worker.cancel(progress.job)

    # -- what is shown

    def _note_written(self, path: str) -> None:
        self.banner.show_note(f"Written: {path}")

    def _show_title(self) -> None:
        info, state, path = self.info, self.state, self.documents.path
        parts = ["Noisescope"]
        if path is not None:
            parts.append(path.name + ("*" if state.modified else ""))
        if info is not None:
            parts += [info.title, f"{info.width}×{info.height}", info.motion]
        parts.append(f"seed {state.session.noise.seed}")
        self.setWindowTitle(shown(" · ".join(parts)))

    def _on_probe(self, probe: Probe | None) -> None:
        self._probed = probe_text(probe, self.result) if probe is not None else ""
        self.status.say(self._probed)

    def _follow_probe(self) -> None:
        """The pixel under the pointer has other values: say them, if nothing else was said since."""
        if self._probed and self.status.said == self._probed:
            self._on_probe(self.compare.canvas.probe)

    def _toggle_hidden(self, key: str) -> None:
        hidden = self.state.view.hidden
        others = tuple(other for other in hidden if other != key)
        self.state.set_view(hidden=others if key in hidden else (*hidden, key))

    def _on_playing(self, on: bool) -> None:
        self.actions_["play"].setChecked(on)
        self.appearance.show_playing(self.actions_["play"], on)

    def _take_theme(self) -> None:
        colours = self.appearance.theme
        for name in CHOICES:
            self.actions_[f"theme_{name}"].setChecked(name == self.appearance.choice)
        menus.set_theme(self.actions_, colours)
        self.appearance.show_playing(self.actions_["play"], self.playback.playing)
        self.compare.set_theme(colours)
        self.source.set_theme(colours)
        self.status.set_theme(colours)
        self.banner.set_theme(colours)
        self.doubts.strip.set_theme(colours)
        self.experiments.set_theme(colours)
        self.statistics.set_theme(colours)
        self.timeline.set_theme(colours)

    # -- keys that only act while nothing is being typed

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        names = {
            Qt.Key.Key_Right: "next", Qt.Key.Key_Left: "previous", Qt.Key.Key_Home: "first", Qt.Key.Key_End: "last",
            Qt.Key.Key_Space: "play",
        }  # fmt: skip
        if key == Qt.Key.Key_R and not event.isAutoRepeat():
            self.compare.canvas.set_flip(True)
        elif key == Qt.Key.Key_Escape and self.isFullScreen():
            self.actions_["full_screen"].trigger()
        elif key in names:
            self.actions_[names[Qt.Key(key)]].trigger()
        else:
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_R and not event.isAutoRepeat():
            self.compare.canvas.set_flip(False)
        else:
            super().keyReleaseEvent(event)

    # -- files dropped, and the end

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.documents.open_paths([Path(path) for path in paths])

    def close_at_once(self) -> None:
        """Close without asking, as when the system says that it is time to go."""
        self._asks = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._asks and not self.experiments.may_close():
            event.ignore()
            return
        self.experiments.end()
        self.playback.play(False)
        self.layout_.keep(self.user_folder)
        self.dispatch.close()
        self.worker.stop()
        self.recovery.end()
        super().closeEvent(event)
