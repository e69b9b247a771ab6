"""The pose editor beside the window: its movement is shown in the window, a draft is kept, dropped poses are opened."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.model.pose_scene import holds_poses
from gpu.assets import asset
from gpu.worlds.figure.pose_files import read_sequence
from tests.app.window.conftest import MakeWindow, wait_for


@pytest.mark.slow
def test_what_is_edited_is_used_in_the_window_and_kept_as_a_draft(make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window(run=False)
    window.actions_["poses"].trigger()
    link = window.poses
    assert window.poses is link, "there is one editor"
    document = link.document
    document.nudge(0.05, -0.1)
    link.editor.used.emit()
    source, task = window.state.session.source, window.state.session.task
    assert (source.kind, source.name, task.name) == ("scene", "pose", "pose-to-person")
    first = Path(source.path)
    assert first.is_relative_to(tmp_path)
    np.testing.assert_allclose(read_sequence(first).joints, document.sequence.joints, atol=1e-5)
    document.nudge(0.05, 0.0)
    link.editor.used.emit()
    assert Path(window.state.session.source.path) != first, "another movement is another source"
    window.state.undo()
    assert Path(window.state.session.source.path) == first
    wait_for(lambda: (first.parent / "draft.json").is_file(), 10)
    again = make_window(run=False)
    np.testing.assert_allclose(again.poses.document.sequence.joints, document.sequence.joints, atol=1e-5)
    again.poses.document.nudge(-0.2, 0.0)
    wait_for(lambda: (first.parent / "draft-2.json").is_file(), 10)
    np.testing.assert_allclose(read_sequence(first.parent / "draft.json").joints, document.sequence.joints, atol=1e-5)


def test_a_dropped_file_of_poses_is_no_session(make_window: MakeWindow, tmp_path: Path) -> None:
    window = make_window(run=False)
    dance = asset("poses/dance.json")
    assert holds_poses(dance)
    window.documents.open_path(dance)
    assert (window.state.session.source.name, window.state.session.source.path) == ("pose", str(dance))
    (tmp_path / "other.json").write_text('{"version": 1}')
    assert not holds_poses(tmp_path / "other.json")
    assert not holds_poses(tmp_path / "none.json")
