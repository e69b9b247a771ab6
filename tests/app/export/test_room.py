"""Every format asks for room before it begins, and not for more than it needs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from app import export
from app.export import FORMATS, ExportOptions
from gpu.errors import OutputError
from tests.app.export.conftest import CHANNELS, FRAMES, HEIGHT, WIDTH

PIXELS = FRAMES * HEIGHT * WIDTH
NOISE = 4 * CHANNELS * PIXELS
FLOW = 8 * (FRAMES - 1) * HEIGHT * WIDTH
ROOM = {
    "npy": NOISE,
    "npz": NOISE + PIXELS + FLOW,  # with `undefined` and `backward`
    "safetensors": NOISE,
    "pt": 2 * NOISE,  # gathered in a file of its own, from which torch writes
    "flow-npy": FLOW,
    "flo": FLOW,
    "mp4": PIXELS // 2,
    "png": int(1.4 * PIXELS),
}
"""Bytes by format of what tests/app/export/conftest.py exports, without headers."""

HEADERS = 64 * 1024


def asked(form: str, options: ExportOptions, folder: Path, monkeypatch: pytest.MonkeyPatch, engine: Any) -> int:
    """The least free space at which `form` can be planned."""
    usage = SimpleNamespace(free=0)
    monkeypatch.setattr("gpu.files.shutil.disk_usage", lambda _: usage)
    low, high = 0, 10**7
    while high - low > 1:
        usage.free = (low + high) // 2
        try:
            export.plan(engine, form, "integral", folder / f"out{FORMATS.get(form).suffix}", options)
            high = usage.free
        except OutputError:
            low = usage.free
    return high


@pytest.mark.parametrize("form", ROOM)
def test_the_room_of_a_format(form: str, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options = ExportOptions(content="noise", axes=FORMATS.get(form).axes or "TCHW")
    assert asked(form, options, tmp_path, monkeypatch, engine) == ROOM[form] + HEADERS


@pytest.mark.parametrize("form", FORMATS.names())
def test_what_is_written_fits_into_what_was_asked_for(
    form: str, engine: Any, finish: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ExportOptions(content="noise", axes=FORMATS.get(form).axes or "TCHW")
    least = asked(form, options, tmp_path, monkeypatch, engine)
    assert least > HEADERS
    monkeypatch.undo()
    _, report = finish(export.write(engine, form, "integral", tmp_path / f"out{FORMATS.get(form).suffix}", options))
    assert report.size <= least


def test_the_room_of_pt_is_what_lies_on_the_disk_while_it_is_written(
    engine: Any, finish: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    real, taken = torch.save, []

    def measured(*arguments: Any) -> None:
        real(*arguments)
        taken.append(sum(item.stat().st_size for item in tmp_path.rglob("*") if item.is_file()))

    monkeypatch.setattr(torch, "save", measured)
    finish(export.write(engine, "pt", "integral", tmp_path / "noise.pt", ExportOptions()))
    assert len(taken) == 1
    assert ROOM["pt"] <= taken[0] <= ROOM["pt"] + HEADERS


def test_nothing_is_computed_for_what_does_not_fit(
    engine: Any, finish: Callable[[Any], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gpu.files.shutil.disk_usage", lambda _: SimpleNamespace(free=ROOM["npy"] + HEADERS - 1))
    monkeypatch.setattr(engine, "noise", lambda key, t: pytest.fail("computed before it was known to fit"))
    with pytest.raises(OutputError, match="are free there"):
        finish(export.write(engine, "npy", "integral", tmp_path / "noise.npy", ExportOptions()))
    assert list(tmp_path.iterdir()) == []
