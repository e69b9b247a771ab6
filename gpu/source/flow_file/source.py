"""Source `flow`: optical flow from a file, and a still that is carried along it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.session import SourceSettings
from gpu.source import U8, Area
from gpu.source.flow_file.placing import placed
from gpu.source.flow_file.reading import open_pair
from gpu.source.flow_file.truth import FlowFileTruth
from gpu.source.stills import BAR, Fitting, fitting, read_still, resize
from gpu.source.synthetic.picture import Canvas, Placement, place

FPS = 24.0


class FlowFileSource:
    """gpu.source.Source of a flow file and a still, or a neutral texture, that is carried along."""

    fps = FPS
    cuts: tuple[int, ...] = ()

    def __init__(self, settings: SourceSettings) -> None:
        """FlowError for flow that is missing, damaged or of the wrong shape, ClipError for a still that is, SizeError."""
        pair = open_pair(settings)
        self._pair = pair
        try:
            count, height, width, _ = pair.fields.shape
            if settings.start >= count:
                raise FlowError(
                    f"{settings.flow_path} leads through {count + 1} frames; "
                    f"the start at frame {settings.start} lies too far."
                )
            if settings.fps:
                raise FlowError(
                    f"{settings.flow_path} has no frames a second of which some could be taken; take every N-th."
                )
            pair = pair.part(settings.start).every(settings.every)
            pair = pair.part(0, settings.frames - 1 if settings.frames else None)
            own = Area(0, 0, height, width)
            fit = fitting(height, width, settings) if settings.height or settings.width else Fitting(*own[2:], own, own)
            pair = placed(pair, fit)
            self.area, self.height, self.width, self.frames = fit.area, fit.height, fit.width, len(pair.fields) + 1
            self.truth = FlowFileTruth(pair.backward, pair.forward, self.height, self.width)
            self.notes = self._pair.notes
            self._canvas = _canvas(settings, fit, (height, width))
            self.original_size = self.area.height, self.area.width
        except BaseException:
            pair.close()
            raise
        self.title = Path(settings.flow_path).name

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB: the still, as frame t sees it through the accumulated map."""
        moved = self.truth.to_reference(t) - self.truth.to_reference(0)
        ring = np.pad(moved, ((1, 1), (1, 1), (0, 0)), mode="edge")
        whole = self._canvas.draw(ring + maps.pixel_centres(self.height + 2, self.width + 2).numpy() - 1)
        area = self.area
        if (area.height, area.width) == (self.height, self.width):
            return whole
        framed = np.full_like(whole, BAR)
        shown = slice(area.top, area.bottom), slice(area.left, area.right)
        framed[shown] = whole[shown]
        return framed

    def original(self, t: int, rows: int, columns: int) -> U8:
        """As gpu.source.Detailed: no finer than the grid, which the flow belongs to."""
        area = self.area
        return resize(self.frame(t)[area.top : area.bottom, area.left : area.right], rows, columns)

    def close(self) -> None:
        self._pair.close()


def open_flow(settings: SourceSettings) -> FlowFileSource:
    """The source of kind `flow` that the settings describe; see FlowFileSource for errors."""
    return FlowFileSource(settings)


def _canvas(settings: SourceSettings, fit: Fitting, own: tuple[int, int]) -> Canvas:
    """The still, or a texture, seen from the grid. The flow belongs to places in the frame of `own` (rows, columns), so the
    still fills that: a margin would move it. Of it the grid shows what `fit` says."""
    picture = read_still(settings.path, settings).pixels if settings.path else texture(fit.height, fit.width)
    frame = place((picture.shape[0], picture.shape[1]), own, margin=0)
    part, area = fit.part, fit.area
    scale = (part.width / area.width, part.height / area.height)  # of a pixel of the grid, in those of the frame
    start = (part.left - scale[0] * area.left, part.top - scale[1] * area.top)
    across, down = (frame.scale[axis] * scale[axis] for axis in (0, 1))
    left, top = (frame.offset[axis] + frame.scale[axis] * start[axis] for axis in (0, 1))
    return Canvas(picture, Placement((across, down), (left, top)))


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
