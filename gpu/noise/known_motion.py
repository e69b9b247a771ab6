"""A motion that is known exactly: the same step in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class KnownMotion:
    """gpu.noise.tracks.Motion of a backward `flow` (H, W, 2) that holds everywhere, and whose forward-backward error is
    `errors` (H, W), 0 where none are given. With the forward flow `ahead` (H, W, 2) it is gpu.priors.Motion as well."""

    flow: torch.Tensor
    errors: torch.Tensor | None = None
    ahead: torch.Tensor | None = None

    def backward(self, t: int) -> torch.Tensor:
        return self.flow

    def forward(self, t: int) -> torch.Tensor:
        if self.ahead is None:
            raise ValueError("forward flow is asked for of a motion that is known backwards only")
        return self.ahead

    def valid(self, t: int) -> torch.Tensor:
        return torch.ones(self.flow.shape[:2], dtype=torch.bool, device=self.flow.device)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros(self.flow.shape[:2], device=self.flow.device) if self.errors is None else self.errors
