"""Flow files on the command line: what names say, what has to be said, and a film with its flow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpu.flow.formats.flo import write_flo
from tests.app.cli.conftest import texture

HEIGHT, WIDTH = 24, 32


def field(dx: float, dy: float = 0.0, steps: int = 1) -> np.ndarray:
    return np.broadcast_to(np.array((dx, dy), np.float32), (steps, HEIGHT, WIDTH, 2)).copy()


def warped(cli: Any, folder: Path, *options: object) -> tuple[Any, np.ndarray]:
    """What `warp` says, and the backward flow that it wrote; fast, since nothing is computed along it but one prior."""
    out = folder / "out.npz"
    out.unlink(missing_ok=True)
    result = cli("warp", *options, "--prior", "fixed", "--channels", 1, "--out", out)
    return result, np.load(out)["backward"] if out.exists() else np.zeros(0)


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["auto", "backward", "forward"])
def test_names_win_over_the_direction_that_is_asked_for(asked: str, cli: Any, tmp_path: Path) -> None:
    """As shared/cases/both.npz, and shared/cases/flow_both_directions: three steps with both directions."""
    np.savez(tmp_path / "both.npz", forward=field(7), backward=field(-7))
    result, backward = warped(cli, tmp_path, "--flow", tmp_path / "both.npz", "--flow-direction", asked)
    assert result.code == 0, result.err
    assert np.array_equal(backward, field(-7))
    (tmp_path / "pairs").mkdir(exist_ok=True)
    for t in (1, 2, 3):
        write_flo(tmp_path / "pairs" / f"forward_{t}_{t + 1}.flo", field(5)[0])
        write_flo(tmp_path / "pairs" / f"backward_{t + 1}_{t}.flo", field(-5)[0])
    result, backward = warped(cli, tmp_path, "--flow", tmp_path / "pairs", "--flow-direction", asked)
    assert result.code == 0, result.err
    assert np.array_equal(backward, field(-5, steps=3))


@pytest.mark.slow
def test_fields_are_read_in_the_order_of_their_numbers(cli: Any, tmp_path: Path) -> None:
    """As shared/cases/flow_unpadded."""
    (tmp_path / "flow").mkdir()
    for t in range(1, 13):
        write_flo(tmp_path / "flow" / f"flow_{t}.flo", field(t)[0])
    result, backward = warped(cli, tmp_path, "--flow", tmp_path / "flow")
    assert result.code == 0, result.err
    assert backward[:, 5, 5, 0].tolist() == list(range(1, 13))


@pytest.mark.slow
def test_layout_units_and_key_are_options(cli: Any, tmp_path: Path) -> None:
    small = field(3, -1, steps=2) / np.array((WIDTH / 2, HEIGHT / 2), np.float32)
    np.savez(tmp_path / "a.npz", raft=small.transpose(3, 0, 1, 2), dis=field(9, steps=2))
    flow = ["--flow", tmp_path / "a.npz"]
    result, _ = warped(cli, tmp_path, *flow)
    assert result.code == 2
    assert "raft, dis, and each could be the flow" in result.err
    assert "--key NAME" in result.err
    result, _ = warped(cli, tmp_path, *flow, "--key", "raft", "--flow-layout", "CTHW")
    assert result.code == 2
    assert "--flow-units pixels, normalised" in result.err
    result, backward = warped(
        cli, tmp_path, *flow, "--key", "raft", "--flow-layout", "CTHW", "--flow-units", "normalised"
    )
    assert result.code == 0, result.err
    assert np.allclose(backward, field(3, -1, steps=2), atol=1e-5)


@pytest.mark.slow
def test_a_film_and_its_flow(cli: Any, tmp_path: Path) -> None:
    """Pictures that move by (2, 0), with flow at half their size."""
    (tmp_path / "film").mkdir()
    picture = texture(HEIGHT, WIDTH)
    for t in range(4):
        Image.fromarray(np.roll(picture, 2 * t, axis=1)).save(tmp_path / "film" / f"{t:04d}.png")
    np.save(tmp_path / "flow.npy", field(-1, steps=3)[:, ::2, ::2])
    film = ["--images", tmp_path / "film", "--flow", tmp_path / "flow.npy"]
    result, backward = warped(cli, tmp_path, *film)
    assert result.code == 0, result.err
    assert np.allclose(backward, field(-2, steps=3))
    np.save(tmp_path / "short.npy", field(-2, steps=1))
    result, _ = warped(cli, tmp_path, "--images", tmp_path / "film", "--flow", tmp_path / "short.npy")
    assert result.code == 2
    assert "3 steps lead through 4 frames of film, but short.npy has 1 field." in result.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Where frames come from is not said"),
        (["--synthetic", "rotation", "--flow", "f.npy"], "has its own motion"),
        (["--video", "a.mp4", "--flow-units", "pixels"], "there is no --flow"),
        (["--video", "a.mp4", "--key", "x"], "there is no --flow"),
        (["--video", "a.mp4", "--flow", "f.npy", "--still", "a.png"], "--still cannot stand beside"),
        (["--flow", "absent.npy"], "There is no flow file absent.npy"),
        (["--flow", "absent.npy", "--flow-units", "metres"], "invalid choice"),
    ],
)
def test_what_cannot_be_is_said(options: list[str], said: str, cli: Any, tmp_path: Path) -> None:
    result = cli("warp", *options, "--out", tmp_path / "out.npz")
    assert result.code == 2
    assert said in result.err
