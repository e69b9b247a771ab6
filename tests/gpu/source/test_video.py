"""Videos: every frame by random access is the frame of sequential decoding, in every container, and bad files speak."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gpu.assets import asset
from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source.footage import video
from gpu.source.opening import open_source
from gpu.source.stills import resize
from tests.gpu.source.second_decoder import ffmpeg, shown_by_ffmpeg

FRAMES, HEIGHT, WIDTH, BITS = 30, 64, 128, 6
DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CONTAINERS = {
    "mp4": ["-c:v", "libx264", "-bf", "3", "-g", "12", "-pix_fmt", "yuv420p"],
    "mov": ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
    "mkv": ["-c:v", "libx264", "-pix_fmt", "yuv420p"],
    "avi": ["-c:v", "mpeg4", "-q:v", "3"],
    "mpg": ["-c:v", "mpeg2video", "-q:v", "3"],
    "webm": ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"],
    "gif": [],
}


def numbered(t: int) -> np.ndarray:
    """(HEIGHT, WIDTH, 3): the bits of t as white and black blocks in the upper half, a moving ramp in the lower."""
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for bit in range(BITS):
        frame[: HEIGHT // 2, bit * 20 + 2 : bit * 20 + 20] = 255 * (t >> bit & 1)
    frame[HEIGHT // 2 :] = (np.arange(WIDTH) + 3 * t)[None, :, None] % 200
    return frame


def number_of(frame: np.ndarray) -> int:
    return sum(int(frame[10:22, bit * 20 + 6 : bit * 20 + 16].mean() > 128) << bit for bit in range(BITS))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A clip of FRAMES numbered frames in the container asked for."""
    folder = tmp_path_factory.mktemp("clips")
    raw = folder / "raw.rgb"
    raw.write_bytes(b"".join(numbered(t).tobytes() for t in range(FRAMES)))

    def clip(suffix: str) -> Path:
        file = folder / f"clip.{suffix}"
        if not file.exists():
            shape = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", "25"]
            ffmpeg(*shape, "-i", raw, *CONTAINERS[suffix], file)
        return file

    return clip


def opened(path: Path | str, **settings: int) -> video.VideoSource:
    source = open_source(SourceSettings("video", str(path), **settings))
    assert isinstance(source, video.VideoSource)
    return source


def sequential(path: Path, height: int, width: int) -> list[np.ndarray]:
    return [resize(picture, height, width) for picture in shown_by_ffmpeg(path)]


