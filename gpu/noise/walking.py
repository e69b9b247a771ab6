"""Gathering by edges on any torch device: what every transported pixel owns of the fine field, added up.

The same cells for the same pixels as gpu.noise.edges finds with compiled code, and the same bits of noise: graphics cards take
this way, and the processor where numba is not installed. Anchors that a good part of the frame looks at have sums over their
whole rows at hand; of all others the source pixels that are looked at are added up together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch

from gpu import interrupt
from gpu.noise import contested, gathering, outlines, spent
from gpu.noise.contested import Frame, Spans, numbered, parts
from gpu.noise.crossings import Walk
from gpu.noise.gathering import Gathered, Purse
from gpu.noise.outlines import NONE, SNAP_BITS, TANGLED
from gpu.noise.prefix_sums import LANES, Patches, PrefixSums, Rows
from gpu.noise.spent import Cells
from gpu.noise.states import NEW, UNDEFINED
from gpu.noise.tracks import Track

WHOLE = 1 / 8
"""Anchors that this share of a frame looks at have sums over whole rows of their field."""

PIXELS = 1 << 15
"""On the processor so many pixels are walked around at once: what is written then stays in its caches."""

PATCH_CELLS = 1 << 22
"""Cells of single source pixels added up at once."""


@dataclass
class Totals:
    """What pixels own so far, by flat index: `total` (n, lanes) and `count` (n,), int32; sums wrap around."""

    total: torch.Tensor
    count: torch.Tensor


def ranks(error: torch.Tensor) -> torch.Tensor:
    """(H W,) int32 who goes first where pixels overlap: the forward-backward `error` (H, W) in steps of 1/64 pixel, up to
    255."""
    return torch.nan_to_num(error.reshape(-1) * 64, nan=255.0, posinf=255.0).clamp(0, 255).to(torch.int32)


def many(track: Track) -> list[int]:
    """The anchors that WHOLE of a frame or more are carried from."""
    moving = (track.state != NEW) & (track.state != UNDEFINED)
    anchors, looked = torch.unique(track.label[moving], return_counts=True)
    share: list[int] = anchors[looked >= WHOLE * moving.numel()].tolist()
    return share


def gather(
    track: Track,
    error: torch.Tensor,
    sums: PrefixSums,
    k: int,
    s: int,
    channels: int,
    levels: Mapping[int, int] | None = None,
    purse: Purse | None = None,
) -> Gathered:
    """Noise (C, H, W) of the transported pixels of a track, of unit variance, 0 where a pixel owns nothing, and how many cells
    they own, (H, W) int32: of level k, or of what `levels` says for an anchor. See gpu.noise.gathering.gather."""
    height, width = track.label.shape
    device = track.label.device
    moving = (track.state != NEW) & (track.state != UNDEFINED)
    noise = torch.zeros((channels, height, width), dtype=torch.float32, device=device)
    count = torch.zeros((height, width), dtype=torch.int32, device=device)
    spending: dict[int, Cells] = {}
    for level in sorted({k, *(levels or {}).values()}):
        here = moving
        if levels:
            finer = [anchor for anchor, its in levels.items() if its == level or level == k]
            inside = torch.isin(track.label, torch.tensor(finer, dtype=track.label.dtype, device=device))
            here = moving & (~inside if level == k else inside)
        owned = torch.zeros_like(count)
        if not bool(here.any()):
            continue
        made = outlines.outlines(track.position, track.label, here, level, s)
        frame = contested.frame(made, track.label, made.kind, level)
        gone = contested.lost(frame, ranks(error), _spent(frame, purse))
        if purse is not None and purse.renewing is not None:
            spending |= _spending(frame, gone, purse.renewing, purse.k)
        for first, totals in _at_level(frame, gone, sums, channels, level == k):
            lanes = totals.total.shape[1]
            owned = totals.count.view(height, width)
            some = gathering.normalised(totals.total.T.reshape(lanes, height, width), owned, level)
            noise[first : first + lanes] += some  # a pixel owns cells of one anchor, at one level
        count += owned
    return Gathered(noise, count, spending)


def _spent(frame: Frame, purse: Purse | None) -> tuple[torch.Tensor, torch.Tensor] | None:
    """The numbers of the cells of the frame's anchors that are spent, and of those after them; None where nothing is."""
    begins = []
    for label in torch.unique(frame.label[frame.kind != NONE]).tolist() if purse is not None else ():
        assert purse is not None
        cells = purse.used(label)
        if not len(cells.places):
            continue
        row, column, finer = *spent.places(cells, frame.columns >> frame.k), frame.k - cells.k
        inner = np.arange(1 << finer)
        row = (row[:, None, None] << finer) + inner[:, None]
        column = (column[:, None, None] << finer) + inner
        begins.append(((label * frame.rows + row) * (frame.columns + 1) + column).reshape(-1))
    if not begins:
        return None
    first = torch.from_numpy(np.sort(np.concatenate(begins))).to(frame.label.device)
    return first, first + 1


