"""The members of a zip archive as sources of bytes, stored or deflated, with the sizes that the archive says checked."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping

from gpu.arrays.source import Bytes, DamageError, File, Inflated, Reading, Source

_METHODS = {9: "deflate64", 12: "bzip2", 14: "lzma", 93: "zstd"}


class Archive(Mapping[str, zipfile.ZipInfo]):
    """The members of an archive by name, folders left out; of two of one name the last counts."""

    def __init__(self, file: File) -> None:
        self._file = file
        with zipfile.ZipFile(Reading(file)) as archive:
            self._members = {member.filename: member for member in archive.infolist() if not member.is_dir()}

    def __getitem__(self, name: str) -> zipfile.ZipInfo:
        return self._members[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def source(self, name: str) -> Source:
        """The bytes of a member, which begin after its local header of 30 bytes, a name and a field (APPNOTE 4.3.7)."""
        member = self[name]
        head = Bytes(self._file, member.header_offset, 30).take(0, 30)
        if not head.startswith(b"PK\3\4"):
            raise DamageError(f"the header of its member {name!r} is damaged")
        if member.flag_bits & 1:
            raise DamageError(f"its member {name!r} is encrypted")
        start = member.header_offset + 30 + sum(struct.unpack_from("<HH", head, 26))
        if member.compress_type == zipfile.ZIP_DEFLATED:
            return Inflated(self._file, start, member.compress_size, member.file_size)
        if member.compress_type != zipfile.ZIP_STORED:
            method = _METHODS.get(member.compress_type, f"method {member.compress_type}")
            raise DamageError(f"its member {name!r} is packed by {method}; stored or deflated was expected")
        if member.compress_size != member.file_size:
            raise DamageError(f"its member {name!r} has two sizes")
        return Bytes(self._file, start, member.file_size)
