"""Films whose times go back, repeat or leave frames out: times that grow, as FFmpeg's program has them, and what is lost."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from gpu.session import SourceSettings
from gpu.source.footage import frames, video
from gpu.source.opening import open_source
from tests.gpu.source.second_decoder import ffmpeg, shown_by_ffmpeg

FRAMES = 15
TEST = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={FRAMES / 25}"]
X264 = ["-c:v", "libx264", "-bf", "2", "-g", "8", "-pix_fmt", "yuv420p"]


def opened(path: Path, **settings: float) -> video.VideoSource:
    source = open_source(SourceSettings("video", str(path), **settings))
    assert isinstance(source, video.VideoSource)
    return source


def times_by_ffmpeg(path: Path) -> list[float]:
    """Seconds from the first frame at which each is shown."""
    lines = ffmpeg("-i", path, "-an", "-fps_mode", "passthrough", "-c:v", "rawvideo", "-f", "framecrc", "-").decode()
    base = next(line.split()[-1] for line in lines.splitlines() if line.startswith("#tb 0:"))
    unit = int(base.split("/")[0]) / int(base.split("/")[1])
    ticks = [int(line.split(",")[2]) for line in lines.splitlines() if line.startswith("0,")]
    return [(tick - ticks[0]) * unit for tick in ticks]


def joined(folder: Path, suffix: str, coding: list[str], sizes: tuple[str, ...]) -> Path:
    """Films of these sizes, one after another in one file as `cat` joins them."""
    file, data = folder / f"joined.{suffix}", b""
    for size in sizes:
        ffmpeg(*TEST, "-s", size, *coding, folder / f"part.{suffix}")
        data += (folder / f"part.{suffix}").read_bytes()
    file.write_bytes(data)
    return file


# -- the clock


@pytest.mark.slow
@pytest.mark.parametrize(("suffix", "coding"), [("ts", X264), ("mpg", ["-c:v", "mpeg2video", "-q:v", "3"])])
def test_joined_films_go_on_where_the_clock_goes_back(
    suffix: str, coding: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "BEFORE", 2)
    monkeypatch.setattr(video, "CACHE_BYTES", 4 * 48 * 64 * 3)
    file = joined(tmp_path, suffix, coding, ("64x48", "64x48"))
    source, shown = opened(file), shown_by_ffmpeg(file)
    assert source.frames == len(shown) == 2 * FRAMES
    assert source.fps == 25
    assert source.times[:-1] == pytest.approx(times_by_ffmpeg(file))
    assert source.times == pytest.approx(np.arange(2 * FRAMES + 1) / 25)
    for t in (29, 0, 16, 17, 4, 15, 14):
        np.testing.assert_array_equal(source.frame(t), shown[t])
    assert source.notes == ("Its clock goes back or leaps, as where films were joined; it is shown as going on there.",)
    half = opened(file, fps=12.5)
    assert half.frames == FRAMES
    for t in (0, 9, 14):
        np.testing.assert_array_equal(half.frame(t), shown[2 * t])


def test_a_leap_ahead_of_a_broadcast_is_bridged_as_ffmpeg_does(tmp_path: Path) -> None:
    for number, delay in enumerate((0, 60)):
        ffmpeg(*TEST, *X264, "-output_ts_offset", str(delay), tmp_path / f"{number}.ts")
    file = tmp_path / "leap.ts"
    file.write_bytes(b"".join((tmp_path / f"{number}.ts").read_bytes() for number in range(2)))
    source = opened(file)
    assert source.times[:-1] == pytest.approx(times_by_ffmpeg(file))
    assert source.times[-1] == pytest.approx(2 * FRAMES / 25)


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["25", "30000/1001"])
def test_avi_tells_no_times_of_showing(rate: str, tmp_path: Path) -> None:
    """Copied from mp4 the clock ticks 600 times a second of 30."""
    test = ["-f", "lavfi", "-i", f"testsrc2=size=64x48:rate={rate}", "-frames:v", "15"]
    ffmpeg(*test, *X264, tmp_path / "plain.mp4")
    ffmpeg("-i", tmp_path / "plain.mp4", "-c", "copy", tmp_path / "copied.avi")
    source, shown = opened(tmp_path / "copied.avi"), shown_by_ffmpeg(tmp_path / "plain.mp4")
    step = float(1 / Fraction(rate))
    assert source.frames == 15
    assert source.fps == pytest.approx(1 / step)
    assert source.times == pytest.approx(np.arange(16) * step, abs=1 / 600)
    for t in (14, 3, 4, 9):
        np.testing.assert_array_equal(source.frame(t), shown[t])
    assert source.notes == ()
    half = opened(tmp_path / "copied.avi", fps=1 / step / 2)
    for t in (6, 3):
        np.testing.assert_array_equal(half.frame(t), shown[2 * t])


def test_frames_of_one_time_share_what_is_left_until_the_next(tmp_path: Path) -> None:
    """Every two are told the same time, as where a rate of 50 was written down in steps of 40 ms."""
    file = tmp_path / "doubled.mkv"
    doubled = ["-vf", "settb=1/50,setpts=floor(N/2)*2", "-fps_mode", "passthrough", "-enc_time_base", "1/50"]
    ffmpeg(*TEST, "-c:v", "ffv1", *doubled, file)
    told = times_by_ffmpeg(file)
    assert told[0] == told[1] < told[2] == told[3]
    source = opened(file)
    assert source.frames == FRAMES
    assert source.times[:-1] == pytest.approx(np.arange(FRAMES) / 50)
    assert (np.diff(source.times) > 0).all()
    np.testing.assert_array_equal(source.frame(7), shown_by_ffmpeg(file)[7])


def test_what_no_clock_explains_grows_all_the_same() -> None:
    shown: list[frames.Shown] = []
    first = 0
    for time in (0.0, 0.1, 0.05, 0.3):  # a third that is told to come before the second
        if shown and time > shown[first].time:
            frames.settle(shown, first, time)
            first = len(shown)
        shown.append(frames.Shown(0, shown[first].time if first < len(shown) else time, 0.0, 0))
    assert [frame.time for frame in shown] == pytest.approx([0.0, 0.1, 0.2, 0.3])


@pytest.mark.slow
@pytest.mark.parametrize("counted", [frames.COUNTED, 3])
def test_a_start_beyond_a_change_of_size_shows_what_there_is_without_it(
    counted: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "COUNTED", counted)
    file = joined(tmp_path, "ts", X264, ("64x48", "32x24"))
    whole, late = opened(file), opened(file, start=20, frames=3)
    assert (late.frames, late.height, late.width) == (3, 48, 64)
    for t in (2, 0, 1):
        np.testing.assert_array_equal(late.frame(t), whole.frame(20 + t))


# -- what is missing


def test_chunks_that_an_avi_lists_and_does_not_hold_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "damaged.avi"
    ffmpeg(*TEST, "-c:v", "mjpeg", "-q:v", "3", file)
    shown, data = shown_by_ffmpeg(file), file.read_bytes()
    head, pictures = data[: data.index(b"movi")], data[data.index(b"movi") :].split(b"00dc")
    assert len(pictures) == 2 * FRAMES + 1  # and in the index
    pictures[5:8] = [b"zzzz".join(pictures[5:8])]  # the names of two are broken: the frames 5 and 6
    file.write_bytes(head + b"00dc".join(pictures))
    source = opened(file)
    assert source.frames == FRAMES - 2
    assert source.notes == (f"2 of {FRAMES} frames could not be decoded and are left out.",)
    assert source.times[4:7] == pytest.approx((4 / 25, 7 / 25, 8 / 25))
    assert source.times[-1] == pytest.approx(FRAMES / 25)
    np.testing.assert_array_equal(source.frame(5), shown[7])


def test_clusters_that_were_lost_are_gaps_between_the_frames(tmp_path: Path) -> None:
    file = tmp_path / "damaged.mkv"
    ffmpeg(*TEST, "-c:v", "mjpeg", "-q:v", "3", "-cluster_time_limit", "70", file)
    parts = file.read_bytes().split(b"\x1f\x43\xb6\x75")
    assert len(parts) >= 7
    parts[3] = bytes(len(parts[3]))
    file.write_bytes(b"\x1f\x43\xb6\x75".join(parts))
    source = opened(file)
    lost = FRAMES - source.frames
    assert 0 < lost < 5
    missing = f"By the times of its frames, {lost} of {FRAMES} are missing between the others: lost, or never taken."
    assert source.notes == (missing,)
    assert source.times[-1] == pytest.approx(FRAMES / 25)


def test_a_transport_stream_without_some_of_its_packets(tmp_path: Path) -> None:
    file = tmp_path / "damaged.ts"
    ffmpeg(*TEST, "-c:v", "mpeg2video", "-g", "1", "-q:v", "3", file)
    data = file.read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    begun = [at for at, packet in enumerate(packets) if packet[1] & 0x5F == 0x41 and packet[2] == 0]  # PID 256
    assert len(begun) == FRAMES
    del packets[begun[6] : begun[8]]
    file.write_bytes(b"".join(packets))
    source = opened(file)
    assert source.frames == FRAMES - 2
    assert source.notes == (f"2 of {FRAMES} frames could not be decoded and are left out.",)
    assert source.times[5:8] == pytest.approx((5 / 25, 8 / 25, 9 / 25))


@pytest.mark.parametrize("suffix", ["mkv", "avi"])
def test_a_film_that_broke_off_says_how_much_of_it_is_there(suffix: str, tmp_path: Path) -> None:
    whole, half = tmp_path / f"whole.{suffix}", tmp_path / f"half.{suffix}"
    ffmpeg(*TEST, "-c:v", "mjpeg", "-q:v", "3", whole)
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = opened(half)
    assert 0 < source.frames < FRAMES
    assert source.title == f"half.{suffix} (file cut short)"
    assert source.notes == (f"The file is cut short: {source.frames} of about {FRAMES} frames are there.",)
    assert opened(whole).notes == ()


def test_pauses_of_a_film_are_no_losses(tmp_path: Path) -> None:
    """Of a recorder that writes only what changes."""
    file = tmp_path / "paused.mkv"
    kept = "select=not(eq(mod(n\\,5)\\,1)+eq(mod(n\\,5)\\,3))"
    ffmpeg(*TEST, "-vf", kept, "-fps_mode", "passthrough", "-c:v", "ffv1", file)
    source = opened(file)
    assert source.frames == 9
    assert source.notes == ()
