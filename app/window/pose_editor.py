"""Opens the pose editor beside the window, keeps a draft of what is in it, and shows its movement in the window."""

from __future__ import annotations

import contextlib
import zlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer

from app.model.pose_document import PoseDocument
from gpu.assets import asset
from gpu.errors import NoisescopeError
from gpu.session import Session, SourceSettings, TaskSettings
from gpu.worlds.figure.pose_files import read_sequence, write_sequence
from gpu.worlds.figure.sequence import Sequence

if TYPE_CHECKING:
    from app.window.main_window import Window

DRAFT_MS = 2000
SCENE, TASK = "pose", "pose-to-person"


def open_editor(window: Window) -> PoseEditorLink:
    """Show the editor: the one that is there, or a new one with the movement that the window shows."""
    posing = window.findChild(PoseEditorLink) or PoseEditorLink(window)
    posing.editor.show()
    posing.editor.raise_()
    posing.editor.activateWindow()
    return posing


def showing(session: Session, path: Path) -> Session:
    """`session` with the doll doing what a file of poses says; its other settings stay where the doll is shown already."""
    if session.source.kind == "scene" and session.source.name == SCENE:
        return replace(session, source=replace(session.source, path=str(path)))
    return replace(session, source=SourceSettings(kind="scene", name=SCENE, path=str(path)), task=TaskSettings(TASK))


def holds_poses(path: Path) -> bool:
    """Whether a .json file looks like poses rather than a session: told by its first words."""
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False
    return any(word in start for word in ('"noisescope-pose"', '"people"', '"keypoints"', '"annotations"'))


class PoseEditorLink(QObject):
    """The editor of one window, kept as long as the window."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        from app.views.pose.editor import PoseEditor

        self._window, self._folder = window, window.store.folder / "poses"
        self.editing = PoseDocument(self._begin())
        self.editor = PoseEditor(self.editing, window, Path.home())
        self.editor.used.connect(self.use)
        self._draft = QTimer(self)
        self._draft.setSingleShot(True)
        self._draft.setInterval(DRAFT_MS)
        self._draft.timeout.connect(self._keep)
        self._kept = self.editing.sequence
        self.editing.listen(lambda: self._draft.start() if self.editing.sequence is not self._kept else None)

    def _begin(self) -> Sequence | None:
        """What the window shows, else the draft of an earlier run."""
        source = self._window.state.session.source
        doll = source.kind == "scene" and source.name == SCENE
        draft = self._folder / "draft.json"
        for path in (Path(source.path) if doll and source.path else None, draft if draft.is_file() else None):
            if path is not None:
                with contextlib.suppress(NoisescopeError):
                    return read_sequence(path)
        if doll and "cycle" in source.parameters:
            return read_sequence(asset(f"poses/{source.parameters['cycle']}.json"))
        return None

    def _keep(self) -> None:
        self._write(self._folder / "draft.json")
        self._kept = self.editing.sequence

    def _write(self, path: Path) -> bool:
        with contextlib.suppress(OSError):  # writing says it in a sentence
            path.parent.mkdir(parents=True, exist_ok=True)
        done: bool = self.editor.attempt(lambda: write_sequence(self.editing.sequence, path))
        return done

    def use(self) -> None:
        """Write the movement into the program's folder, under a name that its content decides, and open the scene with it."""
        sequence, window = self.editing.sequence, self._window
        content = zlib.crc32(sequence.joints.tobytes() + sequence.times.tobytes() + repr(sequence).encode())
        name = "".join(one if one.isalnum() or one in "-_" else "-" for one in sequence.name)[:40]
        path = self._folder / f"{name}-{content:08x}.json"
        if not self._write(path):
            return
        window.state.change(showing(window.state.session, path), f"Use {sequence.name}")
        self.editor.say(f"{sequence.name} is shown in the window.")
