"""What there is to choose from, as plain data: read from the registries in the worker, shown by menus and panels."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gpu.parameters import ParameterInfo
from gpu.session import SourceSettings


@dataclass(frozen=True)
class PriorChoice:
    name: str
    title: str
    summary: str
    source: str
    modes: tuple[str, ...]
    parameters: tuple[ParameterInfo, ...]
    uses_motion: bool


@dataclass(frozen=True)
class Choice:
    """A deformation, scene or estimator: its name in a session, its title, a sentence, and its numbers."""

    name: str
    title: str
    summary: str = ""
    parameters: tuple[ParameterInfo, ...] = ()
    choices: tuple[str, ...] = ()  # presets of an estimator
    files: tuple[str, ...] = ()  # endings of the files that a scene reads; none: it reads no file


@dataclass(frozen=True)
class SamplerChoice:
    """A sampler: its name and title, and whether the stochasticity (churn) changes what it does."""

    name: str
    title: str
    churned: bool = False


@dataclass(frozen=True)
class TaskChoice:
    """A task: what to look at, its own settings, and what it was tuned with (steps, levels, the sampler's name)."""

    name: str
    title: str
    summary: str = ""
    parameters: tuple[ParameterInfo, ...] = ()
    sampler: str = ""
    steps: int = 0
    sigma_max: float = 0.0
    sigma_min: float = 0.0
    scene: str = ""  # the one that shows it best


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
    priors: tuple[PriorChoice, ...]
    deformations: tuple[Choice, ...]
    estimators: tuple[Choice, ...]
    tasks: tuple[TaskChoice, ...]
    samplers: tuple[SamplerChoice, ...]
    versions: tuple[tuple[str, str], ...]
    scenes: tuple[Choice, ...] = ()

    def prior(self, name: str) -> PriorChoice | None:
        return next((prior for prior in self.priors if prior.name == name), None)

    def deformation(self, name: str) -> Choice | None:
        return next((choice for choice in self.deformations if choice.name == name), None)

    def scene(self, name: str) -> Choice | None:
        return next((choice for choice in self.scenes if choice.name == name), None)

    def task(self, name: str) -> TaskChoice | None:
        return next((choice for choice in self.tasks if choice.name == name), None)

    def sampler(self, name: str) -> SamplerChoice | None:
        return next((choice for choice in self.samplers if choice.name == name), None)


def versions() -> tuple[tuple[str, str], ...]:
    """Name and version of what the program stands on, read from the installed packages (nothing is imported)."""
    from importlib.metadata import PackageNotFoundError, version

    found = [("Python", platform.python_version())]
    for package in ("noisescope", "torch", "numpy", "scipy", "opencv-python", "moderngl", "PySide6", "pyqtgraph"):
        try:
            found.append((package, version(package)))
        except PackageNotFoundError:
            continue
    return tuple(found)


def collect() -> Catalogue:
    """Read every registry. It imports torch and OpenCV and takes seconds: for the worker's thread alone."""
    from gpu.diffusion.sampling.samplers import SAMPLERS
    from gpu.diffusion.tasks import TASKS
    from gpu.flow.estimators import ESTIMATORS
    from gpu.priors import PRIORS
    from gpu.source.deformations import DEFORMATIONS
    from gpu.source.scenes import SCENES

    priors = tuple(
        PriorChoice(
            name,
            prior.info.title,
            prior.info.summary,
            prior.info.source,
            prior.info.modes,
            prior.info.parameters,
            prior.info.uses_motion,
        )
        for name, prior in PRIORS.items()
    )
    deformations = tuple(
        Choice(name, deformation.title, deformation.about, deformation.parameters)
        for name, deformation in DEFORMATIONS.items()
    )
    estimators = tuple(
        Choice(name, estimator.title, estimator.summary, choices=estimator.presets)
        for name, estimator in ESTIMATORS.items()
    )
    scenes = tuple(
        Choice(name, scene.title, scene.about, scene.parameters, files=tuple(getattr(scene, "files", ())))
        for name, scene in SCENES.items()
    )
    tasks = tuple(
        TaskChoice(
            name,
            task.title,
            task.about,
            task.parameters,
            task.defaults.sampler,
            task.defaults.steps,
            task.defaults.sigma_max,
            task.defaults.sigma_min,
            next((scene for scene, world in SCENES.items() if world.task == name), ""),
        )
        for name, task in TASKS.items()
    )
    samplers = tuple(
        SamplerChoice(name, sampler.title, sampler.injections(4, 0.0) != sampler.injections(4, 1.0))
        for name, sampler in SAMPLERS.items()
    )
    return Catalogue(priors, deformations, estimators, tasks, samplers, versions(), scenes)
