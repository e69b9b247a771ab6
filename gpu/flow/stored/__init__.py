"""What files and folders hold of optical flow: whose direction it is, in which layout and units, read a field at a time.

    with open_flows("both.npz") as flows:
        flows.backward[3]      # (H, W, 2) in stored units: gpu.flow.stored.units

Rules, the first that says something decides:
- Direction: the array's own name, the file's, that of the folder; pairs of frames in the files' names, where both orders are
  there (0_1 and 1_0) or it is said (0_to_1); then what is asked for; pairs of frames in one order; then backward.
- Which array: `key`; those whose names say a direction; one whose name speaks of flow; the only one of a flow's shape; else
  it is asked for.
- Layout: `layout`; the first of gpu.flow.stored.layouts.VECTORS that fits the shape.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from gpu import sequences
from gpu.flow.stored.assembling import assemble
from gpu.flow.stored.fields import Fields
from gpu.flow.stored.files import Files, said
from gpu.flow.stored.names import Direction
from gpu.flow.stored.places import find

F32 = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Flows:
    """Flow of one direction or of both, in the units it is stored in; to be closed, as by `with`. From `open_flows`.

    `named`: whether names, rather than the caller, say the direction. `pixels`: whether the vectors are known to be in pixels.
    `by_frame`: a field belongs to a frame, see gpu.flow.formats.Contents. `taken` says in words which arrays and layout were
    read, `notes` what a person should know.
    """

    path: str
    backward: Fields | None
    forward: Fields | None
    named: bool
    pixels: bool
    by_frame: bool
    taken: str
    notes: tuple[str, ...]
    files: Files

    @property
    def directions(self) -> tuple[Direction, ...]:
        """Those that are there."""
        said: tuple[tuple[Direction, Fields | None], ...] = (("backward", self.backward), ("forward", self.forward))
        return tuple(direction for direction, fields in said if fields is not None)

    @property
    def fields(self) -> Fields:
        """Those of the backward flow, or of the forward flow where only that is there."""
        fields = self.backward if self.backward is not None else self.forward
        assert fields is not None
        return fields

    def close(self) -> None:
        self.files.close()

    def __enter__(self) -> Flows:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_flows(path: str | os.PathLike[str], direction: str = "auto", layout: str = "", key: str = "") -> Flows:
    """The flow of a file, or of a folder of files. `direction` is used where names say none.

    FlowQuestion where it could be read in several ways; FlowError for what is missing, not known, damaged or of another shape.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     back, forth = np.full((1, 4, 6, 2), -7.0), np.full((1, 4, 6, 2), 7.0)
    ...     np.savez(Path(folder) / "both.npz", forward=forth, backward=back)
    ...     with open_flows(Path(folder) / "both.npz", "forward") as flows:
    ...         flows.directions, flows.backward[0][0, 0].tolist()
    (('backward', 'forward'), [-7.0, -7.0])
    """
    files = Files()
    try:
        with said(path):
            places, notes = find(Path(path))
            made = assemble(places, files, str(path), direction, layout, key)
        fields, more = dict(made.by_direction), ""
        if None in fields:
            likely = made.likely == "forward" and direction == "auto"
            fields["forward" if likely or direction == "forward" else "backward"] = fields.pop(None)
            if likely:
                more = (
                    f"The flow {sequences.shown(path)} is taken as forward: its names count from one frame to the next; "
                    "--flow-direction backward reads it as backward."
                )
        return Flows(
            str(path),
            fields.get("backward"),
            fields.get("forward"),
            None not in made.by_direction,
            made.pixels,
            made.by_frame,
            made.taken,
            (*notes, *made.notes, *([more] if more else [])),
            files,
        )
    except BaseException:
        files.close()
        raise


def read_flow(path: str | os.PathLike[str]) -> F32:
    """(N, H, W, 2) float32 backward flow, or forward flow where a file holds nothing else, in the units it is stored in.

    Errors as `open_flows`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(Path(folder) / "flow.npy", np.zeros((3, 2, 4, 6)))
    ...     read_flow(Path(folder) / "flow.npy").shape
    (3, 4, 6, 2)
    """
    with open_flows(path) as flows, said(path):
        return flows.fields.all()
