"""Times of a film's pictures that grow from one to the next, and how many of its pictures are missing.

Pictures come out of a decoder in the order they are shown in. Their times do not always: AVI stores no times of showing, files
that were joined begin anew at the join, and what is damaged tells wrong ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

JUMP = 10.0  # seconds that the clock of a broadcast may stand ahead; FFmpeg's program bridges the same (-dts_delta_threshold)
BROADCAST = ("mpegts", "mpeg")
"""Containers whose clock may be set anew anywhere (ISO/IEC 13818-1, discontinuity_indicator)."""

UNTIMED = ("h264", "hevc", "vc1", "vvc")
"""Codecs whose order of showing AVI does not tell: of others FFmpeg reads it off the pictures."""

CHUNK_HEADER = 8  # bytes of a chunk of RIFF before its data


class Clock:
    """Sets the times of packets before they are decoded, in the stream's time base, and those of the pictures they give."""

    def __init__(self, form: str, codec: str, index: Mapping[int, int], second: float) -> None:
        """`form` and `codec` as FFmpeg names them; `index`: of AVI, where in the file each chunk lies that its index lists, and
        the slot of time it fills; `second`: in the time base."""
        self._broadcast = form in BROADCAST
        self._ordered = form == "avi" and codec in UNTIMED
        self._index, self._second = index, second
        self._places = sorted(index)
        self._offset = 0
        self._next: int | None = None  # when the packet after this one is decoded, as this one's length tells
        self._last: int | None = None
        self._highest: int | None = None
        self._slots: list[int] = []
        self._read = self._passed = 0
        self.jumps = 0

    def stamp(self, packet: Any) -> None:
        """Set the times of the next packet of the file."""
        slot = self._index.get((packet.pos or 0) - CHUNK_HEADER) if self._index else None
        if slot is not None and packet.dts is not None:
            self._listed(packet.pos - CHUNK_HEADER)
            if packet.pts is not None:
                packet.pts += slot - packet.dts
            packet.dts = slot
        if self._ordered and packet.dts is not None:
            packet.pts = packet.dts
            heapq.heappush(self._slots, packet.dts)
        if packet.dts is not None and self._jumped(packet.dts, packet.pts):
            assert self._next is not None
            self._offset = self._next - packet.dts
            self.jumps += 1
        if self._offset:
            packet.pts = None if packet.pts is None else packet.pts + self._offset
            packet.dts = None if packet.dts is None else packet.dts + self._offset
        if packet.dts is not None:
            self._last = packet.dts
            self._next = packet.dts + (packet.duration or 1)
        if packet.pts is not None:
            self._highest = packet.pts if self._highest is None else max(self._highest, packet.pts)

    def _jumped(self, decoded: int, shown: int | None) -> bool:
        """Whether the clock was set anew: packets are stored in the order they are decoded in, so that time grows."""
        if self._last is None or self._next is None:
            return False
        if decoded + self._offset < self._last:
            return shown is None or self._highest is None or shown + self._offset <= self._highest
        return self._broadcast and decoded + self._offset > self._next + JUMP * self._second

    def _listed(self, place: int) -> None:
        """Count the chunks that the index lists up to this one."""
        self._read += 1
        while self._passed < len(self._places) and self._places[self._passed] <= place:
            self._passed += 1

    @property
    def left_out(self) -> int:
        """Pictures that the index lists before the packet just read, and that did not come out of the file."""
        return max(0, self._passed - self._read)

    def left_out_at_end(self) -> int:
        """The same of the whole file, read from its beginning."""
        return max(0, len(self._places) - self._read) if self._read else 0  # else its index is of another file

    def failed(self, packet: Any) -> None:
        """The packet gave no picture."""
        if self._ordered and packet.pts in self._slots:
            self._slots.remove(packet.pts)
            heapq.heapify(self._slots)

    def shown(self, picture: Any) -> int | None:
        """When the next picture that came out is shown."""
        if self._ordered and self._slots:
            return heapq.heappop(self._slots)
        return None if picture.pts is None else int(picture.pts)


class Count:
    """How many packets gave no frame. Their times tell which; where those of frames are not those of packets, only their
    numbers do."""

    def __init__(self) -> None:
        self.errors = self.lost = self._packets = self._frames = 0
        self._waiting: list[int] = []
        self._sent: set[int] = set()
        self._matching = True

    def sent(self, time: int | None) -> None:
        self._packets += 1
        if time is None:
            self._matching = False
        else:
            heapq.heappush(self._waiting, time)
            self._sent.add(time)

    def given(self, time: int | None) -> None:
        self._frames += 1
        if time not in self._sent:
            self._matching = False
        if not self._matching:
            self._waiting.clear()
            self._sent.clear()
            self.lost = self.errors
            return
        while self._waiting and time is not None and self._waiting[0] <= time:
            earlier = heapq.heappop(self._waiting)
            self._sent.discard(earlier)
            self.lost += earlier < time
        # Where every other packet gives nothing and none is broken, fields come in packets of their own.
        if not self.errors and self.lost > max(8, 0.4 * self._frames):
            self._matching = False
            self.lost = 0

    def at_end(self) -> int:
        """Frames that are missing when no more will come."""
        if self._matching:
            return self.lost + len(self._waiting)
        missing = max(0, self._packets - self._frames)
        return missing if self.errors or missing <= 2 else 0
