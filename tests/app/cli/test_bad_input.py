"""Bad input gets one sentence and exit code 2, or is worked with and counted; never a traceback, never a half file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpu.files import holding_folder

ROOT = Path(__file__).resolve().parents[3]

WRONG = {
    "a text file called .mp4": ["warp", "--video", "{inputs}/text.mp4", "--out", "{out}/a.npz"],
    "a video of zero bytes": ["warp", "--video", "{inputs}/empty.mp4", "--out", "{out}/a.npz"],
    "a truncated video": ["warp", "--video", "{inputs}/truncated.mp4", "--out", "{out}/a.npz"],
    "no such video": ["warp", "--video", "{inputs}/none.mp4", "--out", "{out}/a.npz"],
    "a folder as video": ["warp", "--video", "{inputs}", "--out", "{out}/a.npz"],
    "a text file called .png": ["warp", "--synthetic", "rotation", "--still", "{inputs}/text.png", "--out", "{out}/a.npz"],
    "two pictures of one number": ["warp", "--images", "{inputs}/doubled", "--out", "{out}/a.npz"],
    "a pattern that no picture fits": ["warp", "--images", "{inputs}/doubled/%04d.jp2", "--out", "{out}/a.npz"],
    "a range without pictures": ["warp", "--images", "{inputs}/doubled/*.png:7-9", "--out", "{out}/a.npz"],
    "a picture of 30000 × 30000": ["warp", "--synthetic", "rotation", "--still", "{inputs}/bomb.png", "--out", "{out}/a.npz"],
    "a layer that is not there": [
        "warp", "--synthetic", "rotation", "--still", "{inputs}/light.hdr", "--layer", "x", "--out", "{out}/a.npz",
    ],
    "an exposure that is none": ["warp", "--synthetic", "rotation", "--exposure", "99", "--out", "{out}/a.npz"],
    "a flow without components": ["warp", "--flow", "{inputs}/3d-flow.npy", "--out", "{out}/a.npz"],
    "a flow of no frames": ["warp", "--flow", "{inputs}/no-flow.npy", "--out", "{out}/a.npz"],
    "a text file called .npy": ["warp", "--flow", "{inputs}/text.npy", "--out", "{out}/a.npz"],
    "an unknown deformation": ["warp", "--synthetic", "dance", "--out", "{out}/a.npz"],
    "an unknown parameter": ["warp", "--synthetic", "rotation:speeed=2", "--out", "{out}/a.npz"],
    "a parameter that is no number": ["warp", "--synthetic", "translation:dx=fast", "--out", "{out}/a.npz"],
    "a name without values": ["warp", "--synthetic", "rotation:", "--out", "{out}/a.npz"],
    "an unknown prior": ["warp", "--synthetic", "rotation", "--prior", "dance", "--out", "{out}/a.npz"],
    "a mode the prior has not": [
        "warp", "--synthetic", "rotation", "--prior", "random", "--mode", "chained", "--out", "{out}/a.npz",
    ],
    "an unknown estimator": ["warp", "--video", "{inputs}/clip.mp4", "--estimator", "x", "--out", "{out}/a.npz"],
    "an unknown device": ["warp", "--synthetic", "rotation", "--device", "abacus", "--out", "{out}/a.npz"],
    "a device without values": ["warp", "--synthetic", "rotation", "--device", "meta", "--out", "{out}/a.npz"],
    "fields of what is computed": ["warp", "--synthetic", "rotation", "--deinterlace", "off", "--out", "{out}/a.npz"],
    "every frame of what is computed": ["warp", "--synthetic", "rotation", "--every", "2", "--out", "{out}/a.npz"],
    "every 0th frame": ["warp", "--video", "{inputs}/clip.mp4", "--every", "0", "--out", "{out}/a.npz"],
    "a rate for what is computed": ["warp", "--scene", "flat", "--fps", "12", "--out", "{out}/a.npz"],
    "a fit of what is computed": ["warp", "--synthetic", "rotation", "--fit", "pad", "--out", "{out}/a.npz"],
    "a rate that is none": ["warp", "--video", "{inputs}/clip.mp4", "--fps", "nan", "--out", "{out}/a.npz"],
    "a size that is none": ["warp", "--synthetic", "rotation", "--size", "abc", "--out", "{out}/a.npz"],
    "a window of no size": ["--screenshot", "{out}/a.png", "--size", "0x0"],
    "no output": ["warp", "--synthetic", "rotation"],
    "a name that is too long": ["warp", "--synthetic", "rotation", "--out", "{out}/" + 260 * "x" + ".npz"],
    "a folder's name that is too long": ["render", "--synthetic", "rotation", "--out", "{out}/" + 260 * "x"],
    "more steps than anyone waits for": ["render", "--synthetic", "rotation", "--steps", "100000000", "--out", "{out}/o"],
    "no segments": ["warp", "--synthetic", "rotation", "--s", "0", "--out", "{out}/a.npz"],
    "a session without priors": ["render", "--session", "{inputs}/no-priors.json", "--out", "{out}/o"],
    "a session nested too deeply": ["warp", "--session", "{inputs}/deep.json", "--out", "{out}/a.npz"],
    "a null character in a path": ["warp", "--session", "{inputs}/null.json", "--out", "{out}/a.npz"],
    "a k out of range": ["warp", "--synthetic", "rotation", "--k", "9", "--out", "{out}/a.npz"],
    "a γ out of range": ["warp", "--synthetic", "rotation", "--gamma", "2", "--out", "{out}/a.npz"],
    "a negative seed": ["warp", "--synthetic", "rotation", "--seed", "-1", "--out", "{out}/a.npz"],
    "no folder for the output": ["warp", "--synthetic", "rotation", "--out", "{out}/none/a.npz"],
    "a folder as output": ["warp", "--synthetic", "rotation", "--out", "{out}/.npz"],
    "an unwritable output": ["warp", "--synthetic", "rotation", "--out", "/proc/a.npz"],
    "an unknown kind of output": ["warp", "--synthetic", "rotation", "--out", "{out}/a.doc"],
    "an order of axes that is none": ["warp", "--synthetic", "rotation", "--axes", "TCXY", "--out", "{out}/a.npy"],
    "a file as folder": ["render", "--synthetic", "rotation", "--out", "{inputs}/photo.png"],
    "an unwritable folder": ["render", "--synthetic", "rotation", "--out", "/proc/out"],
    "an unknown task": ["render", "--synthetic", "rotation", "--task", "dance", "--out", "{out}/o"],
    "an unknown scene": ["warp", "--scene", "dance", "--out", "{out}/a.npz"],
    "a task's unknown parameter": [
        "render", "--synthetic", "rotation", "--task", "jpeg-restoration:qality=5", "--out", "{out}/o",
    ],
    "a task's parameter out of range": [
        "render", "--synthetic", "rotation", "--task", "jpeg-restoration:quality=500", "--out", "{out}/o",
    ],
    "an unknown sampler": ["render", "--synthetic", "rotation", "--sampler", "dance", "--out", "{out}/o"],
    "noise levels the wrong way round": [
        "render", "--synthetic", "rotation", "--sigma-max", "1", "--sigma-min", "2", "--out", "{out}/o",
    ],
    "a negative noise level": ["render", "--synthetic", "rotation", "--sigma-max", "-1", "--out", "{out}/o"],
    "a noise level beyond float32": ["render", "--synthetic", "rotation", "--sigma-max", "1e300", "--out", "{out}/o"],
    "a noise level next to nothing": ["render", "--synthetic", "rotation", "--sigma-min", "1e-300", "--out", "{out}/o"],
    "an empty list of priors": ["render", "--synthetic", "rotation", "--priors", "", "--out", "{out}/o"],
    "an empty task": ["render", "--synthetic", "rotation", "--task", "", "--out", "{out}/o"],
    "an unknown preset, though the motion is known": [
        "warp", "--synthetic", "rotation", "--preset", "dance", "--out", "{out}/a.npz",
    ],
    "a file for a scene that reads none": ["warp", "--scene", "flat:path=/etc/passwd", "--out", "{out}/a.npz"],
    "a parameter that the prior of a session has not": ["warp", "--session", "{inputs}/parameter.json", "--out", "{out}/a.npz"],
    "a device as picture": ["warp", "--synthetic", "rotation", "--still", "/dev/zero", "--out", "{out}/a.npz"],
    "a device as session": ["warp", "--session", "/dev/zero", "--out", "{out}/a.npz"],
    "a device as poses": ["warp", "--scene", "pose:path=/dev/zero", "--out", "{out}/a.npz"],
    "a link to nowhere as folder": ["render", "--synthetic", "rotation", "--out", "{inputs}/nowhere"],
    "a churn out of range": ["render", "--synthetic", "rotation", "--churn", "2", "--out", "{out}/o"],
    "a model that is not there": ["render", "--synthetic", "rotation", "--hub", "{out}/none", "--out", "{out}/o"],
    "a model beside another task": [
        "render", "--synthetic", "rotation", "--hub", "x", "--task", "jpeg-restoration", "--out", "{out}/o",
    ],
    "the same prior twice": ["render", "--synthetic", "rotation", "--priors", "random,random", "--out", "{out}/o"],
    "--forward without --flow": [
        "warp", "--video", "{inputs}/clip.mp4", "--forward", "{inputs}/flow.npy", "--out", "{out}/a.npz",
    ],
    "a corrupt session": ["warp", "--session", "{inputs}/corrupt.json", "--out", "{out}/a.npz"],
    "a session of the future": ["open", "{inputs}/future.json"],
    "a session with a wrong value": ["--session", "{inputs}/wrong.json"],
    "no such session": ["--screenshot", "{out}/a.png", "--session", "{inputs}/none.json"],
    "a screenshot that is no .png": ["--screenshot", "{out}/a.jpg"],
    "statistics of a video": ["stats", "{inputs}/clip.mp4"],
    "statistics of a name that is too long": ["stats", 260 * "x" + ".npz"],
    "statistics of text": ["stats", "{inputs}/text.npy"],
    "statistics of a flow of three axes": ["stats", "{inputs}/3d-flow.npy", "--axes", "TCHW"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("what", WRONG)
def test_wrong_input_gets_one_sentence(what: str, cli: Any, inputs: Path, tmp_path: Path) -> None:
    (tmp_path / ".npz").mkdir()
    result = cli(*(item.format(inputs=inputs, out=tmp_path) for item in WRONG[what]))
    assert result.code == 2, result.out + result.err
    assert "Traceback" not in result.err
    assert result.err.startswith("noisescope: ")
    assert result.err.count("\n") == 1, "one sentence, and no library's own complaints beside it"
    assert len(result.err) > 40
    assert [item.name for item in tmp_path.iterdir()] == [".npz"]


@pytest.mark.parametrize("footage", ["--video", "--images"])
@pytest.mark.parametrize("flow", [True, False])
def test_a_still_beside_footage_is_said(footage: str, flow: bool, cli: Any, inputs: Path, tmp_path: Path) -> None:
    argv = [footage, inputs / "clip.mp4", "--still", inputs / "photo.png"]
    result = cli("warp", *argv, *(["--flow", inputs / "flow.npy"] if flow else []), "--out", tmp_path / "a.npz")
    assert result.code == 2
    assert f"--still cannot stand beside {footage}" in result.err


def test_what_cannot_be_written_is_found_before_the_work(
    cli: Any, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import gpu.engine

    def never(*_: object) -> None:
        raise AssertionError("the work has begun")

    monkeypatch.setattr(gpu.engine, "Engine", never)
    photo = ["--synthetic", "rotation", "--still", inputs / "photo.png"]
    assert cli("warp", *photo, "--out", tmp_path / "none" / "a.npz").code == 2
    assert cli("render", *photo, "--out", inputs / "photo.png").code == 2


@pytest.mark.slow
def test_vectors_that_are_no_numbers_become_invalid_pixels(cli: Any, inputs: Path, tmp_path: Path) -> None:
    """NaN, infinite and absurd vectors are counted as pixels without history; the noise stays finite."""
    out = tmp_path / "noise.npz"
    result = cli("warp", "--flow", inputs / "broken-flow.npy", "--k", 1, "--out", out)
    assert result.code == 0, result.err
    with np.load(out) as archive:
        noise, undefined = archive["noise"], archive["undefined"]
    assert np.isfinite(noise).all()
    assert undefined[1, 3, 4]
    assert undefined[2, 5, 6]
    assert undefined[3, 7, 8]
    assert undefined[1:, 12, 16].sum() == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["1x1.png", "2x3000.png"])
@pytest.mark.parametrize("task", ["none", "super-resolution"])
def test_strange_sizes_work_or_are_refused(name: str, task: str, cli: Any, inputs: Path, tmp_path: Path) -> None:
    """Whichever it is, it is a sentence and not a traceback, and success means that the files are there."""
    argv = ["--synthetic", "rotation", "--still", inputs / name, "--frames", 2, "--k", 1]
    result = cli("render", *argv, "--task", task, "--steps", 1, "--priors", "random,integral", "--out", tmp_path / "o")
    assert result.code in (0, 2)
    assert "Traceback" not in result.err
    if result.code == 0:
        assert json.loads((tmp_path / "o" / "metrics.json").read_text())["priors"]["integral"]["variance"] is not False
        assert (tmp_path / "o" / "side-by-side.mp4").stat().st_size > 0
    else:
        assert result.err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_as_a_person_sees_it(inputs: Path, tmp_path: Path) -> None:
    """The same in a process of its own, through the installed entry."""
    command = [
        sys.executable,
        "-m",
        "app",
        "warp",
        "--video",
        str(inputs / "text.mp4"),
        "--out",
        str(tmp_path / "a.npz"),
    ]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "text.mp4" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "argv",
    [
        ["render", "--task", "none", "--synthetic", "rotation", "--size", "24x32", "--frames", "2"],
        ["experiment", "toy1d", "variance", "--quick"],
    ],
)
def test_two_runs_into_a_folder_are_never_mixed(argv: list[str], cli: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    with holding_folder(tmp_path / "out"):
        result = cli(*argv, "--out", tmp_path / "out")
    assert result.code == 2
    assert f"Another run (process {os.getpid()}) is writing into the folder" in result.err
    assert not any((tmp_path / "out").iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_names_and_letters_that_the_terminal_has_not(encoding: str, inputs: Path, tmp_path: Path) -> None:
    """A file whose name is no UTF-8, and sentences with × and σ, on terminals of other encodings."""
    name = os.fsdecode(b"caf\xe9.png")
    (tmp_path / name).write_bytes((inputs / "photo.png").read_bytes())
    argv = ["warp", "--synthetic", "rotation", "--still", tmp_path / name, "--size", "24x32", "--frames", "2"]
    done = subprocess.run(
        [sys.executable, "-m", "app", *map(str, argv), "--out", str(tmp_path / (name + ".npz"))],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"caf" in done.stdout
    assert (tmp_path / (name + ".npz")).stat().st_size > 0
