"""Flow in files that are named for pairs of frames, 0_1 and 1_0: both directions, or one, and what is no such name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpu.errors import FlowError
from gpu.flow.stored import open_flows
from tests.gpu.flow import flow_files
from tests.gpu.flow.test_stored import check, some

PAIRS = ("frame_{:04}_to_{:04}", "{:05}_{:05}", "flow_{}_{}", "frame{}_to_frame{}", "{}-{}", "s7_{}_{}", "{}to{}")


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_of_frames_say_which_way_flow_leads(name: str, tmp_path: Path) -> None:
    back, forth = some(3, seed=1), some(3, seed=2)
    distance = 10 if "to" in name else 1
    for t in range(3):
        here, there = distance * t, distance * (t + 1)
        np.save(tmp_path / f"{name.format(here, there)}.npy", forth[t])
        np.save(tmp_path / f"{name.format(there, here)}.npy", back[t])
    assert check(tmp_path, back, forth).named
    pattern = name.replace("{:04}", "%04d").replace("{:05}", "%05d").replace("{}", "%d")
    assert check(tmp_path / f"{pattern}.npy", back, forth).named


@pytest.mark.parametrize("asked", ["auto", "backward", "forward"])
@pytest.mark.parametrize("name", PAIRS[:3])
def test_pairs_of_frames_in_one_order(name: str, asked: str, tmp_path: Path) -> None:
    """ "to" says it; bare numbers only speak for it, since some write them for what lies between two frames."""
    flow, said = some(), "to" in name
    for folder in ("up", "down"):
        (tmp_path / folder).mkdir()
    for t in range(3):
        np.save(tmp_path / "up" / f"{name.format(t, t + 1)}.npy", flow[t])
        np.save(tmp_path / "down" / f"{name.format(t + 1, t)}.npy", flow[t])
    up = check(tmp_path / "up", *((flow, None) if asked == "backward" and not said else (None, flow)), direction=asked)
    assert up.named == said
    assert bool(up.notes) == (asked == "auto" and not said)
    down = check(
        tmp_path / "down", *((None, flow) if asked == "forward" and not said else (flow, None)), direction=asked
    )
    assert down.named == said
    assert not down.notes
    with open_flows(tmp_path / "up" / f"{name.format(0, 1)}.npy") as flows:
        assert flows.directions == ("forward",)
        assert len(flows.fields) == 1


def test_components_of_pairs_of_frames(tmp_path: Path) -> None:
    back, forth = some(seed=1), some(seed=2)
    for at, component in enumerate("uv"):
        for t in range(3):
            np.save(tmp_path / f"{component}_{t}_{t + 1}.npy", forth[t, ..., at])
            np.save(tmp_path / f"{component}_{t + 1}_{t}.npy", back[t, ..., at])
    check(tmp_path, back, forth)


def test_pairs_of_frames_that_are_no_steps_are_refused(tmp_path: Path) -> None:
    flow = some(1)
    for folder in ("all", "gap"):
        (tmp_path / folder).mkdir()
    for here, there in ((0, 1), (1, 0), (0, 2), (2, 0), (1, 2), (2, 1)):
        flow_files.write(tmp_path / "all" / f"{here}_{there}.flo", flow)
    with pytest.raises(FlowError, match="several distances"):
        open_flows(tmp_path / "all")
    for here, there in ((0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 4), (4, 3)):
        flow_files.write(tmp_path / "gap" / f"{here}_{there}.flo", flow)
    with pytest.raises(FlowError, match="3 backward and 4 forward fields that do not belong together"):
        open_flows(tmp_path / "gap")


@pytest.mark.parametrize(
    "stems", [["2024_1", "2024_2"], ["a1_10", "a2_11"], ["x_5"], ["1_2", "3_4"], ["0_1_2", "1_2_0"]]
)
def test_other_numbers_in_names_are_no_pairs_of_frames(stems: list[str], tmp_path: Path) -> None:
    for stem, field in zip(stems, some(len(stems))):
        flow_files.write(tmp_path / f"{stem}.flo", field[None])
    flows = check(tmp_path, some(len(stems)))
    assert not flows.named
    assert not [note for note in flows.notes if "forward" in note]
