"""Noise as .npz: `noise` (T,C,H,W), `undefined` (T,H,W), `backward` (T-1,H,W,2) and `meta`, as `warp` makes."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from app.export import FORMATS
from app.export.kit.noise_format import F32, NoiseFile, Sink, noise_format
from app.export.kit.noise_reading import read_arrays

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every member, so that the same noise gives the same bytes."""


@contextmanager
def _create(path: Path, axes: str, shape: tuple[int, ...], meta: str) -> Iterator[Sink]:
    frames, _, height, width = shape
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        noise = _member(archive, "noise", "<f4", shape)

        def put(index: int, frame: F32) -> None:
            noise.write(np.ascontiguousarray(frame, "<f4").tobytes())

        def finish(undefined: npt.NDArray[np.bool_], backward: Iterable[F32]) -> None:
            noise.close()
            with _member(archive, "undefined", "|b1", undefined.shape) as member:
                member.write(undefined.tobytes())
            with _member(archive, "backward", "<f4", (frames - 1, height, width, 2)) as member:
                for flow in backward:
                    member.write(np.ascontiguousarray(flow, "<f4").tobytes())
            with _member(archive, "meta", f"<U{len(meta)}", ()) as member:
                member.write(np.array(meta).astype(f"<U{len(meta)}").tobytes())

        try:
            yield Sink(put, finish)
        finally:
            noise.close()  # zipfile cannot close the archive, not even after an error, while a member is open


def _member(archive: zipfile.ZipFile, name: str, kind: str, shape: tuple[int, ...]) -> IO[bytes]:
    """An open member NAME.npy with its header written."""
    member = archive.open(zipfile.ZipInfo(f"{name}.npy", EPOCH), "w", force_zip64=True)
    np.lib.format.write_array_header_1_0(member, {"descr": kind, "fortran_order": False, "shape": shape})
    return member


FORMATS.add("npz", order=10)(
    noise_format(
        NoiseFile(
            "NumPy archive",
            ".npz",
            "Arrays noise (T,C,H,W), undefined (T,H,W), backward (T-1,H,W,2) and the settings as JSON in meta.",
            _create,
            read_arrays,
            fixed_axes="TCHW",
            with_motion=True,
        )
    )
)
