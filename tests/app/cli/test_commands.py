"""The commands from end to end on small inputs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.commands import doctor
from app.export.kit.video_writer import frames_in
from gpu import session as sessions
from gpu.cv import cv2
from gpu.metrics.whiteness import measure
from gpu.noise import field_limit
from tests.app.cli.conftest import texture


def rotation(inputs: Path) -> list[object]:
    return ["--synthetic", "rotation", "--still", inputs / "photo.png", "--size", "24x32", "--frames", 3, "--k", 2]


@pytest.mark.slow
def test_warp_writes_noise_history_motion_and_settings(cli: Any, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "noise.npz"
    result = cli("warp", *rotation(inputs), "--prior", "integral", "--channels", 3, "--seed", 5, "--out", out)
    assert result.code == 0, result.err
    assert "3 frames × 3 channels × 24 rows × 32 columns (TCHW)" in result.out
    with np.load(out) as archive:
        noise, undefined, backward = archive["noise"], archive["undefined"], archive["backward"]
        meta = json.loads(str(archive["meta"]))
    assert (noise.shape, noise.dtype) == ((3, 3, 24, 32), np.dtype("float32"))
    assert (undefined.shape, undefined.dtype) == ((3, 24, 32), np.dtype("bool"))
    assert (backward.shape, backward.dtype) == ((2, 24, 32, 2), np.dtype("float32"))
    assert np.isfinite(noise).all()
    assert np.abs(backward).max() > 0.1
    assert not undefined[0].any()
    assert undefined[1:].mean() < 0.3
    assert meta["seed"] == 5
    assert meta["axes"] == "TCHW"
    session = sessions.from_json(json.dumps(meta["session"]))
    assert session.noise.channels == 3
    assert session.source.name == "rotation"
    assert all(measure(frame).verdict.ok for frame in noise)


@pytest.mark.slow
def test_the_meta_makes_the_same_file_again(cli: Any, inputs: Path, tmp_path: Path) -> None:
    """Same seed, same bytes; from the options and from the session in the file; another seed, other noise."""
    first, second, other = (tmp_path / name for name in ("first.npz", "second.npz", "other.npz"))
    assert cli("warp", *rotation(inputs), "--out", first).code == 0
    with np.load(first) as archive:
        meta = json.loads(str(archive["meta"]))
    (tmp_path / "session.json").write_text(json.dumps(meta["session"]))
    assert cli("warp", "--session", tmp_path / "session.json", "--out", second).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert cli("warp", *rotation(inputs), "--seed", 8, "--out", other).code == 0
    with np.load(first) as one, np.load(other) as two:
        assert np.abs(np.corrcoef(one["noise"].ravel(), two["noise"].ravel())[0, 1]) < 0.1


def test_a_session_keeps_its_prior_and_options_change_it(cli: Any, inputs: Path, tmp_path: Path) -> None:
    first, second, third = (tmp_path / name for name in ("first.npz", "second.npz", "third.npz"))
    assert cli("warp", *rotation(inputs), "--prior", "bilinear:mode=chained", "--gamma", 0.2, "--out", first).code == 0
    (tmp_path / "session.json").write_text(json.dumps(json.loads(str(np.load(first)["meta"]))["session"]))
    assert cli("warp", "--session", tmp_path / "session.json", "--out", second).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert cli("warp", "--session", tmp_path / "session.json", "--gamma", 0.3, "--out", third).code == 0
    assert json.loads(str(np.load(third)["meta"]))["session"]["priors"][0]["gamma"] == 0.3


def test_the_segments_of_a_contour_are_an_option(cli: Any, inputs: Path, tmp_path: Path) -> None:
    """--s must not be taken for the beginning of --session, --size or --screenshot."""
    out = tmp_path / "noise.npz"
    assert cli("warp", *rotation(inputs), "--s", 2, "--out", out).code == 0
    assert json.loads(str(np.load(out)["meta"]))["session"]["noise"]["s"] == 2


@pytest.mark.parametrize("name", ["random", "fixed", "bilinear", "pyoco-mixed:alpha=2"])
def test_warp_takes_every_kind_of_prior(name: str, cli: Any, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "noise.npy"
    result = cli("warp", *rotation(inputs), "--prior", name, "--axes", "thwc", "--out", out, "--json")
    assert result.code == 0, result.err
    told = json.loads(result.out)
    assert np.load(out).shape == tuple(told["shape"]) == (3, 24, 32, 4)
    assert told["white"] is (name != "bilinear")
    assert json.loads((tmp_path / "noise.npy.json").read_text())["axes"] == "THWC"


def test_a_switch_of_a_prior_is_typed(cli: Any, inputs: Path, tmp_path: Path) -> None:
    """yes and true are one; a session keeps the switch; anything else is told."""
    made = []
    for word in ("yes", "true", "off"):
        out = tmp_path / f"{word}.npz"
        result = cli("warp", *rotation(inputs), "--prior", f"infinite-particle:whole={word}", "--out", out)
        assert result.code == 0, result.err
        with np.load(out) as file:
            made.append(file["noise"])
            assert json.loads(str(file["meta"]))["session"]["priors"][0]["parameters"] == {"whole": word != "off"}
    assert np.array_equal(made[0], made[1])
    assert not np.allclose(made[0], made[2], atol=1e-3)
    result = cli("warp", *rotation(inputs), "--prior", "infinite-particle:whole=2", "--out", tmp_path / "no.npz")
    assert result.code == 2
    assert "whole of infinite-particle must be true or false, not '2'." in result.err


def test_warp_of_a_video_and_of_a_flow(cli: Any, inputs: Path, tmp_path: Path) -> None:
    assert cli("warp", "--video", inputs / "clip.mp4", "--k", 1, "--out", tmp_path / "video.npz").code == 0
    with np.load(tmp_path / "video.npz") as archive:
        assert archive["noise"].shape == (4, 4, 24, 32)
    assert cli("warp", "--flow", inputs / "flow.npy", "--k", 1, "--out", tmp_path / "flow.npz").code == 0
    with np.load(tmp_path / "flow.npz") as archive:
        assert archive["noise"].shape == (4, 4, 24, 32)
        assert np.array_equal(archive["backward"], np.load(inputs / "flow.npy"))


@pytest.mark.slow
def test_warp_of_a_pattern_of_pictures_of_light(cli: Any, tmp_path: Path) -> None:
    """Frames of EXR or HDR, as a renderer writes them; what differs between frames moves."""
    wide = texture(24, 48).astype(np.float32) / 255
    for number in (8, 9, 10, 12):
        cv2.imwrite(str(tmp_path / f"f_{number:04d}.hdr"), wide[:, number : number + 32])
    made = cli("warp", "--images", tmp_path / "f_%04d.hdr:8-10", "--prior", "integral", "--out", tmp_path / "a.npz")
    assert made.code == 0, made.err
    with np.load(tmp_path / "a.npz") as file:
        assert file["noise"].shape == (3, 4, 24, 32)
        assert np.median(file["backward"][..., 0]) == pytest.approx(1, abs=0.1)  # the camera goes to the right
    shown = cli(
        "warp", "--images", tmp_path / "f_%04d.hdr", "--exposure", "1", "--frames", "1", "--out", tmp_path / "b.npz"
    )
    assert shown.code == 0, shown.err


def test_zero_flow_keeps_the_noise_and_gamma_degrades_it(cli: Any, tmp_path: Path) -> None:
    np.save(tmp_path / "zero.npy", np.zeros((2, 16, 16, 2), np.float32))
    argv = ["warp", "--flow", tmp_path / "zero.npy", "--k", 2, "--out"]
    assert cli(*argv, tmp_path / "still.npz").code == 0
    noise = np.load(tmp_path / "still.npz")["noise"]
    assert np.abs(noise[2] - noise[0]).max() < 1e-5
    assert cli(*argv, tmp_path / "degraded.npz", "--gamma", 0.5).code == 0
    degraded = np.load(tmp_path / "degraded.npz")["noise"]
    assert np.corrcoef(degraded[2].ravel(), noise[2].ravel())[0, 1] == pytest.approx(0.5**0.5, abs=0.08)


@pytest.mark.slow
def test_warnings_go_from_the_source_into_json_the_file_and_stats(cli: Any, tmp_path: Path) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    for number in range(6):
        cv2.imwrite(str(tmp_path / f"same{number}.png"), picture)
    out, warning = tmp_path / "noise.npz", "All 6 frames are the same picture: nothing moves in it."
    made = cli("warp", "--images", tmp_path, "--channels", 1, "--backend", "torch", "--out", out, "--json")
    assert json.loads(made.out)["warnings"] == [warning]
    assert f"noisescope: warning: {warning}\n" in made.err
    with np.load(out) as stored:
        assert json.loads(str(stored["meta"]))["warnings"] == [warning]
    measured = cli("stats", out, "--json")
    assert json.loads(measured.out)["notes"] == [f"Warning: its source: {warning}"]
    assert warning in measured.err


def test_stats_tells_white_noise_from_interpolated(cli: Any, inputs: Path, tmp_path: Path) -> None:
    cli("warp", *rotation(inputs), "--prior", "bilinear", "--out", tmp_path / "noise.npz")
    result = cli("stats", tmp_path / "noise.npz")
    assert result.code == 0
    rows = result.out.splitlines()
    assert [row.split()[0] for row in rows[2:6]] == ["0", "1", "2", "all"]
    assert "white Gaussian noise" in rows[2]
    assert "not white" in rows[4]
    told = json.loads(cli("stats", tmp_path / "noise.npz", "--json").out)
    assert told["frames"] == len(told["per_frame"]) == 3
    assert told["per_frame"][0]["white"] is True
    assert told["per_frame"][2]["white"] is False
    assert told["per_frame"][2]["variance"] < 0.75
    assert told["all"]["white"] is False
    assert told["all"]["n"] == 3 * 4 * 24 * 32


@pytest.mark.slow
def test_render_makes_videos_slices_and_numbers(cli: Any, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    argv = ["render", *rotation(inputs), "--task", "super-resolution", "--steps", 2]
    result = cli(*argv, "--priors", "random,bilinear:mode=chained,integral", "--out", out, "--json")
    assert result.code == 0, result.err
    names = {"random.mp4", "bilinear-chained.mp4", "integral.mp4", "side-by-side.mp4", "slices.png"}
    assert {item.name for item in out.iterdir()} == names | {"metrics.json", "session.json"}
    assert all(frames_in(out / name) == 3 for name in names if name.endswith(".mp4"))
    metrics = json.loads(result.out)
    assert metrics == json.loads((out / "metrics.json").read_text())
    assert list(metrics["priors"]) == sorted(["random", "bilinear (chained)", "integral"])
    for row in metrics["priors"].values():
        assert 0 < row["warp_error"] < 1000
        assert row["warp_error_255"] == pytest.approx(row["warp_error"] * 65.025)
        assert 0 < row["coverage"] <= 1
        assert row["sharpness"] > 0
        assert 0 < row["psnr"] < 60
        assert row["warp_error_5"] is None  # there are no five frames
    assert metrics["priors"]["integral"]["coherence_previous"] > 0.4
    assert abs(metrics["priors"]["random"]["coherence_previous"]) < 0.1
    with Image.open(out / "slices.png") as slices:
        width, height = slices.size
    assert width > 32
    assert height > 4 * 96
    assert sessions.load(out / "session.json").task.steps == 2


def test_render_without_a_model_draws_the_noise(cli: Any, inputs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("stays")
    result = cli("render", *rotation(inputs), "--task", "none", "--priors", "fixed", "--out", out)
    assert result.code == 0, result.err
    assert "fixed" in result.out
    assert (out / "mine.txt").read_text() == "stays"
    row = json.loads((out / "metrics.json").read_text())["priors"]["fixed"]
    assert row["warp_error"] is None
    assert row["variance"] == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_doctor_finds_everything_here(cli: Any) -> None:
    """Everything the program needs is on this machine; EGL missing is a failure, not a skip."""
    result = cli("doctor", "--json")
    told = json.loads(result.out)
    assert told["ok"] is True, [finding for finding in told["findings"] if finding["ok"] is False]
    assert result.code == 0
    names = [finding["name"] for finding in told["findings"]]
    assert {"system libraries", "OpenGL off screen", "torch", "Qt", "video", "pictures", "cache folder"} <= set(names)
    packages = next(finding["text"] for finding in told["findings"] if finding["name"] == "Python packages")
    assert {"av", "OpenImageIO", "torch", "PySide6_Essentials"} <= {each.split()[0] for each in packages.split(", ")}


@pytest.mark.parametrize(
    ("told", "sentence"),
    [
        (None, "which suits this machine; NOISESCOPE_FIELD_MB, --field-mb or the window (Noise, Memory) say otherwise"),
        ("300", "fine fields take up to 300 MB, as NOISESCOPE_FIELD_MB says; "),
        ("much", "NOISESCOPE_FIELD_MB is 'much', no whole number of megabytes"),
    ],
)
def test_doctor_says_how_much_memory_fields_may_take(
    told: str | None, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if told is None:
        monkeypatch.delenv("NOISESCOPE_FIELD_MB", raising=False)
    else:
        monkeypatch.setenv("NOISESCOPE_FIELD_MB", told)
    (finding,) = doctor._memory()
    assert sentence in finding.text
    assert finding.ok is None


@pytest.mark.slow
def test_the_memory_of_fields_changes_no_file(cli: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One MB is too little for the field of a frame; workers, which are told by the environment, included."""
    monkeypatch.delenv("NOISESCOPE_FIELD_MB", raising=False)
    seen = []
    limit = field_limit.limit
    monkeypatch.setattr(field_limit, "limit", lambda: seen.append(limit()) or limit())
    made = [tmp_path / f"{name}.npy" for name in ("roomy", "little", "workers")]
    command = ("warp", "--synthetic", "rotation:degrees=5", "--size", "48x64", "--frames", "4", "--out")
    assert cli(*command, made[0]).code == 0
    assert 1 << 20 not in seen
    assert cli(*command, made[1], "--field-mb", "1").code == 0
    assert 1 << 20 in seen
    assert cli(*command, made[2], "--field-mb", "1", "--workers", "2").code == 0
    assert len({path.read_bytes() for path in made}) == 1
    assert "NOISESCOPE_FIELD_MB" not in os.environ
    for wrong in ("0", "-3", "1.5", "much", "9" * 30):
        result = cli(*command, tmp_path / "none.npy", "--field-mb", wrong)
        assert result.code == 2
        assert "whole number of megabytes" in result.err


