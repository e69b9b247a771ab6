"""Opens the pose editor beside the window, keeps a draft of what is in it, and shows its movement in the window."""

from __future__ import annotations

import contextlib
import zlib
from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from app.model.pose_document import PoseDocument
from app.model.pose_scene import SCENE, showing
from app.model.state import State
from app.views.pose.editor import PoseEditor
from app.views.widgets.once import once, start_if_idle
from gpu.assets import asset
from gpu.errors import NoisescopeError
from gpu.locks import Lock, take
from gpu.worlds.figure.pose_files import read_sequence, write_sequence
from gpu.worlds.figure.sequence import Sequence

DRAFT_MS = 2000
WINDOWS = 100


class PoseEditorLink(QObject):
    """The editor of one window, with the movement that the window shows when it is made; kept as long as the window."""

    def __init__(self, state: State, folder: Path, parent: QWidget) -> None:
        """`folder`: where the draft and the movements in use are kept."""
        super().__init__(parent)
        self._state, self._folder = state, folder
        self._draft_file, lock = _own_draft(folder)
        if lock is not None:
            self.destroyed.connect(lock.release)
        self.document = PoseDocument(self._begin())
        self.document.setParent(self)
        self.editor = PoseEditor(self.document, parent, Path.home())
        self.editor.used.connect(self.use)
        self._draft = once(self, DRAFT_MS, self._keep)
        self._kept = self.document.sequence
        self.document.changed.connect(self._start_draft)

    def show(self) -> None:
        """Bring the editor to the front."""
        self.editor.show()
        self.editor.raise_()
        self.editor.activateWindow()

    def _begin(self) -> Sequence | None:
        """What the window shows, else the draft of an earlier run."""
        source = self._state.session.source
        doll = source.kind == "scene" and source.name == SCENE
        # Another window's, where there is none of this one: it is read, and never written.
        draft = self._draft_file if self._draft_file.is_file() else self._folder / "draft.json"
        for path in (Path(source.path) if doll and source.path else None, draft if draft.is_file() else None):
            if path is not None:
                with contextlib.suppress(NoisescopeError):
                    return read_sequence(path)
        if doll and "cycle" in source.parameters:
            return read_sequence(asset(f"poses/{source.parameters['cycle']}.json"))
        return None

    def _start_draft(self) -> None:
        if self.document.sequence is not self._kept:
            start_if_idle(self._draft)

    def _keep(self) -> None:
        self._write(self._draft_file)
        self._kept = self.document.sequence

    def _write(self, path: Path) -> bool:
        with contextlib.suppress(OSError):  # writing says it in a sentence
            path.parent.mkdir(parents=True, exist_ok=True)
        return self.editor.attempt(lambda: write_sequence(self.document.sequence, path))

    def use(self) -> None:
        """Write the movement into the program's folder, under a name that its content decides, and open the scene with it."""
        sequence = self.document.sequence
        content = zlib.crc32(sequence.joints.tobytes() + sequence.times.tobytes() + repr(sequence).encode())
        name = "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in sequence.name)[:40]
        path = self._folder / f"{name}-{content:08x}.json"
        if not self._write(path):
            return
        self._state.change(showing(self._state.session, path), f"Use {sequence.name}")
        self.editor.say(f"{sequence.name} is shown in the window.")


def _own_draft(folder: Path) -> tuple[Path, Lock | None]:
    """The first file for drafts that no other window writes, and what keeps others from it until the window ends."""
    for number in range(1, WINDOWS + 1):
        draft = folder / ("draft.json" if number == 1 else f"draft-{number}.json")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = take(draft.with_suffix(".lock"))
        except OSError:
            return draft, None  # writing says it in a sentence
        if lock is not None:
            return draft, lock
    return draft, None
