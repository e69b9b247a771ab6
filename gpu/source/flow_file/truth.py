"""The motion of a flow file as the true motion of a source: both directions, where they hold, and the accumulated map."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from cachetools import LRUCache

from gpu.cv import cv2
from gpu.flow import maps
from gpu.flow.stored.fields import Fields
from gpu.source import F32, Mask
from gpu.source.flow_file.inverse import inverse

KEPT = 8  # pairs of frames whose cleaned and inverted flow is kept
EVERY = 8  # frames between two accumulated maps that are kept for good, to start from


class _Field(NamedTuple):
    """Flow (H, W, 2), 0 or a guess where it is not usable; (H, W) where it is; (H, W) where the file held garbage."""

    flow: F32
    usable: Mask
    bad: Mask


class FlowFileTruth:
    """gpu.source.Truth of flow from a file: `backward` or `forward`, or both, in (dx, dy) pixels of their own grid.

    The direction that is missing is the inverse of the other on its own grid (gpu.source.flow_file.inverse). Vectors that
    are not finite or far too long are NaN here, so that whoever computes with them can count them; they are never valid,
    and accumulated maps take them as 0. Grids of another size than `height` x `width` are scaled, vectors with them.
    """

    def __init__(
        self, backward: Fields | None, forward: Fields | None, height: int, width: int, label: str = "true motion"
    ) -> None:
        """`label` is what to call it, where it is not what the pictures were made by."""
        self.label = label
        given = backward if backward is not None else forward
        if given is None:
            raise ValueError("either backward or forward flow must be given")
        self._stored = {"backward": backward, "forward": forward}
        self.frames, self.height, self.width = len(given) + 1, height, width
        self._fields: LRUCache[tuple[str, int], _Field] = LRUCache(2 * KEPT)
        self._maps: dict[int, torch.Tensor] = {0: maps.pixel_centres(height, width)}
        self._last = (0, self._maps[0])

    def backward(self, t: int) -> F32:
        field = self._field("backward", t)
        return np.where(field.bad[..., None], np.float32(np.nan), field.flow)

    def forward(self, t: int) -> F32:
        field = self._field("forward", t)
        return np.where(field.bad[..., None], np.float32(np.nan), field.flow)

    def valid(self, t: int) -> Mask:
        """As gpu.source.Truth: known, inside the frame, and passing the forward-backward check (gpu.flow.maps.validity)."""
        back, forth = self._field("backward", t), self._field("forward", t)
        flow = torch.from_numpy(back.flow)
        there = maps.pixel_centres(self.height, self.width) + flow
        seen = maps.validity(flow, torch.from_numpy(forth.flow)) & maps.covered(torch.from_numpy(~forth.bad), there)
        return np.asarray(back.usable & seen.numpy())

    def bad(self, t: int) -> int:
        """How many vectors between frames t and t+1 the file holds that cannot be used."""
        return sum(int(self._field(kind, t).bad.sum()) for kind, stored in self._stored.items() if stored is not None)

    def to_reference(self, t: int) -> F32:
        """As gpu.source.Truth, by composition (bilinear); beyond the border displacements are continued."""
        return self._map(t).numpy().copy()

    def jacobian(self, t: int) -> F32:
        """As gpu.source.Truth, by differences of the map."""
        return maps.jacobian(self._map(t)).numpy()

    def _map(self, t: int) -> torch.Tensor:
        if not 0 <= t < self.frames:
            raise IndexError(f"frame {t} of {self.frames}")
        at, phi = max((self._last, *self._maps.items()), key=lambda kept: kept[0] if kept[0] <= t else -1)
        while at < t:
            phi = maps.compose(phi, torch.from_numpy(self._field("backward", at).flow)).phi
            at += 1
            if at % EVERY == 0:
                self._maps[at] = phi
        self._last = (t, phi)
        return phi

    def _field(self, kind: str, t: int) -> _Field:
        if not 0 <= t < self.frames - 1:
            raise IndexError(f"flow from frame {t} of {self.frames}")
        if (kind, t) not in self._fields:
            self._fields[kind, t] = self._make(kind, t)
        return self._fields[kind, t]

    def _make(self, kind: str, t: int) -> _Field:
        stored = self._stored[kind]
        if stored is None:
            other = self._field("forward" if kind == "backward" else "backward", t)
            flow, solved = inverse(other.flow, other.usable)
            return _Field(flow, solved, np.zeros_like(solved))
        cleaned = maps.clean(torch.from_numpy(np.array(stored[t], np.float32)))
        flow, bad = cleaned.flow.numpy(), np.asarray(cleaned.bad.numpy())
        if bad.shape != (self.height, self.width):
            flow, bad = _scaled(flow, bad, self.height, self.width)
        return _Field(flow, ~bad, bad)


def scaled(flow: F32, height: int, width: int) -> F32:
    """Flow (H, W, 2) on a grid of another size, its vectors in pixels of that; NaN where one that is not usable takes part."""
    cleaned = maps.clean(torch.from_numpy(np.array(flow, np.float32)))
    out, bad = _scaled(cleaned.flow.numpy(), np.asarray(cleaned.bad.numpy()), height, width)
    out[bad] = np.nan
    return out


def _scaled(flow: F32, bad: Mask, height: int, width: int) -> tuple[F32, Mask]:
    """Flow on a grid of another size, its vectors in pixels of that grid; bad where a bad vector takes part."""
    rows, columns = bad.shape
    way = cv2.INTER_AREA if height <= rows and width <= columns else cv2.INTER_LINEAR
    larger = np.asarray(cv2.resize(flow, (width, height), interpolation=way), np.float32)
    share = np.asarray(cv2.resize(bad.astype(np.float32), (width, height), interpolation=way), np.float32)
    larger = larger.reshape(height, width, 2) * np.array([width / columns, height / rows], np.float32)
    touched = share.reshape(height, width) > 1e-6
    larger[touched] = 0
    return larger, touched
