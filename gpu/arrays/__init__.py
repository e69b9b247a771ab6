"""Files of named arrays: .npy, .npz, .pt, .safetensors and .latent behind one reader, each array read when it is asked for.

No size that a file claims is believed before it is bounded, no code in a file is run, and nothing is mapped into memory:
a file that is cut while it is read gives a sentence.

    with open_arrays(path, FlowError) as arrays:
        print({name: (array.shape, array.dtype) for name, array in arrays.items()})
        first = arrays["backward"].read(0, 2)  # the first two along axis 0, without reading the others
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from gpu.arrays import npy, safetensors, torch_file, zip_file
from gpu.arrays.array import Array
from gpu.arrays.contents import Contents, Reader
from gpu.arrays.source import Bytes, DamageError, File, said
from gpu.errors import NoisescopeError

__all__ = ["Array", "Arrays", "open_arrays"]


class Arrays(Mapping[str, Array]):
    """The arrays of one file by name, in the file's order; to be closed, as by `with`. From `open_arrays`.

    The one array of a .npy, or a lone tensor of a .pt, is named "". Tensors of nested dictionaries and lists have dotted
    names: "state.0.weight". `kind` says in words what the file is; `others` names what is there but is no array, with what
    it is.
    """

    def __init__(self, path: Path, kind: str, file: File, contents: Contents, error: type[NoisescopeError]) -> None:
        self.path, self.kind, self.others = path, kind, contents.others
        self._file, self._error = file, error
        self._arrays = contents.arrays
        self._texts = contents.texts

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def text(self, name: str) -> str:
        """A string that the file holds by this name, as metadata or beside the arrays; "" where there is none."""
        with said(self.path, self._error, self.kind):
            made = self._texts.get(name)
            return made() if made else ""

    def close(self) -> None:
        """Close the file; arrays of it cannot be read any more."""
        self._file.close()

    def __enter__(self) -> Arrays:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def open_arrays(path: str | os.PathLike[str], error: type[NoisescopeError] = NoisescopeError) -> Arrays:
    """The arrays of a file: .npy, .npz, .pt (zip and torch's older format), .safetensors, .latent. Content says which.

    `error` is the type of what is raised, here and by the arrays, for a file that is missing, damaged, none of these,
    or that holds Python objects.

    >>> import numpy as np, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(Path(folder) / "flow.npz", forward=np.zeros((3, 4, 6, 2), np.float16), fps=8.0)
    ...     with open_arrays(Path(folder) / "flow.npz") as arrays:
    ...         [(name, array.shape, array.dtype.name) for name, array in arrays.items()]
    ...         arrays["forward"].read(1, 2).shape
    [('forward', (3, 4, 6, 2), 'float16'), ('fps', (), 'float64')]
    (1, 4, 6, 2)
    """
    place = Path(path)
    with ExitStack() as opened:
        with said(place, error, "a file of arrays"):
            file = File(place)
            opened.callback(file.close)
            kind, read = _reader(file, place)
        with said(place, error, kind):
            contents = read(file, lambda: said(place, error, kind))
        opened.pop_all()
        return Arrays(place, kind, file, contents, error)


def _reader(file: File, path: Path) -> tuple[str, Reader]:
    """What a file is in words, and what reads it, from its first bytes."""
    start = Bytes(file, 0, file.size).take(0, min(40, file.size))
    if start.startswith(npy.MAGIC):
        return "a NumPy array (.npy)", npy.contents
    if start.startswith((b"PK\3\4", b"PK\5\6")):
        archive = zip_file.Archive(file)
        if any(name.split("/")[-1] == "data.pkl" for name in archive):
            return "a PyTorch file (.pt)", partial(torch_file.of_zip, archive)
        return "a NumPy archive (.npz)", partial(npy.of_zip, archive)
    if torch_file.is_old(start):
        return "a PyTorch file (.pt, old format)", torch_file.contents
    if safetensors.fits(start):
        return "a safetensors file", safetensors.contents
    if not file.size:
        raise DamageError("it is empty")
    if path.suffix.lower() in (".pt", ".pth", ".ckpt", ".bin") and start[:1] == b"\x80":
        raise DamageError("it is a bare pickle, which can run code when it is read; save a tensor with torch.save")
    raise DamageError("its first bytes are those of no .npy, .npz, .pt or .safetensors file")
