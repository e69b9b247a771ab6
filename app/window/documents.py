"""Files and the window: opening by dialog or by path, sessions saved and loaded, the recent ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from app.model.catalogue import Catalogue
from app.model.flow_fits import FlowReport
from app.model.pose_scene import holds_poses, showing
from app.model.state import State
from app.model.user_folder import UserFolder
from app.views.widgets.banner import Banner
from app.views.widgets.words import entry, tooltip
from app.window.status import StatusLine
from app.worker.dispatch import Dispatch
from app.worker.film_check import frames_told
from app.worker.flow_check import flow_report
from gpu import session as sessions
from gpu.decoders.formats import SUFFIXES
from gpu.errors import NoisescopeError
from gpu.sequences import is_pattern, natural_key
from gpu.session import Session, SourceSettings

if TYPE_CHECKING:
    from gpu.engine import Engine

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".gif")
PICTURES = tuple(ending for ending in SUFFIXES if ending not in VIDEOS)
FIELDS = (".flo", ".flo5")
FLOWS = (".npy", ".npz", ".pt", ".safetensors", *FIELDS)
FLOWS_TOO = (".pfm", ".exr", ".png")
"""Endings of flow files: `FIELDS` hold one field, and nothing else; `FLOWS_TOO` are endings of pictures as well."""
FRAMES = 48  # of a still that is set in motion
LONG = 240  # frames of a film: of one that is longer, so many are opened at first


class Documents(QObject):
    """Opens and saves for one window. `path` is the session's file, `opening` a source that is listed among the recent ones as
    soon as it turns out to be readable."""

    def __init__(
        self,
        state: State,
        dispatch: Dispatch,
        user_folder: UserFolder,
        banner: Banner,
        status: StatusLine,
        start_over: Callable[[Session], None],
        parent: QWidget,
    ) -> None:
        """`start_over` shows another session, `parent` is what dialogs belong to."""
        super().__init__(parent)
        self._state, self._dispatch, self._user_folder = state, dispatch, user_folder
        self._banner, self._status, self._start_over, self._parent = banner, status, start_over, parent
        self.path: Path | None = None
        self.opening = ""
        self._beside = ""  # to be said when the source that is being opened is open
        self._catalogue: Catalogue | None = None

    def set_catalogue(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    @property
    def folder(self) -> Path:
        """Where dialogs start: the folder of the file used last."""
        last = self.opening or next(iter(self._user_folder.recent()), "")
        return Path(last).parent if last else Path.home()

    # -- sources

    def open_source(self, kind: str) -> None:
        """Ask for the file of a kind of source, and open it."""
        folder = str(self.folder)
        if kind == "images":
            path = QFileDialog.getExistingDirectory(self._parent, "Open image sequence: choose its folder", folder)
        elif kind == "scene":
            scene = self._catalogue.scenes.get(self._state.session.source.name) if self._catalogue else None
            patterns = " ".join(f"*{ending}" for ending in scene.files) if scene else "*"
            path, _ = QFileDialog.getOpenFileName(
                self._parent, "File of the scene", folder, f"Files ({patterns});;All (*)"
            )
        else:
            title, endings = {
                "video": ("Open video", VIDEOS),
                "still": ("Open still", PICTURES),
                "synthetic": ("Open still", PICTURES),
                "numbered": ("Open images from one on", PICTURES),
                "flow": ("Open flow", (*FLOWS, *FLOWS_TOO)),
            }[kind]
            patterns = " ".join(f"*{ending}" for ending in endings)
            choices = f"{title[5:].capitalize()} ({patterns});;All (*)"
            path, _ = QFileDialog.getOpenFileName(self._parent, title, folder, choices)
        if path:
            self.open_as("images" if kind == "numbered" else kind, path)

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Open what was dropped together: several pictures are a sequence from the first of them on, else the first counts."""
        pictures = sorted(
            (path for path in paths if path.suffix.lower() in PICTURES), key=lambda path: natural_key(path.name)
        )
        if len(pictures) > 1:
            self.open_as("images", str(pictures[0]))
        elif paths:
            self.open_path(paths[0])

    def open_path(self, path: Path) -> None:
        """Open whatever `path` is, by its ending: dropped files and the recent list come here."""
        ending = path.suffix.lower()
        if ending == ".json" and holds_poses(path):
            self._user_folder.add_recent(str(path))
            self._state.change(showing(self._state.session, path), f"Open {path.name}")
        elif ending == ".json":
            self.load_session(path)
        elif (ending in FLOWS and not path.is_dir()) or (path.is_dir() and _holds_flow(path)):
            self.open_as("flow", str(path))
        elif path.is_dir() or is_pattern(path):
            self.open_as("images", str(path))
        elif ending in PICTURES:
            self.open_as("still", str(path))
        else:
            self.open_as("video", str(path))

    def open_as(self, kind: str, path: str) -> None:
        """Take `path` as the source; whether it can be read is found out in the worker."""
        path = _whole(path) if kind == "flow" else path
        source = self._source(kind, path)
        if kind == "flow":
            self.check_flow(source)
            return
        self.opening, self._beside = path, ""
        if kind == "video":
            self._dispatch.ask(lambda _: frames_told(path), lambda frames: self._open_video(source, frames))
        else:
            self._take(source)

    def _take(self, source: SourceSettings) -> None:
        path = source.path
        self._state.change(replace(self._state.session, source=source), f"Open {Path(path).name}")
        self._state.set_frame(0)

    def _open_video(self, source: SourceSettings, frames: int) -> None:
        """Open a film, of a long one its beginning: how long it is must not decide how long opening it takes."""
        if frames > LONG:
            self._take(replace(source, frames=LONG))
            self._beside = (
                f"{Path(source.path).name} has about {frames:,} frames; the first {LONG} are open. "
                "Start and Frames at the left choose others."
            )
        else:
            self._take(source)

    def _source(self, kind: str, path: str) -> SourceSettings:
        old = self._state.session.source
        if kind == "scene":
            return replace(old, path=path)
        if kind in ("still", "synthetic"):
            if old.kind == "synthetic":
                return replace(old, path=path)
            name = next(iter(self._catalogue.deformations), "") if self._catalogue else ""
            return SourceSettings(kind="synthetic", path=path, name=name, height=old.height, frames=FRAMES)
        if kind == "flow":
            source = replace(SourceSettings("flow", flow_path=path), path=old.path, height=old.height, width=old.width)
            return source if old.kind in ("synthetic", "flow") else replace(source, path="")
        if kind == "images":
            return SourceSettings(kind="images", path=path, height=old.height)
        return SourceSettings(kind="video", path=path, height=old.height)

    def check_flow(self, source: SourceSettings) -> None:
        """Let the person see which reading of a flow file fits the clip that is open, and whether its pictures stay; then take
        it."""
        from app.views.source.flow_dialog import FlowDialog

        old, path = self._state.session.source, source.flow_path
        film = old if old.kind in ("video", "images") else None
        if source.kind != "flow":
            source = replace(source, kind="flow", path="", start=0, frames=0, every=1, fps=0.0)
        dialog = FlowDialog(self._parent, source, film)

        def take() -> None:
            self.opening = path
            self._state.change(replace(self._state.session, source=dialog.source), f"Open {Path(path).name}")

        def look() -> None:
            read = dialog.read

            def compare(engine: Engine | None) -> FlowReport | str:
                try:
                    return flow_report(engine, read)
                except NoisescopeError as problem:
                    return str(problem)

            self._dispatch.ask(compare, show, otherwise=dialog.reject, shown_in=dialog)

        def show(report: FlowReport | str) -> None:
            if isinstance(report, str):  # there is nothing to choose
                dialog.reject()
                self._banner.show_error(report)
            else:
                dialog.show_report(report)

        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(take)
        dialog.asked.connect(look)
        look()
        dialog.open()

    def choose_model(self) -> str:
        """The folder of a diffusers pipeline that the person chooses; empty when none."""
        return QFileDialog.getExistingDirectory(
            self._parent, "Choose the folder of a diffusers pipeline", str(self.folder)
        )

    def note_readable(self, source: SourceSettings) -> None:
        """The source is open: list its file among the recent ones, if it was chosen just now."""
        if self.opening and self.opening in (source.path, source.flow_path):
            self._user_folder.add_recent(self.opening)
            self.opening = ""
            if self._beside:
                self._banner.show_note(self._beside)
            self._beside = ""

    # -- sessions

    def open_session(self) -> None:
        path, _ = QFileDialog.getOpenFileName(
            self._parent, "Open session", str(self.folder), "Session (*.json);;All (*)"
        )
        if path:
            self.load_session(Path(path))

    def load_session(self, path: Path) -> None:
        """Open a session file; a damaged one changes nothing and is answered with a sentence."""
        try:
            session = sessions.load(path)
        except NoisescopeError as problem:
            self._banner.show_error(str(problem))
            return
        self._user_folder.add_recent(str(path))
        self.show_session(session, path)

    def show_session(self, session: Session, path: Path | None = None) -> None:
        """Start over with another session, which is saved to `path` from now on."""
        self.path = path
        self._start_over(session)

    def save(self) -> None:
        if self.path is None:
            self.save_as()
        else:
            self.save_to(self.path)

    def save_as(self) -> None:
        folder = str(self.folder / "comparison.json")
        path, _ = QFileDialog.getSaveFileName(self._parent, "Save session", folder, "Session (*.json)")
        if path:
            self.save_to(Path(path) if Path(path).suffix else Path(path).with_suffix(".json"))

    def save_to(self, path: Path) -> None:
        """Write the session; a sentence when that fails."""
        from gpu.source.inputs import check_outputs

        try:
            check_outputs(self._state.session, [path])
            sessions.save(self._state.to_save(), path)
        except NoisescopeError as problem:
            self._banner.show_error(str(problem))
            return
        self.path = path
        self._user_folder.add_recent(str(path))
        self._state.mark_saved()
        self._status.say(f"Saved {path.name}")

    def fill_recent(self, menu: QMenu) -> None:
        """The recent files, made anew whenever the menu opens."""
        menu.clear()
        for path in self._user_folder.recent():
            action = menu.addAction(entry(Path(path).name))
            action.setToolTip(tooltip(path))
            action.triggered.connect(lambda _=False, path=path: self.open_path(Path(path)))
        if menu.isEmpty():
            menu.addAction("Nothing opened yet").setEnabled(False)


def _holds_flow(folder: Path) -> bool:
    """Whether a folder holds files that are nothing but fields of flow, and no pictures."""
    try:
        endings = {item.suffix.lower() for item in folder.iterdir() if not item.name.startswith(".")}
    except OSError:
        return False
    return bool(endings.intersection(FIELDS)) and not endings.intersection(PICTURES)


def _whole(path: str) -> str:
    """The folder of a flow file that holds one field, where there are more of its kind: one step is rarely what is meant."""
    file = Path(path)
    try:
        single = file.suffix.lower() in (*FIELDS, *FLOWS_TOO) and file.is_file()
        alike = [item for item in file.parent.iterdir() if item.suffix.lower() == file.suffix.lower()] if single else []
    except OSError:
        return path
    return str(file.parent) if len(alike) > 1 else path
