"""Model weights on disk: safetensors files that say how to build their network, loaded once per device."""

from __future__ import annotations

import dataclasses
import json
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gpu.assets import asset
from gpu.diffusion.model.autoencoder import Autoencoder, AutoencoderConfig
from gpu.diffusion.model.network import NetworkConfig, UNet
from gpu.errors import ClipError, ModelError
from gpu.files import replacing

FORMAT = "noisescope-unet-1"
AUTOENCODER_FORMAT = "noisescope-autoencoder-1"

N = TypeVar("N", UNet, Autoencoder)


@dataclasses.dataclass(frozen=True)
class Model:
    """A network ready to use and the numbers it was trained with."""

    network: UNet
    settings: dict[str, float]  # the recipe's own numbers: sigma_data, gain, …


@dataclasses.dataclass(frozen=True)
class AutoencoderModel:
    """An autoencoder ready to use and the numbers it was trained with."""

    network: Autoencoder
    settings: dict[str, float]  # scale: what brings its latents to rms 0.5 over photos


def build_network(config: NetworkConfig | AutoencoderConfig) -> UNet | Autoencoder:
    """The network that a configuration describes, with fresh weights."""
    return Autoencoder(config) if isinstance(config, AutoencoderConfig) else UNet(config)


def weights_path(name: str) -> Path:
    """Where the weights of the bundled model `name` lie; ModelError when they are not there."""
    try:
        return asset(f"models/{name}/weights.safetensors")
    except ClipError as error:
        raise ModelError(
            f"The weights of the model {name!r} are missing. They come with the program: install it again, or train "
            "them with `python -m gpu.diffusion.training.train`."
        ) from error


def save_model(
    path: Path, network: UNet | Autoencoder, settings: dict[str, float], weights: dict[str, torch.Tensor]
) -> None:
    """Write `weights` (a state dict of `network`) with everything needed to build the network again. OutputError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {
        "format": FORMAT if isinstance(network, UNet) else AUTOENCODER_FORMAT,
        "network": json.dumps(dataclasses.asdict(network.config)),
        "settings": json.dumps(settings),
    }
    tensors = {key: value.detach().cpu().float().contiguous() for key, value in weights.items()}
    with replacing(path) as partial:
        save_file(tensors, str(partial), metadata)
        partial.chmod(0o644)  # safetensors writes for the owner alone; the file is to be shipped


def read_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """The tensors of a weights file of either kind, and what it says about itself. ModelError when missing or damaged."""
    if not path.is_file():
        raise ModelError(f"There is no file of model weights at {path}.")
    try:
        with safe_open(str(path), framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError, RuntimeError, MemoryError) as error:
        raise ModelError(f"The model weights {path} are damaged ({error}); expected a safetensors file.") from error
    return tensors, metadata


def _read(
    path: Path, device: torch.device, format: str, config: type[NetworkConfig | AutoencoderConfig], kind: type[N]
) -> tuple[N, dict[str, float]]:
    tensors, metadata = read_weights(path)
    if metadata.get("format") != format:
        raise ModelError(
            f"The model weights {path} are of another kind: expected format {format!r}, "
            f"found {metadata.get('format')!r}."
        )
    try:
        fields = json.loads(metadata["network"])
        fields = {key: tuple(value) if isinstance(value, list) else value for key, value in fields.items()}
        settings = {str(key): float(value) for key, value in json.loads(metadata["settings"]).items()}
        network = build_network(config(**fields))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError, ArithmeticError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The model weights {path} do not fit the network they describe: {reason}") from error
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ModelError(f"The model weights {path} hold values that are not finite numbers; they are damaged.")
    assert isinstance(network, kind)
    network.eval().requires_grad_(False).to(device)
    if device.type in ("cpu", "cuda"):  # the faster layout for convolutions there
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch documents it
    return network, settings


def read_model(path: Path, device: torch.device) -> Model:
    """Build the network a weights file describes and fill it. ModelError when missing, damaged or of another kind."""
    return Model(*_read(path, device, FORMAT, NetworkConfig, UNet))


def read_autoencoder(path: Path, device: torch.device) -> AutoencoderModel:
    """The same for the weights of an autoencoder."""
    return AutoencoderModel(*_read(path, device, AUTOENCODER_FORMAT, AutoencoderConfig, Autoencoder))


@lru_cache(maxsize=8)
def load_model(name: str, device: torch.device) -> Model:
    """The bundled model of that name on `device`; read once and kept."""
    return read_model(weights_path(name), device)


@lru_cache(maxsize=2)
def load_autoencoder(name: str, device: torch.device) -> AutoencoderModel:
    """The bundled autoencoder of that name on `device`; read once and kept."""
    return read_autoencoder(weights_path(name), device)


@lru_cache(maxsize=8)
def fingerprint(name: str) -> float:
    """A number that tells the bundled weights `name` from others of that name: a model of latents is of use only with the
    autoencoder that it was trained with, and stores this beside its weights."""
    return float(zlib.crc32(weights_path(name).read_bytes()))
