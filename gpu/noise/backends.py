"""Which rasteriser does the work: chosen by name, or by a short measurement remembered per machine."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from pathlib import Path

import moderngl
import platformdirs
import torch

from gpu import __version__, compiled, gl
from gpu.errors import BackendError, OutputError
from gpu.files import replacing
from gpu.flow import maps
from gpu.noise.known_motion import KnownMotion
from gpu.noise.ownership import NONE_SPENT, Rasteriser, TorchRasteriser
from gpu.noise.ownership_gl import GLRasteriser
from gpu.noise.polygons import Contours
from gpu.noise.prefix_sums import PrefixSums
from gpu.noise.tiling import NoiseGrid
from gpu.noise.tracks import Track
from gpu.noise.transport import Transport, TransportSettings
from gpu.plain_json import parse


class Backend:
    """A rasteriser that survives the loss of its graphics device: `auto` then goes on with torch, `gl` reports it."""

    def __init__(self, wanted: str, on: torch.device) -> None:
        self._wanted, self._device = wanted, on
        self._context: gl.Context | None = None
        self.note = ""
        self._rasteriser: Rasteriser = self._choose()

    @property
    def name(self) -> str:
        """What the window shows: the renderer's name, or torch."""
        return self._rasteriser.name

    @property
    def capacity(self) -> int:
        """See Rasteriser."""
        return self._rasteriser.capacity

    def _choose(self) -> Rasteriser:
        if self._wanted == "torch":
            return TorchRasteriser()
        try:
            self._context = gl.Context()
            drawn: Rasteriser = GLRasteriser(self._context)
        except BackendError as problem:
            if self._wanted == "gl":
                raise
            self.note = str(problem)
            return TorchRasteriser()
        if self._wanted == "gl" or _remembered(self._context.renderer, drawn, self._device) == "gl":
            return drawn
        drawn.close()
        self._context.close()
        self._context = None
        return TorchRasteriser()

    def own(self, outlines: Contours, slot: torch.Tensor, rank: torch.Tensor, slots: int) -> torch.Tensor:
        """See gpu.noise.ownership.Rasteriser."""
        try:
            return self._rasteriser.own(outlines, slot, rank, slots)
        except (BackendError, moderngl.Error) as problem:
            self._lost(problem)
            return self._rasteriser.own(outlines, slot, rank, slots)

    def _lost(self, problem: Exception) -> None:
        """Go on with torch, or say that there is no going on."""
        if self._wanted == "gl":
            raise BackendError(f"The graphics device stopped working ({problem}). Choose the torch backend.") from None
        self.note = f"The graphics device stopped working ({problem}); torch goes on without it."
        self._context, self._rasteriser = None, TorchRasteriser()

    @property
    def by_edges(self) -> bool:
        """See gpu.noise.ownership.Rasteriser."""
        return self._rasteriser.by_edges

    @property
    def on_a_device(self) -> bool:
        """See gpu.noise.ownership.Rasteriser."""
        return self._rasteriser.on_a_device

    def walk(
        self, track: Track, error: torch.Tensor, sums: PrefixSums, k: int, s: int, channels: int, anchors: list[int],
        spent: Mapping[int, torch.Tensor] = NONE_SPENT,
    ) -> tuple[torch.Tensor, torch.Tensor] | None:  # fmt: skip
        """See gpu.noise.ownership.Rasteriser."""
        try:
            return self._rasteriser.walk(track, error, sums, k, s, channels, anchors, spent)
        except (BackendError, moderngl.Error) as problem:
            self._lost(problem)
            return None

    def cells(
        self, values: torch.Tensor, seed: int, anchor: int, channel: int, k: int, y0: int, x0: int
    ) -> torch.Tensor:
        """See gpu.noise.field.cells."""
        return self._rasteriser.cells(values, seed, anchor, channel, k, y0, x0)

    def close(self) -> None:
        self._rasteriser.close()
        if self._context is not None:
            self._context.close()
            self._context = None


def _memory() -> Path:
    return Path(platformdirs.user_cache_dir("noisescope")) / "backend.json"


def _remembered(renderer: str, drawn: Rasteriser, on: torch.device) -> str:
    """`gl` or `torch`, whichever was faster on this machine when it was first asked."""
    # Another version, or a compiler that is there now, is another machine: what was slower may be faster.
    way = "compiled edges" if compiled.available() and on.type == "cpu" else "edges"
    machine = f"{renderer} / {on.type} / {way}, torch {torch.__version__} / {__version__}"
    try:
        remembered = parse(_memory().read_text(encoding="utf-8"))
        if remembered.get(machine) in ("gl", "torch"):
            return str(remembered[machine])
    except (OSError, ValueError, AttributeError):
        remembered = {}
    times = {"gl": _measure(drawn, on), "torch": _measure(TorchRasteriser(), on)}
    chosen = min(times, key=lambda name: times[name])
    try:
        _memory().parent.mkdir(parents=True, exist_ok=True)
        with replacing(_memory()) as partial:
            partial.write_text(
                json.dumps({**(remembered if isinstance(remembered, dict) else {}), machine: chosen}), encoding="utf-8"
            )
    except (OSError, OutputError):
        pass  # measured again next time
    return chosen


def _rotation(size: int, on: torch.device) -> KnownMotion:
    """A small rotation about the centre, the motion that backends are measured on."""
    place = maps.pixel_centres(size, size, on) - size / 2
    turn = torch.tensor([[math.cos(0.1), -math.sin(0.1)], [math.sin(0.1), math.cos(0.1)]], device=on)
    return KnownMotion(place @ turn.T - place)


def _measure(rasteriser: Rasteriser, on: torch.device, size: int = 96) -> float:
    """Seconds for one frame, best of two after a warm-up."""
    carrier = Transport(_rotation(size, on), NoiseGrid(size, size, on), lambda t: 0, rasteriser, TransportSettings())
    best = math.inf
    for attempt in range(3):
        begin = time.perf_counter()
        carrier.integral(1, 1)
        if on.type == "cuda":
            torch.cuda.synchronize(on)
        if attempt:
            best = min(best, time.perf_counter() - begin)
    return best
