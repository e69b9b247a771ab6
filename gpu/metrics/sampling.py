"""Sampling at absolute positions, as the measures use it: it lives in gpu.flow.maps."""

from __future__ import annotations

from gpu.flow.maps import bilinear, inside

__all__ = ["bilinear", "inside"]
