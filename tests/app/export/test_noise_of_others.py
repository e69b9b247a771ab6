"""Noise that other programs wrote: old and new files of torch, latents, any order of axes, arrays by any name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from app.export import NoiseFileError, Stored
from app.export.kit.axis_order import fits
from app.export.kit.noise_reading import read_noise

RNG = np.random.default_rng(11)


def white(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def carried(frames: int, channels: int, height: int, width: int) -> np.ndarray:
    """Noise that moves by two pixels a frame."""
    first = white(channels, height, width)
    return np.stack([np.roll(first, (t, 2 * t), (1, 2)) for t in range(frames)])


def read(path: Path, array: Any, **asked: str) -> Stored:
    np.save(path / "a.npy", array)
    return read_noise(path / "a.npy", **asked)


SHAPES: dict[str, tuple[tuple[int, ...], str]] = {
    "CogVideoX": ((1, 13, 16, 60, 90), "BTCHW"),
    "Wan, HunyuanVideo": ((1, 16, 21, 60, 104), "BCTHW"),
    "LTX": ((1, 128, 7, 16, 24), "BCTHW"),
    "one frame of latents for video": ((1, 16, 1, 60, 90), "BCTHW"),
    "channels last": ((1, 13, 60, 90, 16), "BTHWC"),
    "Go-with-the-Flow": ((49, 60, 90, 16), "THWC"),
    "Stable Diffusion": ((1, 4, 64, 64), "TCHW"),
    "AnimateDiff": ((16, 4, 24, 24), "TCHW"),
    "video latents without a batch": ((16, 13, 60, 90), "CTHW"),
    "grey frames": ((10, 1, 64, 64), "TCHW"),
    "five channels": ((9, 5, 20, 30), "TCHW"),
    "a frame": ((4, 64, 96), "CHW"),
    "a frame, channels last": ((64, 96, 4), "HWC"),
    "frames without channels": ((49, 60, 90), "THW"),
    "a picture": ((60, 90), "HW"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_orders_that_lengths_tell(name: str, tmp_path: Path) -> None:
    shape, order = SHAPES[name]
    array = white(*shape[:-2], 1, 1) * white(*shape[-2:]) if len(shape) > 2 else white(*shape)
    stored = read(tmp_path, array.astype(np.float16))
    assert stored.axes == order
    lengths = dict(zip(order, shape))
    assert stored.noise.shape == tuple(lengths.get(letter, 1) for letter in "TCHW")
    letters = [letter for letter in "TCHW" if letter in order]
    squeezed = array.astype(np.float16)[0] if "B" in order else array.astype(np.float16)
    expected = squeezed.transpose([order.replace("B", "").index(letter) for letter in letters])
    assert np.array_equal(np.asarray(stored.noise), expected.reshape(stored.noise.shape))
    assert all(str(lengths[letter]) in note for note in stored.notes for letter in letters)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("made", "order"),
    [
        (carried(4, 16, 24, 32)[None], "BTCHW"),
        (carried(16, 4, 24, 32).transpose(1, 0, 2, 3)[None], "BCTHW"),
        (carried(4, 16, 24, 32), "TCHW"),
        (carried(16, 4, 24, 32).transpose(1, 0, 2, 3), "CTHW"),
    ],
)
def test_carried_noise_tells_frames_from_channels(made: np.ndarray, order: str, tmp_path: Path) -> None:
    """Where both axes can be channels: frames show the same noise, moved, and channels do not."""
    stored = read(tmp_path, made)
    assert stored.axes == order
    assert bool(stored.notes) == (order != "TCHW")


def test_what_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(
        NoiseFileError, match=r"give --axes BCTHW for .* 16 frames .*, or --axes BTCHW for .*16 channels"
    ):
        read(tmp_path, white(1, 4, 16, 24, 32))
    with pytest.raises(NoiseFileError, match=r"give --axes TCHW .* or --axes THWC"):
        read(tmp_path, white(9, 32, 32, 16))
    assert read(tmp_path, white(1, 4, 16, 24, 32), order="bcthw").noise.shape == (16, 4, 24, 32)
    assert read(tmp_path, white(16, 4, 24, 32)).axes == "TCHW"  # what is written by default
    with pytest.raises(NoiseFileError, match="a batch of 2 clips, where one was expected"):
        read(tmp_path, white(2, 4, 16, 24, 32))
    with pytest.raises(NoiseFileError, match="axis order BCTHW does not fit"):
        read(tmp_path, white(2, 4, 16, 24, 32), order="BCTHW")


@pytest.mark.parametrize(
    ("order", "shape", "fit"),
    [
        ("TCHW", (1, 2, 3, 4), True), ("HWCT", (1, 2, 3, 4), True), ("THW", (1, 2, 3), True), ("HW", (1, 2), True),
        ("BCHW", (1, 2, 3, 4), True), ("BCHW", (2, 2, 3, 4), False), ("TCHW", (1, 2, 3), False), ("TCH", (1, 2, 3), False),
        ("TCHH", (1, 2, 3, 4), False), ("BBHW", (1, 1, 3, 4), False), ("", (), False), ("TCXW", (1, 2, 3, 4), False),
    ],
)  # fmt: skip
def test_orders_fit_shapes(order: str, shape: tuple[int, ...], fit: bool) -> None:
    assert fits(order, shape) is fit


def test_arrays_by_any_name(tmp_path: Path) -> None:
    noise, other = white(3, 4, 16, 24), white(2, 4, 16, 24)
    np.savez(tmp_path / "a.npz", epsilon=noise, steps=np.arange(9), sigma=np.float32(3), names=np.array(["a", "b"]))
    assert np.array_equal(np.asarray(read_noise(tmp_path / "a.npz").noise), noise)
    assert read_noise(tmp_path / "a.npz").name == "epsilon"
    np.savez(tmp_path / "b.npz", epsilon=noise, forward_flow=white(2, 16, 24, 2), embeds=white(77, 12))
    assert read_noise(tmp_path / "b.npz").name == "epsilon"
    np.savez(tmp_path / "motion.npz", backward=white(2, 16, 24, 2))
    with pytest.raises(
        NoiseFileError, match=r"motion rather than noise, going by the names: 'backward', an array .*--key"
    ):
        read_noise(tmp_path / "motion.npz")
    assert read_noise(tmp_path / "motion.npz", key="backward").axes == "THWC"
    torch.save({"state": {"first": torch.from_numpy(noise), "second": torch.from_numpy(other)}}, tmp_path / "c.pt")
    with pytest.raises(NoiseFileError, match=r"2 arrays that can be noise: 'state.first', .*'state.second', .*--key"):
        read_noise(tmp_path / "c.pt")
    assert np.array_equal(np.asarray(read_noise(tmp_path / "c.pt", key="state.second").noise), other)
    with pytest.raises(
        NoiseFileError, match=r"no array 'noise'; it holds 'state.first', an array of shape \(3, 4, 16, 24\)"
    ):
        read_noise(tmp_path / "c.pt", key="noise")
    with pytest.raises(NoiseFileError, match=r"holds under 'steps' an array of shape \(9,\) and type int64; noise is"):
        read_noise(tmp_path / "a.npz", key="steps")
    np.savez(tmp_path / "d.npz", **{f"n{at}": noise for at in range(30)})
    with pytest.raises(NoiseFileError, match="30 arrays that can be noise: .*; 20 more. Name one"):
        read_noise(tmp_path / "d.npz")


@pytest.mark.parametrize("old", [False, True])
def test_torch_files_of_both_formats(old: bool, tmp_path: Path) -> None:
    noise = torch.from_numpy(white(3, 4, 16, 24))
    for kept, close in ((noise, 0), (noise.bfloat16(), 0.02), ([noise.half()], 0.002), ({"x": noise.double()}, 0)):
        torch.save(kept, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
        assert np.allclose(np.asarray(read_noise(tmp_path / "a.pt").noise), noise.numpy(), atol=close)


def test_latents_of_comfyui(tmp_path: Path) -> None:
    latent = white(1, 4, 24, 32)
    told = {"latent_tensor": torch.from_numpy(latent), "latent_format_version_0": torch.tensor([])}
    save_file(told, tmp_path / "new.latent", metadata={"prompt": "{}"})
    stored = read_noise(tmp_path / "new.latent")
    assert np.array_equal(np.asarray(stored.noise), latent)
    assert (stored.name, stored.axes, stored.notes) == ("latent_tensor", "TCHW", ())
    del told["latent_format_version_0"]
    save_file(told, tmp_path / "old.latent")
    stored = read_noise(tmp_path / "old.latent")
    assert np.allclose(np.asarray(stored.noise), latent / 0.18215)
    assert "0.18215" in stored.notes[0]


@pytest.mark.parametrize("text", ['{"axes": "CTHW"}', "[1, 2", "[" * 30000, "9" * 5000, "\x00", "é" * 3, "null", '"x"'])
def test_the_description_of_another_program_is_ignored(text: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy.json").write_text(text, encoding="latin1")
    stored = read(tmp_path, white(3, 4, 16, 24))
    assert (stored.axes, stored.meta) == ("TCHW", "")
    assert "a.npy.json beside it was ignored" in stored.notes[0]


def test_our_description_is_believed_when_it_fits(tmp_path: Path) -> None:
    ours = {"program": "noisescope 1.0", "axes": "CTHW"}
    (tmp_path / "a.npy.json").write_text(json.dumps(ours))
    assert read(tmp_path, white(3, 4, 16, 24)).axes == "CTHW"
    with pytest.raises(NoiseFileError, match="axis order CTHW does not fit"):
        read(tmp_path, white(4, 16, 24))


def test_frames_are_read_one_at_a_time(tmp_path: Path) -> None:
    noise = white(5, 4, 16, 24)
    for order in ("TCHW", "CTHW", "HWTC"):
        np.save(tmp_path / "a.npy", noise.transpose(["TCHW".index(letter) for letter in order]))
        frames = read_noise(tmp_path / "a.npy", order).noise
        assert len(frames) == 5
        assert np.array_equal(frames[2], noise[2])
        assert np.array_equal(frames[-1], noise[-1])
        assert np.array_equal(np.stack(list(frames)), noise)
        with pytest.raises(IndexError):
            frames[5]


def test_a_file_that_is_cut_while_it_is_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", noise=white(8, 4, 32, 32))
    frames = iter(read_noise(tmp_path / "a.npz").noise)
    next(frames)
    os.truncate(tmp_path / "a.npz", 3000)
    with pytest.raises(NoiseFileError, match=r"changed while it was read|ends too early"):
        next(frames)


@pytest.mark.parametrize("count", [2, 12])
@pytest.mark.parametrize("form", ["list", "batches", "dictionary", "npz"])
def test_a_list_of_frames_is_their_noise_in_order(form: str, count: int, tmp_path: Path) -> None:
    frames = white(count, 5, 16, 24)  # of five channels: its shape alone would not tell frames from channels
    tensors = list(torch.from_numpy(frames))
    path = tmp_path / ("a.npz" if form == "npz" else "a.pt")
    if form == "npz":
        np.savez(path, *frames)
    elif form == "dictionary":
        torch.save({"latents": tensors, "step": torch.zeros(3)}, path)
    else:
        torch.save([each[None] for each in tensors] if form == "batches" else tensors, path)
    names = {"npz": "arr_{}", "dictionary": "latents.{}"}.get(form, "{}")
    for key in ("", names.format("*")):
        stored = read_noise(path, key=key)
        assert stored.axes == "TCHW"
        assert stored.notes == (
            f"The arrays {names.format(0)} to {names.format(count - 1)} are read as {count} frames.",
        )
        np.testing.assert_array_equal(np.asarray(stored.noise), frames)
        np.testing.assert_array_equal(stored.noise[1], frames[1])
    alone = read_noise(path, "BCHW" if form == "batches" else "CHW", key=names.format(1))
    np.testing.assert_array_equal(np.asarray(alone.noise), frames[1:2])


def test_frames_in_a_list_may_have_their_channels_last(tmp_path: Path) -> None:
    frames = white(6, 16, 24, 4)
    torch.save(list(torch.from_numpy(frames)), tmp_path / "a.pt")
    stored = read_noise(tmp_path / "a.pt")
    np.testing.assert_array_equal(np.asarray(stored.noise), frames.transpose(0, 3, 1, 2))


def test_several_clips_in_a_list_are_asked_for(tmp_path: Path) -> None:
    torch.save([torch.zeros(4, 4, 16, 24)] * 3, tmp_path / "a.pt")
    with pytest.raises(NoiseFileError, match="3 arrays that can be noise: '0', .*--key"):
        read_noise(tmp_path / "a.pt")
