"""What a kind of pipeline is: which parts it has, and how a frame becomes an output. One file each in families/."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from cachetools import LRUCache

from gpu.diffusion.hub.levels import Levels
from gpu.diffusion.model.precondition import Denoiser
from gpu.registry import Registry

CLIP_TOKENIZERS = ("CLIPTokenizer", "CLIPTokenizerFast")
T5_TOKENIZERS = ("T5Tokenizer", "T5TokenizerFast")
PROMPTS_KEPT = 8


@dataclass(frozen=True)
class Settings:
    """What a person sets about a pipeline."""

    prompt: str = ""
    negative: str = ""
    strength: float = 0.6  # 0..1: how far up the noise levels SDEdit begins
    guidance: float = 5.0  # of Ho and Salimans 2022, arXiv 2207.12598, with w + 1 for this; 1: none
    size: int = 0  # shorter side the model works at; 0: what it was made for
    augmentation: int = -1  # noise level of the low-resolution picture; -1: what is usual for the model


@dataclass(frozen=True)
class Pipeline:
    """A pipeline in memory."""

    name: str  # the path or hub id it was asked for by
    family: Family
    parts: Any  # diffusers' pipeline object, which holds unet, vae, text_encoder, … and encodes prompts
    levels: Levels
    device: torch.device
    embeddings: MutableMapping[tuple[Any, ...], tuple[Any, ...]] = field(default_factory=lambda: LRUCache(PROMPTS_KEPT))


@dataclass(frozen=True)
class Prepared:
    """One frame made ready for sampling, everything on the pipeline's device and in float32."""

    start: torch.Tensor  # (1,C,h,w): sampling begins at start + σ·noise
    data: torch.Tensor  # (1,C,h,w): what inversion begins at, clean data of the model
    denoise: Denoiser
    picture: Callable[[torch.Tensor], torch.Tensor]  # (1,C,h,w) clean data to (3,h',w') in about [0,1]


class Family(Protocol):
    """A kind of pipeline."""

    @property
    def title(self) -> str: ...
    @property
    def classes(self) -> tuple[str, ...]:
        """The `_class_name`s of model_index.json that are of this kind."""
        ...

    @property
    def pipeline(self) -> str:
        """The diffusers class that is built from the parts."""
        ...

    @property
    def parts(self) -> Mapping[str, tuple[str, ...]]:
        """Component → the classes it may have. Nothing else is loaded, and no class from anywhere else."""
        ...

    @property
    def optional(self) -> tuple[str, ...]:
        """Components that may be absent."""
        ...

    @property
    def noises_condition(self) -> bool:
        """Whether a noise of its own is added to the low-resolution picture; the prior is asked for it too."""
        ...

    @property
    def starts_from_noise(self) -> bool:
        """Whether sampling begins from noise alone, whatever the strength."""
        ...

    def shown(self, frame: torch.Tensor, settings: Settings, unet: Mapping[str, Any]) -> torch.Tensor:
        """(3,H,W) to (3,h,w): what the model is given, from the frame and the network's configuration alone."""
        ...

    def prepare(
        self, pipeline: Pipeline, frame: torch.Tensor, settings: Settings, condition_noise: torch.Tensor | None
    ) -> Prepared:
        """`frame` (3,H,W) in [0,1]; `condition_noise` (C,H,W) on its grid, C ≥ 3, where `noises_condition`."""
        ...


FAMILIES: Registry[Family] = Registry("model family", "gpu.diffusion.hub.families")


def supported() -> str:
    """The pipeline classes that can be used, for a sentence."""
    return ", ".join(name for _, family in FAMILIES.items() for name in family.classes)


def family_of(class_name: str) -> Family | None:
    """The family of a `_class_name`; None when there is none."""
    return next((family for _, family in FAMILIES.items() if class_name in family.classes), None)
