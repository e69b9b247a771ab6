"""Generated sources, one file each: worlds that are computed, with their true motion. The registry is SCENES."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gpu.parameters import ParameterInfo, resolve
from gpu.registry import Registry
from gpu.session import Parameter, SourceSettings
from gpu.source import Source

__all__ = ["SCENES", "Scene", "open_scene"]


class Scene(Protocol):
    """What menus say of a scene, and how it is opened."""

    title: str
    about: str
    parameters: tuple[ParameterInfo, ...]
    task: str  # the diffusion task that suits it
    files: tuple[str, ...]  # endings of the files that it reads; none where it reads no file

    def open(self, settings: SourceSettings, values: Mapping[str, Parameter]) -> Source:
        """The scene on the grid of `settings` (a height, width or number of frames of 0 is the scene's own choice).

        `values` are its parameters, complete and checked. `settings.path` may name a file, where the scene reads one.
        """
        ...


SCENES: Registry[Scene] = Registry("scene", "gpu.source.scenes")


def open_scene(settings: SourceSettings) -> Source:
    """The scene `settings.name`. ChoiceError when there is none; SessionError for parameters that it does not have or
    cannot take."""
    scene = SCENES.get(settings.name)
    return scene.open(settings, resolve("scene", settings.name, scene.parameters, settings.parameters))
