"""The bundled clips, stills and scenes in the window's gallery, and what the window opens on.

`python -m app.model.samples` computes the small pictures of scenes and clips in assets/ anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from app.model.catalogue import Sample
from gpu.assets import asset
from gpu.errors import ClipError
from gpu.session import Session, SourceSettings, TaskSettings

if TYPE_CHECKING:
    from gpu.source import gallery

START_ROWS, START_FRAMES = 144, 48
THUMBNAIL_WIDTH = 216
SCENE_FRAME = 40  # of a scene's small picture: something has happened by then
SOON_FRAME = 12  # and where none is bundled and it has to be computed first

U8 = npt.NDArray[np.uint8]


def start_session() -> Session:
    """What the window opens on: the bundled clip, small enough to be alive at once, with the task on."""
    return Session(
        source=SourceSettings(kind="video", height=START_ROWS, frames=START_FRAMES),
        task=TaskSettings(name="super-resolution"),
    )


def source_of(sample: Sample, source: SourceSettings) -> SourceSettings:
    """`source` with this sample instead: a still keeps the deformation in use, if there is one."""
    if sample.kind == "synthetic" and source.kind == "synthetic":
        return replace(source, path=sample.path)
    if sample.kind == "scene":  # made for the sizes it was given, and for what its task's model has learned
        return SourceSettings(kind="scene", name=sample.name)
    height = source.height if source.kind != "scene" else START_ROWS
    return SourceSettings(kind=sample.kind, path=sample.path, name=sample.name, height=height, frames=START_FRAMES)


def opened(sample: Sample, session: Session) -> Session:
    """`session` with this sample and the task that suits it, which keeps its settings if it is on already."""
    task = session.task if sample.task == session.task.name else TaskSettings(name=sample.task)
    return replace(session, source=source_of(sample, session.source), task=task)


def bundled() -> list[Sample]:
    """The samples that are installed, with thumbnails, but for a scene without a bundled one. It decodes files: for the
    worker's thread alone."""
    from gpu import pictures
    from gpu.source import gallery

    samples = []
    for sample in gallery.installed():
        source, task = sample.settings(), sample.task_settings().name
        file = source.path if sample.kind == "synthetic" else _bundled_thumbnail(sample)
        colours = None
        try:
            colours = _small(pictures.read(file).pixels) if file else None
        except ClipError:
            continue
        about, credit = sample.about, sample.attribution
        samples.append(Sample(sample.kind, source.path, sample.title, about, credit, sample.name, task, colours))
    return samples


def _bundled_thumbnail(sample: gallery.Sample) -> str:
    """The file with the small picture of a scene or a clip; empty where there is none."""
    try:
        return str(asset(_thumbnail_of(sample)))
    except ClipError:
        return ""


def _thumbnail_of(sample: gallery.Sample) -> str:
    """Where below assets/ it lies."""
    return f"scenes/{sample.name}.jpg" if sample.kind == "scene" else sample.path.rpartition(".")[0] + ".jpg"


def scene_thumbnail(sample: Sample, frame: int = SOON_FRAME) -> U8:
    """A frame of a scene, small. It may take seconds: for the worker's thread alone, when nothing else is to do."""
    from gpu.source.opening import open_source

    source = open_source(SourceSettings(kind="scene", name=sample.name))
    try:
        return _small(source.frame(min(frame, source.frames - 1)))
    finally:
        source.close()


def _small(picture: U8) -> U8:
    """(H, W, 3) of any size as a thumbnail."""
    from gpu.cv import cv2

    size = (THUMBNAIL_WIDTH, max(round(picture.shape[0] * THUMBNAIL_WIDTH / picture.shape[1]), 1))
    return np.ascontiguousarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _write_thumbnails() -> None:
    from pathlib import Path

    from gpu.cv import cv2
    from gpu.source import gallery
    from gpu.source.opening import open_source
    from gpu.source.scenes import SCENES

    assets = Path(__file__).parents[2] / "assets"
    written = {}
    for name, scene in SCENES.items():
        sample = Sample("scene", "", scene.title, "", "", name, scene.task)
        written[assets / "scenes" / f"{name}.jpg"] = scene_thumbnail(sample, SCENE_FRAME)
    for clip in gallery.SAMPLES:
        if clip.kind == "video":
            source = open_source(SourceSettings("video", str(assets / clip.path), frames=1))
            written[assets / _thumbnail_of(clip)] = _small(source.frame(0))
            source.close()
    for file, picture in written.items():
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, 88])
        print(file)


if __name__ == "__main__":
    _write_thumbnails()
