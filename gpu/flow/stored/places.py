"""Which files a path stands for: itself, the flow files of a folder, or those of folders in it that are named for a direction
or a component."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from gpu import sequences
from gpu.errors import FlowError
from gpu.flow.formats import FORMATS, endings
from gpu.flow.stored import names
from gpu.sequences import Listing
from gpu.sequences.order import left_out_note

WHAT = "flow file"
DEEP = 3  # folders within folders: forward/u
PICTURES = (".png", ".exr")  # endings that pictures have as well as flow


@dataclass(frozen=True)
class Place:
    """A file, and the names around it, nearest first: its own without the ending, then those of folders below what was given
    and that of what was given. `listing` is what it was found in, None where it was given itself."""

    path: Path
    around: tuple[str, ...]
    listing: Listing | None = None


def find(path: Path) -> tuple[list[Place], list[str]]:
    """The files of `path`, a file, folder or pattern (gpu.sequences), in no order yet, and what was passed over, in words.
    FlowError when there is none."""
    if path.is_dir():
        notes: list[str] = []
        places = _in_folder(path, (path.absolute().name,), notes, DEEP)
        if not places:
            raise FlowError(f"The folder {path} holds no flow files; expected {endings()} files.")
        return places, notes
    if sequences.is_pattern(path):
        listing = sequences.list_files(path, _suffixes(), WHAT, FlowError)
        return _listed(listing, (listing.folder.absolute().name,))
    if not path.exists():
        raise FlowError(f"There is no flow file {path}.")
    return [Place(path, (path.stem,))], []


def partner(path: Path) -> Path | None:
    """The file or folder beside `path` that should hold the other component, if it is there."""
    stem = path.name if path.is_dir() else path.stem
    other = names.partner_of(stem)
    beside = path.absolute().with_name(other + ("" if path.is_dir() else path.suffix)) if other else None
    return beside if beside is not None and beside.exists() else None


def _suffixes() -> tuple[str, ...]:
    return tuple(kind.suffix for _, kind in FORMATS.items())


def _in_folder(folder: Path, around: tuple[str, ...], notes: list[str], deep: int) -> list[Place]:
    inside = [item for item in sorted(folder.iterdir()) if not item.name.startswith(".")]
    if any(item.is_file() and item.suffix.lower() in _suffixes() for item in inside):
        places, said = _listed(sequences.list_files(folder, _suffixes(), WHAT, FlowError), around)
        notes += said
        return places
    places = []
    for item in inside:
        if item.is_dir() and deep > 1 and (names.directions_in(item.name) or names.component_of(item.name)):
            places += _in_folder(item, (item.name, *around), notes, deep - 1)
    return places


def _listed(listing: Listing, around: tuple[str, ...]) -> tuple[list[Place], list[str]]:
    """The files of a listing, without pictures that lie beside the flow, and what was left out."""
    where = sequences.shown(listing.folder)
    kept, pictures = _without_pictures(listing)
    kinds = sorted({os.path.splitext(name)[1].lower() for name in kept})
    if len(kinds) > 1:
        first = [next(name for name in kept if name.lower().endswith(kind)) for kind in kinds]
        raise FlowError(f"The folder {where} mixes flow files of several formats: {', '.join(first)}; expected one.")
    left_out = (*listing.left_out, *pictures)
    notes = left_out_note(left_out, where)
    return [Place(listing.folder / name, (os.path.splitext(name)[0], *around), listing) for name in kept], notes


def _without_pictures(listing: Listing) -> tuple[list[str], list[str]]:
    """Flow files, and pictures that lie beside them: where other formats are there, a .png of 8 bits is a frame."""
    if all(name.lower().endswith(PICTURES) for name in listing.names):
        return list(listing.names), []
    frames = [
        name for name in listing.names if name.lower().endswith(".png") and not _holds_vectors(listing.folder / name)
    ]
    return [name for name in listing.names if name not in frames], frames


def _holds_vectors(png: Path) -> bool:
    """Whether a PNG has 16 bits and colours, as KITTI's flow has (bytes 24 and 25 of its header)."""
    with png.open("rb") as file:
        return file.read(26)[24:26] == b"\x10\x02"
