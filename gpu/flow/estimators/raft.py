"""RAFT of torchvision, an optional extra: used when its weights are on this machine; nothing is downloaded."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import torch

from gpu.arrays import open_arrays
from gpu.errors import BackendError
from gpu.flow.estimators import ESTIMATORS, F32, U8
from gpu.flow.pairs import estimate_pair, pick

VARIABLE = "NOISESCOPE_RAFT"
"""Environment variable: a weights file (of the preset in use), or a folder with the files named below."""

# What torchvision names its weights trained on Things, Sintel, KITTI and HD1K (large) and on Things (small).
_FILES = {"large": "raft_large_C_T_SKHT_V2-ff5fadd5.pth", "small": "raft_small_C_T_V2-01064c6d.pth"}

MINIMUM = 128  # the coarsest level of its correlation pyramid needs two pixels at 1/64
STEP = 8  # its features have 1/8 of the resolution


class Raft:
    """Teed, Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020."""

    title = "RAFT"
    about = "A trained network: accurate and slow on a CPU. Needs torchvision and its weights on disk."
    presets = tuple(_FILES)

    def estimate(self, a: U8, b: U8, preset: str, scale: float) -> F32:
        preset = pick(self.title, preset, self.presets)
        device = "cuda" if torch.cuda.is_available() else "cpu"
        weights = find_weights(preset)
        model = _model(preset, str(weights), weights.stat().st_mtime_ns, device)

        def compute(first: U8, second: U8) -> F32:
            height, width = first.shape[:2]
            pad = (0, -width % STEP, 0, -height % STEP)
            with torch.inference_mode():
                pair = [
                    torch.nn.functional.pad(_tensor(picture, device), pad, mode="replicate")
                    for picture in (first, second)
                ]
                flow = model(*pair)[-1][0, :, :height, :width]
            return np.asarray(flow.permute(1, 2, 0).float().cpu().numpy(), np.float32)

        return estimate_pair(a, b, scale, MINIMUM, compute)


def find_weights(preset: str) -> Path:
    """The weights of a preset: where NOISESCOPE_RAFT says, else in torch hub's cache. BackendError when not there."""
    name, told = _FILES[preset], os.environ.get(VARIABLE, "")
    if told:
        place = Path(told) / name if Path(told).is_dir() else Path(told)
    else:
        place = Path(torch.hub.get_dir()) / "checkpoints" / name
    if not place.is_file():
        raise BackendError(
            f"RAFT {preset} needs its weights, and there is no file {place}; put torchvision's {name} there, or name "
            f"its place in {VARIABLE}, or choose DIS."
        )
    return place


@functools.lru_cache(maxsize=1)
def _model(preset: str, weights: str, _changed: int, device: str) -> torch.nn.Module:
    """The network with the weights of a file, ready to run; the last one used stays in memory."""
    try:
        from torchvision.models import optical_flow
    except (ImportError, RuntimeError):
        raise BackendError(
            "RAFT needs torchvision, of the same build as torch (cpu or cuda): pip install 'noisescope[raft]'. Or choose DIS."
        ) from None
    build = optical_flow.raft_large if preset == "large" else optical_flow.raft_small
    model: torch.nn.Module = build(weights=None, progress=False)
    with open_arrays(weights, BackendError) as arrays:
        state = {name: torch.from_numpy(array.read()) for name, array in arrays.items()}
    try:
        model.load_state_dict(state)
    except (RuntimeError, ValueError) as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        raise BackendError(f"{weights} does not hold the weights of RAFT {preset}: {reason}") from None
    return model.eval().to(device)


def _tensor(picture: U8, device: str) -> torch.Tensor:
    """(1, 3, H, W) in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(picture)).to(device).permute(2, 0, 1)[None].float() / 127.5 - 1


ESTIMATORS.add("raft", order=30)(Raft())
