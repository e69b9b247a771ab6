"""An engine for the window's tests: pure numpy, deterministic, as slow as asked, failing where asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np

from app.model.catalogue import Catalogue, versions
from gpu.engine.results import SERIES, Column, FrameResult, SourceInfo, Update
from gpu.errors import ClipError, FormulaError
from gpu.parameters import ParameterInfo
from gpu.session import Session
from gpu.source import Findings


def whiteness(noise: np.ndarray) -> Any:
    """What the views read of a Whiteness, measured simply."""
    variance = float(noise.var())
    ok = abs(variance - 1) < 0.05
    verdict = SimpleNamespace(ok=ok, text="white Gaussian noise" if ok else f"not white: variance {variance:.2f}")
    names = ("mean", "variance", "skewness", "kurtosis", "ks", "moran", "autocorrelation", "channels", "spectrum")
    density, edges = np.histogram(noise, bins=60, range=(-4.5, 4.5), density=True)
    levels = np.linspace(-3, 3, 33, dtype=np.float32)
    image = np.zeros((33, 33), np.float32)
    image[16, 16] = 1
    return SimpleNamespace(
        n=noise.size, mean=float(noise.mean()), variance=variance, variance_low=0.98, variance_high=1.02,
        skewness=0.0, kurtosis=0.0, ks=0.002, ks_p=0.4, moran=0.001, moran_z=0.3, moran_p=0.7,
        autocorrelation=0.01, autocorrelation_expected=0.011, autocorrelation_limit=0.02,
        autocorrelation_shift=(3, 4), channel_correlation=0.004, channel_limit=0.01,
        verdicts=dict.fromkeys(names, verdict), verdict=verdict,
        edges=edges.astype(np.float32), density=density.astype(np.float32),
        quantiles=np.stack([levels, levels * variance**0.5], axis=1),
        spectrum=np.stack([np.linspace(0.01, 0.5, 40), np.full(40, variance)], axis=1).astype(np.float32),
        autocorrelation_map=image, p={}, spectrum_peak=(0.1, 1.0), frames=1,
    )  # fmt: skip


def catalogue() -> Catalogue:
    """A few entries of every kind."""
    speed = ParameterInfo("dx", "Speed x", 2.3, -8, 8, 0.1, "px/frame", "How far the picture moves each frame.")
    formula = ParameterInfo("x", "x of t", text="x + 2*sin(t)", tip="Where the pixel comes from.")
    quality = ParameterInfo("quality", "JPEG quality", 8, 3, 40, 1, "", "Lower leaves more to invent.")
    path = ParameterInfo("path", "Model", empty=True, tip="Folder of a pipeline.")
    prompt = ParameterInfo("prompt", "Prompt", empty=True, tip="What the picture shall show.")
    size = ParameterInfo("size", "Working size", 0, 0, 2048, 8, "px", "Shorter side.")
    ground = ParameterInfo("ground", "Ground", text="grass", tip="What it stands on.", choices=("grass", "sand"))
    return Catalogue(
        priors={
            name: _entry(
                name.capitalize(), summary=f"What {name} does.", source="a paper",
                modes=("anchored", "chained") if name == "bilinear" else (), uses_motion=name != "random",
            )
            for name in ("random", "fixed", "bilinear", "integral", "go-with-the-flow")
        },
        deformations={
            "translation": _entry("Translation", "Moves.", (speed,)),
            "formula": _entry("Formula", "", (formula,)),
        },
        scenes={
            "smoke": _entry("Smoke", "It rises.", (speed, ground), task="", files=()),
            "pose": _entry("Pose", "It walks.", (speed,), task="dress", files=(".json",)),
        },
        estimators={"dis": _entry("DIS", "Fast.", presets=("fast", "medium"))},
        tasks={
            "super-resolution": _entry("Super-resolution ×4", "Invents detail.", defaults=HEUN),
            "jpeg": _entry("JPEG", "Puts back what was lost.", (quality,), defaults=HEUN),
            "hub": _entry(
                "A model of your own", "Yours.", (path, prompt, size),
                defaults=SimpleNamespace(sampler="ddim", steps=20, sigma_max=1000.0, sigma_min=0.002),
            ),
            "dress": _entry("Dress", "Weaves.", defaults=HEUN),
        },
        samplers={
            "euler": _entry("Euler", stochastic=False),
            "heun": _entry("Heun", stochastic=False),
            "sde": _entry("SDE", stochastic=True),
        },
        versions=versions(),
    )  # fmt: skip


HEUN = SimpleNamespace(sampler="heun", steps=10, sigma_max=10.0, sigma_min=0.02)


def _entry(title: str, about: str = "", parameters: tuple[ParameterInfo, ...] = (), **more: Any) -> Any:
    """What panels read of an entry of a registry."""
    return SimpleNamespace(title=title, about=about, parameters=parameters, **more)


class FakeEngine:
    """Speaks the engine's protocol. `made` counts instances and `threads` the threads that touched them."""

    frames, height, width, delay = 12, 36, 64, 0.0
    made = 0
    bad_frames: frozenset[int] = frozenset()
    found_out = Findings()
    threads: set[str] = set()  # noqa: RUF012 - each fixture makes its own

    def __init__(self, session: Session) -> None:
        type(self).made += 1
        self.closed = 0
        self.log: list[tuple[int, bool]] = []
        self._lock = threading.Lock()
        self._results: dict[tuple[Any, int], FrameResult] = {}
        self.session = session
        self.update(session)

    def update(self, session: Session) -> None:
        self.threads.add(threading.current_thread().name)
        if session.source.path.endswith("bad.mp4"):
            raise ClipError(f"{session.source.path} is not a video that can be read.")
        if "(" in str(session.source.parameters.get("x", "")).replace("(t)", ""):
            raise FormulaError("The formula x is not understood: a bracket is never closed.")
        self.session = session
        self._settings = repr((session.source, session.noise, session.priors, session.task))
        source = session.source
        self.info = SourceInfo(
            title=source.path.rpartition("/")[2] or source.name or "bunny.mp4", height=self.height, width=self.width,
            frames=source.frames or self.frames, fps=24.0, cuts=(), motion="DIS medium", has_truth=False,
            backend="GL: fake", device="cpu",
        )  # fmt: skip

    def findings(self) -> Findings:
        return self.found_out

    judged = findings

    def _noise(self, name: str, t: int) -> np.ndarray:
        shape = (4, self.height, self.width)
        seed = self.session.noise.seed
        first = np.random.default_rng(seed).standard_normal(shape, np.float32)
        if name.startswith("random"):
            return np.random.default_rng((seed, t + 1)).standard_normal(shape, np.float32)
        if name.startswith("fixed"):
            return first
        moved = np.roll(first, 2 * t, axis=2)
        return (moved + np.roll(moved, 1, axis=2)) * np.float32(0.5) if name.startswith("bilinear") else moved

    def _key(self, t: int) -> tuple[Any, int]:
        return self._settings, t

    def compute(self, t: int) -> Iterator[Update]:
        self.threads.add(threading.current_thread().name)
        if t == 7 and self.session.noise.seed == 666:
            raise RuntimeError("a bug on purpose")
        if not 0 <= t < self.info.frames:
            raise IndexError(f"frame {t} of {self.info.frames}")
        if t in self.bad_frames:
            raise ClipError("The clip is damaged here.")
        ready = self.cached(t)
        if ready is not None:
            yield Update(1, 1, "cached", ready)
            return
        y, x = np.mgrid[: self.height, : self.width]
        image = np.stack([(x * 4 + 8 * t) % 256, y * 7 % 256, (x + y) * 2 % 256], axis=-1).astype(np.uint8)
        flow = np.full((self.height, self.width, 2), (-2.0, 0.5), np.float32) if t else None
        columns: dict[str, Column] = {}
        priors = self.session.priors
        for done, prior in enumerate(priors, 1):
            time.sleep(self.delay)
            noise = self._noise(prior.name, t)
            output = error = quality = None
            if self.session.task.name:
                output = np.clip(image.transpose(2, 0, 1) / 255 + 0.1 * noise[:3], 0, 1).astype(np.float32)
                error = (noise[0] * 0.1) ** 2 if t else None
                quality = SimpleNamespace(
                    warp_error=0.00741, coverage=0.9, warp_error_5=0.009, coverage_5=0.8, psnr=24.0,
                    sharpness=0.44 if prior.name == "bilinear" else 1.0, laplacian=0.1,
                )  # fmt: skip
            coherence = SimpleNamespace(previous=0.64, first=0.6, ceiling=0.66, n=100) if t else None
            state = np.zeros(noise.shape[1:], np.uint8)
            state[:, : 2 * t] = 2
            columns[prior.key] = Column(prior.key, noise, state, whiteness(noise), coherence, output, error, quality)
            complete = done == len(priors)
            result = FrameResult(t, image, None, flow, None, dict(columns), complete)
            if complete:
                with self._lock:
                    self._results[self._key(t)] = result
                self.log.append((t, True))
            yield Update(done, len(priors), prior.key, result)

    def fill(self, frames: Iterable[int] | None = None) -> Iterator[Update]:
        for t in range(self.info.frames) if frames is None else frames:
            yield from self.compute(t)

    def cached(self, t: int) -> FrameResult | None:
        with self._lock:
            return self._results.get(self._key(t))

    def computed(self) -> np.ndarray:
        return np.array([self.cached(t) is not None for t in range(self.info.frames)])

    def series(self, key: str) -> dict[str, np.ndarray]:
        known = self.computed()
        return {name: np.where(known, 0.5, np.nan).astype(np.float32) for name in SERIES}

    def slice(self, key: str, kind: str, row: int) -> np.ndarray:
        lines = np.full((self.info.frames, self.width, 3), np.nan, np.float32)
        for t in range(self.info.frames):
            result = self.cached(t)
            column = result.columns.get(key) if result else None
            values = None if column is None else column.noise[:3] / 6 + 0.5 if kind == "noise" else column.output
            if values is not None:
                lines[t] = np.clip(values[:, row].T, 0, 1)
        return lines

    @property
    def cache_bytes(self) -> int:
        return len(self._results) << 20

    @property
    def field_bytes(self) -> int:
        return 0

    def close(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.closed += 1
