"""The bundled clips and stills in the window's gallery, and what the window opens on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from app.catalogue import Sample
from gpu.session import Session, SourceSettings, TaskSettings

START_ROWS, START_FRAMES = 144, 48
THUMBNAIL_WIDTH = 216


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
    return SourceSettings(
        kind=sample.kind, path=sample.path, name=sample.deformation, height=source.height, frames=START_FRAMES
    )


def bundled() -> list[Sample]:
    """The samples that are installed, with thumbnails. It decodes files: for the worker's thread alone."""
    from gpu.cv import cv2
    from gpu.source import gallery

    samples = []
    picture: Any
    for sample in gallery.installed():
        path = sample.settings().path
        if sample.kind == "video":
            capture = cv2.VideoCapture(path)
            picture = capture.read()[1]
            capture.release()
        else:
            picture = cv2.imread(path)
        if picture is None:
            continue
        size = (THUMBNAIL_WIDTH, max(round(picture.shape[0] * THUMBNAIL_WIDTH / picture.shape[1]), 1))
        small = cv2.resize(np.asarray(picture, np.uint8), size, interpolation=cv2.INTER_AREA)
        colours = np.ascontiguousarray(small[..., ::-1], np.uint8)
        samples.append(
            Sample(sample.kind, path, sample.title, sample.about, sample.attribution, sample.deformation, colours)
        )
    return samples
