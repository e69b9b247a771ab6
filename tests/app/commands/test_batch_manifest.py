"""The manifest of a batch: rows become sessions as `warp` makes them, and what is wrong is said with the row's number."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.commands.kit.batch.manifest import LONGEST_NAME, MOST_SAID, columns, read
from gpu.errors import SessionError
from gpu.session import PriorSettings


def manifest(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "clips.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_row_is_a_clip(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        "name,synthetic,video,prior,size,frames,seed,k,s,channels,format\n"
        "turn,rotation:degrees=2,,bilinear:mode=chained,24x32,5,8,2,6,3,safetensors\n"
        "\n"
        ",,walk.mp4,,,,,,,,\n",
    )
    first, second = read(path)
    assert (first.number, first.name, first.form, first.axes) == (2, "turn.safetensors", "safetensors", "TCHW")
    source, noise = first.session.source, first.session.noise
    assert (source.kind, source.name, source.parameters) == ("synthetic", "rotation", {"degrees": 2.0})
    assert (source.height, source.width, source.frames) == (24, 32, 5)
    assert (noise.seed, noise.k, noise.s, noise.channels) == (8, 2, 6, 3)
    assert first.session.priors == (PriorSettings("bilinear", "chained"),)
    assert (second.number, second.name, second.form) == (4, "3-walk-integral.npz", "npz")
    assert second.session.source.path == str(tmp_path / "walk.mp4")
    assert second.session.priors == (PriorSettings("integral"),)


def test_every_option_of_warp_that_says_what_is_made_is_a_column() -> None:
    from app.commands import COMMANDS, Parser

    parser = Parser()
    COMMANDS.get("warp").configure(parser)
    options = {option[2:] for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert options - {"help", "out", "json", "workers", "preset", "field-mb"} <= set(columns())


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("walk.mp4", "video", "path"),
        ("video:walk.mp4", "video", "path"),
        ("shots", "images", "path"),
        ("shot_%04d.png", "images", "path"),
        ("flow.npy", "flow", "flow_path"),
        ("swirl:degrees=2", "synthetic", "name"),
        ("synthetic:swirl", "synthetic", "name"),
        ("smoke", "scene", "name"),
    ],
)
def test_one_column_may_name_sources_of_every_kind(text: str, kind: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "shots").mkdir()
    (row,) = read(manifest(tmp_path, f"source\n{text}\n"))
    source = row.session.source
    assert source.kind == kind
    assert getattr(source, value) in (str(tmp_path / text.removeprefix("video:")), "swirl", "smoke")


def test_files_are_looked_for_beside_the_manifest_and_then_where_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, here = tmp_path / "beside", tmp_path / "here"
    for folder in (beside, here):
        folder.mkdir()
        (folder / "both.mp4").touch()
    (here / "mine.mp4").touch()
    monkeypatch.chdir(here)
    rows = read(manifest(beside, "video\nboth.mp4\nmine.mp4\nnowhere.mp4\n"))
    assert [row.session.source.path for row in rows] == [
        str(beside / "both.mp4"),
        str(here / "mine.mp4"),
        str(beside / "nowhere.mp4"),
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("name,synthetic,seed\na,swirl,3\n", "utf-8-sig"),
        ("name;synthetic;seed\r\na;swirl;3\r\n", "utf-8"),
        ("name\tsynthetic\tseed\na\tswirl\t3", "utf-8"),
        ("Name , SYNTHETIC, --seed,,\n a , swirl , 3 ,,\n,,,,\n", "utf-8"),
        ('name,synthetic,seed\n"a","swirl",3\n', "utf-8"),
    ],
)
def test_tables_of_spreadsheets_are_read(text: str, encoding: str, tmp_path: Path) -> None:
    (row,) = read(manifest(tmp_path, text, encoding))
    assert (row.name, row.session.source.name, row.session.noise.seed) == ("a.npz", "swirl", 3)


@pytest.mark.parametrize(
    ("heading", "cells", "said"),
    [
        ("synthetic,size", "swirl,big", "row 2: column size: expected rows x columns as in 256x384, not 'big'."),
        ("synthetic,seed", "swirl,-1", "row 2: seed is -1, but it must lie between 0 and 4294967295."),
        ("synthetic,seed", "swirl,x", "row 2: column seed: invalid int value: 'x'."),
        ("synthetic", "whirl", "'whirl'"),
        ("prior,synthetic", "magic,swirl", "'magic'"),
        ("prior", "random", "row 2: Where frames come from is not said"),
        ("video,synthetic", "a.mp4,swirl", "row 2: column synthetic: not allowed with column video."),
        ("source,video", "a.mp4,b.mp4", "row 2: it has both a source and a video."),
        ("synthetic,format", "swirl,gif", "row 2: there is no format 'gif' for noise; choose one of npz, npy"),
        ("name,synthetic,format", "a.npy,swirl,npz", "row 2: the name 'a.npy' ends in .npy, but the format is npz."),
        ("name,synthetic", "../a,swirl", "row 2: the name '../a.npz' is no plain name of a file"),
        ("name,synthetic", ".a,swirl", "row 2: the name '.a.npz' is no plain name of a file"),
        ("name,synthetic", "a" * 200 + ",swirl", f"has more than {LONGEST_NAME} bytes."),
        ("synthetic,axes", "swirl,CTHW", "row 2: a .npz file has the axis order TCHW, not CTHW."),
        (
            "synthetic,preset",
            "swirl,cogvideox",
            "row 2: the preset 'cogvideox' cannot be followed: presets of models are",
        ),
        ("synthetic,estimator-preset", "swirl,slow", "row 2: DIS has no preset 'slow'"),
        ("synthetic", "swirl,7", "row 2: it has 2 cells, but there are 1 columns."),
        ("session", "nowhere.json", "nowhere.json cannot be read"),
    ],
)
def test_what_is_wrong_is_said_with_its_row(heading: str, cells: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SessionError) as problem:
        read(manifest(tmp_path, f"{heading}\n{cells}\n"))
    assert said in str(problem.value)
    assert str(problem.value).startswith(f"The manifest {tmp_path / 'clips.csv'} cannot be followed; row 2: ")


def test_all_rows_that_are_wrong_are_named(tmp_path: Path) -> None:
    rows = "".join(f"swirl,{seed}\n" for seed in [3, *[-1] * (MOST_SAID + 2), 4])
    with pytest.raises(SessionError) as problem:
        read(manifest(tmp_path, f"synthetic,seed\n{rows}"))
    text = str(problem.value)
    assert [f"row {number}: seed" in text for number in (2, 3, MOST_SAID + 2, MOST_SAID + 3)] == [
        False,
        True,
        True,
        False,
    ]
    assert text.endswith("And 2 more.")


def test_two_rows_never_write_one_file(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match=r"row 4: its file A.npz is that of row 2 as well"):
        read(manifest(tmp_path, "name,synthetic\na,swirl\nb,swirl\nA,swirl\n"))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty; a row with the names of the columns was expected"),
        (b"name,synthetic\n\n", "has no row below its heading"),
        (b"name,colour\na,red\n", "has a column called 'colour', which is not known; columns are name, source, video"),
        (b"name,,synthetic\na,b,swirl\n", "has a column without a name"),
        (b"seed,name,seed\n1,a,2\n", "has two columns called 'seed'"),
        (b"name\xff\n", "is no text"),
        (b'name,synthetic\n"a,swirl\n', "is no table"),
    ],
)
def test_what_is_no_manifest_is_said(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "clips.csv"
    path.write_bytes(data)
    with pytest.raises(SessionError, match=said):
        read(path)


def test_a_manifest_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SessionError, match="cannot be read: no such file"):
        read(tmp_path / "none.csv")
    with pytest.raises(SessionError, match="cannot be read: is a directory"):
        read(tmp_path)
