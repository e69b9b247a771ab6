"""The scene that shows a movement from a file, and how such a file is told from a session: both end in .json."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gpu.session import Session, SourceSettings, TaskSettings

SCENE, TASK = "pose", "pose-to-person"


def showing(session: Session, path: Path) -> Session:
    """`session` with the doll doing what a file of poses says; its other settings stay where the doll is shown already."""
    if session.source.kind == "scene" and session.source.name == SCENE:
        return replace(session, source=replace(session.source, path=str(path)))
    return replace(session, source=SourceSettings(kind="scene", name=SCENE, path=str(path)), task=TaskSettings(TASK))


def holds_poses(path: Path) -> bool:
    """Whether a .json file looks like poses rather than a session: told by its first words."""
    if not path.is_file():  # a pipe would make us wait
        return False
    try:
        with path.open(encoding="utf-8") as file:
            start = file.read(4096)
    except (OSError, ValueError):
        return False
    return any(word in start for word in ('"noisescope-pose"', '"people"', '"keypoints"', '"annotations"'))
