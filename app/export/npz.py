"""Noise as .npz: `noise` (T,C,H,W), `undefined` (T,H,W), `backward` (T-1,H,W,2) and `meta`, as `warp` makes."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from app.export import FORMATS, NoiseFileError, Stored
from app.export.kit.noise_format import F32, NoiseFile, Sink, noise_format, reading, stored

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


def _read(path: Path, axes: str) -> Stored:
    with reading(path, ".npz"), path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        name = "noise"
        if name not in archive.files:
            if len(archive.files) != 1:
                raise NoiseFileError(
                    f"The file {path} has no array `noise`, only {', '.join(archive.files) or 'nothing'}."
                )
            name = archive.files[0]
        meta = str(archive["meta"]) if "meta" in archive.files else ""
        array = _mapped_member(path, name)
        if array is None:
            array = archive[name]
    return stored(path, array, "", axes, meta)


def _mapped_member(path: Path, name: str) -> npt.NDArray[np.generic] | None:
    """An uncompressed member mapped into memory, so that long clips need not fit there; None when it is compressed.

    A member's data starts after its local header of 30 bytes, its name and its extra field (PKZIP APPNOTE 4.3.7).
    """
    with zipfile.ZipFile(path) as archive, path.open("rb") as file:
        if archive.testzip() is not None:
            raise NoiseFileError(f"The file {path} is damaged: the checksum of a member is wrong.")
        member = archive.getinfo(f"{name}.npy")
        if member.compress_type != zipfile.ZIP_STORED:
            return None
        file.seek(member.header_offset + 26)
        name_length, extra_length = struct.unpack("<HH", file.read(4))
        file.seek(name_length + extra_length, 1)
        version = np.lib.format.read_magic(file)
        read = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}.get(version)
        if read is None:
            return None
        shape, fortran_order, dtype = read(file)
        if dtype.hasobject or 0 in shape:
            return None
        return np.memmap(path, dtype, "r", file.tell(), shape, "F" if fortran_order else "C")


FORMATS.add("npz", order=10)(
    noise_format(
        NoiseFile(
            "NumPy archive",
            ".npz",
            "Arrays noise (T,C,H,W), undefined (T,H,W), backward (T-1,H,W,2) and the settings as JSON in meta.",
            _create,
            _read,
            fixed_axes="TCHW",
            with_motion=True,
        )
    )
)
