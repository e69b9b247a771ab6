"""How noise gets faster with workers: `python -m tests.gpu.engine.measure_workers [COUNT …] [--size HxW] [--prior NAME]`.

For each count of workers the milliseconds that a frame more takes, its whiteness measured: of the clock, and of the processor
(all workers together, and the busiest of them). What starting takes, two to four seconds a worker, is left out: it is what the
shorter of two clips takes as well. `× by clock` needs that many processors to themselves; where others want them too, only
`× at most` tells: the processor time that one needs, over that of the busiest of several.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import torch

from gpu.engine import Engine, many_frames
from gpu.metrics import whiteness
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings

SHORT, LONG = 12, 48
TICK = os.sysconf("SC_CLK_TCK")


def processor(number: int) -> float:
    """Seconds of the processor that a process has taken so far."""
    parts = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICK


def alone(session: Session, frames: int) -> tuple[float, list[float]]:
    """Seconds of the clock and of the processor that this process takes for so many frames."""
    engine = Engine(session)
    began, before = time.perf_counter(), processor(os.getpid())
    for t in range(frames):
        whiteness.measure(engine.noise(session.priors[0].key, t)[0])
    took = time.perf_counter() - began, [processor(os.getpid()) - before]
    engine.close()
    return took


def together(session: Session, frames: int, count: int) -> tuple[float, list[float]]:
    """The same of so many workers, each of them by itself."""
    engine, key = Engine(session), session.priors[0].key
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.callback(engine.close)
        pairs = many_frames._shared(engine, key, stack, folder / "noise.npz")
        crew = stack.enter_context(many_frames._Crew(engine, key, count, pairs))
        while not crew.is_ready() or len(crew._free) < count:
            time.sleep(0.01)
        numbers = [worker.number for worker in crew._team.workers]
        began, before = time.perf_counter(), [processor(number) for number in numbers]
        made = [frame for frame in crew.frames(range(frames)) if frame is not None]
        assert len(made) == frames
        return time.perf_counter() - began, [processor(number) - start for number, start in zip(numbers, before)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("counts", nargs="*", type=int, default=[2])
    parser.add_argument("--size", default="144x256")
    parser.add_argument("--prior", default="integral")
    parser.add_argument("--backend", choices=("auto", "gl", "torch"), default="auto")
    parser.add_argument("--video", default="", help="a film of 48 frames (default: the bundled one, of 512x288)")
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    height, width = map(int, arguments.size.split("x"))
    sources = {
        "film, DIS": SourceSettings("video", path=arguments.video, height=height, width=width, frames=LONG),
        "rotation": SourceSettings("synthetic", name="rotation", height=height, width=width, frames=LONG),
    }
    print(f"{arguments.prior}, {height}x{width}, median of {arguments.repeats}; load {os.getloadavg()[0]:.1f}")
    print(f"{'clip':<10} {'workers':>7}  clock ms  processor ms  busiest ms × by clock  × at most")
    for name, source in sources.items():
        session = Session(
            source, noise=NoiseSettings(backend=arguments.backend), priors=(PriorSettings(arguments.prior),)
        )
        rows: dict[int, list[tuple[float, float, float]]] = {count: [] for count in (1, *arguments.counts)}
        for _ in range(arguments.repeats):
            for count, more in rows.items():
                short, long = (
                    alone(session, frames) if count == 1 else together(session, frames, count)
                    for frames in (SHORT, LONG)
                )
                pairs = ((long[0], short[0]), (sum(long[1]), sum(short[1])), (max(long[1]), max(short[1])))
                clock, taken, most = (1000 * (b - a) / (LONG - SHORT) for b, a in pairs)
                more.append((clock, taken, most))
        for count, more in rows.items():
            wall, spent, busiest = (statistics.median(values) for values in zip(*more, strict=True))
            if count == 1:
                wall_alone, spent_alone = wall, spent
            print(
                f"{name:<10} {count:>7} {wall:>9.1f} {spent:>13.1f} {busiest:>11.1f} {wall_alone / wall:>10.2f} "
                f"{spent_alone / busiest:>10.2f}"
            )


if __name__ == "__main__":
    main()
