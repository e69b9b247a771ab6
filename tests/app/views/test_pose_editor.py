"""The pose editor: joints dragged with the mouse, undone, saved and read again; keyframes; keys; files that cannot be read."""

from __future__ import annotations

import os

import numpy as np
import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolButton, QWidget

from app.model.pose_document import JOINTS, PoseDocument
from app.views.pose.editor import PoseEditor
from app.views.pose.form import PoseForm
from gpu.worlds.figure.keyframes import GAP
from gpu.worlds.figure.pose_files import read_sequence
from gpu.worlds.figure.sequence import JOINT

WRIST, ELBOW, HIP, ANKLE = (JOINT[name] for name in ("left wrist", "left elbow", "right hip", "right ankle"))


@pytest.fixture
def editor(qtbot, themed, tmp_path):
    editor = PoseEditor(PoseDocument(), None, tmp_path)
    qtbot.addWidget(editor)
    editor.show()
    return editor


def pull(qtbot, editor, joint, by, modifier=Qt.KeyboardModifier.NoModifier):
    """Drag a joint with the mouse by so many pixels."""
    canvas = editor.canvas
    at = canvas.to_screen(editor.editing.joints[joint]).toPoint()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, at)
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    for share in (0.5, 1.0):
        to = QPointF(at) + QPointF(*by) * share
        left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
        canvas.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, to, canvas.mapToGlobal(to), none, left, modifier))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, at + QPoint(*by))


def bone(joints):
    return float(np.linalg.norm(joints[WRIST] - joints[ELBOW]))


def test_a_dragged_joint_turns_its_limb_and_can_be_undone_saved_and_read(qtbot, editor, tmp_path):
    editing = editor.editing
    before = editing.joints.copy()
    pull(qtbot, editor, WRIST, (-20, -60))
    after = editing.joints.copy()
    assert np.linalg.norm(after[WRIST] - before[WRIST]) > 0.05
    assert bone(after) == pytest.approx(bone(before), abs=1e-9)
    others = [joint for joint in range(len(JOINTS)) if joint != WRIST]
    np.testing.assert_array_equal(after[others], before[others])
    np.testing.assert_array_equal(editing.sequence.joints[1:], PoseDocument().sequence.joints[1:])
    editor.actions_["undo"].trigger()  # one drag is one step
    np.testing.assert_array_equal(editing.joints, before)
    assert not editor.actions_["undo"].isEnabled()
    editor.actions_["redo"].trigger()
    np.testing.assert_array_equal(editing.joints, after)
    assert editing.modified
    editing.save(tmp_path / "mine.json")
    assert not editing.modified
    again = PoseDocument()
    again.open(tmp_path / "mine.json")
    np.testing.assert_allclose(again.joints, after, atol=1e-5)
    assert again.path == tmp_path / "mine.json"


def test_hips_carry_the_leg_shift_frees_a_joint_and_the_neck_moves_all(qtbot, editor):
    editing = editor.editing
    before = editing.joints.copy()
    pull(qtbot, editor, HIP, (14, 0))
    moved = np.linalg.norm(editing.joints - before, axis=1) > 1e-6
    assert {JOINTS[joint] for joint in np.flatnonzero(moved)} == {"right hip", "right knee", "right ankle"}
    before = editing.joints.copy()
    pull(qtbot, editor, WRIST, (30, 0), Qt.KeyboardModifier.ShiftModifier)
    assert bone(editing.joints) != pytest.approx(bone(before), abs=0.01)
    before = editing.joints.copy()
    pull(qtbot, editor, JOINT["neck"], (9, -5))
    shift = editing.joints - before
    np.testing.assert_allclose(shift, np.broadcast_to(shift[0], shift.shape), atol=1e-12)
    assert shift[0, 0] > 0 > shift[0, 1]


def test_a_drag_between_keyframes_makes_one_there(qtbot, editor):
    editing = editor.editing
    count = len(editing.sequence.times)
    time = float(editing.sequence.times[3:5].mean())
    editing.go(time)
    assert editing.key is None
    between = editing.joints.copy()
    pull(qtbot, editor, ANKLE, (0, -12))
    assert len(editing.sequence.times) == count + 1
    assert editing.key == 4
    assert editing.sequence.times[4] == time
    kept = [joint for joint in range(len(JOINTS)) if joint != ANKLE]
    np.testing.assert_allclose(editing.joints[kept], between[kept], atol=1e-12)


