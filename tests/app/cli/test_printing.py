"""What is printed reaches every terminal and file, whatever its encoding, and it is said when it does not."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app import printing

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("text", "encoding", "written"),
    [
        ("warp ×10⁻³ – 0.5 σ …", "ascii", b"warp x10^-3 - 0.5 sigma ..."),
        ("ü", "ascii", b"\\u00fc"),
        ("ü", "latin-1", b"\xfc"),
        ("a\udcffb", "utf-8", b"a\\xffb"),
        ("a\udc80 \ud800", "ascii", b"a\\x80 \\ud800"),
        ("🙂", "ascii", b"\\ud83d\\ude42"),
    ],
)
def test_every_character_is_written(text: str, encoding: str, written: bytes) -> None:
    printing.prepare()
    assert text.encode(encoding, printing.TEXT) == written


@pytest.mark.parametrize("text", ["ü", "a\udcffb", "🙂"])
def test_json_is_read_back_as_what_it_was(text: str) -> None:
    printing.prepare()
    assert json.loads(json.dumps(text, ensure_ascii=False).encode("ascii", printing.JSON)) == text


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in a file whose name is not UTF-8."""
    path = tmp_path_factory.mktemp("printing") / os.fsdecode(b"no\xefse.npy")
    np.save(path, np.random.default_rng(0).standard_normal((2, 4, 16, 16), np.float32))
    return path


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "utf-16"])
def test_results_are_printed_in_every_encoding(encoding: str, noise: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(
        [sys.executable, "-m", "app", "stats", noise],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert r"no\xefse.npy: 2 frames" in done.stdout.decode(encoding)
    done = subprocess.run(
        [sys.executable, "-m", "app", "stats", noise, "--json"],
        cwd=ROOT, env=environment, capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout.decode(encoding))["file"] == str(noise)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_behind_the_output_is_said(noise: Path) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "app", "stats", noise],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "noisescope: The result cannot be printed: the disk is full.\n"


@pytest.mark.slow
@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_not_taken_for_files(closed: str, noise: Path, tmp_path: Path) -> None:
    """With its number free, the file of noise would be what libraries print into."""
    out = tmp_path / "a.npy"
    words = "warp --synthetic rotation --size 16x16 --frames 2 --out"
    line = f"exec {sys.executable} -m app {words} {out} {closed}"
    done = subprocess.run(["sh", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert np.load(out).shape == (2, 4, 16, 16)


@pytest.mark.slow
def test_a_reader_that_has_gone_is_no_error(noise: Path) -> None:
    line = f"{sys.executable} -m app stats '{os.fsdecode(os.fsencode(noise))}' --json; echo code $? >&2"
    done = subprocess.run(
        ["bash", "-c", f"({line}) | true"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stderr == "code 0\n"


@pytest.mark.slow
def test_names_that_are_not_utf8_are_kept_in_all_that_is_written(inputs: Path, tmp_path: Path, cli: Any) -> None:
    """What says where noise came from: in every format, beside it, in a comparison's files, and in sessions."""
    photo = tmp_path / os.fsdecode(b"ph\xffto<b>.png")
    shutil.copy(inputs / "photo.png", photo)
    grid = ("--size", "16x24", "--frames", 2)
    for form in ("npz", "npy", "safetensors", "pt"):
        out = tmp_path / os.fsdecode(b"n\xff." + form.encode())
        assert cli("warp", "--synthetic", "rotation", "--still", photo, *grid, "--out", out).code == 0
        assert cli("stats", out).code == 0
    with np.load(tmp_path / os.fsdecode(b"n\xff.npz")) as file:
        assert json.loads(str(file["meta"]))["session"]["source"]["path"] == str(photo)
    (described,) = tmp_path.glob("*.json")
    beside = json.loads(described.read_text(encoding="utf-8"))
    assert str(photo) in json.dumps(beside, ensure_ascii=False)
    folder = tmp_path / os.fsdecode(b"r\xff")
    words = ("--synthetic", "rotation", "--still", photo, *grid, "--task", "none", "--priors", "fixed")
    result = cli("render", *words, "--out", folder)
    assert result.code == 0, result.err
    assert "fixed" in json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["priors"]
    again = tmp_path / "again.npz"
    assert cli("warp", "--session", folder / "session.json", "--out", again).code == 0
    assert cli("experiment", "toy1d", "--quick", "--out", tmp_path / os.fsdecode(b"e\xff")).code == 0
