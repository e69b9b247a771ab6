"""OpenEXR files (.exr) of motion: Blender's vector pass, Nuke's motion layers, and plain dx and dy.

Blender's pass Vector has four channels X Y Z W (R G B A where only it was written). Cycles computes them
(`primitive_motion_vector` in intern/cycles/kernel/geom/primitive.h) as the previous position minus the current one, and the
current one minus the next, in pixels with y up: so (X, -Y) leads to where a point was, backward flow on the frame's own grid,
and (-Z, W) to where it will be. Nuke's layers `forward` and `backward` have channels u and v; its y is up as well.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpu.errors import ClipError, FlowError
from gpu.flow.formats import F32, FORMATS, Array, Contents, Whole, check_size

VECTORS = (("x", "y", "z", "w"), ("r", "g", "b", "a"))
PLAIN = (("x", "y"), ("u", "v"), ("dx", "dy"), ("r", "g"))


class Exr:
    title = "OpenEXR, as of Blender"
    suffix = ".exr"

    def open(self, path: Path) -> Contents:
        from gpu.pictures import look

        try:
            header = look(path)
        except ClipError as problem:
            raise FlowError(f"The flow {path} cannot be read: {problem}") from None
        check_size(path, header.width, header.height)
        shape = (header.height, header.width, 2)
        layers: dict[str, dict[str, str]] = {}
        for name in header.channels:
            layer, _, component = name.rpartition(".")
            layers.setdefault(layer, {})[component.lower()] = name
        arrays: dict[str, Whole] = {}
        by_frame = False

        def add(name: str, channels: tuple[str, str], signs: tuple[int, int]) -> None:
            arrays[name] = Whole(shape, np.dtype(np.float32), _loading(path, shape, channels, signs))

        vectors = {layer: names for layer, names in layers.items() if _vector_pass(layer, names)}
        for layer, names in vectors.items():
            of = f"{layer} " if len(vectors) > 1 else ""
            across, down, ahead, below = next(
                tuple(names[c] for c in four) for four in VECTORS if set(four) <= names.keys()
            )
            add(f"{of}backward", (across, down), (1, -1))
            add(f"{of}forward", (ahead, below), (-1, 1))
            by_frame = True
        for layer, names in layers.items() if not vectors else ():
            pair = next((pair for pair in PLAIN if set(pair) <= names.keys()), None)
            if pair is not None and (pair != ("r", "g") or len(layers) == 1):
                nuke = layer.lower() in ("forward", "backward")
                add(layer, (names[pair[0]], names[pair[1]]), (1, -1 if nuke else 1))
                by_frame = by_frame or nuke
        if not arrays:
            raise FlowError(
                f"{path} holds the channels {', '.join(header.channels[:12])}; expected Blender's vector pass (X, Y, Z, W), "
                "the layers forward and backward, or two channels dx and dy."
            )
        return Contents(arrays, pixels=True, by_frame=by_frame)


def _vector_pass(layer: str, names: dict[str, str]) -> bool:
    """Whether a layer has four components: those of a pass of vectors, or colours that such a pass was written to."""
    if set(VECTORS[0]) <= names.keys():
        return True
    return names.keys() == set(VECTORS[1]) and (
        not layer or layer.rpartition(".")[2].lower() in ("vector", "speed", "motion")
    )


def _loading(
    path: Path, shape: tuple[int, ...], channels: tuple[str, str], signs: tuple[int, int]
) -> Callable[[], Array]:
    def load() -> npt.NDArray[np.generic]:
        from gpu.pictures import read_channels

        try:
            values: F32 = read_channels(path, channels).values
        except ClipError as problem:
            raise FlowError(f"The flow {path} cannot be read: {problem}") from None
        if values.shape != shape:
            raise FlowError(
                f"The flow {path} cannot be read: it holds {values.shape} values where {shape} were announced."
            )
        return values * np.array(signs, np.float32)

    return load


FORMATS.add("exr", order=90)(Exr())
