"""Measures what one prior costs a frame at one size, in a process of its own: `python -m gpu.bench.row JOB`, JOB as JSON.

The floor, torch.randn of the same shape on one thread, is measured before every frame, so that it meets the same disturbances.
Processor time counts all threads of the process, those of OpenGL included, and nothing of other programs; on a graphics card it
says nothing, and the clock counts.
"""

from __future__ import annotations

import dataclasses
import functools
import gc
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict, cast

from gpu.errors import NoisescopeError
from gpu.priors import Transported
from gpu.session import NoiseSettings, Parameter, PriorSettings, SourceSettings

if TYPE_CHECKING:
    import torch

    from gpu.engine.clip import Clip
    from gpu.priors import Run

LEAST_FRAMES = 3
"""So many are timed, however long they take."""

FLOORS = 3
"""Draws of torch.randn before each frame."""

MOST_STARTS = 3
"""So often the first frame is made anew, to see what is made once an anchor."""

READING = ("fill", "s", "track", "tracks_where", "inspect")
"""What a transport tells of positions, which no backend has a part in."""

DEGREES = 2.0
"""Of rotation a frame: every pixel moves, none folds, and areas stay as they are."""


@dataclass(frozen=True)
class Job:
    """One prior at one size. At most `frames` frames are timed, fewer once `seconds` have passed."""

    prior: str
    height: int
    width: int
    channels: int = 4
    backend: str = "torch"
    device: str = "auto"
    k: int = 3
    frames: int = 9
    seconds: float = 20.0
    mode: str = ""
    gamma: float = 0.0
    parameters: dict[str, Parameter] = field(default_factory=dict)

    @property
    def settings(self) -> PriorSettings:
        """The prior with its mode and parameters."""
        return PriorSettings(
            self.prior, cast(Literal["", "anchored", "chained"], self.mode), self.gamma, self.parameters
        )

    @property
    def title(self) -> str:
        """What progress and sentences call it."""
        return f"{self.settings.key} at {self.height} × {self.width} ({self.backend})"


class Row(TypedDict):
    """What was measured. Milliseconds are medians over the timed frames; `ratio` is `median_ms` over `floor_ms`.

    `clock` says of which time these three are: "processor" or "wall"; `wall_` is always of the clock on the wall. `once_ms`
    is what the first frame that is carried takes longer than later ones, which find the anchor's field at hand; `once_ratio` is
    that over the floor. `peak_mb` is the most resident memory of the process in MB, libraries (about 300) and all; None where
    the system does not tell. `drawn` says whether the backend had any part in it.
    """

    prior: str
    height: int
    width: int
    channels: int
    backend: str
    k: int
    median_ms: float
    floor_ms: float
    ratio: float
    peak_mb: float | None
    clock: str
    wall_ms: float
    wall_floor_ms: float
    wall_ratio: float
    once_ms: float
    once_ratio: float
    frames: int
    drawn: bool
    renderer: str
    device: str


@dataclass(frozen=True)
class Span:
    """Seconds of the processor (all threads) and by the clock."""

    processor: float
    wall: float


def measure(job: Job, tell: Callable[[int], None] = lambda frames: None) -> Row:
    """Measure one job in this process; `tell` hears how many frames are timed. The NoisescopeError of what is wrong with it."""
    import torch

    from gpu import devices
    from gpu.engine.clip import opened

    torch.set_num_threads(1)
    device = devices.device(job.device)
    small = SourceSettings("synthetic", name="rotation", height=48, width=64, frames=4, parameters={"degrees": DEGREES})
    with opened(small, job.backend, job.device) as clip:  # libraries, shaders and compiled code are loaded here
        begin = _start(clip, job)
        for t in range(4):
            _ready(clip, t)
            begin.frame(t)
    large = dataclasses.replace(small, height=job.height, width=job.width, frames=job.frames + 2)
    times, floors = list[Span](), list[Span]()
    with opened(large, job.backend, job.device) as clip:
        renderer = clip.rasteriser.name
        counting = _Counting(clip.transport(_noise(job)))
        run = _begun(clip, job)
        firsts = [_timed(functools.partial(run.frame, 1), device)]
        deadline = time.monotonic() + job.seconds
        for t in range(2, job.frames + 2):
            if len(times) >= LEAST_FRAMES and time.monotonic() > deadline:
                break
            _ready(clip, t)
            floors += [_timed(lambda: _draw(job, device), device) for _ in range(FLOORS)]
            times.append(_timed(functools.partial(run.frame, t), device))
            tell(len(times))
        deadline = time.monotonic() + job.seconds / 4
        while len(firsts) < MOST_STARTS and time.monotonic() < deadline:
            clip.forget_transports()
            del run  # it holds the field that was made: two of them would stand side by side
            gc.collect()  # `_Counting` made a ring of references
            run = _begun(clip, job)
            firsts.append(_timed(functools.partial(run.frame, 1), device))
        drawn = counting.used
    return _row(job, times, floors, firsts, device, renderer, drawn)


