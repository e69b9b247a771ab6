"""Who owns a cell that several outlines cover, on any torch device: the rules of gpu.noise.contested_compiled.

Edges that two linked pixels share cancel; all others, each with its own outline's orientation, are crossings of rows, sorted,
and counting along them gives how many outlines cover each cell. Stretches of more than one are contested: there every outline
that covers a cell bids for it, the smallest rank and then the first pixel wins. Cells of an anchor's rows have one number, so
that all anchors are worked on at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from gpu.noise.crossings import column, first_row
from gpu.noise.outlines import KEEPS, NONE, SNAP_BITS, TANGLED, Outlines

WORK = 1 << 19
"""Crossings looked at at once, and cells bid for."""

FAR = 1 << 30  # of columns: nothing is there


@dataclass(frozen=True)
class Spans:
    """Stretches of cells, (n,) int64 each: `pixel` (flat index) whose they are, the row, the first column and the column after
    the last."""

    pixel: torch.Tensor
    row: torch.Tensor
    first: torch.Tensor
    after: torch.Tensor

    def of(self, chosen: torch.Tensor | slice) -> Spans:
        """Those that are `chosen`, (n,) bool, or by number."""
        return Spans(self.pixel[chosen], self.row[chosen], self.first[chosen], self.after[chosen])


@dataclass(frozen=True)
class Frame:
    """Outlines of a frame at one level. By flat index: `kind` (n,) with NONE where pixels are left out, `label` (n,) int64, and
    (n, 2) int64 the boxes that outlines cover, `low` and `high`. Their anchors have `rows` x `columns` cells."""

    outlines: Outlines
    kind: torch.Tensor
    label: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    k: int
    rows: int
    columns: int

    def edge(self, v: int, pixel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """Ends (x0, y0, x1, y1), int64, of the edges from vertex v on of the pixels (n,)."""
        ends = self.outlines.ends(v)
        return tuple(end.reshape(-1)[pixel].to(torch.int64) for end in ends)  # type: ignore[return-value]

    def touched(self, pixel: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(n,) the first row that the outlines of pixels may cover, and the one after the last."""
        first = first_row(self.low[pixel, 1]).clamp(min=0)
        return first, first_row(self.high[pixel, 1]).clamp(max=self.rows)

    def number(self, pixel: torch.Tensor, row: torch.Tensor, column_: torch.Tensor) -> torch.Tensor:
        """Of cells, and of what lies after the last of a row, among all anchors."""
        return (self.label[pixel] * self.rows + row) * (self.columns + 1) + column_


def frame(outlines: Outlines, label: torch.Tensor, kind: torch.Tensor, k: int) -> Frame:
    """Outlines of the pixels of which `kind` (H, W) is not NONE, with `label` (H, W)."""
    height, width = label.shape
    x, y = outlines.planes[:, 0], outlines.planes[:, 1]
    low, high = torch.stack([x.amin(0), y.amin(0)], -1), torch.stack([x.amax(0), y.amax(0)], -1)
    tangled = (kind == TANGLED)[..., None]  # triangles to the centre, which may lie outside of its sides
    low = torch.where(tangled, torch.minimum(low, outlines.centre), low)
    high = torch.where(tangled, torch.maximum(high, outlines.centre), high)
    return Frame(
        outlines, kind.reshape(-1), label.reshape(-1).to(torch.int64), low.view(-1, 2).to(torch.int64),
        high.view(-1, 2).to(torch.int64), k, height << k, width << k,
    )  # fmt: skip


