"""Inception-v3 up to its last pooling, as FID's published weights want it (Szegedy et al. 2015, arXiv 1512.00567).

The network of 2015-12-05 has habits that torchvision's later one has not: averages leave the padding out, and the pooling
branch of the very last block takes maxima. Names of tensors are those of torchvision and pytorch-fid.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F

from gpu.metrics.perceptual.weights import State

SIDE = 299
EPSILON = 1e-3  # of its batch normalisations


def features(state: State, pictures: torch.Tensor) -> torch.Tensor:
    """(B,3,H,W) pictures in [0, 1] of any size to (B,2048), means over the last maps."""
    x = 2 * F.interpolate(pictures, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1
    x = _unit(state, "Conv2d_1a_3x3", x, stride=2)
    x = _unit(state, "Conv2d_2a_3x3", x, padded=False)
    x = F.max_pool2d(_unit(state, "Conv2d_2b_3x3", x), 3, 2)
    x = _unit(state, "Conv2d_3b_1x1", x)
    x = F.max_pool2d(_unit(state, "Conv2d_4a_3x3", x, padded=False), 3, 2)
    for name in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
        x = _joined(state, name, x, ("branch1x1",), _row("branch5x5", 2), _row("branch3x3dbl", 3))
    x = _halved(state, "Mixed_6a", x, ("branch3x3",), _row("branch3x3dbl", 3))
    for name in ("Mixed_6b", "Mixed_6c", "Mixed_6d", "Mixed_6e"):
        x = _joined(state, name, x, ("branch1x1",), _row("branch7x7", 3), _row("branch7x7dbl", 5))
    x = _halved(state, "Mixed_7a", x, _row("branch3x3", 2), _row("branch7x7x3", 4))
    for name in ("Mixed_7b", "Mixed_7c"):
        x = _forked(state, name, x, maxima=name == "Mixed_7c")
    return x.mean(dim=(2, 3))


def _unit(state: State, name: str, x: torch.Tensor, stride: int = 1, padded: bool = True) -> torch.Tensor:
    """Convolution, batch normalisation and ReLU. Convolutions of stride 1 keep the size, unless they are not padded."""
    weight = state[f"{name}.conv.weight"]
    padding = [side // 2 for side in weight.shape[2:]] if padded and stride == 1 else [0, 0]
    x = F.conv2d(x, weight, None, stride, padding)
    mean, variance, scale, shift = (
        state[f"{name}.bn.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
    )
    return F.relu(F.batch_norm(x, mean, variance, scale, shift, False, 0.0, EPSILON))


def _row(name: str, count: int) -> tuple[str, ...]:
    return tuple(f"{name}_{number}" for number in range(1, count + 1))


def _chain(state: State, block: str, x: torch.Tensor, names: tuple[str, ...], last_stride: int = 1) -> torch.Tensor:
    for name in names:
        x = _unit(state, f"{block}.{name}", x, last_stride if name == names[-1] else 1)
    return x


def _pooled(state: State, block: str, x: torch.Tensor, maxima: bool = False) -> torch.Tensor:
    pooled = F.max_pool2d(x, 3, 1, 1) if maxima else F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)
    return _unit(state, f"{block}.branch_pool", pooled)


def _joined(state: State, block: str, x: torch.Tensor, *branches: tuple[str, ...]) -> torch.Tensor:
    """Blocks that keep the resolution: chains of convolutions, and a pooled one, side by side."""
    return torch.cat([*(_chain(state, block, x, names) for names in branches), _pooled(state, block, x)], dim=1)


def _halved(state: State, block: str, x: torch.Tensor, *branches: tuple[str, ...]) -> torch.Tensor:
    """Blocks that halve it: the last convolution of every chain has stride 2, beside a maximum of stride 2."""
    return torch.cat(
        [*(_chain(state, block, x, names, last_stride=2) for names in branches), F.max_pool2d(x, 3, 2)], dim=1
    )


def _forked(state: State, block: str, x: torch.Tensor, maxima: bool) -> torch.Tensor:
    """The last two blocks, whose chains end in a pair of flat convolutions each, one lying and one standing."""
    short = _unit(state, f"{block}.branch3x3_1", x)
    long = _chain(state, block, x, ("branch3x3dbl_1", "branch3x3dbl_2"))
    ends = [
        _unit(state, f"{block}.{name}", start)
        for start, name in (
            (short, "branch3x3_2a"),
            (short, "branch3x3_2b"),
            (long, "branch3x3dbl_3a"),
            (long, "branch3x3dbl_3b"),
        )
    ]
    return torch.cat([_unit(state, f"{block}.branch1x1", x), *ends, _pooled(state, block, x, maxima)], dim=1)
