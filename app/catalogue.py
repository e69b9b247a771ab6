"""What there is to choose from, as plain data: read from the registries in the worker, shown by menus and panels."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from gpu.parameters import ParameterInfo


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
    """A deformation, estimator or task: its name in a session, its title, a sentence, and its numbers."""

    name: str
    title: str
    summary: str = ""
    parameters: tuple[ParameterInfo, ...] = ()
    choices: tuple[str, ...] = ()  # presets of an estimator


@dataclass(frozen=True)
class Sample:
    """A bundled clip or still: what it is, where it lies, a thumbnail (H, W, 3) uint8."""

    kind: Literal["video", "synthetic"]
    path: str
    title: str
    about: str
    credit: str
    deformation: str
    picture: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Catalogue:
    priors: tuple[PriorChoice, ...]
    deformations: tuple[Choice, ...]
    estimators: tuple[Choice, ...]
    tasks: tuple[Choice, ...]
    samplers: tuple[Choice, ...]
    versions: tuple[tuple[str, str], ...]

    def prior(self, name: str) -> PriorChoice | None:
        return next((prior for prior in self.priors if prior.name == name), None)

    def deformation(self, name: str) -> Choice | None:
        return next((choice for choice in self.deformations if choice.name == name), None)

    def task(self, name: str) -> Choice | None:
        return next((choice for choice in self.tasks if choice.name == name), None)


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
    from gpu.diffusion.samplers import SAMPLERS
    from gpu.diffusion.tasks import TASKS
    from gpu.flow.estimators import ESTIMATORS
    from gpu.priors import PRIORS
    from gpu.source.deformations import DEFORMATIONS

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
    tasks = tuple(Choice(name, task.title, task.about) for name, task in TASKS.items())
    samplers = tuple(Choice(name, sampler.title) for name, sampler in SAMPLERS.items())
    return Catalogue(priors, deformations, estimators, tasks, samplers, versions())
