"""The window: puts the parts together and turns what the person does into new settings. It holds no numbers itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QMainWindow, QWidget

from app.look import theme
from app.model import samples
from app.model.catalogue import Catalogue, Sample
from app.model.state import ROWS, State
from app.model.user_folder import UserFolder
from app.views.compare.canvas import Probe
from app.views.compare.grid import CompareView
from app.views.compare.probe_text import probe_text
from app.views.source.panel import SourcePanel
from app.views.widgets.banner import Banner
from app.views.widgets.deferred_panel import DeferredPanel
from app.window import documents, layout, lessons_menu, menus
from app.window.actions import slots
from app.window.experiments import ExperimentsMenu
from app.window.frame_display import FrameDisplay
from app.window.perceptual_measures import PerceptualMeasures
from app.window.pixel_inspection import PixelInspection
from app.window.player import Player
from app.window.status import StatusLine
from app.worker.messages import Failure, Progress
from app.worker.model_check import model_found
from app.worker.worker import Worker
from gpu.engine.results import FrameResult, SourceInfo
from gpu.errors import NoisescopeError
from gpu.session import PriorSettings, Session

APPLY_MS = 25  # settings are handed to the worker at most this often
AUTOSAVE_MS = 3000


class Window(QMainWindow):
    """One session on the screen."""

    def __init__(self, session: Session, worker: Worker, store: UserFolder, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = State(session)
        self.worker = worker
        self.store = store
        self.path: Path | None = None
        self.opening = ""  # a file that is listed among the recent ones as soon as it turns out to be readable
        self.catalogue: Catalogue | None = None
        self._questions: dict[int, Any] = {}
        self._jobs: dict[int, tuple[str, Callable[[Any], None] | None]] = {}
        self._asks = True
        self._probed = ""
        self.compare = CompareView()
        self.source = SourcePanel()
        self.statistics = DeferredPanel(layout.statistics, self._connect_statistics)
        self.timeline = DeferredPanel(layout.timeline, self._connect_timeline)
        self.banner = Banner()
        self.status = StatusLine()
        self.frames = FrameDisplay(self)
        self.player = Player(self.state, self.frames.pictures)
        self.across, self.down = layout.build(self)
        self.actions_ = menus.build(self, slots(self))
        self.experimenting = ExperimentsMenu(self, menus.menu_of(self, "E&xperiments"))
        lessons_menu.build(self, before="E&xperiments")
        layout.build_tools(self)
        self._timers()
        self._connect()
        self.setAcceptDrops(True)
        self.set_theme(str(store.settings().get("theme", "system")))
        layout.restore(self)
        for name in ("session", "view", "history", "saved"):
            self._on_state(name)
        self._apply.stop()
        self._autosave.stop()  # there is something to restore only after the first change
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

    # -- building

    def _timers(self) -> None:
        self._apply = _once(self, APPLY_MS, self._hand_over)
        self._autosave = _once(self, AUTOSAVE_MS, lambda: self.store.autosave(self.state.to_save()))

    def _connect(self) -> None:
        state, worker, compare = self.state, self.worker, self.compare
        state.listen(self._on_state)
        worker.catalogued.connect(self._on_catalogue)
        worker.opened.connect(self.frames.on_opened)
        worker.opened.connect(self._on_opened)
        worker.arrived.connect(self.frames.on_arrived)
        worker.told.connect(self.frames.on_told)
        worker.sliced.connect(self.frames.on_sliced)
        worker.progressed.connect(self._on_progress)
        worker.failed.connect(self._on_failed)
        worker.answered.connect(self._on_answered)
        worker.ended.connect(self._on_ended)
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
        self.source.changed.connect(self._change)
        self.source.open_wanted.connect(lambda kind: documents.open_source(self, kind))
        self.source.check_wanted.connect(lambda: documents.check_flow(self, self.state.session.source))
        self.source.sample_chosen.connect(self._open_sample)
        self.source.task.folder_wanted.connect(lambda: documents.open_model(self))
        self.source.task.check_wanted.connect(self._check_model)
        self.status.cancelled.connect(self._cancel)
        self.player.waiting.connect(self._on_waiting)
        self.player.stopped.connect(lambda: self.play(False))
        self.actions_["recent"].menu().aboutToShow.connect(lambda: documents.fill_recent(self))
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _: self.set_theme(self._theme))

    def _connect_plots(self, panel: Any) -> None:
        panel.saved.connect(lambda path: self.banner.show_note(f"Written: {path}"))
        panel.problem.connect(self.banner.show_error)

    def _connect_statistics(self, panel: Any) -> None:
        self._connect_plots(panel)
        PixelInspection(self, panel)
        PerceptualMeasures(self, panel.outputs)

    def _connect_timeline(self, panel: Any) -> None:
        self._connect_plots(panel)
        panel.frameRequested.connect(self.state.set_frame)
        panel.playToggled.connect(self.play)
        panel.loopChanged.connect(lambda loop: self.state.set_view(loop=loop))
        panel.measuresChanged.connect(lambda names: self.store.set(measures=list(names)))

    # -- settings: person → state → worker

    def attempt(self, action: Any) -> bool:
        """Do something that may refuse with a sentence; show the sentence."""
        try:
            action()
        except NoisescopeError as problem:
            self.banner.show_error(str(problem))
            return False
        return True

    def open(self, session: Session, path: Path | None = None) -> None:
        """Start over with another session."""
        self.play(False)
        self.path = path
        self.frames.clear()
        self.state.open(session)

    def _change(self, session: Session, what: str, merge: str) -> None:
        self.state.change(session, what, merge)

    def _add_prior(self, prior: PriorSettings) -> None:
        if self.attempt(lambda: self.state.add_prior(prior)):
            self.compare.show_last()

    def _replace_prior(self, key: str, prior: PriorSettings, merge: str) -> None:
        if not self.attempt(lambda: self.state.replace_prior(key, prior, merge)):
            self._on_state("view")

    def _open_sample(self, sample: Sample) -> None:
        self.state.change(samples.opened(sample, self.state.session), f"Open {sample.title}")
        self.state.set_frame(0)  # it is seen at once; a late frame is far to go in a clip not visited yet

    def _on_state(self, name: str) -> None:
        if name == "session":
            self.source.show_session(self.state.session)
            self._show_columns()
            self._apply.start()
            self._autosave.start()
        elif name == "view":
            self._show_columns()
            self.show_view()
        elif name == "frame":
            self.frames.go(self.state.view.frame)
        elif name == "history":
            for kind, text in (("undo", self.state.undo_text), ("redo", self.state.redo_text)):
                self.actions_[kind].setEnabled(bool(text))
                self.actions_[kind].setText(f"&{kind.capitalize()} {text}".rstrip())
        self.show_title()

    def _hand_over(self) -> None:
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
        view = self.state.view
        for row in ROWS:
            self.actions_[f"row_{row}"].setChecked(row in view.rows)
        for mode in ("side", "wipe", "difference"):
            self.actions_[f"mode_{mode}"].setChecked(view.mode == mode)
        self.actions_["rgb"].setChecked(view.colours == "rgb")
        self.actions_["overlay"].setChecked(view.overlay)
        self.actions_["wheel"].setChecked(view.motion == "wheel")
        self.worker.set_colours(view.colours)
        self.worker.set_slices([row.removeprefix("xt-") for row in view.rows if row.startswith("xt-")], view.slice)
        self.statistics.tell("set_hidden_keys", set(view.hidden))
        self.timeline.tell("set_hidden_keys", set(view.hidden))
        self.timeline.tell("set_loop", view.loop)
        self.frames.recolour(view.colours)

    # -- what the worker says (frames go to `frames`)

    def _on_catalogue(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self.compare.set_catalogue(catalogue)
        self.source.set_catalogue(catalogue)
        self.status.say("")
        self.ask(lambda _: samples.bundled(), self._show_samples)

    def _show_samples(self, found: list[Sample]) -> None:
        self.source.set_samples(found)
        for sample in found:
            if sample.picture is None:
                self.ask(
                    lambda _, sample=sample: samples.scene_thumbnail(sample),
                    lambda picture, sample=sample: self.source.gallery.set_picture(sample, picture),
                    hurry=False,
                )

    def _on_opened(self, number: int, info: SourceInfo) -> None:
        source, settled = self.state.session.source, number == self.worker.number and not self._apply.isActive()
        if settled and self.opening and self.opening in (source.path, source.flow_path):
            self.store.add_recent(self.opening)
            self.opening = ""

    def _check_model(self, path: str) -> None:
        self.ask(lambda _: model_found(path), lambda found: self.source.task.show_model(path, *found))

    def ask(self, question: Any, then: Any, hurry: bool = True) -> None:
        """Have the worker answer `question`, then hand the answer to `then` on this thread. Without `hurry` the frame
        on the screen comes first."""
        self._questions[self.worker.ask(question, hurry)] = then

    def _on_answered(self, ticket: int, answer: Any) -> None:
        then = self._questions.pop(ticket, None)
        if then is not None and self.isVisible():
            then(answer)

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

    def _cancel(self, job: int | None) -> None:
        if job is None:
            self.worker.halt()
            self.actions_["background"].setChecked(False)
            self.compare.canvas.set_waiting("")
            self.status.say("Stopped: Play ▸ Compute ahead goes on with the other frames")
        else:
            self.worker.cancel(job)

    def run_job(self, what: str, make: Any, then: Callable[[Any], None] | None = None) -> None:
        """Run an export or the like in the worker; `then` is given its result, else the banner says that it is done."""
        self._jobs[self.worker.run_job(what, make)] = (what, then)

    def _on_ended(self, job: int, result: Any) -> None:
        what, then = self._jobs.pop(job, ("Export", None))
        if result is None:
            self.status.say(f"{what}: stopped")
        elif then is not None:
            then(result)
        else:
            self.banner.show_note(getattr(result, "text", f"{what}: done"))

    # -- what is shown

    def show_title(self) -> None:
        info, state = self.info, self.state
        parts = ["Noisescope"]
        if self.path is not None:
            parts.append(self.path.name + ("*" if state.modified else ""))
        if info is not None:
            parts += [info.title, f"{info.width}×{info.height}", info.motion]
        parts.append(f"seed {state.session.noise.seed}")
        self.setWindowTitle(" · ".join(parts))

    def _on_probe(self, probe: Probe | None) -> None:
        self._probed = probe_text(probe, self.result) if probe is not None else ""
        self.status.say(self._probed)

    def follow_probe(self) -> None:
        """The pixel under the pointer has other values: say them, if nothing else was said since."""
        if self._probed and self.status.said == self._probed:
            self._on_probe(self.compare.canvas.probe)

    def _toggle_hidden(self, key: str) -> None:
        hidden = self.state.view.hidden
        self.state.set_view(hidden=tuple(one for one in hidden if one != key) if key in hidden else (*hidden, key))

    def play(self, on: bool) -> None:
        if on != self.player.playing:
            self.player.play(on)
            self.frames.set_playing(on)
        on = self.player.playing
        self.actions_["play"].setChecked(on)
        self.actions_["play"].setIcon(theme.icon("pause" if on else "play", theme.current()))
        self.timeline.tell("set_playing", on)
        if not on:
            self.compare.canvas.set_waiting("")

    def _on_waiting(self, t: int) -> None:
        self.compare.canvas.set_waiting(f"computing frame {t} …")
        if self.actions_["background"].isChecked():
            self.worker.follow(self.state.order())  # its noise is next
        else:
            self.worker.request(t, self.state.order())

    def flip_once(self) -> None:
        self.compare.canvas.set_flip(True)
        QTimer.singleShot(800, lambda: self.compare.canvas.set_flip(False))

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

    # -- look

    def set_theme(self, choice: str) -> None:
        """`system`, `dark` or `light`."""
        self._theme = choice if choice in ("system", "dark", "light") else "system"
        colours = theme.chosen(self._theme)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        if app.property("theme") != colours.name:
            theme.apply(app, colours)
            app.setProperty("theme", colours.name)
        for name in ("system", "dark", "light"):
            self.actions_[f"theme_{name}"].setChecked(name == self._theme)
        menus.set_theme(self.actions_, colours)
        for part in (self.compare, self.source, self.status, self.banner):
            part.set_theme(colours)
        self.experimenting.set_theme(colours)
        for panel in (self.statistics, self.timeline):
            panel.tell("set_theme", colours)
        if self.player.playing:
            self.actions_["play"].setIcon(theme.icon("pause", colours))

    # -- files dropped, and the end

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            documents.open_path(self, Path(paths[0]))

    def close_at_once(self) -> None:
        """Close without asking, as when the system says that it is time to go."""
        self._asks = False
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._asks and not self.experimenting.may_close():
            event.ignore()
            return
        self.experimenting.end()
        self.player.play(False)
        self._autosave.stop()
        layout.keep(self)
        self.worker.stop()
        self.store.closed()
        super().closeEvent(event)


def _once(parent: QWidget, milliseconds: int, action: Any) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(action)
    return timer
