"""What speaks against believing a source: pictures that are the same or empty, flow that is zero, leads out of the frame or
contradicts itself. Said before statistics are believed, as warnings and notes in plain sentences.

Pictures are judged by their thumbnails, which the search for cuts makes anyway, and flows as they are computed. What a person
may well want is no warning: a still that nothing moves, a fade to black, a dark scene, animation that shows each drawing twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np

from gpu.cv import cv2
from gpu.source import F32, U8, Findings, Glance, Mask, Source, Surveyed, area, notes
from gpu.source.motion import SourceMotion

WARNING = "Warning: "
"""What a note of a source begins with that is a warning."""

PLAIN = 3
"""Values of 255 that a picture of one colour may differ by within a channel: what compression leaves of black."""

PAIRS = 3
"""Frames that show one picture: up to so many it may be animation (drawings are shown two or three times)."""

MOST = 0.5  # share of a clip, of a step's pixels or of the steps looked at, from which it is most of them
FEW = 0.2  # share of the steps looked at from which it is no single accident

STILL = 0.01  # pixels; a mean length below counts as no motion
CHANGED = 2.0
"""Values of 255, in the mean, that a picture must differ from the one before, once brightness and grain are taken off it, for
something to have moved in it."""

FAR = 0.5  # of the frame's diagonal: a median step as long is hardly one

AGREE = 0.2
"""Share of the pixels where forward and backward flow must agree, of those that stay in the frame, for an estimate to mean
anything: of footage they agree at 0.9 and more, of pictures that have nothing to do with one another at less."""

ENOUGH = 4  # steps of a computed source after which its pictures are judged

LISTED = 3  # runs of frames that are named


@dataclass(frozen=True)
class Step:
    """What a motion from one frame to the next looks like. `size`: mean length of its vectors in pixels; `far`: their median in
    frame diagonals; `beyond`: share of the pixels that it leads out of the frame; `agreeing`: share of the others where forward
    and backward flow agree; `unusable`: share of vectors that are not finite; `moved`: by how much the second picture differs
    from the first beyond brightness and grain, in values of 255; `plain`: how many of the two pictures are of one colour."""

    size: float
    far: float
    beyond: float
    agreeing: float
    unusable: float
    moved: float
    plain: int


def of_pictures(glances: Sequence[Glance], cuts: Iterable[int] = ()) -> Findings:
    """What thumbnails of all frames tell.

    >>> black = np.zeros((27, 48, 3), np.uint8)
    >>> of_pictures([Glance(black, 1)] * 5).warnings
    ('All 5 frames are of one colour (black): there is nothing to carry noise along.',)
    """
    frames = len(glances)
    plain = [is_plain(glance.thumbnail) for glance in glances]
    if frames and all(plain):
        colour = _colour([glance.thumbnail for glance in glances])
        whole = "The only frame is" if frames == 1 else f"All {frames} frames are"
        return Findings((f"{whole} of one colour{colour}: there is nothing to carry noise along.",))
    warnings: list[str] = []
    told: list[str] = []
    if sum(plain) > MOST * frames:
        colour = _colour([glance.thumbnail for glance, empty in zip(glances, plain) if empty])
        warnings.append(f"{sum(plain)} of {frames} frames are of one colour{colour}.")
    starts = set(cuts)
    same = [
        t not in starts and not plain[t] and _same(glances[t - 1], glances[t]) for t in range(1, frames)
    ]  # frame t + 1 of these is frame t again
    if same and all(same):
        warnings.append(f"All {frames} frames are the same picture: nothing moves in it.")
        return Findings(tuple(warnings), tuple(told))
    runs = [(first, last) for first, last in _runs(same) if last - first + 1 > PAIRS]
    held = sum(last - first + 1 for first, last in runs)
    if runs:
        named = ", ".join(f"{first} to {last}" for first, last in runs[:LISTED])
        more = f" and {len(runs) - LISTED} more times" if len(runs) > LISTED else ""
        warnings.append(f"Frames {named}{more} are the same picture ({held} of {frames} frames): nothing moves there.")
    repeated = sum(same) - sum(last - first for first, last in runs)
    if repeated > max(0.25 * (frames - 1), 1):
        told.append(
            f"{repeated} of {frames} frames repeat the one before, as animation on twos does: nothing moves between them."
        )
    return Findings(tuple(warnings), tuple(told))


def is_plain(picture: U8) -> bool:
    """Whether a picture (H, W, 3) is of one colour."""
    flat = picture.reshape(-1, picture.shape[-1])
    return bool((flat.max(0).astype(np.int16) - flat.min(0)).max() <= PLAIN)


def of_step(first: U8, second: U8, flow: F32, valid: Mask, unusable: int) -> Step:
    """A step between two pictures (H, W, 3): backward `flow` (H, W, 2) on the second, where it is `valid`, and how many of its
    vectors could not be used."""
    height, width = flow.shape[:2]
    length = np.hypot(flow[..., 0], flow[..., 1])
    y, x = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    x, y = x + flow[..., 0], y + flow[..., 1]
    inside = (x >= 0) & (x <= width) & (y >= 0) & (y <= height)
    return Step(
        float(length.mean()),
        float(np.median(length)) / float(np.hypot(height, width)),
        1 - float(inside.mean()),
        float(valid[inside].mean()) if inside.any() else 1.0,
        unusable / (height * width),
        moved(first, second),
        is_plain(first) + is_plain(second),
    )


def moved(first: U8, second: U8) -> float:
    """Mean difference, in values of 255, of the second picture from the first, once the brightness is taken off that fits best
    and grain is averaged away: what a fade leaves is near 0."""
    rows, columns = max(first.shape[0] // 4, 1), max(first.shape[1] // 4, 1)
    before, after = (
        cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32).mean(axis=-1)
        for picture in (first, second)
    )
    before, after = before - before.mean(), after - after.mean()
    gain = float((before * after).sum() / max(float((before * before).sum()), 1e-6))
    return float(np.abs(after - gain * before).mean())


def of_steps(steps: Sequence[Step], estimated: bool) -> Findings:
    """What steps that were looked at tell, of motion that was estimated or is given.

    >>> still = Step(0.0, 0.0, 0.0, 1.0, 0.0, moved=9.0, plain=0)
    >>> of_steps([still] * 3, estimated=False).warnings
    ('The flow is zero in 3 of 3 steps looked at, although the pictures move.',)
    """
    if not steps:
        return Findings()
    count = len(steps)
    warnings = []

    def often(cases: Sequence[bool], share: float, sentence: str) -> None:
        if sum(cases) and sum(cases) >= share * count:
            warnings.append(sentence.format(f"{sum(cases)} of {count} {'step' if count == 1 else 'steps'} looked at"))

    often(
        [step.size < STILL and step.moved > CHANGED for step in steps], MOST,
        "The flow is zero in {}, although the pictures move.",
    )  # fmt: skip
    often([step.beyond > MOST for step in steps], FEW, "The flow leads most pixels beyond the frame in {}.")
    often(
        [step.unusable > MOST for step in steps],
        FEW,
        "Most vectors of the flow cannot be used (not finite, or endless) in {}.",
    )
    often(
        [step.far > FAR and step.beyond <= MOST for step in steps], FEW,
        "The flow is longer than half the frame's diagonal in {}.",
    )  # fmt: skip
    if estimated:
        often(
            [step.agreeing < AGREE and step.beyond <= MOST and not step.plain for step in steps], MOST,
            "Forward and backward flow agree almost nowhere in {}: the estimate means nothing there.",
        )  # fmt: skip
    return Findings(tuple(warnings))


@dataclass
class Trust:
    """Collects what speaks against a source and its motion, as they are looked at."""

    source: Source
    motion: SourceMotion
    _steps: dict[int, Step] = field(default_factory=dict)
    _pictures: Findings | None = None

    def see(self, t: int) -> None:
        """Look at the step from frame t to the next, which is computed for it if it was not. A cut is none."""
        if t in self._steps or t + 1 in self.source.cuts or not 0 <= t < self.source.frames - 1:
            return
        place = area(self.source)
        rows, columns = slice(place.top, place.bottom), slice(place.left, place.right)
        first, second = (self.source.frame(at)[rows, columns] for at in (t, t + 1))
        flow, valid = (part.cpu().numpy()[rows, columns] for part in (self.motion.backward(t), self.motion.valid(t)))
        self._steps[t] = of_step(first, second, flow, valid, self.motion.invalid(t))

    def sample(self, count: int = 8) -> None:
        """Look at so many steps all over the clip."""
        if count < 1:
            return
        for t in sorted(set(np.linspace(0, max(self.source.frames - 2, 0), count).round().astype(int).tolist())):
            self.see(t)

    def findings(self) -> Findings:
        """All there is to say by now."""
        if self._pictures is None and isinstance(self.source, Surveyed):
            self._pictures = of_pictures(self.source.survey, self.source.cuts)
        pictures = self._pictures or Findings()
        steps = [self._steps[t] for t in sorted(self._steps)]
        doubts = list(of_steps(steps, self.motion.estimated).warnings)
        # Computed pictures may begin with nothing, but hardly go on with it.
        enough = self._pictures is None and len(steps) >= min(ENOUGH, self.source.frames - 1) > 0
        if enough and all(step.plain == 2 for step in steps):
            doubts.insert(
                0, f"All {len(steps) + 1} frames looked at are of one colour: there is nothing to see in them."
            )
        told = notes(self.source)
        said = [note.removeprefix(WARNING) for note in told if note.startswith(WARNING)]
        said = [sentence[:1].upper() + sentence[1:] for sentence in said]
        others = [note for note in told if not note.startswith(WARNING)]
        return Findings(
            tuple(dict.fromkeys((*said, *pictures.warnings, *doubts))), tuple(dict.fromkeys((*others, *pictures.notes)))
        )


def _same(first: Glance, second: Glance) -> bool:
    return first.check == second.check and bool((first.thumbnail == second.thumbnail).all())


def _runs(same: Sequence[bool]) -> list[tuple[int, int]]:
    """First and last frame of every run of frames that show one picture."""
    runs, at = [], 0
    for held, group in groupby(same):
        length = len(list(group))
        if held:
            runs.append((at, at + length))
        at += length
    return runs


def _colour(thumbnails: Sequence[U8]) -> str:
    means = np.array([thumbnail.reshape(-1, thumbnail.shape[-1]).mean(0) for thumbnail in thumbnails])
    if means.max() <= 2 * PLAIN + 16:  # also of video's narrow range, taken for the full one
        return " (black)"
    return " (white)" if means.min() >= 250 else ""


_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


@contextmanager
def collecting() -> Iterator[list[str]]:
    """Gather the warnings of all sources that `tell` tells of while the block runs, each once: an experiment's inputs."""
    told: list[str] = []
    token = _collected.set(told)
    try:
        yield told
    finally:
        _collected.reset(token)


def tell(source: Source, motion: SourceMotion) -> None:
    """Tell whoever is collecting what speaks against a source. Where nobody is, nothing is looked at."""
    told = _collected.get()
    if told is not None:
        trust = Trust(source, motion)
        trust.sample(4)
        told += [line for warning in trust.findings().warnings if (line := f"{source.title}: {warning}") not in told]
