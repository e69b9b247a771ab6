"""No reader waits at a pipe: a sentence and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.skipif(os.name != "posix", reason="pipes have names on POSIX alone")
@pytest.mark.parametrize(
    "line",
    [
        "warp --video {0} --out a.npz",
        "warp --images {0} --out a.npz",
        "warp --synthetic rotation --still {0} --out a.npz",
        "warp --flow {0} --out a.npz",
        "warp --flow {1}/flow.npy --still {0} --out a.npz",
        "warp --flow {1}/flow.npy --forward {0} --out a.npz",
        "warp --session {0} --out a.npz",
        "warp --scene pose:path={0} --out a.npz",
        "render --video {0} --out o",
        "stats {0}",
        "open {0}",
        "--session {0} --screenshot a.png",
        "batch {0} --out o",
        "bench --against {0}",
    ],
)
def test_nothing_waits_at_a_pipe(
    line: str, cli: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pipe = tmp_path / ("pipe.npz" if "--f" in line or "stats" in line else "pipe.png")
    os.mkfifo(pipe)
    result = cli(*line.format(pipe, inputs).split())
    assert result.code == 2, result.out + result.err
    assert f"{pipe} " in result.err or "pipe" in result.err
    assert "no regular file" in result.err


@pytest.mark.skipif(os.name != "posix", reason="pipes have names on POSIX alone")
def test_what_a_shell_puts_in_place_of_a_command_is_no_file(cli: Any, inputs: Path, tmp_path: Path) -> None:
    """As in --video <(cat clip.mp4)."""
    read, write = os.pipe()
    try:
        result = cli("warp", "--video", f"/dev/fd/{read}", "--out", tmp_path / "a.npz")
    finally:
        os.close(read)
        os.close(write)
    assert result.code == 2
    assert f"/dev/fd/{read} is no regular file; expected a video file." in result.err
