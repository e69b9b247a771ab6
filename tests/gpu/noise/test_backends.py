"""The choice of a rasteriser: by name, by what was faster once on this machine, and torch where the device is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

import platformdirs
import pytest
import torch

from gpu import __version__
from gpu.errors import BackendError
from gpu.noise import backends, field, tracks
from gpu.noise.backends import Backend
from gpu.noise.ownership import TorchRasteriser
from gpu.noise.polygons import Contours
from tests.gpu.noise.motions import CPU


class Drawn(TorchRasteriser):
    """Stands for the graphics device: its own name, and it can stop working."""

    def __init__(self, context: object = None) -> None:
        super().__init__()
        self.name, self.capacity, self.closed, self.lost = "GL: a device", 9, 0, False

    def own(self, *arguments: Any) -> torch.Tensor:
        if self.lost:
            raise BackendError("the device is gone")
        return super().own(*arguments)

    def close(self) -> None:
        self.closed += 1


class Context:
    """A graphics context that can be had and closed."""

    renderer = "a device"
    made: ClassVar[list[Context]] = []

    def __init__(self) -> None:
        self.closed = 0
        Context.made.append(self)

    def close(self) -> None:
        self.closed += 1


SQUARE = (
    Contours(torch.tensor([[(0.0, 0.0), (3.0, 0.0), (3.0, 2.0), (0.0, 2.0)]]), torch.ones(1, 2), torch.tensor([True])),
    torch.zeros(1, dtype=torch.int64),
    torch.zeros(1, dtype=torch.int32),
    1,
)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, float]:
    """A machine whose backends take so many seconds, and whose memory lies in tmp_path."""
    seconds = {"gl": 2.0, "torch": 1.0}
    Context.made.clear()
    monkeypatch.setattr(backends.gl, "Context", Context)
    monkeypatch.setattr(backends, "GLRasteriser", Drawn)
    monkeypatch.setattr(
        backends, "_measure", lambda rasteriser, on: seconds["gl" if isinstance(rasteriser, Drawn) else "torch"]
    )
    monkeypatch.setattr(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name))
    return seconds


def remembered(folder: Path) -> Any:
    return json.loads((folder / "noisescope" / "backend.json").read_text())


MACHINE = f"a device / cpu / compiled edges, torch {torch.__version__} / {__version__}"


def test_auto_measures_once_and_remembers(machine: dict[str, float], tmp_path: Path) -> None:
    assert Backend("auto", CPU).name == "torch"
    assert remembered(tmp_path) == {MACHINE: "torch"}
    assert Context.made[0].closed == 1  # what is not used is given back
    machine["gl"] = 0.5
    assert Backend("auto", CPU).name == "torch"  # not measured again
    other = {"another machine": "torch", MACHINE: "gl"}
    (tmp_path / "noisescope" / "backend.json").write_text(json.dumps(other))
    chosen = Backend("auto", CPU)
    assert (chosen.name, chosen.capacity) == ("GL: a device", 9)
    assert Context.made[-1].closed == 0
    chosen.close()
    assert Context.made[-1].closed == 1
    assert remembered(tmp_path) == other


@pytest.mark.parametrize("text", ["no JSON", "[1, 2]", json.dumps({MACHINE: "cuda", "b": "gl"})])
def test_what_cannot_be_read_is_measured_anew(text: str, machine: dict[str, float], tmp_path: Path) -> None:
    machine["gl"] = 0.5
    (tmp_path / "noisescope").mkdir()
    (tmp_path / "noisescope" / "backend.json").write_text(text)
    assert Backend("auto", CPU).name == "GL: a device"
    assert remembered(tmp_path)[MACHINE] == "gl"
    assert remembered(tmp_path).get("b") == ("gl" if "cuda" in text else None)


def test_a_memory_that_cannot_be_written_costs_nothing_else(machine: dict[str, float], tmp_path: Path) -> None:
    (tmp_path / "noisescope").write_text("a file, not a folder")
    assert Backend("auto", CPU).name == "torch"


def test_by_name_nothing_is_measured(machine: dict[str, float], tmp_path: Path) -> None:
    assert Backend("torch", CPU).name == "torch"
    assert Context.made == []
    assert Backend("gl", CPU).name == "GL: a device"
    assert list(tmp_path.iterdir()) == []


def test_without_a_context_auto_goes_on_and_gl_says_so(
    machine: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise BackendError("no OpenGL here")

    monkeypatch.setattr(backends.gl, "Context", refuse)
    chosen = Backend("auto", CPU)
    assert (chosen.name, chosen.note) == ("torch", "no OpenGL here")
    with pytest.raises(BackendError, match="no OpenGL here"):
        Backend("gl", CPU)


def test_a_device_that_is_lost_is_replaced_or_reported(machine: dict[str, float]) -> None:
    machine["gl"] = 0.5
    expected = TorchRasteriser().own(*SQUARE)
    assert int((expected == 0).sum()) == 6
    auto, strict = Backend("auto", CPU), Backend("gl", CPU)
    assert torch.equal(auto.own(*SQUARE), expected)
    assert auto.note == ""
    for chosen in (auto, strict):
        assert isinstance(chosen._rasteriser, Drawn)
        chosen._rasteriser.lost = True
    assert torch.equal(auto.own(*SQUARE), expected)
    assert auto.name == "torch"
    assert auto.note == "The graphics device stopped working (the device is gone); torch goes on without it."
    with pytest.raises(BackendError, match=r"stopped working \(the device is gone\)\. Choose the torch backend\."):
        strict.own(*SQUARE)


def test_refining_is_the_rasterisers() -> None:
    values = field.fixed(torch.randn(2, 3))
    assert torch.equal(
        Backend("torch", CPU).cells(values, 7, 1, 2, 1, 5, 4), TorchRasteriser().cells(values, 7, 1, 2, 1, 5, 4)
    )


def test_backends_are_measured_on_a_small_rotation(monkeypatch: pytest.MonkeyPatch) -> None:
    """By 0.1 rad about the centre, whose pixel centre stays within a tenth of its distance; one warm-up and the best of two."""
    motion = backends._rotation(8, CPU)
    place = tracks.fresh(0, 8, 8, CPU).position - 4
    went = place + motion.flow
    assert torch.allclose(went.norm(dim=-1), place.norm(dim=-1))
    angle = torch.atan2(went[..., 1], went[..., 0]) - torch.atan2(place[..., 1], place[..., 0])
    assert torch.remainder(angle, 2 * torch.pi).reshape(-1).tolist() == pytest.approx([0.1] * 64, abs=1e-4)

    times = iter([0.0, 10.0, 13.0, 20.0, 22.0])
    asked = []

    class Carrier:
        def __init__(self, *arguments: object) -> None:
            asked.append(arguments)

        def integral(self, t: int, channels: int) -> None:
            asked.append((t, channels))

    monkeypatch.setattr(backends, "Transport", Carrier)
    monkeypatch.setattr(backends.time, "perf_counter", lambda: next(times))
    rasteriser = TorchRasteriser()
    assert backends._measure(rasteriser, CPU, 8) == 2
    assert asked[1:] == [(1, 1)] * 3
    assert asked[0][1].height == asked[0][1].width == 8
    assert asked[0][3] is rasteriser
