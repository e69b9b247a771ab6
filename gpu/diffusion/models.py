"""Model weights on disk: safetensors files that say how to build their network, loaded once per device."""

from __future__ import annotations

import dataclasses
import json
from functools import lru_cache
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from gpu.assets import asset
from gpu.diffusion.network import NetworkConfig, UNet
from gpu.errors import ClipError, ModelError

FORMAT = "noisescope-unet-1"


@dataclasses.dataclass(frozen=True)
class Model:
    """A network ready to use and the numbers it was trained with."""

    network: UNet
    settings: dict[str, float]  # the recipe's own numbers: sigma_data, gain, …


def weights_path(name: str) -> Path:
    """Where the weights of the bundled model `name` lie; ModelError when they are not there."""
    try:
        return asset(f"models/{name}/weights.safetensors")
    except ClipError as error:
        raise ModelError(
            f"The weights of the model {name!r} are missing. They come with the program: install it again, or train "
            "them with `python -m gpu.diffusion.train`."
        ) from error


def save_model(path: Path, network: UNet, settings: dict[str, float], weights: dict[str, torch.Tensor]) -> None:
    """Write `weights` (a state dict of `network`) with everything needed to build the network again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    metadata = {
        "format": FORMAT,
        "network": json.dumps(dataclasses.asdict(network.config)),
        "settings": json.dumps(settings),
    }
    tensors = {key: value.detach().cpu().float().contiguous() for key, value in weights.items()}
    partial = path.with_suffix(".partial")
    save_file(tensors, str(partial), metadata)
    partial.chmod(0o644)  # safetensors writes for the owner alone; the file is to be shipped
    partial.replace(path)  # a reader never sees half a file


def read_model(path: Path, device: torch.device) -> Model:
    """Build the network a weights file describes and fill it. ModelError when missing, damaged or of another kind."""
    if not path.is_file():
        raise ModelError(f"There is no file of model weights at {path}.")
    try:
        with safe_open(str(path), framework="pt") as opened:
            metadata = opened.metadata() or {}
            tensors = {key: opened.get_tensor(key) for key in opened.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"The model weights {path} are damaged ({error}); expected a safetensors file.") from error
    if metadata.get("format") != FORMAT:
        raise ModelError(
            f"The model weights {path} are of another kind: expected format {FORMAT!r}, "
            f"found {metadata.get('format')!r}."
        )
    try:
        fields = json.loads(metadata["network"])
        fields["channels"], fields["blocks"] = tuple(fields["channels"]), tuple(fields["blocks"])
        settings = {str(key): float(value) for key, value in json.loads(metadata["settings"]).items()}
        network = UNet(NetworkConfig(**fields))
        network.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"The model weights {path} do not fit the network they describe: {reason}") from error
    if not all(bool(value.isfinite().all()) for value in tensors.values()):
        raise ModelError(f"The model weights {path} hold values that are not finite numbers; they are damaged.")
    network = network.eval().requires_grad_(False).to(device)
    if device.type in ("cpu", "cuda"):  # the faster layout for convolutions there
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch documents it
    return Model(network, settings)


@lru_cache(maxsize=8)
def load_model(name: str, device: torch.device) -> Model:
    """The bundled model of that name on `device`; read once and kept."""
    return read_model(weights_path(name), device)
