"""What the pose editor knows, without widgets: the sequence with its undo history, the time that is shown, the chosen joint."""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from app.model.history import History
from gpu.assets import asset
from gpu.worlds.figure import keyframes as keys
from gpu.worlds.figure.body_parts import PARTS, apply, depth_order, frames, needed, shapes
from gpu.worlds.figure.pose_files import read_sequence, write_sequence
from gpu.worlds.figure.sequence import BONES, F64, JOINT, JOINTS, Sequence, mirrored

__all__ = ["BONES", "BUNDLED", "JOINTS", "PoseDocument", "body"]

BUNDLED = ("walk", "run", "dance", "wave", "turn", "jumping-jack")
MERGE_SECONDS = 1.0


@dataclass(frozen=True)
class Moment:
    """What undo brings back: the sequence, the time that was shown, and the person's file."""

    sequence: Sequence
    time: float
    path: Path | None


class PoseDocument(QObject):
    """The one truth behind the editor. `changed` comes after every change."""

    changed = Signal()

    def __init__(self, sequence: Sequence | None = None, now: Callable[[], float] = clock.monotonic) -> None:
        super().__init__()
        self.sequence = sequence or read_sequence(asset("poses/walk.json"))
        self.time, self.joint = 0.0, JOINTS.index("right wrist")
        self.clipboard: F64 | None = None
        self.path: Path | None = None  # the person's own file
        self._saved = self.sequence
        self._history: History[Moment] = History(MERGE_SECONDS, now)

    # -- files

    def open(self, path: Path, own: bool = True) -> None:
        """Edit the poses of a file or of OpenPose's folder; PoseError when they cannot be read. It can be undone.

        A file that is not the person's `own`, or not of our format, is not written to by a plain save.
        """
        sequence = read_sequence(path)
        ours = own and path.is_file() and '"noisescope-pose"' in path.read_text(encoding="utf-8")
        self._change(sequence, f"open {sequence.name}", time=0.0)
        self.path, self._saved = (path if ours else None), sequence
        self.changed.emit()

    def open_bundled(self, name: str) -> None:
        self.open(asset(f"poses/{name}.json"), own=False)

    def save(self, path: Path) -> None:
        """Write it; OutputError when that fails."""
        write_sequence(self.sequence, path)
        self.path, self._saved = path, self.sequence
        self.changed.emit()

    @property
    def modified(self) -> bool:
        return self.sequence is not self._saved

    # -- where one is

    @property
    def key(self) -> int | None:
        """The keyframe that is shown; None between two."""
        return keys.nearest_key(self.sequence, self.time)

    @property
    def joints(self) -> F64:
        """(18, 2): what is shown."""
        key = self.key
        return self.sequence.joints[key] if key is not None else self.sequence.at(self.time)

    @property
    def end(self) -> float:
        """The last time that can be shown."""
        return self.sequence.length if self.sequence.loop else float(self.sequence.times[-1])

    def neighbours(self) -> tuple[F64 | None, F64 | None]:
        """The keyframes before and after what is shown, for onion skins."""
        sequence, count = self.sequence, len(self.sequence.times)
        before = int(np.searchsorted(sequence.times, self.time - 0.3)) - 1
        after = int(np.searchsorted(sequence.times, self.time + 0.3, side="right"))
        if count < 2:
            return None, None
        if sequence.loop:
            return sequence.joints[before % count], sequence.joints[after % count]
        return (
            sequence.joints[before] if before >= 0 else None,
            sequence.joints[after] if after < count else None,
        )

    def go(self, time: float) -> None:
        """Show another time, in frames."""
        self.time = min(max(time, 0.0), self.end)
        self.changed.emit()

    def go_key(self, key: int) -> None:
        """Show a keyframe; beyond the ends the nearest one."""
        self.go(float(self.sequence.times[min(max(key, 0), len(self.sequence.times) - 1)]))

    def step_key(self, by: int) -> None:
        """To the next keyframe (1) or the one before (-1)."""
        times = self.sequence.times
        if by > 0:
            later = np.flatnonzero(times > self.time + 0.3)
            self.go_key(int(later[0]) if len(later) else (0 if self.sequence.loop else len(times) - 1))
        else:
            earlier = np.flatnonzero(times < self.time - 0.3)
            self.go_key(int(earlier[-1]) if len(earlier) else (len(times) - 1 if self.sequence.loop else 0))

    def choose(self, joint: int) -> None:
        self.joint = joint % len(JOINTS)
        self.changed.emit()

    # -- changes and their history

    def _change(self, sequence: Sequence, what: str, merge: str = "", time: float | None = None) -> None:
        if sequence is self.sequence:
            return
        self._history.record(self._moment(), what, merge)
        self.sequence = sequence
        self.time = min(self.time if time is None else time, self.end)
        self.changed.emit()

    def undo(self) -> None:
        self._travel(self._history.undo(self._moment()))

    def redo(self) -> None:
        self._travel(self._history.redo(self._moment()))

    def _moment(self) -> Moment:
        return Moment(self.sequence, self.time, self.path)

    def _travel(self, moment: Moment | None) -> None:
        if moment is not None:
            self.sequence, self.time, self.path = moment.sequence, moment.time, moment.path
            self.changed.emit()

    @property
    def undo_text(self) -> str:
        return self._history.undo_text

    @property
    def redo_text(self) -> str:
        return self._history.redo_text

    def end_drag(self) -> None:
        """The next change is a step of its own in the history."""
        self._history.end_merging()

    def drag(self, joint: int, to: F64, keep: bool = True) -> None:
        """Drag a joint; between two keyframes that makes one there."""
        sequence, key = self.sequence, self.key
        self.joint = joint
        if key is None:
            if not keys.room(sequence, self.time):
                return
            sequence, key = keys.added(sequence, self.time)
        joints = keys.dragged(sequence.joints[key], joint, to, keep)
        self._change(keys.with_joints(sequence, key, joints), f"move the {JOINTS[joint]}", f"drag {joint}")

    def nudge(self, dx: float, dy: float, keep: bool = True) -> None:
        """Move the chosen joint by so many body heights."""
        self.drag(self.joint, self.joints[self.joint] + np.array([dx, dy]), keep)

    def add(self) -> bool:
        """A keyframe at the time that is shown; False where there is none to add."""
        if not keys.room(self.sequence, self.time):
            return False
        self._change(keys.added(self.sequence, self.time)[0], "add a keyframe")
        return True

    def duplicate(self) -> bool:
        """A copy of the keyframe that is shown, after it; False between keyframes or where there is no room."""
        key = self.key
        if key is None:
            return False
        time = keys.place_after(self.sequence, key)
        if not keys.room(self.sequence, time):
            return False
        sequence, _ = keys.added(self.sequence, time, self.sequence.joints[key])
        self._change(sequence, "duplicate a keyframe", time=time)
        return True

    def delete(self) -> bool:
        """Without the keyframe that is shown; False when it is none or the only one."""
        key = self.key
        if key is None or len(self.sequence.times) == 1:
            return False
        sequence = keys.deleted(self.sequence, key)
        self._change(sequence, "delete a keyframe", time=float(sequence.times[min(key, len(sequence.times) - 1)]))
        return True

    def retime(self, key: int, time: float) -> None:
        """Move a keyframe in time; it is shown."""
        sequence = keys.retimed(self.sequence, key, time)
        self._change(sequence, "move a keyframe in time", f"time {key}", float(sequence.times[key]))

    def copy(self) -> None:
        self.clipboard = self.joints.copy()
        self.changed.emit()

    def paste(self) -> None:
        """The copied posture in the keyframe that is shown; between two it becomes one."""
        self._set_pose(self.clipboard, "paste a posture")

    def mirror_pose(self) -> None:
        self._set_pose(keys.mirrored_pose(self.joints), "mirror a posture")

    def _set_pose(self, joints: F64 | None, what: str) -> None:
        key = self.key
        if joints is None:
            return
        if key is not None:
            self._change(keys.with_joints(self.sequence, key, joints), what)
        elif keys.room(self.sequence, self.time):
            self._change(keys.added(self.sequence, self.time, joints)[0], what)

    def mirror_all(self) -> None:
        self._change(mirrored(self.sequence), "mirror the movement")

    def set(self, **values: Any) -> None:
        """Name, length, loop, travel or fps of the whole."""
        sequence = self.sequence
        for name, value in values.items():
            if value == getattr(sequence, name):
                continue
            if name == "length":
                share = self.time / sequence.length
                sequence = keys.with_length(sequence, float(value))
                self.time = share * sequence.length
            elif name == "loop":
                sequence = keys.with_loop(sequence, bool(value))
            else:
                sequence = replace(sequence, **{name: value})
        what = " and ".join(values)
        self._change(sequence, f"change {what}", what)


def body(joints: F64, seen: Any) -> list[tuple[str, F64]]:
    """The outlines of the parts from far to near, as names and polygons (n, 2) in body heights."""
    outlines, matrices = shapes(), frames(joints, seen)
    order = depth_order(bool(joints[0, 0] >= joints[1, 0]))
    return [
        (PARTS[part], apply(matrices[part], outlines[part].polygon()))
        for part in order
        if all(seen[JOINT[name]] for name in needed(part))
    ]
