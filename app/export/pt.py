"""Noise as .pt for torch.load: a dictionary of `noise`, `axes` and `meta` that loads with weights_only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.export import FORMATS
from app.export.kit.noise_format import F32, NoiseFile, Sink, into, mapped, noise_format
from app.export.kit.noise_reading import read_arrays


@contextmanager
def _create(path: Path, axes: str, shape: tuple[int, ...], meta: str) -> Iterator[Sink]:
    import torch

    # torch.save writes a tensor from memory; one that is mapped from a file need not fit there.
    # Its name is one of gpu.leftovers, as that of `path` is: what a killed run leaves is cleared away by the next.
    room = path.with_name(path.name + ".room")
    try:
        array = mapped(room, b"", shape)

        def finish(undefined: npt.NDArray[np.bool_], backward: Iterable[F32]) -> None:
            # Through an open file, because torch.save would store the temporary name of the path inside.
            with path.open("wb") as file:
                torch.save({"noise": torch.from_numpy(array), "axes": axes, "meta": meta}, file)

        yield Sink(into(array, axes), finish)
    finally:
        room.unlink(missing_ok=True)


FORMATS.add("pt", order=40)(
    noise_format(
        NoiseFile(
            "PyTorch file",
            ".pt",
            "For torch.load: a dictionary of the tensor `noise` in the axis order you choose, `axes` and `meta`.",
            _create,
            read_arrays,
            copies=True,
        )
    )
)