@pytest.mark.slow
def test_doctor_says_what_is_missing_and_how_to_get_it(cli: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app import system

    listed = [*system.libraries(), system.SystemLibrary("libnowhere.so.7", "libnowhere7", "this test")]
    monkeypatch.setattr(system, "libraries", lambda: listed)
    monkeypatch.setattr(system.sys, "platform", "linux")
    result = cli("doctor")
    assert result.code == 1
    assert "libnowhere.so.7 (this test)" in result.out
    assert "sudo apt-get install libnowhere7" in result.out


@pytest.mark.slow
def test_the_window_is_drawn_into_a_file(cli: Any, inputs: Path, tmp_path: Path) -> None:
    session = sessions.Session(
        source=sessions.SourceSettings("synthetic", path=str(inputs / "photo.png"), name="rotation", frames=2),
        noise=sessions.NoiseSettings(k=1),
    )
    sessions.save(session, tmp_path / "session.json")
    result = cli("--screenshot", tmp_path / "w.png", "--session", tmp_path / "session.json", "--size", "1000x700")
    assert result.code == 0, result.err
    picture = np.asarray(Image.open(tmp_path / "w.png").convert("RGB"))
    assert picture.shape == (700, 1000, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200


def test_render_says_which_weights_of_perceptual_measures_are_missing(cli: Any, tmp_path: Path) -> None:
    done = cli(
        "render", "--synthetic", "swirl", "--size", "24x24", "--frames", "2", "--task", "none", "--priors", "fixed",
        "--weights", str(tmp_path), "--out", str(tmp_path / "out"),
    )  # fmt: skip
    assert "LPIPS needs alexnet" in done.out
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["priors"]["fixed"]["lpips"] is None
    assert len(metrics["perceptual"]["notes"]) == 3