def numbered(times: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """For things that are repeated `times` (n,): which it is, and the how manieth of it."""
    which = torch.repeat_interleave(torch.arange(len(times), device=times.device), times)
    return which, torch.arange(len(which), device=times.device) - (times.cumsum(0) - times)[which]


def parts(times: torch.Tensor) -> Iterator[slice]:
    """Of n things that make so many each: as many at once as make about WORK."""
    if not len(times):
        return
    ends = torch.searchsorted(times.cumsum(0), torch.arange(WORK, int(times.sum()) + WORK, WORK, device=times.device))
    start = 0
    for end in [*ends[:-1].tolist(), len(times)]:
        end = min(max(end, start + 1), len(times))
        if end > start:
            yield slice(start, end)
        start = end


def spans_in_rows(frame: Frame, pixel: torch.Tensor, row: torch.Tensor) -> Spans:
    """What the outlines of pixels (n,) cover in rows (n,): in order and apart."""
    tangled = frame.kind[pixel] == TANGLED
    plain, bent = torch.nonzero(~tangled)[:, 0], torch.nonzero(tangled)[:, 0]
    parts = []
    for chosen, of in ((plain, _of_outline), (bent, _of_triangles)):
        if len(chosen):
            first, after = of(frame, pixel[chosen], row[chosen])
            at, which = torch.nonzero(first < after, as_tuple=True)
            parts.append(Spans(pixel[chosen][at], row[chosen][at], first[at, which], after[at, which]))
    return _joined(parts, pixel)


def _joined(parts: list[Spans], like: torch.Tensor) -> Spans:
    if not parts:
        nothing = like.new_zeros(0)
        return Spans(nothing, nothing, nothing, nothing)
    return Spans(
        torch.cat([part.pixel for part in parts]), torch.cat([part.row for part in parts]),
        torch.cat([part.first for part in parts]), torch.cat([part.after for part in parts]),
    )  # fmt: skip


def _crossed(
    frame: Frame, x0: torch.Tensor, y0: torch.Tensor, x1: torch.Tensor, y1: torch.Tensor, row: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which edges cross a row, and where."""
    up = y1 < y0
    x0, x1 = torch.where(up, x1, x0), torch.where(up, x0, x1)
    y0, y1 = torch.where(up, y1, y0), torch.where(up, y0, y1)
    crosses = (first_row(y0) <= row) & (row < first_row(y1))
    at = column(x0, y0, x1, torch.where(crosses, y1, y0 + 1), torch.where(crosses, row, first_row(y0)))
    return crosses, at.clamp(0, frame.columns)


def _of_outline(frame: Frame, pixel: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, m / 2) begins and ends between crossings, two by two."""
    places = []
    for v in range(len(frame.outlines.planes)):
        crosses, at = _crossed(frame, *frame.edge(v, pixel), row)
        places.append(torch.where(crosses, at, FAR))
    ordered = torch.stack(places, 1).sort(1).values
    return ordered[:, ::2], ordered[:, 1::2]


def _of_triangles(frame: Frame, pixel: torch.Tensor, row: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, m) begins and ends of the union of the triangles between the centre and the sides."""
    centre = frame.outlines.centre.view(-1, 2)[pixel].to(torch.int64)
    cx, cy = centre[:, 0], centre[:, 1]
    begins, ends = [], []
    for v in range(len(frame.outlines.planes)):
        x0, y0, x1, y1 = frame.edge(v, pixel)
        low, high = torch.full_like(cx, FAR), torch.full_like(cx, -FAR)
        for side in ((x0, y0, x1, y1), (x1, y1, cx, cy), (cx, cy, x0, y0)):
            crosses, at = _crossed(frame, *side, row)
            low = torch.where(crosses, torch.minimum(low, at), low)
            high = torch.where(crosses, torch.maximum(high, at), high)
        begins.append(low)
        ends.append(high)
    first, order = torch.stack(begins, 1).sort(1)
    after = torch.stack(ends, 1).gather(1, order)
    reached = after[:, 0]
    for v in range(1, after.shape[1]):  # what triangles before have covered already; mps has no cummax
        first[:, v] = torch.maximum(first[:, v], reached)
        reached = torch.maximum(reached, after[:, v])
    return first, after


def tangled(frame: Frame) -> Spans:
    """What TANGLED outlines cover, which their edges alone do not tell."""
    return covered(frame, torch.nonzero(frame.kind == TANGLED)[:, 0])


def covered(frame: Frame, pixel: torch.Tensor) -> Spans:
    """What the outlines of pixels (n,) cover."""
    return _joined([spans_in_rows(frame, *pair) for pair in _rows_of(frame, pixel)], pixel)


def _rows_of(frame: Frame, pixel: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Pairs of pixels and rows that their outlines may cover."""
    first, after = frame.touched(pixel)
    times = (after - first).clamp(min=0)
    for part in parts(times):
        which, number = numbered(times[part])
        yield pixel[part][which], first[part][which] + number


def _crossings(frame: Frame) -> tuple[torch.Tensor, torch.Tensor]:
    """Where stretches that outlines cover begin and end, but for edges that cancel: the numbers of the cells, and 1 or -1."""
    numbers, signs = [], []
    side = len(frame.outlines.planes) // 4
    plain = (frame.kind != NONE) & (frame.kind != TANGLED)
    pixels, edges = [], []
    for which, linked in enumerate(frame.outlines.linked()):
        free = torch.nonzero(plain & ~linked.reshape(-1))[:, 0]
        for v in range(which * side, (which + 1) * side):
            pixels.append(free)
            edges.append(torch.stack(frame.edge(v, free)))
    pixel, ends = torch.cat(pixels), torch.cat(edges, 1)
    begin = first_row(torch.minimum(ends[1], ends[3])).clamp(min=0)
    times = (first_row(torch.maximum(ends[1], ends[3])).clamp(max=frame.rows) - begin).clamp(min=0)
    starts = (ends[3] < ends[1]) == (frame.kind[pixel] == KEEPS)  # a left side, on the screen
    for part in parts(times):
        at, number = numbered(times[part])
        row = begin[part][at] + number
        x0, y0, x1, y1 = ends[:, part][:, at]
        numbers.append(frame.number(pixel[part][at], row, _crossed(frame, x0, y0, x1, y1, row)[1]))
        signs.append(torch.where(starts[part][at], 1, -1))
    bent = tangled(frame)
    numbers += [frame.number(bent.pixel, bent.row, place) for place in (bent.first, bent.after)]
    signs += [torch.ones_like(bent.first), -torch.ones_like(bent.first)]
    return torch.cat(numbers), torch.cat(signs)


def stretches(
    frame: Frame, spent: tuple[torch.Tensor, torch.Tensor] | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The numbers of cells (n,) that begin stretches that several outlines cover, and (n,) of what comes after them, ascending.
    Those that are `spent`, likewise, count as contested whoever covers them."""
    numbers, signs = _crossings(frame)
    if spent is not None:
        numbers = torch.cat([numbers, *spent])
        signs = torch.cat([signs, torch.full_like(spent[0], 2), torch.full_like(spent[1], -2)])
    if not len(numbers):
        return numbers, numbers
    numbers, order = numbers.sort()
    depth = signs[order].cumsum(0)
    last = torch.ones_like(numbers, dtype=torch.bool)  # of all that begins or ends at one cell
    last[:-1] = numbers[1:] != numbers[:-1]
    numbers, many = numbers[last], depth[last] > 1
    before = torch.zeros_like(many)
    before[1:] = many[:-1]
    return numbers[many & ~before], numbers[before & ~many]


def lost(frame: Frame, rank: torch.Tensor, spent: tuple[torch.Tensor, torch.Tensor] | None = None) -> Spans:
    """What outlines cover and others own, or nobody may: of contested cells the smallest `rank` (n,) int32 wins, then the first
    pixel, and of cells that are `spent`, (m,) numbers of the first and of what comes after the last, nobody."""
    first, after = stretches(frame, spent)
    nothing = _joined([], first)
    if not len(first):
        return nothing
    claimed = _joined(list(_claimed(frame, first, after)), first)
    lengths = after - first
    offset = lengths.cumsum(0) - lengths
    bids = torch.full((int(lengths.sum()),), torch.iinfo(torch.int64).max, dtype=torch.int64, device=first.device)
    if spent is not None:
        at = torch.searchsorted(first, spent[0], right=True) - 1
        which, number = numbered(spent[1] - spent[0])
        bids[(offset[at] + spent[0] - first[at])[which] + number] = -1
    bid = (rank.reshape(-1).to(torch.int64)[claimed.pixel] << 32) | claimed.pixel
    begin = frame.number(claimed.pixel, claimed.row, claimed.first)
    at = torch.searchsorted(first, begin, right=True) - 1  # every span lies within a stretch
    place, length = offset[at] + begin - first[at], claimed.after - claimed.first
    for part in parts(length):
        which, number = numbered(length[part])
        bids.scatter_reduce_(0, place[part][which] + number, bid[part][which], reduce="amin")
    given = []
    for part in parts(length):
        which, number = numbered(length[part])
        gone = bids[place[part][which] + number] != bid[part][which]
        # Cells side by side go as one.
        new = torch.ones_like(gone)
        new[1:] = ~gone[:-1] | (which[1:] != which[:-1])
        end = torch.ones_like(gone)
        end[:-1] = ~gone[1:] | (which[1:] != which[:-1])
        some = claimed.of(part)
        begins, ends = torch.nonzero(gone & new)[:, 0], torch.nonzero(gone & end)[:, 0]
        whose = which[begins]
        given.append(
            Spans(
                some.pixel[whose], some.row[whose], some.first[whose] + number[begins], some.first[whose] + number[ends] + 1
            )
        )  # fmt: skip
    return _joined(given, first)


def _claimed(frame: Frame, first: torch.Tensor, after: torch.Tensor) -> Iterator[Spans]:
    """What outlines cover of stretches of cells, by their numbers."""
    for pixel, row in _rows_of(frame, _near(frame, first, after)):
        left = (frame.low[pixel, 0] >> SNAP_BITS).clamp(0, frame.columns)
        right = ((frame.high[pixel, 0] >> SNAP_BITS) + 1).clamp(0, frame.columns)
        meets = _overlaps(frame.number(pixel, row, left), frame.number(pixel, row, right), first, after)[1] > 0
        covered = spans_in_rows(frame, pixel[meets], row[meets])
        begin = frame.number(covered.pixel, covered.row, covered.first)
        end = frame.number(covered.pixel, covered.row, covered.after)
        at, times = _overlaps(begin, end, first, after)
        which, number = numbered(times)
        stretch = at[which] + number
        start = torch.maximum(begin[which], first[stretch]) - begin[which]
        stop = torch.minimum(end[which], after[stretch]) - begin[which]
        whole = covered.of(which)
        yield Spans(whole.pixel, whole.row, whole.first + start, whole.first + stop)


def _overlaps(
    begin: torch.Tensor, end: torch.Tensor, first: torch.Tensor, after: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The first of the stretches that overlap [begin, end) (n,), and how many do."""
    at = torch.searchsorted(after, begin, right=True)
    return at, (torch.searchsorted(first, end) - at).clamp(min=0)


def source_pixels(frame: Frame, first: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The pixels of anchors, ascending (label H + y) W + x, that stretches of cells lie in."""
    k, height, width = frame.k, frame.rows >> frame.k, frame.columns >> frame.k
    line, at = first // (frame.columns + 1), first % (frame.columns + 1)
    row = line // frame.rows * height + (line % frame.rows >> k)
    left, right = at >> k, (at + (after - first) - 1) >> k
    which, number = numbered(right - left + 1)
    names: torch.Tensor = torch.unique((row * width + left)[which] + number)
    return names


def _near(frame: Frame, first: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
    """The pixels whose boxes touch a pixel of their anchor that stretches lie in."""
    k, height, width = frame.k, frame.rows >> frame.k, frame.columns >> frame.k
    names = source_pixels(frame, first, after)
    pixel = torch.nonzero(frame.kind != NONE)[:, 0]
    begin, end = frame.touched(pixel)
    begin, end = begin >> k, ((end - 1) >> k) + 1
    times = (end - begin).clamp(min=0)
    x_low = ((frame.low[pixel, 0] >> SNAP_BITS) >> k).clamp(0, width - 1)
    x_high = ((frame.high[pixel, 0] >> SNAP_BITS) >> k).clamp(0, width - 1)
    near = []
    for part in parts(times):
        which, number = numbered(times[part])
        base = (frame.label[pixel[part]][which] * height + begin[part][which] + number) * width
        inside = torch.searchsorted(names, base + x_high[part][which], right=True) > torch.searchsorted(
            names, base + x_low[part][which]
        )
        near.append(pixel[part][torch.unique_consecutive(which[inside])])
    return torch.cat(near) if near else pixel[:0]
