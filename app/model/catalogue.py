"""What there is to choose from: the registries' own entries, read in the worker and shown by menus and panels.

The registries import torch, so that only `collect`, in the worker's thread, may import them while the window starts.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
import numpy.typing as npt

from gpu.session import SourceSettings

if TYPE_CHECKING:
    from gpu.diffusion.sampling.samplers import Sampler
    from gpu.diffusion.tasks import Task
    from gpu.flow.estimators import Estimator
    from gpu.priors import PriorInfo
    from gpu.source.deformations import Deformation
    from gpu.source.scenes import Scene


class Titled(Protocol):
    """What menus say of a deformation, scene, task or estimator."""

    @property
    def title(self) -> str: ...
    @property
    def about(self) -> str: ...


@dataclass(frozen=True)
class Sample:
    """A bundled clip, still or scene: what it is, where it lies (scenes: nowhere), its deformation or the scene's name,
    the task it opens with, and a thumbnail (H, W, 3) uint8, which for a scene follows later."""

    kind: Literal["video", "synthetic", "scene"]
    path: str
    title: str
    about: str
    credit: str
    name: str
    task: str
    picture: npt.NDArray[np.uint8] | None = None


def is_open(sample: Sample, source: SourceSettings) -> bool:
    """Whether `source` is this sample, whatever its size and motion."""
    if (sample.kind, source.kind) == ("scene", "scene"):
        return sample.name == source.name and not source.path
    if source.path:
        return sample.path == source.path and sample.kind == source.kind
    default = {"video": "bunny.mp4", "synthetic": "picos.jpg"}.get(source.kind)
    return default is not None and sample.path.endswith(default)


@dataclass(frozen=True)
class Catalogue:
    """Every registry as it is, name to entry in the registry's order; of a prior only its description."""

    priors: Mapping[str, PriorInfo]
    deformations: Mapping[str, Deformation]
    scenes: Mapping[str, Scene]
    estimators: Mapping[str, Estimator]
    tasks: Mapping[str, Task]
    samplers: Mapping[str, Sampler]
    versions: tuple[tuple[str, str], ...]

    def scene_for(self, task: str) -> str:
        """The name of the scene that shows a task best; empty where no scene was made for it."""
        return next((name for name, scene in self.scenes.items() if scene.task == task), "")


def menu(entries: Mapping[str, Titled]) -> list[tuple[str, str, str]]:
    """(name, title, tooltip) of each entry, as menus and drop-down lists take them."""
    return [(name, entry.title, entry.about) for name, entry in entries.items()]


def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of what the program stands on, read from the installed packages (nothing is imported)."""
    from importlib.metadata import PackageNotFoundError, version

    installed = [("Python", platform.python_version())]
    for package in ("noisescope", "torch", "numpy", "scipy", "opencv-python", "moderngl", "PySide6", "pyqtgraph"):
        try:
            installed.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(installed)


def collect() -> Catalogue:
    """Read every registry. It imports torch and OpenCV and takes seconds: for the worker's thread alone."""
    from gpu.diffusion.sampling.samplers import SAMPLERS
    from gpu.diffusion.tasks import TASKS
    from gpu.flow.estimators import ESTIMATORS
    from gpu.priors import PRIORS
    from gpu.source.deformations import DEFORMATIONS
    from gpu.source.scenes import SCENES

    return Catalogue(
        priors={name: prior.info for name, prior in PRIORS.items()},
        deformations=dict(DEFORMATIONS.items()),
        scenes=dict(SCENES.items()),
        estimators=dict(ESTIMATORS.items()),
        tasks=dict(TASKS.items()),
        samplers=dict(SAMPLERS.items()),
        versions=versions(),
    )
