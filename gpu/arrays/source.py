"""Bytes of a file that is not trusted: ranges of it, plain or inflated, with sizes checked before anything is allocated."""

from __future__ import annotations

import io
import os
import stat
import struct
import threading
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from gpu.errors import NoisescopeError
from gpu.files import byte_text, reason

SMALL = 16 << 20
"""Bytes that a header or a description may have: those of the largest models have less than 1 MB."""

SWOLLEN = 100
"""How many times smaller than its array a file may be before LARGE is asked; deflate makes noise smaller by a tenth."""

LARGE = 512 << 20
"""Bytes that an array of a file so small may take."""

_CHUNK = 1 << 20
_STREAMS = 64  # states of an inflating stream to keep: a video with its channels first needs one a channel
_NEAR = 1 << 18  # a state is carried on over a gap of so many bytes, and copied for a larger one

_FAULTS = (
    ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, NotImplementedError, RuntimeError,
    SyntaxError, TypeError, ValueError, struct.error, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error,
)  # fmt: skip
"""What a parser raises about bytes that make no sense: OverflowError, UnicodeError, RecursionError are among them."""


class DamageError(Exception):
    """What is wrong with a file, as the end of a sentence that begins with its name; `said` makes the sentence."""


@contextmanager
def said(path: Path, error: type[NoisescopeError], kind: str) -> Iterator[None]:
    """Whatever goes wrong with the file `path`, read as `kind`, as a sentence of type `error`."""
    try:
        yield
    except NoisescopeError:
        raise
    except DamageError as problem:
        why = str(problem)
    except MemoryError:
        why = "it does not fit into memory"
    except OSError as problem:
        why = reason(problem)
    except _FAULTS as problem:
        text = str(problem).strip().splitlines()
        why = f"it is damaged ({text[0].rstrip('.')[:200] if text else type(problem).__name__})"
    else:
        return
    raise error(f"The file {path} cannot be read as {kind}: {why}.")


def check_room(size: int, held: int) -> None:
    """DamageError when an array of `size` bytes that a file holds in `held` cannot be taken into memory."""
    if size > LARGE and size > SWOLLEN * held:
        raise DamageError(f"an array of {byte_text(size)} in {byte_text(held)} of the file is more than is unpacked")
    free = available()
    if free is not None and size > free:
        raise DamageError(f"it needs {byte_text(size)} of memory, and {byte_text(free)} are free")


def available() -> int | None:
    """Bytes of memory that can be had, where the system tells (Linux)."""
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            for line in lines:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return None


