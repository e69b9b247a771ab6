"""What lies in a pipeline's folder, found out without loading it: its family, its weight files, their sizes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gpu.arrays import open_arrays
from gpu.diffusion.hub.family import Family, family_of, supported
from gpu.errors import ModelError
from gpu.files import check_regular, reason
from gpu.plain_json import parse, shown

NETWORKS = ("text_encoder", "text_encoder_2", "vae", "unet")
_WEIGHTS = re.compile(r"(?:diffusion_pytorch_)?model(?P<half>\.fp16)?(?:-\d+-of-\d+)?\.safetensors")
MOST_BYTES = 4 << 20  # of a description
_LIBRARIES = ("diffusers", "transformers")


@dataclass(frozen=True)
class Folder:
    """A pipeline's folder whose description is sound."""

    path: Path
    family: Family
    classes: dict[str, tuple[str, str]]  # component → (library, class) for what is to be loaded
    unet: dict[str, Any]  # the configuration of its UNet


def look(path: Path) -> Folder:
    """Read the folder's descriptions; ModelError says what is missing, unknown or damaged."""
    try:
        return _look(path)
    except OSError as error:  # a folder that may not be looked into
        raise ModelError(f"The pipeline {path} cannot be read: {reason(error)}.") from error


def _look(path: Path) -> Folder:
    index = path / "model_index.json"
    if not path.is_dir():
        raise ModelError(
            f"There is no folder {path}. Name the folder of a diffusers pipeline or a hub id (owner/name)."
        )
    if not index.is_file():
        raise ModelError(
            f"{path} has no model_index.json, so it is no diffusers pipeline. Name the folder that "
            "save_pretrained wrote; a single .safetensors or .ckpt file must be converted first."
        )
    described = read_json(index)
    family, classes = parts_of(described, str(path))
    return Folder(path, family, classes, read_json(path / "unet" / "config.json"))


def parts_of(described: dict[str, Any], name: str) -> tuple[Family, dict[str, tuple[str, str]]]:
    """The family of a model_index.json and (library, class) of the components to load; ModelError when unsupported."""
    kind = described.get("_class_name")
    family = family_of(kind) if isinstance(kind, str) else None
    if family is None:
        raise ModelError(
            f"{name} is a pipeline of class {shown(kind)}, which is not supported. Supported: {supported()}."
        )
    classes: dict[str, tuple[str, str]] = {}
    for part, allowed in family.parts.items():
        entry = described.get(part)
        pair = entry if isinstance(entry, list) and len(entry) == 2 else [None, None]
        if pair == [None, None] and part in family.optional:
            continue
        library, cls = pair
        accepted = isinstance(cls, str) and (cls in allowed if allowed else cls.endswith("Scheduler"))
        if library not in _LIBRARIES or not accepted:
            wanted = " or ".join(allowed) or "a scheduler of diffusers"
            raise ModelError(f"The part {part} of the pipeline {name} is {shown(entry)}; {wanted} is expected.")
        classes[part] = (str(library), str(cls))
    return family, classes


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; ModelError when it is missing or damaged."""
    check_regular(path, "a description in JSON", ModelError)
    try:
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ModelError(f"{path} is larger than {MOST_BYTES >> 20} MB; expected a description.")
        data = parse(text.decode())
    except FileNotFoundError:
        raise ModelError(f"The pipeline is incomplete: there is no {path}.") from None
    except UnicodeDecodeError:
        raise ModelError(f"{path} cannot be read: it is no text; expected JSON.") from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {reason(error)}.") from error
    except ValueError as error:
        raise ModelError(f"{path} cannot be read: {error}; expected JSON.") from error
    if not isinstance(data, dict):
        raise ModelError(f"{path} is damaged: expected a JSON object.")
    return data


def choose(names: Iterable[str], half: bool) -> tuple[str | None, list[str]]:
    """Of a component's file names, (variant, those of its safetensors weights): in half precision if asked and there."""
    files: dict[bool, list[str]] = {False: [], True: []}
    for name in sorted(names):
        match = _WEIGHTS.fullmatch(name)
        # Shards of a variant are called model.fp16-00001-of-00002.safetensors.
        if match:
            files[match["half"] is not None].append(name)
    chosen = half if files[half] else not half
    return ("fp16" if chosen else None), files[chosen]


def weights(folder: Folder, half: bool) -> dict[str, tuple[str | None, list[Path]]]:
    """Component → (variant, files) of every network; ModelError for missing ones and for files that can run code."""
    result = {}
    for part in NETWORKS:
        if part not in folder.classes:
            continue
        place = folder.path / part
        try:
            names = [entry.name for entry in place.iterdir()] if place.is_dir() else []
        except OSError as error:
            raise ModelError(f"The weights of {part} in {place} cannot be read: {reason(error)}.") from error
        variant, files = choose(names, half)
        if not files:
            pickles = any(name.endswith((".bin", ".ckpt", ".pt")) for name in names)
            why = (
                "only as a pickle, which can run code when it is read; convert it to safetensors"
                if pickles
                else "no .safetensors file is there"
            )
            raise ModelError(f"The weights of {part} are missing in {place}: {why}.")
        result[part] = (variant, [place / name for name in files])
    return result


def values_in(path: Path) -> int:
    """How many numbers a safetensors file holds, from its header; ModelError when it is damaged or cut short."""
    with open_arrays(path, ModelError) as arrays:
        return sum(math.prod(array.shape) for array in arrays.values())
