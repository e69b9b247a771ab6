"""Turns the engine's floats into bytes that a widget can draw at once. Qt-free; the worker calls it, views keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from app.look.noise_colours import image_bytes, noise_bytes, to_bytes
from gpu.cache import ByteCache
from gpu.engine.results import Column, FrameResult

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

ERROR_RANGE = 0.25
"""The error map is brightest where the images differ by this much of their range (the root of the square)."""

GAINS = (20, 10, 5, 3, 2, 1)
"""How many times longer than the motion arrows may be drawn: steps, so that they do not pulse from frame to frame."""

MOTION_RANGE = 8.0
"""Pixels per frame at which the colour wheel is fully saturated."""

STORE_BYTES = 384 << 20


@dataclass(frozen=True)
class CellPictures:
    """One column of one frame as bytes: `noise` (H, W) or (H, W, 3), `output` (H, W, 3), `error` (H, W) indices into
    `ERROR_COLOURS` (255: not valid), `state` (H, W)."""

    noise: U8
    output: U8 | None
    error: U8 | None
    state: U8


@dataclass(frozen=True)
class FramePictures:
    """One frame as bytes. `motion` (H, W, 3) is the colour wheel of the flow; `arrows` (N, 4) are x, y, dx, dy, `gain` times
    as long as the motion."""

    t: int
    colours: str
    image: U8
    columns: Mapping[str, CellPictures]
    motion: U8 | None
    arrows: F32 | None
    gain: int
    complete: bool

    def thinned(self, apart: float) -> F32:
        """The arrows, less those that stand nearer to each other than `apart` pixels of the picture."""
        if self.arrows is None or not len(self.arrows):
            return np.zeros((0, 4), np.float32)
        step = arrow_step(self.image.shape[1])
        every = max(int(np.ceil(apart / step)), 1)
        places = (self.arrows[:, :2] // step).astype(int)
        return np.asarray(self.arrows[(places % every == every // 2).all(axis=1)])

    def older_than(self, result: FrameResult) -> bool:
        """Whether `result` has an error map that these pictures lack: it came with the frame before."""
        cells = self.columns
        return any(
            column.error is not None and (key not in cells or cells[key].error is None)
            for key, column in result.columns.items()
        )

    @property
    def bytes(self) -> int:
        total = self.image.nbytes + (0 if self.motion is None else self.motion.nbytes)
        for cell in self.columns.values():
            total += sum(part.nbytes for part in (cell.noise, cell.output, cell.error, cell.state) if part is not None)
        return total


def error_indices(error: F32) -> U8:
    """(H, W) squared differences as indices 0..254 of `ERROR_COLOURS` by their root; 255 where not valid (NaN)."""
    root = np.sqrt(np.maximum(np.nan_to_num(error, nan=0.0), 0)) * np.float32(254 / ERROR_RANGE)
    return np.asarray(np.where(np.isnan(error), 255, np.minimum(root, 254)).astype(np.uint8))


def _error_colours() -> list[int]:
    """0xffrrggbb for 255 steps from near-black over violet and orange to pale yellow; blue-grey for "not valid"."""
    stops = np.array([(14, 12, 22), (66, 24, 104), (150, 44, 96), (222, 90, 56), (250, 168, 60), (252, 250, 190)])
    at = np.linspace(0, len(stops) - 1, 255)
    table = np.stack([np.interp(at, np.arange(len(stops)), stops[:, channel]) for channel in range(3)], axis=1)
    return [0xFF000000 | int(r) << 16 | int(g) << 8 | int(b) for r, g, b in table.round()] + [0xFF3A4655]


ERROR_COLOURS = _error_colours()

STATE_COLOURS = (0x00000000, 0x6656B4E9, 0x80F0E442, 0x80E05F10, 0x806A3D9A)
"""0xaarrggbb over the pixels that are kept (nothing), inherited (sky blue), new (yellow), undefined (vermillion), renewed
(purple): gpu.noise.states."""


def wheel(flow: F32, limit: float = MOTION_RANGE) -> U8:
    """(H, W, 2) flow in pixels as (H, W, 3): hue is direction, saturation is length up to `limit`; still is white."""
    flow = np.nan_to_num(flow, nan=0.0, posinf=0.0, neginf=0.0)
    angle = (np.arctan2(flow[..., 1], flow[..., 0]) / (2 * np.pi)) % 1.0
    length = np.minimum(np.hypot(flow[..., 0], flow[..., 1]) / limit, 1.0)
    thirds = np.array([0.0, 2 / 3, 1 / 3], np.float32)
    hue = np.clip(np.abs(((angle[..., None] + thirds) % 1.0) * 6 - 3) - 1, 0, 1)
    return np.asarray((1 - length[..., None] * (1 - hue)) * 235 + 0.5).astype(np.uint8)


def arrow_step(width: int) -> int:
    """Pixels between arrows for a picture of this width, before any are left out: about 24 in a row."""
    return max(width // 24, 4)


def arrows(flow: F32) -> tuple[F32, int]:
    """Arrows for a flow (H, W, 2): (N, 4) x, y, dx, dy in pixels on a grid of `arrow_step`, and how many times
    longer than the motion they are. Places that stand still, or whose flow is not finite, get none."""
    height, width = flow.shape[:2]
    step = arrow_step(width)
    y, x = np.mgrid[step // 2 : height : step, step // 2 : width : step]
    picked = flow[y, x]
    table = np.stack([x + 0.5, y + 0.5, picked[..., 0], picked[..., 1]], axis=-1).reshape(-1, 4)
    table = table[np.isfinite(table).all(axis=1)]
    length = np.hypot(table[:, 2], table[:, 3])
    moving = length > 0.05
    longest = float(np.quantile(length[moving], 0.95)) if moving.any() else step
    gain = next((gain for gain in GAINS if gain * longest <= 1.2 * step), 1)
    table[:, 2:] *= gain
    return np.asarray(table[moving], np.float32), gain


def difference(first: U8, second: U8, gain: int = 2) -> U8:
    """Absolute difference of two pictures of one shape, `gain` times brighter."""
    apart = np.abs(first.astype(np.int16) - second.astype(np.int16)) * gain
    return np.asarray(np.minimum(apart, 255).astype(np.uint8))


def slice_bytes(values: F32, grey: bool) -> U8:
    """(frames, W, 3) in [0, 1], NaN where not computed, as (frames, W, 4) RGBA bytes, transparent where NaN."""
    computed = np.isfinite(values).all(axis=-1)
    rgb = to_bytes(values * np.float32(255))
    if grey:
        rgb = np.repeat(rgb[..., :1], 3, axis=-1)
    return np.ascontiguousarray(np.concatenate([rgb, np.where(computed, 255, 0).astype(np.uint8)[..., None]], axis=-1))


@dataclass
class Converter:
    """Converts results to pictures, and what has not changed since the last yield of the same frame only once."""

    colours: str = "grey"
    _t: int = -1
    _cells: dict[str, tuple[Column, CellPictures]] = field(default_factory=dict)
    _motion: tuple[F32 | None, U8 | None, F32 | None, int] = (None, None, None, 1)

    def convert(self, result: FrameResult, colours: str) -> FramePictures:
        """The pictures of `result`, which may be incomplete; `colours` is "grey" or "rgb"."""
        if colours != self.colours or result.t != self._t:
            self._cells.clear()
        self.colours, self._t = colours, result.t
        cells: dict[str, CellPictures] = {}
        for key, column in result.columns.items():
            before = self._cells.get(key)
            cells[key] = self._cell(column, before)
            self._cells[key] = (column, cells[key])
        if self._motion[0] is not result.backward:
            flow = result.backward
            self._motion = (None, None, None, 1) if flow is None else (flow, wheel(flow), *arrows(-flow))
        _, hues, table, gain = self._motion
        return FramePictures(result.t, colours, result.image, cells, hues, table, gain, result.complete)

    def _cell(self, column: Column, before: tuple[Column, CellPictures] | None) -> CellPictures:
        old, kept = before if before is not None else (None, None)
        same_noise = old is not None and kept is not None and old.noise is column.noise
        same_output = old is not None and kept is not None and old.output is column.output
        same_error = old is not None and kept is not None and old.error is column.error
        return CellPictures(
            noise=kept.noise if kept and same_noise else noise_bytes(column.noise, self.colours),
            output=kept.output if kept and same_output else _optional(column.output, image_bytes),
            error=kept.error if kept and same_error else _optional(column.error, error_indices),
            state=np.ascontiguousarray(column.state),
        )


def _optional(values: F32 | None, convert: Callable[[F32], U8]) -> U8 | None:
    return None if values is None else convert(values)


class PictureCache:
    """Pictures of whole frames up to a number of bytes; what was not looked at for longest goes first."""

    def __init__(self, limit: int = STORE_BYTES) -> None:
        self._frames: ByteCache[int, FramePictures] = ByteCache(limit, lambda pictures: pictures.bytes)

    def put(self, pictures: FramePictures) -> None:
        self._frames[pictures.t] = pictures

    def get(self, t: int) -> FramePictures | None:
        return self._frames.get(t)

    def drop(self, t: int) -> None:
        self._frames.pop(t, None)

    def clear(self) -> None:
        self._frames.clear()