def _row(
    job: Job,
    times: list[Span],
    floors: list[Span],
    firsts: list[Span],
    device: torch.device,
    renderer: str,
    drawn: bool,
) -> Row:
    clock = "processor" if device.type == "cpu" else "wall"

    def median(spans: list[Span], of: str) -> float:
        return 1e3 * statistics.median(float(getattr(span, of)) for span in spans)

    own, base, wall, wall_base = (median(s, of) for of in (clock, "wall") for s in (times, floors))
    once = max(0.0, median(firsts, clock) - own)
    return Row(
        prior=job.settings.key,
        height=job.height,
        width=job.width,
        channels=job.channels,
        backend=job.backend,
        k=job.k,
        median_ms=round(own, 4),
        floor_ms=round(base, 4),
        ratio=round(own / base, 3),
        peak_mb=peak_mb(),
        clock=clock,
        wall_ms=round(wall, 4),
        wall_floor_ms=round(wall_base, 4),
        wall_ratio=round(wall / wall_base, 3),
        once_ms=round(once, 4),
        once_ratio=round(once / base, 3),
        frames=len(times),
        drawn=drawn,
        renderer=renderer,
        device=str(device),
    )


def _start(clip: Clip, job: Job) -> Run:
    return clip.start(job.settings, _noise(job))


def _noise(job: Job) -> NoiseSettings:
    return NoiseSettings(channels=job.channels, k=job.k)


def _begun(clip: Clip, job: Job) -> Run:
    """The prior at work with frame 0 behind it and the motion to frame 1 at hand."""
    run = _start(clip, job)
    _ready(clip, 1)
    run.frame(0)
    return run


def _ready(clip: Clip, t: int) -> None:
    """Have the picture of frame t and the motion to it at hand: they belong to the source, not to a prior."""
    clip.image(t)
    if t:
        for part in (clip.motion.backward, clip.motion.forward, clip.motion.valid, clip.motion.error):
            part(t - 1)


def _draw(job: Job, device: torch.device) -> object:
    import torch

    return torch.randn((job.channels, job.height, job.width), device=device)


def _timed(work: Callable[[], object], device: torch.device) -> Span:
    _synchronise(device)
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    _synchronise(device)
    span = Span(time.process_time() - processor, time.perf_counter() - wall)
    del result  # not freed within the time of the next
    return span


def _synchronise(device: torch.device) -> None:
    import torch

    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


class _Counting:
    """Notes whether a prior had noise carried for it: what reads positions alone is the same for every backend."""

    def __init__(self, transport: object) -> None:
        self.used = False
        for name in dir(Transported):
            if not name.startswith("_") and name not in READING:
                setattr(transport, name, self._noting(getattr(transport, name)))

    def _noting(self, asked: Callable[..., object]) -> Callable[..., object]:
        def noting(*arguments: object, **named: object) -> object:
            self.used = True
            return asked(*arguments, **named)

        return noting


def peak_mb() -> float | None:
    """The most resident memory that this process has had, in MB of 10^6 bytes; None where the system does not tell.

    Linux tells it of the program that runs now in VmHWM. Its ru_maxrss counts whoever started the process as well, whose memory
    it shares until the program is loaded.
    """
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) * 1024 / 1e6, 1)
    except OSError:
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most * (1 if sys.platform == "darwin" else 1024) / 1e6, 1)


def _end_with_parent() -> None:
    """End when whoever started this process is gone: it holds the other end of our stdin."""
    while os.read(0, 1024):  # sys.stdin would be locked, and Python aborts over that when it ends
        pass
    os._exit(1)


def _lines(job: Job) -> Iterator[dict[str, object]]:
    """What is told on stdout: errors as their type and sentence."""
    try:
        yield {"row": measure(job, lambda frames: _say({"timed": frames}))}
    except NoisescopeError as problem:
        yield {"error": str(problem), "kind": type(problem).__name__}


def _say(message: dict[str, object]) -> None:
    print(json.dumps(message), flush=True)


def main() -> int:
    """Measure the job that the command line names and tell of it, one JSON object a line."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for message in _lines(Job(**json.loads(sys.argv[1]))):
        _say(message)
    sys.stdout.flush()
    os._exit(0)  # without taking libraries apart


if __name__ == "__main__":
    main()
