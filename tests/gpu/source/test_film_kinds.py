"""Films of every kind people have: what FFmpeg's own program shows, which is another build than the library that reads them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gpu.errors import ClipError
from gpu.session import SourceSettings
from gpu.source.footage import video
from gpu.source.opening import open_source
from tests.gpu.source.second_decoder import ffmpeg, shown_by_ffmpeg

CASES = Path(__file__).resolve().parents[2] / "cases"
TEST = ["-f", "lavfi", "-i", "testsrc2=size=128x64:rate=25:duration=0.6"]
MOVING = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=50:duration=0.6"]


def opened(path: Path | str, **settings: int) -> video.VideoSource:
    source = open_source(SourceSettings("video", str(path), **settings))
    assert isinstance(source, video.VideoSource)
    return source


def pictures(source: video.VideoSource) -> np.ndarray:
    return np.stack([source.frame(t) for t in range(source.frames)])


def number_of(frame: np.ndarray) -> int:
    """The number that the clips of tests/cases show, whose squares are 12 x 12 pixels at the upper left."""
    return sum(int(frame[3:9, bit * 12 + 3 : bit * 12 + 9].mean() > 128) << bit for bit in range(5))


# -- the cases


def test_av1_has_all_frames() -> None:
    source = opened(CASES / "av1.mp4")
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(CASES / "av1.mp4"))
    assert [number_of(source.frame(t)) for t in (0, 13, 29)] == [0, 13, 29]


def test_damaged_frames_are_left_out_and_counted() -> None:
    source = opened(CASES / "damaged_middle.mp4")
    assert source.frames == 28
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(CASES / "damaged_middle.mp4"))
    assert "2 of 30 frames could not be decoded and are left out." in source.notes
    assert source.times[6] == pytest.approx(8 / 25)  # 6 and 7 are missing; each other frame keeps its time
    assert source.times[-1] == pytest.approx(30 / 25)


def test_a_display_matrix_mirrors() -> None:
    source, plain = opened(CASES / "mirrored.mp4"), opened(CASES / "anamorphic.mp4", height=96, width=128)
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(CASES / "mirrored.mp4"))
    np.testing.assert_array_equal(source.frame(9), plain.frame(9)[:, ::-1])


def test_pixels_that_are_not_square_are_shown_as_wide_as_they_are() -> None:
    source = opened(CASES / "anamorphic.mp4")
    assert (source.height, source.width) == (96, 186)
    assert source.original_size == (96, 186)
    assert opened(CASES / "anamorphic.mp4", height=48).width == 93


def test_frames_of_different_lengths_keep_their_times() -> None:
    source = opened(CASES / "vfr.webm")
    assert source.frames == 30
    assert source.times[-1] == pytest.approx(3.24)
    assert source.times[:6] == pytest.approx((0, 0.04, 0.12, 0.16, 0.44, 0.48), abs=1e-6)
    assert source.fps == pytest.approx(30 / 3.24)
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(CASES / "vfr.webm"))


def test_interlaced_frames_are_made_whole_by_a_filter_that_is_named() -> None:
    source = opened(CASES / "interlaced.mp4")
    assert source.frames == 30
    whole = shown_by_ffmpeg(CASES / "interlaced.mp4", "-vf", "bwdif=mode=send_frame:deint=all")
    # At the very edge two versions of the filter differ.
    np.testing.assert_array_equal(pictures(source)[:, 8:-8], whole[:, 8:-8])
    assert "Interlaced, made whole by the filter bwdif." in source.notes
    left = open_source(SourceSettings("video", str(CASES / "interlaced.mp4"), deinterlace="off"))
    np.testing.assert_array_equal(pictures(left), shown_by_ffmpeg(CASES / "interlaced.mp4"))
    fields = open_source(SourceSettings("video", str(CASES / "interlaced.mp4"), deinterlace="fields"))
    assert fields.frames == 60
    assert fields.fps == pytest.approx(50)
    np.testing.assert_array_equal(fields.frame(20), source.frame(10))
    assert not np.array_equal(fields.frame(21), source.frame(10))


# -- the kinds


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("h264.mp4", ["-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"]),
        ("mpeg2.mpg", ["-c:v", "mpeg2video", "-flags", "+ildct+ilme", "-q:v", "2"]),
        ("avchd.ts", ["-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"]),
        ("prores.mov", ["-c:v", "prores_ks", "-flags", "+ildct", "-pix_fmt", "yuv422p10le"]),
        ("ffv1.mkv", ["-c:v", "ffv1", "-pix_fmt", "yuv422p10le"]),
    ],
)
def test_interlaced_footage_of_every_codec(name: str, coding: list[str], tmp_path: Path) -> None:
    file = tmp_path / name
    ffmpeg(*MOVING, "-vf", "interlace=scan=tff,setfield=tff", *coding, file)
    source, left = opened(file), open_source(SourceSettings("video", str(file), deinterlace="off"))
    woven = pictures(left)
    np.testing.assert_array_equal(woven, shown_by_ffmpeg(file))
    assert len(woven) == source.frames >= 14
    assert len({frame.tobytes() for frame in woven}) == len(woven)
    # Lines of one field agree better with their neighbours where combs were taken away.
    comb = [np.abs(np.diff(pictures(clip).astype(int), axis=1)).mean() for clip in (left, source)]
    assert comb[1] < 0.95 * comb[0]
    assert any("bwdif" in note for note in source.notes)


def test_film_that_is_coded_as_interlaced_but_shows_one_moment_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "progressive.mp4"
    coding = ["-c:v", "libx264", "-flags", "+ildct+ilme", "-x264-params", "tff=1", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", "mandelbrot=size=128x96:rate=25", "-t", "0.4", *coding, file)
    source = opened(file)
    np.testing.assert_array_equal(pictures(source), shown_by_ffmpeg(file))
    assert source.notes == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "tags"),
    [
        ("yuv420p", ["-colorspace", "bt709", "-color_range", "tv"]),
        ("yuv444p10le", ["-colorspace", "bt709", "-color_range", "pc"]),
        ("yuv444p10le", ["-colorspace", "bt2020nc", "-color_primaries", "bt2020"]),
        ("yuv420p", ["-colorspace", "smpte240m"]),
        ("yuv422p", []),
    ],
)
def test_matrix_and_range_are_those_of_the_tags(layout: str, tags: list[str], tmp_path: Path) -> None:
    file = tmp_path / "tagged.mkv"
    ffmpeg(*TEST, "-pix_fmt", layout, "-c:v", "libx264", *tags, file)
    np.testing.assert_array_equal(pictures(opened(file)), shown_by_ffmpeg(file))


@pytest.mark.parametrize("matrix", ["ycgco", "ictcp"])
def test_matrices_that_ffmpeg_refuses_give_pictures_that_move(matrix: str, tmp_path: Path) -> None:
    """FFmpeg's program writes nothing at all of these. What is coded here is BT.601 under a wrong tag, so only that there is a
    picture, and that it changes, can be asked; tests/gpu/decoders/test_colour.py holds the values."""
    file = tmp_path / "odd.mp4"
    if matrix == "ycgco":
        ffmpeg(*TEST, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-x264-params", "colormatrix=YCgCo", file)
    else:
        tags = "log-level=error:colormatrix=ictcp:transfer=smpte2084:colorprim=bt2020"
        ffmpeg(*TEST, "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params", tags, file)
    frames = pictures(opened(file))
    assert len(frames) == 15
    assert len({frame.tobytes() for frame in frames}) == 15
    assert frames.std() > 20


def test_an_unknown_matrix_is_named(tmp_path: Path) -> None:
    file = tmp_path / "odd.mkv"
    ffmpeg(*TEST, "-pix_fmt", "yuv444p", "-c:v", "libx264", "-x264-params", "colormatrix=bt2020c", file)
    with pytest.raises(ClipError, match=r"odd\.mkv .*BT\.2020 constant luminance"):
        opened(file)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_high_dynamic_range_is_toned(transfer: str, tmp_path: Path) -> None:
    """A grey ramp of the signal: it grows, black is black, and the white of graphics is brighter than half and not clipped."""
    file = tmp_path / "hdr.mkv"
    ramp = [
        "-f",
        "lavfi",
        "-i",
        "nullsrc=size=256x32:rate=25:duration=0.08,format=yuv444p10le,geq=lum=64+X*876/255:cb=512:cr=512",
    ]
    tags = f"log-level=error:colormatrix=bt2020nc:transfer={transfer}:colorprim=bt2020"
    ffmpeg(*ramp, "-c:v", "libx265", "-x265-params", tags + ":lossless=1", file)
    source = opened(file)
    row = source.frame(0)[16].astype(int)
    assert np.ptp(row, axis=-1).max() <= 2  # grey stays grey
    grey = row[:, 1]
    assert (np.diff(grey) >= -1).all()
    assert grey[0] <= 2
    assert grey[255] >= 250
    white = round(255 * (0.58 if transfer == "smpte2084" else 0.75))  # 203 cd/m² (ITU-R BT.2408)
    assert 150 < grey[white] < 245
    assert any("High dynamic range" in note for note in source.notes)


@pytest.mark.parametrize("angle", [90, 180, 270])
@pytest.mark.parametrize("mirror", [False, True])
def test_every_quarter_turn_and_mirroring_is_that_of_ffmpeg(angle: int, mirror: bool, tmp_path: Path) -> None:
    plain, file = tmp_path / "plain.mp4", tmp_path / "turned.mp4"
    ffmpeg(*TEST, "-pix_fmt", "yuv420p", plain)
    ffmpeg("-display_rotation", str(angle), *(["-display_hflip"] if mirror else []), "-i", plain, "-c", "copy", file)
    first = opened(file).frame(0)
    np.testing.assert_array_equal(first, shown_by_ffmpeg(file, "-frames:v", "1")[0])


def test_animated_webp_gif_and_png(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    stills = [Image.fromarray(rng.integers(0, 256, (24, 32, 3)).astype(np.uint8)) for _ in range(4)]
    for suffix, options in (("webp", {"lossless": True}), ("png", {}), ("gif", {})):
        file = tmp_path / f"moving.{suffix}"
        stills[0].save(file, save_all=True, append_images=stills[1:], duration=[100, 50, 200, 80], **options)
        source = opened(file)
        assert source.frames == 4, suffix
        assert source.times[:4] == pytest.approx((0, 0.1, 0.15, 0.35)), suffix
        if suffix != "gif":
            for t in (3, 0, 2):
                np.testing.assert_array_equal(source.frame(t), np.asarray(stills[t]))


def test_names_that_are_no_text_and_names_that_look_like_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = (CASES / "av1.mp4").read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in (b"\xff\xfe.mp4", b"file:x.mp4", b"pipe:1", b"concat:a|b"):
        with open(name, "wb") as file:
            file.write(data)
        assert opened(os.fsdecode(name)).frames == 30


@pytest.mark.parametrize("head", ["ffconcat version 1.0\nfile {}\n\0", "#EXTM3U\n#EXTINF:1,\n{}\n\0"])
def test_a_list_of_other_files_opens_none_of_them(head: str, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes((CASES / "av1.mp4").read_bytes())
    (tmp_path / "list.mp4").write_text(head.format("a.mp4"))
    with pytest.raises(ClipError, match=r"list\.mp4 cannot be opened"):
        opened(tmp_path / "list.mp4")


def test_a_codec_that_nobody_knows_is_named(tmp_path: Path) -> None:
    data = (CASES / "anamorphic.mp4").read_bytes().replace(b"avc1", b"zzz9")
    (tmp_path / "odd.mp4").write_bytes(data)
    with pytest.raises(ClipError, match=r"odd\.mp4 .*zzz9"):
        opened(tmp_path / "odd.mp4")


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    ffmpeg("-f", "lavfi", "-i", "sine=duration=0.2", tmp_path / "sound.mp4")
    with pytest.raises(ClipError, match="holds no pictures, but audio"):
        opened(tmp_path / "sound.mp4")


def test_a_header_that_asks_for_a_giant_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    (tmp_path / "giant.y4m").write_bytes(b"YUV4MPEG2 W60000 H60000 F25:1 C420\nFRAME\n" + bytes(4096))
    with pytest.raises(ClipError, match="60000x60000|cannot be opened"):
        opened(tmp_path / "giant.y4m")


def test_frames_taken_by_number_and_by_rate() -> None:
    every = opened(CASES / "av1.mp4", every=4, start=2)
    assert [number_of(every.frame(t)) for t in range(every.frames)] == [2, 6, 10, 14, 18, 22, 26]
    assert every.fps == pytest.approx(25 / 4)
    slow = open_source(SourceSettings("video", str(CASES / "av1.mp4"), fps=10.0, frames=4))
    assert [number_of(slow.frame(t)) for t in range(slow.frames)] == [0, 2, 5, 7]
    assert slow.fps == 10


def test_a_start_far_into_a_long_film_is_found_without_decoding_up_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpu.source.footage import frames

    source = opened(CASES / "av1.mp4", start=17, frames=5)
    monkeypatch.setattr(frames, "COUNTED", 3)
    sought = opened(CASES / "av1.mp4", start=17, frames=5)
    np.testing.assert_array_equal(pictures(source), pictures(sought))
    with pytest.raises(ClipError, match="has 30 frames; the start at frame 99 lies beyond"):
        _ = opened(CASES / "av1.mp4", start=99).frames


def test_a_turned_film_with_oblong_pixels_is_higher_than_wide(tmp_path: Path) -> None:
    file = tmp_path / "phone.mp4"
    ffmpeg("-display_rotation", "90", "-i", CASES / "anamorphic.mp4", "-c", "copy", file)
    source = opened(file)
    assert (source.height, source.width) == (128, 66)  # 96 · 11/16; the rows are kept as they are
