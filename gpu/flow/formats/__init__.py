"""Files of optical flow, one format a file: read as (N, H, W, 2) float32. The registry is FORMATS.

A file says nothing of direction: whether its vectors are backward or forward flow, and in which axis order and sign,
is for the reader's caller to know. Vectors that are not finite, or that a format marks as unknown, come out as NaN or
as they are; gpu.flow.maps.clean finds them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gpu.errors import FlowError
from gpu.registry import Registry

F32 = npt.NDArray[np.float32]


class FlowFormat(Protocol):
    """A module-level object. `single`: a file holds one field, and a sequence is a folder of such files."""

    title: str
    suffix: str
    single: bool

    def read(self, path: Path) -> F32:
        """(N, H, W, 2) from a file (N = 1 where `single`); FlowError says what is wrong with it."""
        ...


FORMATS: Registry[FlowFormat] = Registry("flow format", "gpu.flow.formats")


def read_flow(path: str | os.PathLike[str]) -> F32:
    """(N, H, W, 2) float32 flow in pixels, (dx, dy), from a file, or from a folder of files with one field each.

    The ending says the format (FORMATS). FlowError for what is missing, not known, damaged, or of another shape.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "flow.npy", np.zeros((3, 4, 6, 2)))
    ...     read_flow(Path(folder) / "flow.npy").shape
    (3, 4, 6, 2)
    """
    file = Path(path)
    try:
        if not file.exists():
            raise FlowError(f"There is no flow file {path}.")
        if not file.is_dir():
            return _format_of(file).read(file)
        kinds = {kind.suffix: kind for _, kind in FORMATS.items() if kind.single}
        parts = sorted(part for part in file.iterdir() if part.suffix.lower() in kinds)
        if not parts:
            raise FlowError(f"The folder {path} holds no flow files; expected {' or '.join(sorted(kinds))} files.")
        if len({part.suffix.lower() for part in parts}) > 1:
            raise FlowError(f"The folder {path} mixes flow files of several formats; expected one.")
        fields = []
        for part in parts:
            fields.append(kinds[part.suffix.lower()].read(part))
            if fields[-1].shape != fields[0].shape:
                raise FlowError(
                    f"The flow {part} is {_size(fields[-1])}, but {parts[0].name} is {_size(fields[0])}; "
                    "all fields of a sequence must be of one size."
                )
        return np.concatenate(fields)
    except OSError as problem:
        raise FlowError(f"The flow {path} cannot be read: {problem.strerror or problem}.") from None
    except MemoryError:
        raise FlowError(f"The flow {path} does not fit into memory.") from None


def checked(array: npt.NDArray[np.generic], where: str) -> F32:
    """`array` as (N, H, W, 2) float32, or a FlowError that says what it is instead. (H, W, 2) counts as N = 1."""
    if array.dtype.kind not in "fiu":
        raise FlowError(f"The flow {where} holds values of type {array.dtype}; numbers were expected.")
    if array.ndim == 3:
        array = array[None]
    if array.ndim != 4 or array.shape[-1] != 2 or 0 in array.shape:
        raise FlowError(f"The flow {where} has shape {array.shape}; (T-1, H, W, 2) was expected.")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and invalid with it
        return np.ascontiguousarray(array, np.float32)


def _format_of(path: Path) -> FlowFormat:
    for _, kind in FORMATS.items():
        if path.suffix.lower() == kind.suffix:
            return kind
    suffixes = ", ".join(kind.suffix for _, kind in FORMATS.items())
    raise FlowError(f"{path} is not a flow file that is known; expected one of {suffixes}, or a folder of such files.")


def _size(flow: F32) -> str:
    return f"{flow.shape[2]}x{flow.shape[1]}"