def test_keyframes_are_added_copied_moved_and_deleted(qtbot, editor):
    editing, strip = editor.editing, editor.strip
    times = editing.sequence.times.copy()
    editing.go_key(2)
    editor.actions_["duplicate"].trigger()
    assert editing.key == 3
    np.testing.assert_array_equal(editing.sequence.joints[3], editing.sequence.joints[2])
    editor.actions_["delete"].trigger()
    np.testing.assert_array_equal(editing.sequence.times, times)
    editing.go_key(5)
    at, to = (QPoint(round(strip.x_of(time)), 16) for time in (times[5], times[7]))
    qtbot.mousePress(strip, Qt.MouseButton.LeftButton, pos=at)
    qtbot.mouseMove(strip, to)
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    left, none = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton
    event = (QEvent.Type.MouseMove, QPointF(to), QPointF(strip.mapToGlobal(to)), none, left)
    strip.mouseMoveEvent(QMouseEvent(*event, Qt.KeyboardModifier.NoModifier))
    qtbot.mouseRelease(strip, Qt.MouseButton.LeftButton, pos=to)
    assert editing.sequence.times[5] == pytest.approx(times[6] - GAP)  # its neighbour holds it back
    assert editing.key == 5
    editing.undo()
    np.testing.assert_array_equal(editing.sequence.times, times)
    editing.go_key(0)
    editor.actions_["delete"].trigger()
    assert editing.sequence.times[0] == 0
    assert len(editing.sequence.times) == len(times) - 1


def test_postures_are_copied_pasted_and_mirrored(editor):
    editing = editor.editing
    editor.actions_["copy"].trigger()
    first = editing.joints.copy()
    editing.step_key(1)
    editor.actions_["paste"].trigger()
    np.testing.assert_array_equal(editing.sequence.joints[1], first)
    editor.actions_["mirror_pose"].trigger()
    np.testing.assert_allclose(editing.joints[WRIST], first[JOINT["right wrist"]] * [-1, 1])
    editor.actions_["mirror_all"].trigger()
    assert editing.sequence.travel == pytest.approx(-0.84)


def test_keys_work_on_skeleton_and_strip(qtbot, editor):
    editing = editor.editing
    editing.choose(WRIST)
    before = editing.joints.copy()
    qtbot.keyClick(editor.canvas, Qt.Key.Key_Up)
    assert editing.joints[WRIST, 1] < before[WRIST, 1]
    qtbot.keyClick(editor.canvas, Qt.Key.Key_PageDown)
    assert editing.joint == WRIST + 1
    assert JOINTS[WRIST + 1] in editor.canvas.accessibleDescription()
    qtbot.keyClick(editor.strip, Qt.Key.Key_Right)
    assert editing.key == 1
    time = editing.time
    qtbot.keyClick(editor.strip, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
    assert editing.time == pytest.approx(min(time + 1, editing.sequence.times[2] - GAP))
    qtbot.keyClick(editor.strip, Qt.Key.Key_End)
    assert editing.key == len(editing.sequence.times) - 1


def test_it_plays_and_stops_when_hidden(qtbot, editor):
    editor.actions_["play"].trigger()
    qtbot.waitUntil(lambda: editor.editing.time > 1, timeout=5000)
    editor.hide()
    time = editor.editing.time
    qtbot.wait(80)
    assert editor.editing.time == time


def test_the_whole_is_changed_in_the_form(editor):
    editing, form = editor.editing, editor.form
    form.length.setValue(52)
    np.testing.assert_allclose(editing.sequence.times[1], 2 * PoseDocument().sequence.times[1])
    form.loop.setChecked(False)
    assert not editing.sequence.loop
    assert editing.end == editing.sequence.times[-1]
    form.travel.setValue(1.5)
    assert editing.sequence.travel == 1.5
    editing.undo()
    editing.undo()
    editing.undo()
    assert form.length.value() == 26
    assert form.loop.isChecked()


def test_a_bad_file_is_answered_and_opening_can_be_undone(editor, tmp_path):
    editing = editor.editing
    (tmp_path / "bad.json").write_text("{}")
    before = editing.sequence
    assert not editor.attempt(lambda: editing.open(tmp_path / "bad.json"))
    assert editing.sequence is before
    assert any("bad.json" in label.text() for label in (editor._wrong,))
    assert editor.attempt(lambda: editing.open_bundled("dance"))
    assert editing.sequence.name == "dance"
    assert editing.path is None  # what is built in is not written to
    assert not editor._wrong.isVisible()
    editing.undo()
    assert editing.sequence is before


def test_everything_has_a_name_and_a_tooltip(editor):
    for button in editor.findChildren(QToolButton):
        if button.objectName() == "" and button.isVisible() and button.defaultAction() is not None:
            assert button.toolTip()
            assert button.accessibleName()
    for widget in editor.findChildren(QWidget):
        if widget.focusPolicy() == Qt.FocusPolicy.StrongFocus and widget.parent() in (editor, editor.form):
            assert widget.accessibleName() or hasattr(widget, "text"), widget


def test_what_is_saved_is_what_the_scene_reads(editor, tmp_path):
    editor.editing.set(name="mine")
    editor.editing.save(tmp_path / "a.json")
    assert read_sequence(tmp_path / "a.json").name == "mine"


def test_fields_of_the_form_hide_nothing_of_the_widget(qtbot) -> None:
    form = PoseForm(PoseDocument())
    qtbot.addWidget(form)
    form.move(30, 40)
    assert (form.x(), form.y()) == (30, 40), "QWidget's own place, which fields called x and y would overwrite"
    form.across.setValue(0.25)
    assert form.editing.joints[form.editing.joint][0] == pytest.approx(0.25, abs=1e-6)
