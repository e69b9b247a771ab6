"""NumPy archives (.npz) of flow: the array named backward, flow or forward, or the only one of a flow's shape."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from gpu.errors import FlowError
from gpu.flow.formats import F32, FORMATS, checked

NAMES = ("backward", "flow", "forward")


class Npz:
    title = "NumPy archive"
    suffix = ".npz"
    single = False

    def read(self, path: Path) -> F32:
        try:
            with path.open("rb") as file:  # by handle: np.load leaves it open when it fails
                archive = np.load(file, allow_pickle=False)
                if isinstance(archive, np.ndarray):
                    return checked(archive, f"in {path}")
                for name in NAMES:
                    if name in archive.files:
                        return checked(archive[name], f"{name!r} in {path}")
                fitting = [
                    name for name in archive.files if archive[name].ndim in (3, 4) and archive[name].shape[-1] == 2
                ]
                if len(fitting) == 1:
                    return checked(archive[fitting[0]], f"{fitting[0]!r} in {path}")
                held = ", ".join(archive.files) or "nothing"
        except (ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as problem:
            raise FlowError(f"{path} is not a NumPy archive that can be read ({problem}).") from None
        raise FlowError(f"{path} holds {held}; an array (T-1, H, W, 2) named {' or '.join(NAMES)} was expected.")


FORMATS.add("npz", order=20)(Npz())
