"""The one rule for sequences of files: what is named, in which order, with what notes."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu import sequences
from gpu.errors import ClipError, FlowError
from gpu.sequences import Found, arrange

SUFFIXES = (".png", ".jpg", ".exr")


def made(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).write_bytes(b"x")
    return folder


def found(path: Path | str) -> Found:
    return sequences.find(path, SUFFIXES)


def names(path: Path | str) -> list[str]:
    return [file.name for file in found(path).files]


def test_numbers_go_by_value() -> None:
    order = arrange([f"flow_{number}.flo" for number in (10, 9, 1, 12, 2)])
    assert order.names == ("flow_1.flo", "flow_2.flo", "flow_9.flo", "flow_10.flo", "flow_12.flo")
    assert order.numbers == (1, 2, 9, 10, 12)


@pytest.mark.parametrize("digit", ["①", "²", "Ⅷ", "½"])
def test_digits_that_int_cannot_read_are_letters(digit: str) -> None:
    order = arrange([f"{digit}{number}.png" for number in (2, 0, 10)])
    assert order.numbers == (0, 2, 10)
    assert len(arrange([f"a{digit}.png", f"b{digit}.png"]).names) == 2


def test_digits_of_other_scripts_are_digits() -> None:
    assert arrange(["f١٠.png", "f٢.png", "f９.png"]).numbers == (2, 9, 10)


def test_a_minus_is_a_sign_where_a_number_begins() -> None:
    assert arrange(["f_-1.png", "f_0.png", "f_-10.png", "f_2.png"]).numbers == (-10, -1, 0, 2)
    assert arrange(["f.-0001.exr", "f.0000.exr"]).numbers == (-1, 0)
    assert arrange(["shot-1.png", "shot-2.png"]).numbers == (1, 2)


@settings(max_examples=30)
@given(st.lists(st.integers(-(10**6), 10**6), min_size=2, max_size=30, unique=True), st.integers(1, 8))
def test_any_numbers_are_read_back_in_order(numbers: list[int], width: int) -> None:
    order = arrange([f"shot_v2.{number:0{width}d}.png" for number in numbers])
    assert list(order.numbers) == sorted(numbers)


@settings(max_examples=30)
@given(st.lists(st.text(min_size=1, max_size=12), max_size=8))
def test_any_names_at_all_are_arranged_or_refused(texts: list[str]) -> None:
    files = {f"{text}.png" for text in texts}
    assert set(arrange(files, strict=False).names) == files
    with suppress(ClipError):  # two of one number
        assert set(arrange(files).names) <= files


@pytest.mark.parametrize(
    ("numbers", "note"),
    [
        ((1, 2, 4), "Frame 3 is missing in here."),
        ((1, 2, 3, 6, 7, 8), "Frames 4 to 5 are missing in here."),
        ((1, 3, 4, 5, 9), "Frames 2 and 6 to 8 are missing in here."),
        ((1, 2, 4, 7), "Frames 3 and 5 to 6 are missing in here."),
        ((0, 10, 20, 40), "Frame 30 is missing in here."),
        ((1, 2, 4, 6, 8, 10, 12, 13, 14, 15, 16, 17), "Frames 3, 5, 7 and 2 more are missing in here."),
        ((0, 10, 20, 30), None),
        ((5, 6, 7), None),
        ((3, 900), None),
        ((1403636579, 1403636813, 1403637021, 1403637300), None),  # times
        ((0, 33, 67, 100, 133, 167), None),
    ],
)
def test_gaps_are_named(numbers: tuple[int, ...], note: str | None) -> None:
    order = arrange([f"f{number}.png" for number in numbers], where="here")
    assert order.numbers == numbers
    assert order.notes == ((note,) if note else ())


@pytest.mark.parametrize(
    ("files", "pair", "pattern"),
    [
        (["0000.jpg", "0000.png", "0001.jpg", "0001.png"], ("0000.jpg", "0000.png"), "*.jpg"),
        (["0001.png", "0001_mask.png", "0002.png", "0002_mask.png"], ("0001.png", "0001_mask.png"), "%d.png"),
        (["0001.png", "0001.mask.png"], ("0001.png", "0001.mask.png"), "%d.png"),
        (["left_1.png", "left_2.png", "right_1.png", "right_2.png"], ("left_1.png", "right_1.png"), "left_%d.png"),
        (["v2_f_1.png", "v2_f_2.png", "m_1.png", "m_2.png"], ("m_1.png", "v2_f_1.png"), "m_%d.png"),
        (
            ["cam0_1.png", "cam0_2.png", "cam1_1.png", "cam1_2.png", "cam1_3.png"],
            ("cam0_1.png", "cam1_1.png"),
            "cam0_%d",
        ),
        (["00_10.png", "00_11.png", "01_10.png", "01_11.png"], ("00_10.png", "01_10.png"), "00_%d.png"),
        (["1.png", "01.png", "2.png"], ("01.png", "1.png"), "01.png"),
        (["1.PNG", "1.png"], ("1.PNG", "1.png"), "1.PNG"),
        (["beach.jpg", "beach.png"], ("beach.jpg", "beach.png"), "*.jpg"),
        (["beach.png", "beach_mask.png", "dog.png"], ("beach.png", "beach_mask.png"), "pattern"),
    ],
)
def test_two_files_of_one_number_are_refused_with_both_names(
    files: list[str], pair: tuple[str, str], pattern: str
) -> None:
    with pytest.raises(ClipError, match="holds two pictures of one") as raised:
        arrange(files, where="here")
    said = str(raised.value)
    assert f"{pair[0]} and {pair[1]};" in said
    assert pattern in said
    assert len(arrange(files, strict=False).names) == len(files)  # a heap of pictures may hold them


@pytest.mark.parametrize(
    "files",
    [
        ["0001.png", "0002.jpg", "0003.png"],
        ["2024-01-01_12-00-01.png", "2024-01-01_12-00-02.png", "2024-01-02_12-00-01.png", "2024-01-02_13-00-01.png"],
        ["beach.png", "castle1.png", "dog2.png"],
        ["0a8f5f167f.png", "0b7c2.png", "c.png"],
        ["a_1.png", "a_2.png", "b_3.png", "b_4.png"],
    ],
)
def test_others_are_not_refused_and_none_is_left_out(files: list[str]) -> None:
    assert list(arrange(files).names) == files


def test_what_follows_another_series_is_said() -> None:
    (note,) = arrange(["a_1.png", "a_2.png", "b_3.png", "b_4.png"], where="here").notes
    assert note == "The names in here are of 2 kinds (a_1.png and b_3.png); they are read in the order of names."


def test_strays_are_left_out_and_said(tmp_path: Path) -> None:
    made(tmp_path, "f1.png", "f2.png", "f10.png", "._f1.png", ".DS_Store", "Thumbs.db", "notes.txt", "cover.png")
    made(tmp_path, "Screenshot 2024.png")
    (tmp_path / "f3.png").mkdir()
    (tmp_path / "f4.png").symlink_to(tmp_path / "nowhere.png")
    answer = found(tmp_path)
    assert [file.name for file in answer.files] == ["f1.png", "f2.png", "f10.png"]
    assert answer.numbers == (1, 2, 10)
    assert answer.notes[0] == f"6 files were left out of {tmp_path}: ._f1.png, .DS_Store, f3.png and 3 more."
    assert answer.notes[1] == f"2 files were left out of {tmp_path}: cover.png and Screenshot 2024.png."


@pytest.mark.parametrize(
    "copy", ["f_2 (1).png", "f_2 - Copy.png", "f_2 - Kopie (2).png", "f_2 copy.png", "F_2 copy 3.png"]
)
def test_a_second_copy_of_a_frame_is_no_frame(copy: str, tmp_path: Path) -> None:
    made(tmp_path, f"{copy[0]}_1.png", f"{copy[0]}_2.png", copy)
    answer = found(tmp_path)
    assert [file.name for file in answer.files] == [f"{copy[0]}_1.png", f"{copy[0]}_2.png"]
    assert answer.notes == (f"1 file was left out of {tmp_path}: {copy}.",)


@pytest.mark.parametrize(
    "files",
    [
        ["f (1).png", "f (2).png"],
        ["f1 (1).png", "f1 (2).png", "f1 (3).png"],
        ["f1 (1).png", "f2 (1).png", "f3 (1).png"],
    ],
)
def test_names_that_only_look_like_copies_stay(files: list[str], tmp_path: Path) -> None:
    assert list(arrange(files).names) == files


def test_a_numbered_file_begins_its_sequence(tmp_path: Path) -> None:
    made(tmp_path, "shot2_004.png", "shot2_005.png", "shot2_6.png", "shot2_008.png", "shot1_005.png", "shot2_006.jpg")
    answer = found(tmp_path / "shot2_005.png")
    assert [file.name for file in answer.files] == ["shot2_005.png", "shot2_6.png", "shot2_008.png"]
    assert answer.notes == (f"Frame 7 is missing in {tmp_path / 'shot2_005.png'}.",)
    made(tmp_path, "still.png", "frame01_v2.png", "frame02_v2.png", "frame03_v2.png", "frame01_v3.png")
    assert names(tmp_path / "still.png") == ["still.png"]
    assert names(tmp_path / "frame02_v2.png") == ["frame02_v2.png", "frame03_v2.png"]


def test_a_pair_of_numbers_goes_up_together(tmp_path: Path) -> None:
    made(tmp_path, *(f"forward_{number}_{number + 1}.flo" for number in (1, 2, 3, 10)))
    answer = sequences.find(tmp_path / "forward_2_3.flo", (".flo",), "flow file", FlowError)
    assert [file.name for file in answer.files] == ["forward_2_3.flo", "forward_3_4.flo", "forward_10_11.flo"]


PATTERNED = (
    "shot_0009.png",
    "shot_0010.png",
    "shot_0011.png",
    "shot_0013.png",
    "shot_10012.png",
    "shot_012.png",
    "shot_a.png",
)


@pytest.mark.parametrize(
    ("pattern", "numbers", "missing"),
    [
        ("shot_%04d.png", [9, 10, 11, 13, 10012], ["12", "14 to 10011"]),
        ("shot_####.png", [9, 10, 11, 13, 10012], ["12", "14 to 10011"]),
        ("shot_%d.png", [9, 10, 11, 12, 13, 10012], ["14 to 10011"]),
        ("shot_#.png", [9, 10, 11, 12, 13, 10012], ["14 to 10011"]),
        ("shot_0*.png", [9, 10, 11, 12, 13], []),
        ("shot_00??.png", [9, 10, 11, 13], ["12"]),
        ("shot_[10-12].png", [10, 11, 12], []),
        ("shot_[10-15].png", [10, 11, 12, 13], ["14 to 15"]),
        ("shot_%04d.png:10-13", [10, 11, 13], ["12"]),
        ("shot_%04d.png:9-13x2", [9, 11, 13], []),
        ("shot_%04d.png:7-13x2", [9, 11, 13], ["7"]),
        ("s*_%04d.p*g:10-10", [10], []),
    ],
)
def test_patterns(tmp_path: Path, pattern: str, numbers: list[int], missing: list[str]) -> None:
    made(tmp_path, *PATTERNED, "other_0010.png", "._shot_0010.png")
    path = tmp_path / pattern
    assert sequences.is_pattern(path)
    answer = found(path)
    assert list(answer.numbers) == numbers
    said = " ".join(answer.notes)
    assert [gap for gap in missing if gap in said] == missing
    assert ("missing" in said) == bool(missing)


def test_a_range_of_a_folder_and_of_a_numbered_file(tmp_path: Path) -> None:
    made(tmp_path, *(f"f{number}.png" for number in range(20) if number != 11))
    answer = found(f"{tmp_path}:10-12")
    assert answer.numbers == (10, 12)
    assert answer.notes == (f"Frame 11 is missing in {tmp_path}:10-12.",)
    assert found(f"{tmp_path / 'f5.png'}:0-6").numbers == (5, 6)


def test_a_name_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    made(tmp_path, "take#1.png", "take#2.png", "take71.png")
    assert not sequences.is_pattern(tmp_path / "take#1.png")
    assert names(tmp_path / "take#1.png") == ["take#1.png", "take#2.png"]
    (tmp_path / "folder [1-2]").mkdir()
    made(tmp_path / "folder [1-2]", "a.png")
    assert names(tmp_path / "folder [1-2]") == ["a.png"]
    assert names(tmp_path / "folder [1-2]" / "?.png") == ["a.png"]


def test_two_endings_under_one_pattern_are_refused(tmp_path: Path) -> None:
    made(tmp_path, "shot_1.png", "shot_1.jpg", "shot_2.png")
    with pytest.raises(ClipError, match=r"two pictures of one number, shot_1\.jpg and shot_1\.png"):
        found(tmp_path / "shot_%d.*")
    assert names(tmp_path / "shot_%d.png") == ["shot_1.png", "shot_2.png"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent", "There is no folder or picture"),
        ("absent/%04d.png", "There is no folder"),
        ("", "holds no pictures; expected files ending in .png, .jpg or .exr"),
        ("f_%04d.png", "has a name like f_%04d.png; there is f_1.jpg"),
        ("*a*b*c*d*e.png", "at most 3"),
        ("f_%d.jpg:9-3", "range of numbers .* is empty"),
        ("f_%d.jpg:5-9", "has such a number; there are numbers from 1 to 1"),
        ("still.jpg:5-9", "have no numbers"),
        ("\0.png", "There is no|cannot be read"),
    ],
)
def test_what_is_no_sequence_is_said(tmp_path: Path, name: str, said: str) -> None:
    if name:
        made(tmp_path, "f_1.jpg", "still.jpg")
    with pytest.raises(ClipError, match=said):
        found(f"{tmp_path}/{name}")


def test_the_kind_and_the_error_are_the_callers(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="There is no folder or flow file"):
        sequences.find(tmp_path / "absent", (".flo",), "flow file", FlowError)


def test_a_name_that_is_not_utf8_is_found_and_said(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path)
    for name in (b"\xff1.png", b"\xff3.png", b"\xfe.txt"):
        with open(os.path.join(folder, name), "wb"):
            pass
    answer = found(tmp_path)
    assert [os.fsencode(file.name) for file in answer.files] == [b"\xff1.png", b"\xff3.png"]
    for note in answer.notes:
        note.encode("utf-8")
    assert r"\xfe.txt" in answer.notes[0]


def test_a_folder_that_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: str) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(ClipError, match="cannot be read: Permission denied"):
        found(tmp_path)


def test_many_stars_take_no_time(tmp_path: Path) -> None:
    made(tmp_path, "a" * 200 + ".png")
    with pytest.raises(ClipError, match="has a name like"):
        found(tmp_path / "*a*a*b.png")
