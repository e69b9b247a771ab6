"""What the File and Help menus do: dialogs, opening by path, saving, export, about."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QFileDialog, QLabel, QScrollArea, QVBoxLayout

from app.model import catalogue
from app.model.flow_fits import FlowFit
from app.views.compare.figures import NONE, all_figures
from app.views.source.flow_dialog import FlowDialog
from app.window import menus, pose_editor
from app.worker.flow_check import flow_fits
from gpu import session as sessions
from gpu.errors import NoisescopeError
from gpu.session import SourceSettings

if TYPE_CHECKING:
    from app.views.export.dialog import ExportRequest
    from app.window.main_window import Window
    from gpu.engine import Engine

VIDEOS = (".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".gif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
FLOWS = (".npy", ".npz", ".flo")
FRAMES = 48  # of a still that is set in motion


def open_source(window: Window, kind: str) -> None:
    """Ask for the file of a kind of source, and open it."""
    folder = _folder(window)
    if kind == "images":
        path = QFileDialog.getExistingDirectory(window, "Open image sequence: choose its folder", folder)
    elif kind == "scene":
        scene = window.catalogue.scenes.get(window.state.session.source.name) if window.catalogue else None
        patterns = " ".join(f"*{ending}" for ending in scene.files) if scene else "*"
        path, _ = QFileDialog.getOpenFileName(window, "File of the scene", folder, f"Files ({patterns});;All (*)")
    else:
        title, endings = {
            "video": ("Open video", VIDEOS),
            "still": ("Open still", PICTURES),
            "synthetic": ("Open still", PICTURES),
            "flow": ("Open flow", (*FLOWS, ".png")),
        }[kind]
        patterns = " ".join(f"*{ending}" for ending in endings)
        path, _ = QFileDialog.getOpenFileName(window, title, folder, f"{title[5:].capitalize()} ({patterns});;All (*)")
    if path:
        open_as(window, kind, path)


def open_model(window: Window) -> None:
    """Ask for the folder of a diffusers pipeline."""
    path = QFileDialog.getExistingDirectory(window, "Choose the folder of a diffusers pipeline", _folder(window))
    if path:
        window.source.task.show_path(path)


def open_path(window: Window, path: Path) -> None:
    """Open whatever `path` is, by its ending: dropped files and the recent list come here."""
    ending = path.suffix.lower()
    if ending == ".json" and pose_editor.holds_poses(path):
        window.store.add_recent(str(path))
        window.state.change(pose_editor.showing(window.state.session, path), f"Open {path.name}")
    elif ending == ".json":
        load_session(window, path)
    elif path.is_dir():
        open_as(window, "images", str(path))
    elif ending in FLOWS:
        open_as(window, "flow", str(path))
    elif ending in PICTURES:
        open_as(window, "still", str(path))
    else:
        open_as(window, "video", str(path))


def open_as(window: Window, kind: str, path: str) -> None:
    """Take `path` as the source; whether it can be read is found out in the worker."""
    session = window.state.session
    old = session.source
    if kind == "scene":
        source = replace(old, path=path)
    elif kind in ("still", "synthetic"):
        first = next(iter(window.catalogue.deformations), "") if window.catalogue else ""
        source = (
            replace(old, path=path)
            if old.kind == "synthetic"
            else SourceSettings(kind="synthetic", path=path, name=first, height=old.height, frames=FRAMES)
        )
    elif kind == "flow":
        source = replace(old, kind="flow", flow_path=path, forward_path="", start=0, frames=0, parameters={}, name="")
        source = source if old.kind in ("synthetic", "flow") else replace(source, path="")
    elif kind == "images":
        source = SourceSettings(kind="images", path=path, height=old.height)
    else:
        source = SourceSettings(kind="video", path=path, height=old.height)
    if kind == "flow":
        check_flow(window, source)
        return
    window.opening = path
    window.state.change(replace(session, source=source), f"Open {Path(path).name}")
    window.state.set_frame(0)


def check_flow(window: Window, source: SourceSettings) -> None:
    """Let the person see which reading of a flow file fits the clip that is open, then take it."""
    dialog = FlowDialog(window, source)
    path = source.flow_path

    def take() -> None:
        window.opening = path
        window.state.change(replace(window.state.session, source=dialog.source), f"Open {Path(path).name}")

    def compare(engine: Engine | None) -> list[FlowFit] | str:
        try:
            return flow_fits(engine, path)
        except NoisescopeError as problem:
            return str(problem)

    def show(found: list[FlowFit] | str) -> None:
        if isinstance(found, str):  # there is nothing to choose
            dialog.reject()
            window.banner.show_error(found)
        else:
            dialog.show_fits(found)

    dialog.accepted.connect(take)
    window.ask(compare, show)
    dialog.open()


def open_session(window: Window) -> None:
    path, _ = QFileDialog.getOpenFileName(window, "Open session", _folder(window), "Session (*.json);;All (*)")
    if path:
        load_session(window, Path(path))


def load_session(window: Window, path: Path) -> None:
    """Open a session file; a damaged one changes nothing and is answered with a sentence."""
    try:
        session = sessions.load(path)
    except NoisescopeError as problem:
        window.banner.show_error(str(problem))
        return
    window.store.add_recent(str(path))
    window.open(session, path)


def save(window: Window) -> None:
    if window.path is None:
        save_as(window)
    else:
        save_to(window, window.path)


def save_as(window: Window) -> None:
    folder = str(Path(_folder(window)) / "comparison.json")
    path, _ = QFileDialog.getSaveFileName(window, "Save session", folder, "Session (*.json)")
    if path:
        save_to(window, Path(path) if Path(path).suffix else Path(path).with_suffix(".json"))


def save_to(window: Window, path: Path) -> None:
    if window.attempt(lambda: sessions.save(window.state.to_save(), path)):
        window.path = path
        window.store.add_recent(str(path))
        window.state.mark_saved()
        window.status.say(f"Saved {path.name}")


def fill_recent(window: Window) -> None:
    """The recent files, made anew whenever the menu opens."""
    menu = window.actions_["recent"].menu()
    menu.clear()
    for path in window.store.recent():
        action = menu.addAction(Path(path).name)
        action.setToolTip(path)
        action.triggered.connect(lambda _=False, path=path: open_path(window, Path(path)))
    if menu.isEmpty():
        menu.addAction("Nothing opened yet").setEnabled(False)


def export(window: Window) -> None:
    """The export dialog; what it is given runs in the worker."""
    if window.info is None:
        window.banner.show_error("There is nothing to export yet: wait until the clip is open.")
        return
    from app.views.export.dialog import ExportDialog

    dialog = ExportDialog(window, window.state.session, window.info, Path(_folder(window)))
    dialog.planAsked.connect(
        lambda request: window.ask(
            lambda engine: plan_text(engine, request), lambda answer: dialog.show_plan(*answer, request)
        )
    )
    dialog.requested.connect(lambda request: run_export(window, request))
    dialog.finished.connect(dialog.deleteLater)
    dialog.open()


def plan_text(engine: Engine | None, request: ExportRequest) -> tuple[str, bool]:
    """What an export would write and True, or why it cannot and False. Answered in the worker; nothing is computed."""
    from app.export import plan

    if engine is None:
        return "Wait until the clip is open.", False
    try:
        plans = [plan(engine, request.form, key, path, request.options) for key, path in request.files]
    except NoisescopeError as problem:
        return str(problem), False
    return "\n".join(planned.text for planned in plans), True


def run_export(window: Window, request: ExportRequest) -> None:
    """Save the view at once; have the worker write all else, one job a file. The banner says what was read back."""
    from app.export import write

    if not request.form:
        path = request.files[0][1]
        if window.compare.picture().save(str(path), "PNG"):
            window.banner.show_note(f"The current view is in {path}.")
        else:
            window.banner.show_error(f"The current view cannot be written to {path}.")
        return
    for key, path in request.files:
        window.run_job(
            f"Export {path.name}",
            lambda engine, key=key, path=path: write(engine, request.form, key, path, request.options),
        )


def figures_text(window: Window) -> str:
    """The figures of this frame as tab-separated lines."""
    result = window.result
    keys = window.state.keys
    columns = all_figures(result, keys)
    lines = ["\t".join([f"frame {window.state.view.frame}", *keys])]
    for label in next(iter(columns.values()), {}):
        cells = [columns[key][label] for key in keys]
        if any(cell is not NONE for cell in cells):
            lines.append("\t".join([label, *(f"{cell.text} {cell.symbol}".strip() for cell in cells)]))
    return "\n".join(lines)


def show_shortcuts(window: Window) -> None:
    _page(window, "Shortcuts", menus.shortcut_page())


def show_about(window: Window) -> None:
    versions = " · ".join(f"{name} {version}" for name, version in catalogue.versions())
    _page(
        window,
        "About Noisescope",
        "<p style='font-weight: 600'>Noisescope</p>"
        "<p>See, compare and export noise priors for video diffusion.</p>"
        "<p>It implements the integral noise of Pascal Chang, Jingwei Tang, Markus Gross and Vinicius C. Azevedo, "
        "<i>How I Warped Your Noise: a Temporally-Correlated Noise Prior for Diffusion Models</i>, ICLR 2024 "
        "(arXiv 2504.03072), with the priors it was compared with and the methods that followed it. "
        "Each prior's source is in its tooltip.</p>"
        "<p>Clip: <i>Big Buck Bunny</i>, © Blender Foundation, CC BY 3.0. Icons: Lucide (ISC). "
        "Typeface: Inter (SIL Open Font License 1.1). Colours of the priors: Okabe and Ito.</p>"
        f"<p>{versions}</p>",
    )


def open_log(window: Window) -> None:
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(window.store.folder))):
        window.banner.show_note(f"The log file is {window.store.log_file}")


def _page(window: Window, title: str, html: str) -> None:
    dialog = QDialog(window)
    dialog.setWindowTitle(title)
    text = QLabel(html)
    text.setWordWrap(True)
    text.setAlignment(Qt.AlignmentFlag.AlignTop)
    text.setOpenExternalLinks(True)
    text.setMargin(16)
    scroll = QScrollArea()
    scroll.setWidget(text)
    scroll.setWidgetResizable(True)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    layout.addWidget(buttons)
    dialog.resize(560, 560)
    dialog.open()


def _folder(window: Window) -> str:
    last = window.opening or next(iter(window.store.recent()), "")
    return str(Path(last).parent) if last else str(Path.home())
