"""Videos, PNG files and flow: what is written is what was shown, and it is read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from app import export
from app.export import ExportOptions
from app.export.kit.sheet import Sheet, columns_for, slices_sheet
from app.export.kit.video_writer import frames_in, video
from gpu.cv import cv2
from gpu.errors import OutputError
from gpu.flow.formats.flo import write_flo
from gpu.flow.stored import open_flows, read_flow
from gpu.session import SourceSettings, TaskSettings
from gpu.source import Timed
from gpu.source.flow_file.reading import open_pair
from gpu.source.opening import open_source
from tests.gpu.source.second_decoder import shown_by_ffmpeg


def test_png_files_hold_the_exact_pictures(engine: Any, finish: Any, tmp_path: Path) -> None:
    folder = tmp_path / "frames"
    _, report = finish(export.write(engine, "png", "integral", folder, ExportOptions(start=1, stop=4)))
    assert sorted(item.name for item in folder.iterdir()) == ["00001.png", "00002.png", "00003.png"]
    assert np.array_equal(np.asarray(Image.open(folder / "00002.png")), engine.pictures[2])
    assert report.size == sum(item.stat().st_size for item in folder.iterdir())


def test_noise_is_drawn_from_minus_three_to_three(engine: Any, finish: Any, tmp_path: Path) -> None:
    engine.noises[0, 0] = np.linspace(-4, 4, engine.noises[0, 0].size).reshape(engine.noises[0, 0].shape)
    finish(export.write(engine, "png", "integral", tmp_path / "frames", ExportOptions(content="noise", colours="grey")))
    drawn = np.asarray(Image.open(tmp_path / "frames" / "00000.png")).astype(int)
    expected = np.clip(np.round(engine.noises[0, 0] / 6 * 255 + 127.5), 0, 255)
    assert np.abs(drawn - expected[..., None]).max() <= 1


@pytest.mark.parametrize("content", ["output", "noise", "image"])
def test_videos_have_every_frame_and_even_sizes(content: Any, engine: Any, finish: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    finish(export.write(engine, "mp4", "integral", path, ExportOptions(content=content)))
    frames = shown_by_ffmpeg(path)
    assert len(frames) == frames_in(path) == 5
    assert frames[0].shape == (14, 18, 3)
    with av.open(str(path)) as clip:
        stream = clip.streams.video[0]
        assert stream.average_rate == 12
        context = stream.codec_context
        assert (context.colorspace, context.color_primaries, context.color_trc, context.color_range) == (6, 6, 6, 1)
    assert list(tmp_path.iterdir()) == [path]


def test_a_video_looks_like_its_frames(tmp_path: Path) -> None:
    """Smooth pictures come back to within a few grey levels, so colours and order of channels are right."""
    y, x = np.mgrid[:48, :64]
    pictures = [np.stack([x * 4 % 256, y * 5 % 256, np.full_like(x, 20 * t)], -1).astype(np.uint8) for t in range(3)]
    pictures = [cv2.GaussianBlur(picture, (0, 0), 3) for picture in pictures]
    with video(tmp_path / "a.mp4", 10) as put:
        for picture in pictures:
            put(picture)
    for picture, read in zip(pictures, shown_by_ffmpeg(tmp_path / "a.mp4"), strict=True):
        assert np.abs(read.astype(int) - picture).mean() < 6


@pytest.mark.parametrize(("size", "tag"), [((64, 96), 6), ((720, 1280), 1)])
def test_colours_are_those_of_the_tags(size: tuple[int, int], tag: int, tmp_path: Path) -> None:
    """BT.709 for HD, else BT.601; a flat colour comes back, read by the tags, to within what 8 bits of luma and chroma hold."""
    path = tmp_path / "a.mp4"
    colour = np.array([200, 40, 90], np.uint8)
    with video(path, 25) as put:
        put(np.broadcast_to(colour, (*size, 3)))
    with av.open(str(path)) as clip:
        assert clip.streams.video[0].codec_context.colorspace == tag
    assert np.abs(shown_by_ffmpeg(path)[0].reshape(-1, 3).mean(0) - colour).max() < 3


def test_frames_keep_their_own_times(tmp_path: Path) -> None:
    times = (0.0, 0.1, 0.15, 0.5, 1.4)
    with video(tmp_path / "a.mp4", 10, times) as put:
        for t in range(4):
            put(np.full((16, 16, 3), 60 * t, np.uint8))
    source = open_source(SourceSettings("video", str(tmp_path / "a.mp4")))
    assert isinstance(source, Timed)
    assert source.times == pytest.approx(times)


@pytest.mark.parametrize(
    ("fps", "times"),
    [
        (25.0, (0, 0, 0, 0.04, 0.02, 0.08)),  # not growing
        (25.0, (0, 1e-6, 2e-6, 1)),  # several within a tick
        (25.0, (0, 3600 * 30, 3600 * 60, 3600 * 61)),  # longer than 32 bits of ticks
        (1e-7, ()),
        (1e6, ()),
    ],
)
def test_times_of_any_kind_are_written(fps: float, times: tuple[float, ...], tmp_path: Path) -> None:
    count = len(times) - 1 if times else 3
    with video(tmp_path / "clip.mp4", fps, times) as put:
        for number in range(count):
            put(np.full((16, 16, 3), 40 * number, np.uint8))
    with av.open(str(tmp_path / "clip.mp4")) as clip:
        shown = [float(frame.time) for frame in clip.decode(video=0)]
    assert len(shown) == count
    assert (np.diff(shown) > 0).all()
    if times:
        grown = np.maximum.accumulate(times[:-1])
        assert shown == pytest.approx(grown, abs=count / 90000)


def test_a_full_disk_is_said_and_not_a_matter_of_the_encoder(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no device here is always full")
    with pytest.raises(OutputError, match="disk is full"), video(Path("/dev/full"), 25) as put:
        put(np.zeros((64, 64, 3), np.uint8))


def test_one_pixel_is_a_video_too(tmp_path: Path) -> None:
    with video(tmp_path / "a.mp4", 10) as put:
        put(np.zeros((1, 1, 3), np.uint8))
    assert frames_in(tmp_path / "a.mp4") == 1


def test_a_video_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    def write() -> None:
        with video(tmp_path / "none" / "a.mp4", 10) as put:
            for _ in range(200):
                put(np.zeros((64, 64, 3), np.uint8))

    with pytest.raises(OutputError, match=r"cannot be written: .*no such file"):
        write()


def test_stopping_a_video_leaves_nothing(engine: Any, tmp_path: Path) -> None:
    for form, name in (("mp4", "clip.mp4"), ("png", "frames"), ("flo", "flow")):
        steps = export.write(engine, form, "integral", tmp_path / name)
        next(steps)
        next(steps)
        steps.close()
        assert list(tmp_path.iterdir()) == []


def test_no_output_without_a_task(engine: Any, tmp_path: Path) -> None:
    engine.session = replace(engine.session, task=TaskSettings())
    with pytest.raises(OutputError, match="no task"):
        export.plan(engine, "mp4", "integral", tmp_path / "clip.mp4")


@pytest.mark.parametrize("direction", ["backward", "forward"])
def test_flow_is_written_as_it_is(direction: Any, engine: Any, finish: Any, tmp_path: Path) -> None:
    expected = engine.flows[0 if direction == "backward" else 1]
    options = ExportOptions(direction=direction)
    planned = export.plan(engine, "flow-npy", "", tmp_path / "flow.npy", options)
    assert direction in planned.text
    finish(export.write(engine, "flow-npy", "", tmp_path / "flow.npy", options))
    assert np.array_equal(np.load(tmp_path / "flow.npy"), expected)
    finish(export.write(engine, "flo", "", tmp_path / "flow", options))
    files = sorted((tmp_path / "flow").iterdir())
    assert [file.name for file in files] == [f"{direction}_{t:05d}.flo" for t in range(4)]
    assert np.array_equal(read_flow(files[3])[0], expected[3])
    assert np.array_equal(cv2.readOpticalFlow(str(files[2])), expected[2])


def test_unknown_vectors_are_marked_in_flo(tmp_path: Path) -> None:
    flow = np.zeros((2, 3, 2), np.float32)
    flow[1, 2] = np.nan
    write_flo(tmp_path / "a.flo", flow)
    assert np.frombuffer((tmp_path / "a.flo").read_bytes()[12:], "<f4").max() == np.float32(1e10)
    assert np.array_equal(read_flow(tmp_path / "a.flo")[0], flow, equal_nan=True)


def test_one_frame_has_no_flow(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="there is only one"):
        export.plan(engine, "flo", "", tmp_path / "flow", ExportOptions(start=2, stop=3))


def test_the_sheet_puts_every_picture_in_its_place() -> None:
    names = ["source", "random", "bilinear (chained)", "integral"]
    sheet = Sheet(names, 20, 30)
    pictures = {name: np.full((20, 30, 3), 40 + 50 * index, np.uint8) for index, name in enumerate(names)}
    drawn = sheet.draw(pictures)
    for index in range(4):
        assert (drawn == 40 + 50 * index).all(axis=-1).sum() >= 600
    assert columns_for(4, 90, 160) == 2
    assert columns_for(5, 288, 512) == 3
    assert columns_for(3, 400, 100) == 3


def test_slices_are_stacked_with_time_down(tmp_path: Path) -> None:
    slices = {"random": np.zeros((10, 40, 3), np.uint8), "integral": np.full((10, 40, 3), 255, np.uint8)}
    slices["random"][9] = (255, 0, 0)
    slices_sheet(tmp_path / "slices.png", slices, 7, 10.0)
    drawn = np.asarray(Image.open(tmp_path / "slices.png"))
    red = np.argwhere((drawn == (255, 0, 0)).all(axis=-1))
    white = np.argwhere((drawn == 255).all(axis=-1))
    assert len(red) == 40 * 10  # one of ten frames, each ten rows high
    assert red[:, 0].min() > 80
    assert white[:, 0].min() > red[:, 0].max()


@pytest.mark.parametrize("direction", ["backward", "forward"])
@pytest.mark.parametrize("form", [name for name, entry in export.FORMATS.items() if entry.kind == "flow"])
def test_flow_that_was_written_is_read_as_the_same(
    form: str, direction: Any, engine: Any, finish: Any, tmp_path: Path
) -> None:
    """Every format, either direction, whatever the name is and however slow the motion: nothing has to be said again."""
    engine.flows /= 100
    expected = engine.flows[0 if direction == "backward" else 1]
    entry = export.FORMATS.get(form)
    path = tmp_path / f"motion{entry.suffix}"
    finish(export.write(engine, form, "", path, ExportOptions(direction=direction)))
    with open_flows(path, "forward" if direction == "backward" else "backward") as flows:
        assert (flows.directions, flows.named, flows.pixels) == ((direction,), True, True)
        assert np.array_equal(flows.fields.all(), expected)
    pair = open_pair(SourceSettings("flow", flow_path=str(path)))
    assert np.array_equal(pair.fields.all(), expected)
    pair.close()


def test_both_directions_written_into_one_folder_are_both(engine: Any, finish: Any, tmp_path: Path) -> None:
    for direction in ("backward", "forward"):
        finish(export.write(engine, "flo", "", tmp_path / "flow", ExportOptions(direction=direction)))  # type: ignore[arg-type]
    with open_flows(tmp_path / "flow") as flows:
        assert flows.backward is not None
        assert flows.forward is not None
        assert np.array_equal(flows.backward.all(), engine.flows[0])
        assert np.array_equal(flows.forward.all(), engine.flows[1])


def test_the_motion_beside_noise_is_read_as_flow(engine: Any, finish: Any, tmp_path: Path) -> None:
    engine.flows /= 100
    finish(export.write(engine, "npz", "integral", tmp_path / "noise.npz"))
    with open_flows(tmp_path / "noise.npz", "forward") as flows:
        assert flows.pixels
        assert flows.backward is not None
        assert np.array_equal(flows.backward.all(), engine.flows[0])


def test_a_description_does_not_speak_of_another_array(engine: Any, finish: Any, tmp_path: Path) -> None:
    finish(export.write(engine, "flow-npy", "", tmp_path / "flow.npy", ExportOptions(direction="forward")))
    np.save(tmp_path / "flow.npy", engine.flows[0])
    with open_flows(tmp_path / "flow.npy") as flows:
        assert (flows.directions, flows.named) == (("backward",), False)
    (tmp_path / "flow.npy.json").write_text('{"program": "another", "direction": "forward"}')
    with open_flows(tmp_path / "flow.npy") as flows:
        assert flows.directions == ("backward",)
