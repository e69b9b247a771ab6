"""Finds the published weights of the perceptual measures on this machine, and makes sure that they are those."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from gpu.errors import ModelError

State = Mapping[str, torch.Tensor]
"""A network as its tensors by name."""

VARIABLE = "NOISESCOPE_WEIGHTS"
"""Environment variable with a folder of weights, searched when none is named."""


@dataclass(frozen=True)
class Weights:
    """A published file. `digest` is how its SHA-256 begins; torch writes the first 8 digits into the names of its own."""

    name: str
    digest: str
    about: str


ALEXNET = Weights("alexnet-owt-7be5be79.pth", "7be5be79", "AlexNet trained on ImageNet, of torchvision")
LPIPS_HEADS = Weights(
    "alex.pth", "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0", "LPIPS v0.1, of the package lpips"
)
VGG16 = Weights("vgg16-397923af.pth", "397923af", "VGG-16 trained on ImageNet, of torchvision")
INCEPTION = Weights("pt_inception-2015-12-05-6726825d.pth", "6726825d", "the Inception network of FID, of pytorch-fid")


def find(weights: Weights, folder: Path | None = None) -> Path | None:
    """Where the file lies: in `folder` or one below it, in that of NOISESCOPE_WEIGHTS, in torch's cache, or in the
    installed package lpips. None when it is nowhere. Nothing is downloaded, and the content is not looked at."""
    for place in _places(folder):
        candidates = [place / weights.name]
        if place == folder and place.is_dir():
            candidates += sorted(inner / weights.name for inner in place.iterdir() if inner.is_dir())
        for path in candidates:
            if path.is_file():
                return path
    return None


def missing(needed: Sequence[Weights], folder: Path | None = None) -> str:
    """The rest of a sentence that begins with a measure's name and says which files of `needed` are not found; empty when
    all are."""
    absent = [weights for weights in needed if find(weights, folder) is None]
    if not absent:
        return ""
    where = f"in {folder}" if folder is not None else "in torch's cache (name their folder with --weights)"
    return f"needs {' and '.join(f'{weights.name} ({weights.about})' for weights in absent)}, not found {where}."


def load(weights: Weights, folder: Path | None, device: torch.device) -> State:
    """The tensors of a published file, float32 on `device`. ModelError when it is missing, damaged or another file."""
    path = find(weights, folder)
    if path is None:
        raise ModelError(f"The measure {missing([weights], folder)}")
    return _load(weights, path, path.stat().st_mtime_ns, device)


@lru_cache(maxsize=8)
def _load(weights: Weights, path: Path, changed: int, device: torch.device) -> State:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                digest.update(part)
        if not digest.hexdigest().startswith(weights.digest):
            raise ModelError(
                f"{path} is not the published file ({weights.about}): its SHA-256 begins with "
                f"{digest.hexdigest()[:8]}, expected {weights.digest[:8]}. Measures with other weights cannot be compared "
                "with the literature's, so it is not used."
            )
        state = torch.load(path, map_location=device, weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise ModelError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    return {key: value.to(torch.float32) for key, value in state.items() if value.is_floating_point()}


def _places(folder: Path | None) -> list[Path]:
    places = [] if folder is None else [folder]
    if os.environ.get(VARIABLE):
        places.append(Path(os.environ[VARIABLE]))
    places.append(Path(torch.hub.get_dir()) / "checkpoints")
    spec = importlib.util.find_spec("lpips")  # not imported: it would need torchvision
    for installed in (spec.submodule_search_locations or []) if spec else []:
        places.append(Path(installed) / "weights" / "v0.1")
    return places
