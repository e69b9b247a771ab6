"""A pipeline from its folder into memory: checked first, part by part, without running anybody's code; kept until another
one is asked for."""

from __future__ import annotations

import gc
import inspect
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from gpu import interrupt
from gpu.diffusion.hub.download import locate
from gpu.diffusion.hub.failures import in_words
from gpu.diffusion.hub.family import Pipeline
from gpu.diffusion.hub.folders import NETWORKS, Folder, look, read_json, values_in, weights
from gpu.diffusion.hub.levels import levels_of
from gpu.diffusion.hub.libraries import library
from gpu.diffusion.hub.memory import check_room
from gpu.errors import ModelError
from gpu.plain_json import shown

CONFIGURATIONS = ("config.json", "scheduler_config.json", "tokenizer_config.json")
"""Of the parts. One that holds no object is taken by diffusers for the name of a model, which it then asks the hub for."""

LARGEST = 10_000_000
"""What a number in a description of a network or a scheduler can be: vocabularies have up to 300,000 words."""

_loaded: dict[tuple[str, str], Pipeline] = {}  # at most one: they are large


def load(name: str, device: torch.device) -> Pipeline:
    """The pipeline of a folder or hub id on `device`. Kept until another is asked for, which first releases it.

    On CUDA the weights are float16 (the autoencoder float32: some overflow), elsewhere float32. ModelError when the extra
    is not installed, and for anything that is missing, unsupported, damaged or too large.
    """
    key = (name, str(device))
    if key not in _loaded:
        library("transformers")  # first, so that it is quiet when diffusers brings it in
        library("diffusers")
        folder = look(locate(name))
        release()
        _loaded[key] = _read(name, folder, device)
    return _loaded[key]


def release() -> None:
    """Forget the pipeline in memory, if any."""
    if _loaded:
        _loaded.clear()
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def dtype_of(part: str, device: torch.device) -> torch.dtype:
    """The precision that a component works in: half precision on a CPU is slower and missing for some operations."""
    return torch.float16 if device.type == "cuda" and part != "vae" else torch.float32


def _read(name: str, folder: Folder, device: torch.device) -> Pipeline:
    half = device.type == "cuda"
    files = weights(folder, half)
    size = sum(
        values_in(path) * dtype_of(part, device).itemsize for part, (_, paths) in files.items() for path in paths
    )
    check_room(name, size, device)
    made: dict[str, Any] = {}
    for part in folder.family.parts:
        interrupt.poll()
        if part not in folder.classes:
            made[part] = None
            continue
        with _in_words(f"The part {part} of the pipeline {name}"):
            made[part] = _part(folder, part, files[part][0] if part in files else None, device)
    with _in_words(f"The pipeline {name}"):
        return Pipeline(name, folder.family, _assembled(folder, made), levels_of(made["scheduler"]), device)


def _in_words(what: str) -> AbstractContextManager[None]:
    return in_words(f"{what} cannot be loaded", f"{what} cannot be loaded: there is not enough memory.")


def _part(folder: Folder, part: str, variant: str | None, device: torch.device) -> Any:
    package, cls = folder.classes[part]
    for name in CONFIGURATIONS:
        if (folder.path / part / name).is_file():
            _check_numbers(folder.path / part / name)
    maker = getattr(library(package), cls)
    if part not in NETWORKS:
        return maker.from_pretrained(str(folder.path / part), local_files_only=True)
    kind = dtype_of(part, device)
    chosen = {"torch_dtype": kind} if package == "diffusers" else {"dtype": kind}
    network, told = maker.from_pretrained(
        str(folder.path / part),
        local_files_only=True,
        use_safetensors=True,
        variant=variant,
        output_loading_info=True,
        **chosen,
    )
    # What is not in the files would stay at random values, and nobody would see why the pictures are noise.
    missing = sorted(told.get("missing_keys") or ())
    if missing:
        raise ModelError(
            f"The weights of {part} in {folder.path} are incomplete: {len(missing)} are missing, {missing[0]} among them."
        )
    network.eval().requires_grad_(False).to(device)
    for module in network.modules():  # so that work is given up between two layers
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_pre_hook(lambda *_: interrupt.poll())
    return network


def _check_numbers(path: Path) -> None:
    """ModelError for a description of a network or a scheduler whose sizes cannot be: memory would be taken for them."""
    data = read_json(path)
    for key, value in data.items() if path.name != "tokenizer_config.json" else ():
        values = value if isinstance(value, list) else [value]
        if any(isinstance(each, (int, float)) and abs(each) > LARGEST for each in values):
            raise ModelError(f"{path} is damaged: {key} is {shown(value)}.")


def _assembled(folder: Folder, made: dict[str, Any]) -> Any:
    """diffusers' pipeline object around the parts: it knows how to encode prompts. Its safety checker and watermark,
    which work on finished pictures, are not part of it."""
    described = read_json(folder.path / "model_index.json")
    maker = getattr(library("diffusers"), folder.family.pipeline)
    unused = dict.fromkeys(("safety_checker", "feature_extractor", "image_encoder", "watermarker"))
    options: dict[str, Any] = {"requires_safety_checker": False, "add_watermarker": False}
    for option in ("requires_aesthetics_score", "force_zeros_for_empty_prompt", "max_noise_level"):
        if option in described:
            options[option] = described[option]
    accepted = inspect.signature(maker.__init__).parameters
    return maker(**made, **{key: value for key, value in {**unused, **options}.items() if key in accepted})


def folder_at(name: str) -> Folder | None:
    """The sound folder `name` stands for, if it is on this machine: what can be known of a pipeline without loading it."""
    try:
        return look(locate(name, download=False))
    except ModelError:
        return None
