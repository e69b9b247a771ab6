"""The bundled samples: what each is, whose it is, what it is good for, and the diffusion task that suits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from gpu.assets import asset
from gpu.diffusion.tasks import TASKS, Task
from gpu.errors import ClipError
from gpu.session import SourceSettings, TaskSettings
from gpu.source.scenes import SCENES


@dataclass(frozen=True)
class Sample:
    """One bundled clip, still or scene. `path` is below assets/ (scenes: empty); `name` is the scene, or the deformation
    that suits a still; `task` is the task it opens with."""

    title: str
    kind: Literal["video", "synthetic", "scene"]
    path: str
    attribution: str
    about: str
    name: str = ""
    task: str = ""

    def settings(self) -> SourceSettings:
        """The source it opens as; ClipError when it is not installed."""
        return SourceSettings(kind=self.kind, path=str(asset(self.path)) if self.path else "", name=self.name)

    def task_settings(self) -> TaskSettings:
        """Its task with that task's own defaults; none where the program does not have the task."""
        return TaskSettings(name=self.task if self.task in TASKS else "")


SAMPLES = (
    Sample(
        "Big Buck Bunny",
        "video",
        "clips/bunny.mp4",
        "© 2008 Blender Foundation, CC BY 3.0",
        "A character before dense grass: large articulated motion and occlusions.",
        task="super-resolution",
    ),
    Sample(
        "City at night",
        "video",
        "clips/city.mp4",
        "Unknown, CC0 1.0",
        "Towers under a slow camera, and a cut to another shot in the middle.",
        task="jpeg-restoration",
    ),
    Sample(
        "Picos de Europa",
        "synthetic",
        "stills/picos.jpg",
        "© 2018 Aitzol Berasategi, CC BY 4.0",
        "Grass, rock and snow: fine detail everywhere.",
        "rotation-zoom",
        "super-resolution-x8",
    ),
    Sample(
        "Seeding",
        "synthetic",
        "stills/seeding.jpg",
        "© 2018 Clemens Engelhardt, CC0 1.0",
        "Dandelions: sharp detail before a soft ground.",
        "swirl",
        "super-resolution-latent",
    ),
    Sample(
        "Bowl",
        "synthetic",
        "stills/bowl.jpg",
        "© 2018 Trevor “Freespace”, CC BY 4.0",
        "A bowl on concrete: smooth shading and coarse texture.",
        "translation",
        "unconditional-texture",
    ),
)
"""The bundled files. `samples` adds what is computed."""


def needs_model(task: Task) -> bool:
    """Whether a task runs a model of the user's own, so that no example can be bundled with it."""
    return any(info.name == "path" for info in task.parameters)


def samples() -> Iterator[Sample]:
    """The bundled files, every scene, and for each task that none of them opens with, the first clip with that task."""
    shown = list(SAMPLES)
    for name, scene in SCENES.items():
        shown.append(Sample(scene.title, "scene", "", "Computed by the program", scene.about, name, scene.task))
    yield from shown
    covered = {sample.task for sample in shown}
    for name, task in TASKS.items():
        if name not in covered and not needs_model(task):
            yield replace(SAMPLES[0], title=f"{SAMPLES[0].title}, {task.title}", task=name)


def installed() -> list[Sample]:
    """The samples whose files are there."""
    present = []
    for sample in samples():
        try:
            sample.settings()
        except ClipError:
            continue
        present.append(sample)
    return present