def _spending(frame: Frame, gone: Spans, renewing: torch.Tensor, k: int) -> dict[int, Cells]:
    """The cells of level k that the pixels that are `renewing` (H, W) own, by anchor."""
    chosen = renewing.reshape(-1) & (frame.kind != NONE)
    covered = contested.covered(frame, torch.nonzero(chosen)[:, 0])
    here, lost = cells_of(covered), cells_of(gone.of(chosen[gone.pixel]))
    size = frame.rows * (frame.columns + 1)

    def keys(pixel: torch.Tensor, row: torch.Tensor, column: torch.Tensor) -> torch.Tensor:
        return pixel * size + row * (frame.columns + 1) + column

    own = ~torch.isin(keys(*here), keys(*lost))
    pixel, row, column = (part[own] for part in here)
    label = frame.label[pixel]
    return {
        anchor: spent.of_cells(
            row[label == anchor].cpu().numpy(),
            column[label == anchor].cpu().numpy(),
            frame.k,
            k,
            frame.columns >> frame.k,
        )
        for anchor in torch.unique(label).tolist()
    }


def cells_of(spans: Spans) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The pixel, row and column of every single cell of stretches."""
    which, number = numbered(spans.after - spans.first)
    return spans.pixel[which], spans.row[which], spans.first[which] + number


def _at_level(
    frame: Frame, gone: Spans, sums: PrefixSums, channels: int, some_whole: bool
) -> Iterator[tuple[int, Totals]]:
    """What pixels own, without what is `gone`, LANES channels at a time: the first channel, and Totals. `some_whole`: anchors
    may have sums over whole rows."""
    k, pixels, device = frame.k, len(frame.kind), frame.kind.device
    anchors, looked = torch.unique(frame.label[frame.kind != NONE], return_counts=True)
    whole = anchors[looked >= WHOLE * pixels].tolist() if some_whole else []
    bent = contested.tangled(frame)
    rest = frame.kind
    for anchor in whole:
        rest = torch.where(frame.label == anchor, NONE, rest)
    names = _touched(frame, rest) if len(whole) < len(anchors) else anchors[:0]
    for first in range(0, max(1, channels), LANES):
        lanes = min(LANES, channels - first)
        totals = Totals(
            torch.zeros((pixels, lanes), dtype=torch.int32, device=device),
            torch.zeros(pixels, dtype=torch.int32, device=device),
        )
        for anchor in whole:
            kind = torch.where(frame.label == anchor, frame.kind, NONE)
            for part in sums.rows(anchor, k, first, lanes):
                _add(frame, kind, part, totals, bent, gone)
        if len(names):
            for patches in _patches(frame, names, sums, first, lanes, channels):
                _add(frame, rest, patches, totals, bent, gone)
        yield first, totals


def _add(frame: Frame, kind: torch.Tensor, field: Rows | Patches, totals: Totals, bent: Spans, gone: Spans) -> None:
    """Add what the pixels of which `kind` (n,) is not NONE own by their edges and cover of `bent`, without what is `gone`."""
    step = PIXELS if kind.device.type == "cpu" else len(kind)
    for start in range(0, len(kind), step):
        interrupt.poll()
        _walk(frame, kind, field, totals, start, min(start + step, len(kind)))
    for spans, sign in ((bent, 1), (gone, -1)):
        if len(spans.pixel):
            _add_spans(frame, spans, sign, kind, field, totals)


def _walk(frame: Frame, kind: torch.Tensor, field: Rows | Patches, totals: Totals, start: int, stop: int) -> None:
    """Walk the edges of the pixels `start` to `stop` - 1 but those that are TANGLED.

    Right and lower sides are walked for whoever has them, and where that is most of the pixels for all at once; upper and left
    ones, which are shared but where a surface ends, for the few that have them alone."""
    some = kind[start:stop]
    sign = torch.where((some == NONE) | (some == TANGLED), 0, some).to(torch.int32)
    there = torch.nonzero(sign)[:, 0]
    if not len(there):
        return
    made, width = frame.outlines, frame.columns >> frame.k
    side = len(made.planes) // 4
    linked = [each.view(-1)[start:stop] for each in made.linked()]
    listed = {which: torch.nonzero((sign != 0) & ~linked[which])[:, 0] for which in (0, 3)}
    if 4 * len(there) < len(sign):
        listed |= {1: there, 2: there}
    ends: list[tuple[torch.Tensor, ...]] = []
    signs, labels = [], []
    label = frame.label[start:stop]
    for v in range(4 * side):
        chosen = listed.get(v // side)
        edge = [end.reshape(-1)[start:stop] for end in made.ends(v)]
        if chosen is not None:
            edge = [end[chosen] for end in edge]
        ends.append(tuple(edge))
        signs.append(sign if chosen is None else sign[chosen])
        labels.append(label if chosen is None else label[chosen])
    x0, y0, x1, y1 = (torch.cat([edge[i] for edge in ends]) for i in range(4))
    signs_ = torch.cat(signs)
    up = y1 < y0
    x0, x1 = torch.where(up, x1, x0), torch.where(up, x0, x1)
    y0, y1 = torch.minimum(y0, y1), torch.where(signs_ == 0, torch.minimum(y0, y1), torch.maximum(y0, y1))
    walk = Walk(x0, y0, x1, y1, field.low, field.high)
    sums, counts = _walked(walk, field, torch.cat(labels)[walk.order] if isinstance(field, Patches) else None)
    direction = torch.where(up, -signs_, signs_)
    counts_ = torch.zeros(len(x0), dtype=torch.int32, device=kind.device).index_copy_(0, walk.order, counts) * direction
    sums_ = None
    if sums is not None:
        sums_ = torch.zeros((len(x0), sums.shape[1]), dtype=torch.int32, device=kind.device)
        sums_.index_copy_(0, walk.order, sums)
        sums_ = sums_[:, : totals.total.shape[1]] * direction[:, None]
    begin = 0
    for which in range(4):
        length = len(ends[which * side][0])
        count = counts_[begin : begin + side * length].view(side, length).sum(0, dtype=torch.int32)
        total = (
            None
            if sums_ is None
            else sums_[begin : begin + side * length].view(side, length, sums_.shape[1]).sum(0, dtype=torch.int32)
        )
        begin += side * length
        by = (0, 1, width, 0)[which]
        if which in listed:
            place = start + listed[which]
            _take(totals, place, count, total)
            if by:
                shared = torch.nonzero(linked[which][listed[which]])[:, 0]
                _take(totals, place[shared] + by, -count[shared], None if total is None else -total[shared])
            continue
        _take(totals, slice(start, stop), count, total)
        other = slice(start + by, min(stop + by, len(kind)))
        shared = -linked[which][: max(0, other.stop - other.start)].to(torch.int32)
        few = len(shared)
        _take(totals, other, count[:few] * shared, None if total is None else total[:few] * shared[:, None])


def _take(totals: Totals, place: torch.Tensor | slice, count: torch.Tensor, total: torch.Tensor | None) -> None:
    """Add to what pixels own, none of which is there twice."""
    totals.count[place] += count
    if total is not None:
        totals.total[place] += total


def _walked(walk: Walk, field: Rows | Patches, label: torch.Tensor | None) -> tuple[torch.Tensor | None, torch.Tensor]:
    """What edges add up to along their crossings, (n, lanes) and the columns (n,), int32, in the order of the walk."""
    n, device = len(walk.order), walk.order.device
    counts = torch.zeros(n, dtype=torch.int32, device=device)
    sums = None
    if field.sums is not None:
        sums = torch.zeros((n, field.sums.shape[1]), dtype=torch.int32, device=device)
    for step, active in enumerate(walk.active):
        row = walk.rows(step)
        column = walk.columns(step, field.columns)
        counts[:active].add_(column)
        if sums is not None and field.sums is not None:
            place = field.place(row, column, None if label is None else label[:active])
            sums[:active].add_(field.sums.index_select(0, place))
    return sums, counts


def _add_spans(
    frame: Frame, spans: Spans, sign: int, kind: torch.Tensor, field: Rows | Patches, totals: Totals
) -> None:
    here = spans.of((kind[spans.pixel] != NONE) & (spans.row >= field.low) & (spans.row < field.high))
    totals.count.index_add_(0, here.pixel, ((here.after - here.first) * sign).to(torch.int32))
    if field.sums is not None:
        label = frame.label[here.pixel]
        after, first = (field.sums[field.place(here.row, end.clone(), label)] for end in (here.after, here.first))
        held = (after - first) * sign
        for lane in range(totals.total.shape[1]):
            totals.total[:, lane].index_add_(0, here.pixel, held[:, lane].contiguous())


def _touched(frame: Frame, kind: torch.Tensor) -> torch.Tensor:
    """The source pixels, ascending names (gpu.noise.prefix_sums), that outlines touch of pixels whose `kind` is not NONE."""
    k, height, width = frame.k, frame.rows >> frame.k, frame.columns >> frame.k
    pixel = torch.nonzero(kind != NONE)[:, 0]
    begin, end = frame.touched(pixel)
    begin, end = begin >> k, ((end - 1) >> k) + 1
    left = (frame.low[pixel, 0] >> SNAP_BITS).clamp(0, frame.columns) >> k
    right = (((frame.high[pixel, 0] >> SNAP_BITS) + 1).clamp(0, frame.columns) >> k).clamp(max=width - 1) + 1
    wide, high = (right - left).clamp(min=0), (end - begin).clamp(min=0)
    names = []
    for part in parts(wide * high):
        which, number = numbered((wide * high)[part])
        row, column = begin[part][which] + number // wide[part][which], left[part][which] + number % wide[part][which]
        names.append(torch.unique((frame.label[pixel[part]][which] * height + row) * width + column))
    return torch.unique(torch.cat(names)) if names else pixel[:0]


def _patches(
    frame: Frame, names: torch.Tensor, sums: PrefixSums, first: int, lanes: int, channels: int
) -> Iterator[Patches]:
    """The fields of these source pixels, so many rows of pixels at once as PATCH_CELLS allows."""
    height, width = frame.rows >> frame.k, frame.columns >> frame.k
    row = names // width % height
    if (len(names) << 2 * frame.k) * max(1, lanes) <= PATCH_CELLS or lanes == 0:
        yield sums.patches(names, frame.k, first, lanes, channels, 0, height)
        return
    until = (torch.bincount(row, minlength=height).cumsum(0) << 2 * frame.k) * lanes // PATCH_CELLS
    ends = (torch.nonzero(until[1:] != until[:-1])[:, 0] + 1).tolist()
    for low, high in pairwise([0, *ends, height]):
        some = names[(row >= low) & (row < high)]
        if len(some):
            yield sums.patches(some, frame.k, first, lanes, channels, low, high)
