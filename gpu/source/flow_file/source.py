"""Source `flow`: optical flow from a file, and a still that is carried along it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow import maps
from gpu.session import SourceSettings
from gpu.source import U8
from gpu.source.flow_file.reading import open_pair
from gpu.source.flow_file.truth import FlowFileTruth
from gpu.source.stills import read_still, target_size
from gpu.source.synthetic.picture import Canvas, place

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
            if settings.height or settings.width:
                height, width = target_size(height, width, settings)
            self.truth = FlowFileTruth(pair.backward, pair.forward, height, width)
            self.height, self.width, self.frames = height, width, len(pair.fields) + 1
            self.notes = self._pair.notes
            self._canvas = _canvas(settings, height, width)
        except BaseException:
            pair.close()
            raise
        self.title = Path(settings.flow_path).name

    def frame(self, t: int) -> U8:
        """(H, W, 3) RGB: the still, as frame t sees it through the accumulated map."""
        moved = self.truth.to_reference(t) - self.truth.to_reference(0)
        ring = np.pad(moved, ((1, 1), (1, 1), (0, 0)), mode="edge")
        return self._canvas.draw(ring + maps.pixel_centres(self.height + 2, self.width + 2).numpy() - 1)

    def close(self) -> None:
        self._pair.close()


def open_flow(settings: SourceSettings) -> FlowFileSource:
    """The source of kind `flow` that the settings describe; see FlowFileSource for errors."""
    return FlowFileSource(settings)


def _canvas(settings: SourceSettings, height: int, width: int) -> Canvas:
    """The still, or a texture. The flow belongs to places in the frame, so the still fills it: a margin would move it."""
    picture = read_still(settings.path, settings).pixels if settings.path else texture(height, width)
    return Canvas(picture, place((picture.shape[0], picture.shape[1]), (height, width), margin=0))


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
