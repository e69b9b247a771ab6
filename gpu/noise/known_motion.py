"""A motion that is known exactly: the same step in every frame."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class KnownMotion:
    """gpu.noise.tracks.Motion of a backward `flow` (H, W, 2) that holds everywhere, and whose forward-backward error is
    `errors` (H, W), 0 where none are given."""

    flow: torch.Tensor
    errors: torch.Tensor | None = None

    def backward(self, t: int) -> torch.Tensor:
        return self.flow

    def valid(self, t: int) -> torch.Tensor:
        return torch.ones(self.flow.shape[:2], dtype=torch.bool, device=self.flow.device)

    def error(self, t: int) -> torch.Tensor:
        return torch.zeros(self.flow.shape[:2], device=self.flow.device) if self.errors is None else self.errors