@pytest.mark.slow
@pytest.mark.parametrize("suffix", CONTAINERS)
def test_any_frame_in_any_order(suffix: str, clips: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for a handful of frames only, so that they are decoded again and again."""
    monkeypatch.setattr(video, "BEFORE", 2)
    monkeypatch.setattr(video, "CACHE_BYTES", 4 * HEIGHT * WIDTH * 3)
    source = opened(clips(suffix))
    assert (source.frames, source.height, source.width) == (FRAMES, HEIGHT, WIDTH)
    assert source.fps == pytest.approx(25, rel=0.01)
    order = [17, 3, 4, 29, 0, 28, 27, 5, 20, 20, 1, *np.random.default_rng(0).permutation(FRAMES)[:8]]
    assert [number_of(source.frame(int(t))) for t in order] == order
    source.close()


@pytest.mark.parametrize("name", ["bunny.mp4", "city.mp4"])
def test_bundled_clips_equal_sequential_decoding(name: str) -> None:
    path = asset(f"clips/{name}")
    frames = sequential(path, 72, 128)
    source = opened(path, height=72)
    assert source.frames == len(frames) == 48
    for t in (47, 0, 13, 12, 30):
        np.testing.assert_array_equal(source.frame(t), frames[t])
    source.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["big_buck_bunny.mp4", "city_cc0.mpg"])
def test_long_clips_equal_sequential_decoding(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The MPEG-2 one reports positions that are not its frames'; run where the shared data is."""
    if not (DATA / name).exists():
        pytest.skip("the shared data is not here")
    frames = sequential(DATA / name, 36, 64)
    monkeypatch.setattr(video, "CACHE_BYTES", 30 * 36 * 64 * 3)
    source = opened(DATA / name, height=36, width=64)
    assert source.frames == len(frames) == {"big_buck_bunny.mp4": 132, "city_cc0.mpg": 190}[name]
    for t in (40, 39, 60):
        np.testing.assert_array_equal(source.frame(t), frames[t])
    source.close()


def test_start_and_frames_select_a_range(clips: Callable[[str], Path]) -> None:
    source = opened(clips("mp4"), start=7, frames=5)
    assert source.frames == 5
    assert [number_of(source.frame(t)) for t in (4, 0, 2)] == [11, 7, 9]
    with pytest.raises(IndexError):
        source.frame(5)
    with pytest.raises(IndexError):
        source.frame(-1)
    assert opened(clips("mp4"), start=25, frames=50).frames == 5
    assert opened(clips("mp4"), start=29).frames == 1
    with pytest.raises(ClipError, match="has 30 frames; the start at frame 30 lies beyond"):
        opened(clips("mp4"), start=30).frames  # noqa: B018


def test_frames_are_read_only_and_sized(clips: Callable[[str], Path]) -> None:
    source = opened(clips("mp4"), height=32)
    frame = source.frame(3)
    assert frame.shape == (32, 64, 3)
    assert not frame.flags.writeable
    assert opened(clips("mp4"), width=32).frame(0).shape == (16, 32, 3)
    assert opened(clips("mp4"), height=40, width=40).frame(0).shape == (40, 40, 3)


def test_the_cache_is_bounded(clips: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(video, "BEFORE", 2)
    monkeypatch.setattr(video, "CACHE_BYTES", 5 * HEIGHT * WIDTH * 3)
    source = opened(clips("mp4"))
    for t in range(FRAMES):
        source.frame(t)
        assert len(source._cache) <= 5


def test_rotation_metadata_turns_the_picture(clips: Callable[[str], Path], tmp_path: Path) -> None:
    """display_rotation is the angle to turn counterclockwise for display: what was on the left comes to the bottom."""
    file = tmp_path / "turned.mp4"
    ffmpeg("-display_rotation", "90", "-i", clips("mp4"), "-c", "copy", file)
    source = opened(file)
    assert (source.height, source.width) == (WIDTH, HEIGHT)
    assert [number_of(np.rot90(source.frame(t), -1)) for t in (11, 26)] == [11, 26]


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    file = tmp_path / "red.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x48:d=0.2", "-pix_fmt", "yuv420p", file)
    red, green, blue = opened(file).frame(0).reshape(-1, 3).mean(axis=0)
    assert red > 200
    assert green < 50
    assert blue < 50


@pytest.mark.parametrize("suffix", ["mp4", "avi", "gif", "mpg", "webm", "txt"])
def test_a_text_file_is_not_a_video(suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"text.{suffix}"
    file.write_text("This is text and no video.\n" * 300)
    with pytest.raises(ClipError, match=f"text.{suffix} is a text file"):
        opened(file)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "gif"])
def test_an_empty_file_and_noise_are_no_videos(suffix: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / f"empty.{suffix}"
    file.write_bytes(b"")
    with pytest.raises(ClipError, match=r"empty \(0 bytes\)"):
        opened(file)
    file.write_bytes(np.random.default_rng(3).bytes(20000))
    with pytest.raises(ClipError, match=r"cannot be opened as a video|Not one frame"):
        opened(file)
    assert capfd.readouterr().err == ""


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="There is no video"):
        opened(tmp_path / "absent.mp4")
    with pytest.raises(ClipError, match="is a folder"):
        opened(tmp_path)


def test_a_truncated_video_gives_what_there_is(
    clips: Callable[[str], Path], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = clips("mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(data[: len(data) // 2])
    source = opened(tmp_path / "cut.mkv")
    assert 0 < source.frames < FRAMES
    assert number_of(source.frame(0)) == 0
    assert number_of(source.frame(source.frames - 2)) == source.frames - 2
    mp4 = clips("mp4").read_bytes()  # its index stands at the end
    (tmp_path / "cut.mp4").write_bytes(mp4[: len(mp4) // 2])
    with pytest.raises(ClipError, match=r"cut\.mp4 cannot be opened as a video: it is damaged, cut short"):
        opened(tmp_path / "cut.mp4")
    assert capfd.readouterr().err == ""


def test_odd_names_are_names(clips: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a pattern of image numbers, nor the scheme of an address, nor letters beyond ASCII."""
    monkeypatch.chdir(tmp_path)
    for name in ("a%03d b.mp4", "http:x.mp4", "frühling.mp4", "-i.mp4"):
        Path(name).write_bytes(clips("mp4").read_bytes())
        assert opened(name).title == name


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_a_file_that_broke_off_is_said_to_be_cut_short(suffix: str, tmp_path: Path) -> None:
    whole, half = tmp_path / f"whole.{suffix}", tmp_path / f"half.{suffix}"
    coding = ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"]
    faststart = ["-movflags", "+faststart"] if suffix == "mp4" else []
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x48:rate=12:duration=2", *coding, *faststart, whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    sources = [opened(path) for path in (whole, half)]
    assert sources[0].title == whole.name
    assert sources[1].title == f"{half.name} (file cut short)"
    assert 0 < sources[1].frames < sources[0].frames
    for source in sources:
        source.close()
