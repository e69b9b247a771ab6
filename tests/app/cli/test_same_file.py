"""An output never takes the place of a file that is read: a sentence and exit code 2, and the input stays as it was."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpu.errors import OutputError
from gpu.session import Session, SourceSettings
from gpu.source.inputs import check_outputs

SMALL = ("--k", "1", "--backend", "torch", "--frames", "3")


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@pytest.fixture
def own(inputs: Path, tmp_path: Path) -> Path:
    """Copies of inputs, whose names are those of outputs: a film called as an array is a film."""
    for name in ("random.mp4", "side-by-side.mp4", "film.npz", "film.npz.json"):
        shutil.copy(inputs / "clip.mp4", tmp_path / name)
    shutil.copy(inputs / "flow.npy", tmp_path)
    np.savez(tmp_path / "flow.npz", np.load(inputs / "flow.npy"))
    shutil.copy(inputs / "photo.png", tmp_path)
    shutil.copy(inputs / "photo.png", tmp_path / "slices.png")
    (tmp_path / "link.npy").symlink_to(tmp_path / "flow.npy")
    (tmp_path / "beside.npy.json").write_text('{"source": {"kind": "scene", "name": "flat"}}')
    (tmp_path / "session.json").write_text('{"source": {"kind": "scene", "name": "flat"}}')
    (tmp_path / "flows").mkdir()
    for t in range(3):
        np.savez(tmp_path / "flows" / f"{t}.npz", np.load(inputs / "flow.npy")[t])
    for component in "uv":
        np.save(tmp_path / f"flow_{component}.npy", np.load(inputs / "flow.npy")[..., 0])
    (tmp_path / "real").mkdir()
    shutil.copy(inputs / "photo.png", tmp_path / "real" / "slices.png")
    return tmp_path


REFUSED = {
    "a flow": ["warp", "--flow", "{own}/flow.npz", "--out", "{own}/flow.npz"],
    "a link to a flow": ["warp", "--flow", "{own}/flow.npy", "--out", "{own}/link.npy"],
    "a flow by another path": ["warp", "--flow", "{own}/flow.npy", "--out", "{own}/flows/../flow.npy"],
    "the forward flow": ["warp", "--flow", "{own}/flow.npy", "--forward", "{own}/flow.npz", "--out", "{own}/flow.npz"],
    "a field of a folder": ["warp", "--flow", "{own}/flows", "--out", "{own}/flows/1.npz"],
    "a field of a pattern": ["warp", "--flow", "{own}/flows/%d.npz", "--out", "{own}/flows/1.npz"],
    "the other component": ["warp", "--flow", "{own}/flow_u.npy", "--out", "{own}/flow_v.npy"],
    "a film": ["warp", "--video", "{own}/film.npz", "--out", "{own}/film.npz"],
    "what lies beside an array": ["warp", "--session", "{own}/beside.npy.json", "--out", "{own}/beside.npy"],
    "a film in the folder of a render": ["render", "--video", "{own}/random.mp4", "--priors", "random", "--out", "{own}"],
    "a film called as the overview": ["render", "--video", "{own}/side-by-side.mp4", "--out", "{own}"],
    "a picture called as the slices": ["render", "--synthetic", "rotation", "--still", "{own}/slices.png", "--out", "{own}"],
    "a session": ["render", "--session", "{own}/session.json", "--priors", "random", "--out", "{own}"],
    "a picture among real ones": [
        "render", "--synthetic", "rotation", "--priors", "random", "--reference", "{own}/real", "--out", "{own}/real",
    ],
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_an_input_is_not_written_over(what: str, cli: Any, own: Path) -> None:
    before = contents(own)
    argv = [item.replace("{own}", str(own)) for item in REFUSED[what]]
    result = cli(*argv, *(SMALL if "--session" not in argv else ()))
    assert result.code == 2
    assert result.err.startswith("noisescope: The output ")
    assert "input" in result.err
    assert result.err.count("\n") == 1
    assert contents(own) == before


def test_a_row_of_a_batch_does_not_write_over_what_another_reads(cli: Any, own: Path) -> None:
    (own / "all.csv").write_text("name,synthetic,flow,frames,format\nflow,rotation,,3,npz\nother,,flow.npz,3,npz\n")
    before = contents(own)
    result = cli("batch", own / "all.csv", "--out", own)
    assert result.code == 2
    assert "flow.npz" in result.err
    after = contents(own)
    assert {name: after[name] for name in before} == before


def test_every_export_refuses_what_is_read(own: Path) -> None:
    """Of the window too: pictures and flow into the folder that pictures and flow come from."""
    from app import export
    from gpu.engine import Engine
    from gpu.session import NoiseSettings, PriorSettings

    folder = own / "pictures"
    folder.mkdir()
    picture = np.asarray(Image.open(own / "photo.png"))
    for t in range(3):
        Image.fromarray(np.roll(picture, t, 1)).save(folder / f"{t:05d}.png")
    noise = NoiseSettings(k=1, backend="torch")
    engine = Engine(Session(SourceSettings("images", path=str(folder)), noise=noise, priors=(PriorSettings("random"),)))
    before = contents(own)
    try:
        for form, entry in export.FORMATS.items():
            place = folder if entry.is_folder else folder / f"linked{entry.suffix}"
            if not entry.is_folder:
                place.symlink_to(folder / "00001.png")
            elif form == "flo":
                (folder / "backward_00001.flo").symlink_to(folder / "00002.png")
            with pytest.raises(OutputError, match="input"):
                export.plan(engine, form, "random", place)
            with pytest.raises(OutputError, match="input"):
                next(export.write(engine, form, "random", place))
            for link in [file for file in folder.iterdir() if file.is_symlink()]:
                link.unlink()
    finally:
        engine.close()
    assert contents(own) == before


def test_outputs_beside_inputs_are_fine(own: Path) -> None:
    session = Session(SourceSettings("images", path=str(own / "*.png")))
    check_outputs(session, [own / "new.npz", own / "flow.npz", own / "none" / "a.png", own])
    check_outputs(None, [own / "flow.npz"])
    os.link(own / "photo.png", own / "same.mp4")
    with pytest.raises(OutputError, match=r"same\.mp4 is the same file as the input .*photo\.png"):
        check_outputs(session, [own / "same.mp4"])
