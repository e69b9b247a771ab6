"""The bundled clips and stills, and the sessions they open with."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from app.catalogue import Catalogue, Sample
from gpu.assets import asset
from gpu.errors import ClipError
from gpu.session import Session, SourceSettings, TaskSettings

Kind = Literal["video", "synthetic"]

BUNDLED: tuple[tuple[Kind, str, str, str], ...] = (
    ("video", "clips/bunny.mp4", "Big Buck Bunny", "Blender Foundation, CC BY 3.0"),
    ("video", "clips/city.mp4", "City", "CC0"),
    ("synthetic", "stills/seeding.jpg", "Seeding", "Clements Engelhardt"),
    ("synthetic", "stills/picos.jpg", "Picos de Europa", "Aitzol Berasategi"),
    ("synthetic", "stills/bowl.jpg", "Bowl", ""),
)
START_ROWS, START_FRAMES = 144, 48
STEPS = 6


def start_session() -> Session:
    """What the window opens on: the bundled clip, small enough to be alive at once, with the task on."""
    return Session(
        source=SourceSettings(kind="video", path=_path("clips/bunny.mp4"), height=START_ROWS, frames=START_FRAMES),
        task=TaskSettings(name="super-resolution", steps=STEPS),
    )


def _path(name: str) -> str:
    try:
        return str(asset(name))
    except ClipError:
        return ""


def source_of(sample: Sample, session: Session, catalogue: Catalogue | None) -> SourceSettings:
    """The source of a sample: a clip as it is, a still with the deformation in use or else the first one."""
    source = session.source
    if sample.kind == "video":
        return SourceSettings(kind="video", path=sample.path, height=source.height, frames=START_FRAMES)
    if source.kind == "synthetic":
        return replace(source, path=sample.path)
    first = catalogue.deformations[0].name if catalogue is not None and catalogue.deformations else ""
    return SourceSettings(
        kind="synthetic", path=sample.path, name=source.name or first, height=source.height, frames=START_FRAMES
    )


def bundled() -> list[Sample]:
    """The samples that are installed, with thumbnails. It decodes files: for the worker's thread alone."""
    from gpu.cv import cv2

    samples = []
    for kind, name, title, credit in BUNDLED:
        path = _path(name)
        if not path:
            continue
        if kind == "video":
            capture = cv2.VideoCapture(path)
            read, picture = capture.read()
            capture.release()
        else:
            loaded = cv2.imread(path)
            read, picture = loaded is not None, loaded
        if not read or picture is None:
            continue
        scale = 216 / picture.shape[1]
        small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        samples.append(Sample(kind, path, title, credit, cv2.cvtColor(small, cv2.COLOR_BGR2RGB)))
    return samples