class File:
    """An open regular file, read by position. OSError or DamageError for what cannot be opened."""

    def __init__(self, path: Path) -> None:
        try:
            if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for ever
                raise DamageError("it is a folder" if os.path.isdir(path) else "it is no regular file")
        except ValueError as problem:  # a null character
            raise DamageError(str(problem)) from None
        self._file = open(path, "rb", buffering=0)  # noqa: SIM115 (closed by close)
        self._lock = threading.Lock()
        self._state = self._told()
        self.size = self._state[0]

    def _told(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns

    def into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` with the bytes from `offset`; DamageError when the file ends before, or is another by now."""
        with self._lock:
            self._file.seek(offset)
            filled = 0
            while filled < len(buffer):
                count = self._file.readinto(buffer[filled : filled + (64 << 20)])
                if not count:
                    break
                filled += count
            if self._told() != self._state:
                raise DamageError("it was changed while it was read")
        if filled < len(buffer):
            raise DamageError("it ends too early")

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:  # whoever keeps an array keeps the file, and lets both go
        if hasattr(self, "_file"):
            self._file.close()


class Source(Protocol):
    """A range of bytes. `size` is how many there are, `held` how many of the file they take."""

    size: int
    held: int

    def into(self, offset: int, buffer: memoryview) -> None:
        """Fill `buffer` with the bytes from `offset` on, which lie within `size`."""
        ...


class Bytes:
    """The bytes `start` to `start + size` of a file. DamageError where they reach beyond its end."""

    def __init__(self, file: File, start: int, size: int) -> None:
        if start < 0 or size < 0 or start + size > file.size:
            raise DamageError(f"it says that it has {byte_text(max(start + size, 0))}, and has {byte_text(file.size)}")
        self._file, self._start, self.size, self.held = file, start, size, size

    def into(self, offset: int, buffer: memoryview) -> None:
        self._file.into(self._start + offset, buffer)

    def take(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset`, for headers: DamageError beyond SMALL or the end."""
        return take(self, offset, size)


class Inflated:
    """What the deflated bytes `start` to `start + held` of a file unpack to; `size` is what the archive says of it.

    Reads forward from where an earlier read stood, so that frames in their order cost one pass, whatever lies first.
    """

    def __init__(self, file: File, start: int, held: int, size: int) -> None:
        self._packed = Bytes(file, start, held)
        if size > 1040 * held + 64:  # deflate writes 258 bytes with two bits at best (RFC 1951)
            raise DamageError(f"it says that {byte_text(held)} unpack to {byte_text(size)}, which cannot be")
        self.held, self.size = held, size
        self._streams: list[_Stream] = []

    def into(self, offset: int, buffer: memoryview) -> None:
        stream = self._stream(offset)
        stream.skip(offset - stream.at)
        filled = 0
        while filled < len(buffer):
            part = stream.step(len(buffer) - filled)
            buffer[filled : filled + len(part)] = part
            filled += len(part)

    def _stream(self, offset: int) -> _Stream:
        """A stream at or before `offset`, the last of the list, which is the one used last."""
        before = [stream for stream in self._streams if stream.at <= offset]
        nearest = max(before, key=lambda stream: stream.at, default=None)
        if nearest is None:
            stream = _Stream(self._packed, zlib.decompressobj(-15))
        elif offset - nearest.at > _NEAR:
            stream = nearest.copy()
        else:
            stream = nearest
            self._streams.remove(nearest)
        self._streams = [*self._streams[1 - _STREAMS :], stream]
        return stream


class _Stream:
    """The state of inflating: `at` bytes have come out."""

    def __init__(self, packed: Bytes, state: zlib._Decompress, taken: int = 0, at: int = 0) -> None:
        self._packed, self._state, self._taken, self.at = packed, state, taken, at

    def copy(self) -> _Stream:
        return _Stream(self._packed, self._state.copy(), self._taken, self.at)

    def skip(self, count: int) -> None:
        while count > 0:
            count -= len(self.step(count))

    def step(self, limit: int) -> bytes:
        """1 to `limit` bytes (at most 1 MB of them); DamageError at the end."""
        while True:
            data = self._state.unconsumed_tail
            if not data:
                data = self._packed.take(self._taken, min(_CHUNK >> 4, self._packed.size - self._taken))
                self._taken += len(data)
            part = self._state.decompress(data, min(limit, _CHUNK))
            if part:
                self.at += len(part)
                return part
            if self._state.eof or not data:
                raise DamageError("what is packed in it ends too early")


def take(source: Source, offset: int, size: int) -> bytes:
    """`size` bytes of a source from `offset`, for headers: DamageError beyond SMALL or its end."""
    if offset < 0 or size < 0 or offset + size > source.size:
        raise DamageError("it ends too early")
    if size > SMALL:
        raise DamageError(f"it has a header of {byte_text(size)}")
    out = bytearray(size)
    source.into(offset, memoryview(out))
    return bytes(out)


class Reading(io.RawIOBase):
    """A file for libraries that read from one: by position, never more than SMALL at once."""

    def __init__(self, file: File) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._file.size}[whence]
        if base + offset < 0:
            raise ValueError("a negative place in the file")
        self._at = base + offset
        return self._at

    def read(self, size: int = -1) -> bytes:
        left = max(self._file.size - self._at, 0)
        count = left if size < 0 else min(size, left)
        data = Bytes(self._file, self._at, count).take(0, count) if count else b""
        self._at += count
        return data
