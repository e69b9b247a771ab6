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
