"""Source `flow`: optical flow from a file, and a still that is carried along it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from cachetools import LRUCache

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.flow.formats import read_flow
from gpu.session import SourceSettings
from gpu.source import F32, U8, Mask
from gpu.source.flow_file.inverse import inverse
from gpu.source.flow_file.readings import read_as
from gpu.source.stills import read_picture, target_size
from gpu.source.synthetic.picture import Canvas, place
from gpu.unchanged import Unchanged

FPS = 24.0
KEPT = 8  # pairs of frames whose cleaned and inverted flow is kept
EVERY = 8  # frames between two accumulated maps that are kept for good, to start from


class _Field(NamedTuple):
    """Flow (H, W, 2), 0 or a guess where it is not usable; (H, W) where it is; (H, W) where the file held garbage."""

    flow: F32
    usable: Mask
    bad: Mask


class FlowFileTruth:
    """gpu.source.Truth of flow as stored: `backward` or `forward` (frames-1, H, W, 2), or both, in (dx, dy).

    The direction that is missing is the inverse of the other on its own grid (gpu.source.flow_file.inverse). Vectors that
    are not finite or far too long are NaN here, so that whoever computes with them can count them; they are never valid,
    and accumulated maps take them as 0. Grids of another size than `height` x `width` are scaled, vectors with them.
    """

    def __init__(self, backward: F32 | None, forward: F32 | None, height: int, width: int) -> None:
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


class FlowFileSource:
    """gpu.source.Source of a flow file and a still, or a neutral texture, that is carried along."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    def __init__(self, settings: SourceSettings) -> None:
        """FlowError for flow that is missing, damaged or of the wrong shape, ClipError for a still that is, SizeError."""
        if not settings.flow_path:
            raise FlowError("No flow file is chosen; expected a .npy, .npz, .flo or KITTI .png file.")
        first = _read(settings.flow_path, settings)
        if settings.start >= len(first):
            raise FlowError(
                f"{settings.flow_path} leads through {len(first) + 1} frames; "
                f"the start at frame {settings.start} lies too far."
            )
        second = None
        if settings.forward_path:
            if settings.flow_direction == "forward":
                raise FlowError(
                    f"{settings.flow_path} is read as forward flow, and {settings.forward_path} is forward flow too; "
                    "read the first as backward flow, or leave the second out."
                )
            second = _read(settings.forward_path, settings)
            if second.shape != first.shape:
                raise FlowError(
                    f"The backward flow {settings.flow_path} has shape {first.shape}, but the forward flow "
                    f"{settings.forward_path} has {second.shape}; they must be the same."
                )
        steps = slice(settings.start, settings.start + settings.frames - 1 if settings.frames else None)
        first, second = first[steps], second[steps] if second is not None else None
        height, width = first.shape[1:3]
        if settings.height or settings.width:
            height, width = target_size(height, width, settings)
        backward, forward = (first, second) if settings.flow_direction != "forward" else (None, first)
        self.truth = FlowFileTruth(backward, forward, height, width)
        self.height, self.width, self.frames = height, width, len(first) + 1
        picture = read_picture(settings.path) if settings.path else texture(height, width)
        # The flow belongs to places in the frame, so the still fills it: a margin would move it off them.
        self._canvas = Canvas(picture, place((picture.shape[0], picture.shape[1]), (height, width), margin=0))
        self.title = Path(settings.flow_path).name

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB: the still, as frame t sees it through the accumulated map."""
        moved = self.truth.to_reference(t) - self.truth.to_reference(0)
        ring = np.pad(moved, ((1, 1), (1, 1), (0, 0)), mode="edge")
        return self._canvas.draw(ring + maps.pixel_centres(self.height + 2, self.width + 2).numpy() - 1)

    def close(self) -> None:
        """Nothing is held open."""


def open_flow(settings: SourceSettings) -> FlowFileSource:
    """The source of kind `flow` that the settings describe; see FlowFileSource for errors."""
    return FlowFileSource(settings)


def _read(path: str, settings: SourceSettings) -> F32:
    opened = Unchanged(path, FlowError)
    flow = read_flow(path)
    opened.check()  # half of one flow and half of another would look like a flow
    return read_as(flow, settings.flow_axes, settings.flow_sign)


def texture(height: int, width: int) -> U8:
    """(2 H, 2 W, 3) a quiet texture with detail of every size, so that any motion shows: blurred noise in octaves."""
    random = np.random.default_rng(20240512)
    rows, columns = 2 * height, 2 * width
    out = np.zeros((rows, columns, 3), np.float32)
    octaves = max(1, math.floor(math.log2(max(min(rows, columns) / 4, 2))))
    for octave in range(octaves):
        cell = 2 ** (octave + 1)
        coarse = random.standard_normal((-(-rows // cell) + 3, -(-columns // cell) + 3, 3)).astype(np.float32)
        coarse = 0.75 * coarse.mean(axis=-1, keepdims=True) + 0.25 * coarse  # little colour
        size = (coarse.shape[1] * cell, coarse.shape[0] * cell)
        fine = cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC)
        out += fine[cell : cell + rows, cell : cell + columns] * (0.6 + octave / octaves)
    out = (out - out.mean()) / max(float(out.std()), 1e-6)
    return np.asarray(np.clip(128 + 44 * out, 0, 255), np.uint8)
