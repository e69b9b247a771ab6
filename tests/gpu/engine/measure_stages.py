"""Measures what the stages of a frame cost: `python -m tests.gpu.engine.measure_stages 256x144 512x512 1024x1024`.

No test: it says where the time of a frame goes that the window shows. Sizes are columns x rows, as people write them. Medians
of the processor's time on one thread, in milliseconds, and over torch.randn of four channels of that size in the same run.
The motion is a rotation of 2 degrees a frame over a photo; `--json` prints what two runs are compared by.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gpu.engine.clip import Clip, opened, seen_first
from gpu.engine.engine import Engine
from gpu.engine.sampling import reach
from gpu.flow import maps
from gpu.metrics import coherence, whiteness
from gpu.session import NoiseSettings, PriorSettings, Session, SourceSettings

CHANNELS, FIRST, LAST = 4, 4, 11


def timed(
    work: Callable[[int], object], frames: range = range(FIRST, LAST), ready: Callable[[int], object] | None = None
) -> float:
    """Median milliseconds of `work(t)` over the frames, after one that is not counted; `ready(t)` comes before, untimed."""
    work(frames.start - 1)
    spans = []
    for t in frames:
        if ready is not None:
            ready(t)
        begin = time.process_time()
        work(t)
        spans.append(time.process_time() - begin)
    return 1e3 * statistics.median(spans)


def stages(width: int, height: int, backend: str) -> dict[str, float]:
    """Milliseconds of each stage of a frame of that size."""
    source = SourceSettings(
        "synthetic", name="rotation", height=height, width=width, frames=LAST + 1, parameters={"degrees": 2.0}
    )
    times = {"torch.randn": timed(lambda t: torch.randn((CHANNELS, height, width)))}
    with opened(source, backend, "cpu") as clip:
        times |= _sources(clip)
        times |= _noises(clip)
    session = Session(
        source,
        noise=NoiseSettings(channels=CHANNELS, device="cpu", backend=backend),  # type: ignore[arg-type]
        priors=tuple(PriorSettings(name) for name in ("random", "fixed", "bilinear", "integral")),
    )
    engine = Engine(session)

    def whole(t: int) -> None:
        for _ in engine.compute(t):
            pass

    for t in range(FIRST - 1):
        whole(t)
    times["frame of the window, four priors"] = timed(whole)
    engine.close()
    return times


def _sources(clip: Clip) -> dict[str, float]:
    """What belongs to the source: pictures and motion, true and estimated."""
    motion = clip.motion

    def along(t: int) -> None:
        for part in (motion.backward, motion.forward, motion.valid, motion.error):
            part(t - 1)

    times = {"picture": timed(clip.image), "true motion": timed(along)}
    pairs = {t: (motion.backward(t - 1), motion.forward(t - 1)) for t in range(FIRST - 1, LAST)}
    times["forward-backward check"] = timed(lambda t: maps.check(*pairs[t]))
    still = maps.pixel_centres(*pairs[FIRST][0].shape[:2])
    times["composing maps"] = timed(lambda t: maps.compose(still, pairs[t][0]))
    estimated = clip.estimated("dis")
    times["DIS flow, both ways, checked"] = timed(lambda t: estimated.backward(t - 1))
    return times


def _noises(clip: Clip) -> dict[str, float]:
    """What belongs to a prior's noise: where it was, what it is, and how it is measured."""
    noise = NoiseSettings(channels=CHANNELS)
    transport = clip.transport(noise)
    for t in range(FIRST - 1):
        transport.track(t)
    times = {"tracking": timed(transport.track)}
    bilinear, integral, bare = (clip.start(PriorSettings(name), noise) for name in ("bilinear", "integral", "random"))
    times["noise: random"] = timed(bare.frame)
    times["noise: bilinear, tracks at hand"] = timed(bilinear.frame, ready=transport.track)
    for t in range(FIRST - 1):
        integral.frame(t)
    times["noise: integral"] = timed(integral.frame)
    drawn = {t: torch.randn((CHANNELS, clip.source.height, clip.source.width)) for t in range(FIRST - 1, LAST)}
    times["whiteness"] = timed(lambda t: whiteness.measure(drawn[t]))
    seen = {t: reach(clip.motion, t, 1) for t in range(FIRST - 1, LAST)}
    first = {t: seen_first(clip, t, noise) for t in range(FIRST - 1, LAST)}
    times["coherence with the frame before"] = timed(lambda t: coherence.correlation(drawn[3], drawn[t], *seen[t]))
    times["coherence with the first"] = timed(lambda t: coherence.correlation(drawn[3], drawn[t], *first[t]))
    times["ceiling of coherence"] = timed(lambda t: coherence.ceiling(*seen[t]))
    return times


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _compare(before: dict[str, dict[str, float]], now: dict[str, dict[str, float]]) -> None:
    """Print a table of Markdown: milliseconds then and now, and how often the time of torch.randn that is now."""
    print("| ms of a frame | " + " | ".join(now) + " |")
    print("| --- |" + " --- |" * len(now))
    for stage in next(iter(now.values())):
        cells = []
        for size, times in now.items():
            was = f"{_short(before[size][stage])} → " if stage in before.get(size, {}) else ""
            cells.append(f"{was}{_short(times[stage])} ({times[stage] / times['torch.randn']:.1f} ×)")
        print(f"| {stage} | " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="*", default=["256x144", "512x512", "1024x1024"], help="columns x rows")
    parser.add_argument("--backend", default="torch", choices=("auto", "gl", "torch"), help="what carries noise")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--before", type=Path, help="what --json printed earlier: print README's table of then and now")
    given = parser.parse_args()
    torch.set_num_threads(1)
    columns = {}
    for size in given.sizes:
        width, height = (int(part) for part in size.split("x"))
        columns[size] = stages(width, height, given.backend)
    if given.json:
        print(json.dumps(columns, indent=2))
        return
    if given.before:
        _compare(json.loads(given.before.read_text(encoding="utf-8")), columns)
        return
    print(f"{'stage':<36}" + "".join(f"{size:>22}" for size in columns))
    for stage in next(iter(columns.values())):
        cells = (f"{times[stage]:.1f} ms {times[stage] / times['torch.randn']:>6.1f} ×" for times in columns.values())
        print(f"{stage:<36}" + "".join(f"{cell:>22}" for cell in cells))


if __name__ == "__main__":
    main()
