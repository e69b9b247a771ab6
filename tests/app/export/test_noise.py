"""Noise files: what stands in them, that it is read back, and that nothing is left behind when writing fails."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from app import export
from app.export import AXES, ExportOptions, NoiseFileError, Stored
from app.export.kit.noise_reading import read_arrays, read_noise
from gpu import session as sessions
from gpu.errors import ChoiceError, OutputError
from gpu.noise.states import NEW, UNDEFINED

NOISE_FORMATS = [name for name, entry in export.FORMATS.items() if entry.kind == "noise"]
ANY_AXES = [name for name in NOISE_FORMATS if "axes" in export.FORMATS.get(name).options]
ONE_ORDER = [name for name in NOISE_FORMATS if name not in ANY_AXES]

RAW: dict[str, Any] = {
    ".npy": np.load,
    ".safetensors": lambda path: load_file(path)["noise"],
    ".pt": lambda path: torch.load(path, weights_only=True)["noise"].numpy(),
}
"""The array of a file as other programs read it, for the endings that have a library of their own."""


@pytest.mark.parametrize("form", export.FORMATS.names())
def test_a_format_says_what_it_is(form: str) -> None:
    entry = export.FORMATS.get(form)
    assert entry.title
    assert entry.summary.endswith(".")
    assert entry.is_folder or entry.suffix.startswith(".")
    assert (entry.read is not None) == (entry.kind == "noise")
    heeded = {"noise": {"axes"}, "flow": {"direction"}, "pictures": {"content", "colours", "fps"}}[entry.kind]
    assert set(entry.options) <= heeded
    assert sorted(entry.axes) == sorted("TCHW")
    if not entry.is_folder:
        assert export.format_for(Path("a" + entry.suffix), entry.kind) == form


def test_there_are_formats_of_every_kind() -> None:
    assert {entry.kind for _, entry in export.FORMATS.items()} == {"noise", "flow", "pictures"}
    assert set(RAW) <= {entry.suffix for _, entry in export.FORMATS.items()}


@pytest.mark.parametrize("form", NOISE_FORMATS)
def test_what_is_written_is_what_was_computed(form: str, engine: Any, finish: Any, tmp_path: Path) -> None:
    path = tmp_path / f"noise{export.FORMATS.get(form).suffix}"
    updates, report = finish(export.write(engine, form, "integral", path))
    assert np.array_equal(read_noise(path).noise, engine.noises)
    assert report.size == path.stat().st_size
    assert report.whiteness.n == engine.noises.size
    assert report.whiteness.variance == pytest.approx(np.mean([frame.var(ddof=1) for frame in engine.noises]), abs=1e-4)
    looking = [
        update.what for update in updates if update.done == 0
    ]  # where noise is renewed is known before any is written
    assert looking == [f"where noise is renewed, frame {t}" for t in range(len(engine.noises))]
    assert [update.done for update in updates if update.done] == list(range(1, 2 * len(engine.noises) + 1))
    assert {update.total for update in updates} == {2 * len(engine.noises)}
    assert {item.name for item in tmp_path.iterdir()} <= {path.name, path.name + ".json"}


@pytest.mark.parametrize("form", NOISE_FORMATS)
def test_the_same_noise_gives_the_same_bytes(form: str, engine: Any, finish: Any, tmp_path: Path) -> None:
    suffix = export.FORMATS.get(form).suffix
    first, second = tmp_path / f"first{suffix}", tmp_path / f"second{suffix}"
    finish(export.write(engine, form, "integral", first))
    finish(export.write(engine, form, "integral", second))
    assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("axes", [*(order for order in AXES if "T" in order), "HWCT", "WHTC"])
@pytest.mark.parametrize("form", ANY_AXES)
def test_axes_are_ordered_as_asked_and_told_by_the_file(
    form: str, axes: str, engine: Any, finish: Any, tmp_path: Path
) -> None:
    path = tmp_path / f"noise{export.FORMATS.get(form).suffix}"
    options = ExportOptions(axes=axes)
    planned = export.plan(engine, form, "integral", path, options)
    expected = engine.noises.transpose(["TCHW".index(letter) for letter in axes])
    assert planned.shape == expected.shape
    assert f"({axes})" in planned.text
    assert "frames" in planned.text
    assert not path.exists()
    finish(export.write(engine, form, "integral", path, options))
    if path.suffix in RAW:
        assert np.array_equal(RAW[path.suffix](path), expected)
    stored = read_noise(path)
    assert stored.axes == axes
    assert np.array_equal(stored.noise, engine.noises)


@pytest.mark.parametrize("form", ONE_ORDER)
def test_a_format_of_one_order_refuses_another(form: str, engine: Any, finish: Any, tmp_path: Path) -> None:
    entry = export.FORMATS.get(form)
    path = tmp_path / f"noise{entry.suffix}"
    other = next(order for order in AXES if order != entry.axes)
    with pytest.raises(OutputError, match=f"axis order {entry.axes}"):
        export.plan(engine, form, "integral", path, ExportOptions(axes=other))


def test_one_frame_can_do_without_the_axis_of_frames(engine: Any, finish: Any, tmp_path: Path) -> None:
    path = tmp_path / "frame.npy"
    finish(export.write(engine, "npy", "integral", path, ExportOptions(axes="HWC", start=2, stop=3)))
    assert np.array_equal(np.load(path), engine.noises[2].transpose(1, 2, 0))
    with pytest.raises(OutputError, match="holds one frame, but 5"):
        export.plan(engine, "npy", "integral", path, ExportOptions(axes="HWC"))


def test_npz_holds_history_motion_and_settings(engine: Any, finish: Any, tmp_path: Path) -> None:
    path = tmp_path / "noise.npz"
    finish(export.write(engine, "npz", "integral", path, ExportOptions(start=1)))
    with np.load(path) as archive:
        assert sorted(archive.files) == ["backward", "meta", "noise", "undefined"]
        assert np.array_equal(archive["undefined"], (engine.states[1:] == NEW) | (engine.states[1:] == UNDEFINED))
        assert np.array_equal(archive["backward"], engine.flows[0][1:])
        meta = json.loads(str(archive["meta"]))
    assert meta["column"] == "integral"
    assert meta["frames"] == [1, 5]
    assert meta["renewed"] == {"1": 0.25}
    assert meta["axes"] == "TCHW"
    assert sessions.from_json(json.dumps(meta["session"])) == engine.session


@pytest.mark.parametrize(
    ("form", "name", "options", "sentence"),
    [
        ("npy", "noise.npz", ExportOptions(), "must end in .npy"),
        ("npy", "no folder/noise.npy", ExportOptions(), "there is no folder"),
        ("npy", "noise.npy", ExportOptions(axes="TCHH"), "axis order 'TCHH'"),
        ("npz", "noise.npz", ExportOptions(axes="THWC"), "axis order TCHW"),
        ("npz", "noise.npz", ExportOptions(start=9), "no frames"),
    ],
)
def test_what_cannot_be_written_is_found_before(
    form: str, name: str, options: ExportOptions, sentence: str, engine: Any, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match=sentence):
        export.plan(engine, form, "integral", tmp_path / name, options)
    assert list(tmp_path.iterdir()) == []


def test_unknown_columns_and_formats_are_named(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no column 'random'.*integral, bilinear"):
        export.plan(engine, "npy", "random", tmp_path / "noise.npy")
    with pytest.raises(ChoiceError, match=", ".join(export.FORMATS.names())):
        export.plan(engine, "jpg", "integral", tmp_path / "noise.jpg")


@pytest.mark.parametrize("form", NOISE_FORMATS)
@pytest.mark.parametrize("existed", [False, True])
def test_stopping_leaves_nothing_half_written(form: str, existed: bool, engine: Any, tmp_path: Path) -> None:
    path = tmp_path / f"noise{export.FORMATS.get(form).suffix}"
    if existed:
        path.write_bytes(b"earlier")
    steps = export.write(engine, form, "integral", path)
    for _ in range(3):
        next(steps)
    steps.close()
    assert [item.name for item in tmp_path.iterdir()] == ([path.name] if existed else [])
    assert not existed or path.read_bytes() == b"earlier"


def test_a_full_disk_is_said_and_leaves_nothing(
    engine: Any, finish: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OutputError, match="the disk is full"):
        finish(export.write(engine, "npy", "integral", tmp_path / "noise.npy"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is a Linux device")
def test_a_real_disk_that_is_full(engine: Any) -> None:
    with pytest.raises(OutputError, match=r"cannot be written|must end in"):
        export.plan(engine, "npy", "integral", Path("/dev/full/noise.npy"))


def test_reading_back_finds_what_was_damaged(engine: Any, finish: Any, tmp_path: Path) -> None:
    """A format that loses a value between writing and reading is found out, and its file does not stay."""
    from app.export import npy
    from app.export.kit import noise_format as noise

    def damaged(path: Path, axes: str) -> Stored:
        stored = read_arrays(path, axes)
        changed = np.array(stored.noise)
        changed[3, 0, 0, 0] += 1
        return Stored(changed, stored.axes)

    entry = noise.noise_format(noise.NoiseFile("x", ".npy", "", npy._create, damaged))
    with pytest.raises(OutputError, match="other values in frame 3"):
        finish(entry.write(engine, "integral", tmp_path / "noise.npy", ExportOptions()))
    assert list(tmp_path.iterdir()) == []


def test_noise_that_is_not_white_is_said_so(engine: Any, finish: Any, tmp_path: Path) -> None:
    engine.noises *= np.float32(0.66)
    _, report = finish(export.write(engine, "npz", "integral", tmp_path / "noise.npz"))
    assert report.whiteness.verdict.ok is False
    assert "not white" in report.text


def _text(path: Path) -> None:
    path.write_text("this is no array")


def _integers(path: Path) -> None:
    np.save(path, np.zeros((1, 1, 4, 4), np.int32))


def _flat(path: Path) -> None:
    np.save(path, np.zeros(16, np.float32))


def _pickled(path: Path) -> None:
    np.save(path, np.array([{}], dtype=object))


def _other(path: Path) -> None:
    np.savez(path, a=np.zeros(3), b=np.zeros(3))


def _torn(path: Path) -> None:
    np.savez(path, noise=np.zeros((2, 3, 16, 16), np.float32))
    path.write_bytes(path.read_bytes()[:500])


def _code(path: Path) -> None:
    torch.save({"noise": os.getcwd}, path)


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.npy", _text), ("a.npz", _text), ("a.safetensors", _text), ("a.pt", _text), ("a.npy", _integers),
        ("a.npy", _flat), ("a.npy", _pickled), ("a.npz", _other), ("a.npz", _torn), ("a.pt", _code), ("a.txt", _text),
    ],
)  # fmt: skip
def test_files_that_hold_no_noise_get_a_sentence(name: str, make: Any, tmp_path: Path) -> None:
    path = tmp_path / name
    make(path)
    with pytest.raises(NoiseFileError) as caught:
        read_noise(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_wrong_order_are_named(tmp_path: Path) -> None:
    with pytest.raises(NoiseFileError, match="There is no file"):
        read_noise(tmp_path / "none.npz")
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 5), np.float32))
    with pytest.raises(NoiseFileError, match="axis order HWC does not fit"):
        read_noise(tmp_path / "a.npy", "HWC")


def test_other_programs_files_are_read(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).standard_normal((2, 3, 8, 9)).astype(np.float16)
    np.savez_compressed(tmp_path / "packed.npz", latents=noise)
    assert np.array_equal(read_noise(tmp_path / "packed.npz").noise, noise)
    torch.save(torch.from_numpy(noise).bfloat16(), tmp_path / "half.pt")
    assert np.allclose(read_noise(tmp_path / "half.pt").noise, noise, atol=0.02)
    np.save(tmp_path / "frame.npy", noise[0].transpose(1, 2, 0))
    assert np.array_equal(read_noise(tmp_path / "frame.npy", "hwc").noise[0], noise[0])
