"""NumPy array files (.npy) of flow, (T-1, H, W, 2) or (H, W, 2)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from gpu.errors import FlowError
from gpu.flow.formats import F32, FORMATS, checked


class Npy:
    title = "NumPy array"
    suffix = ".npy"
    single = False

    def read(self, path: Path) -> F32:
        try:
            with path.open("rb") as file:  # by handle: np.load leaves it open when it fails
                array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, zipfile.BadZipFile) as problem:
            raise FlowError(f"{path} is not a NumPy array file that can be read ({problem}).") from None
        if not isinstance(array, np.ndarray):
            raise FlowError(f"{path} is an archive of arrays, not one; its ending should be .npz.")
        return checked(array, f"in {path}")


FORMATS.add("npy", order=10)(Npy())
