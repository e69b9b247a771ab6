"""What files and folders hold of flow: directions from names, layouts from shapes, components, sequences, both directions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from gpu.errors import FlowError, FlowQuestion
from gpu.flow.stored import Flows, names, open_flows, units
from gpu.flow.stored.fields import Fields
from gpu.flow.stored.layouts import guess
from tests.gpu.flow import flow_files

HEIGHT, WIDTH = 12, 20


def some(steps: int = 3, seed: int = 1) -> np.ndarray:
    """Flow whose vectors differ everywhere and lie in steps of 1/64, which every format holds."""
    flow = np.random.default_rng(seed).integers(-640, 640, (steps, HEIGHT, WIDTH, 2)) / 64
    return flow.astype(np.float32)


def check(path: Path, backward: np.ndarray | None = None, forward: np.ndarray | None = None, **asked: str) -> Flows:
    """That the fields of `path` are these, one after the other."""
    with open_flows(path, **asked) as flows:
        for fields, expected in ((flows.backward, backward), (flows.forward, forward)):
            assert (fields is None) == (expected is None)
            if fields is not None and expected is not None:
                np.testing.assert_array_equal(fields.all(), expected)
    return flows


# -- directions


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("forward", "forward"),
        ("fwd", "forward"),
        ("flow_fwd", "forward"),
        ("forward_flows", "forward"),
        ("flowForward", "forward"),
        ("FORWARD_0001", "forward"),
        ("flow_FW_left_0001", "forward"),
        ("OpticalFlowIntoFuture_0006_L", "forward"),
        ("into_future", "forward"),
        ("backward", "backward"),
        ("backward_2_1", "backward"),
        ("bwd.flow", "backward"),
        ("flowBwd", "backward"),
        ("backwards", "backward"),
        ("flow_BW_left_0002", "backward"),
        ("OpticalFlowIntoPast_0006_L", "backward"),
        ("flow", None),
        ("forward_backward", None),
        ("fwd_bwd", None),
        ("bowl", None),
        ("upward", None),
    ],
)
def test_direction_in_a_name(name: str, said: str | None) -> None:
    assert names.direction_of(name) == said


@pytest.mark.parametrize("asked", ["auto", "backward", "forward"])
@pytest.mark.parametrize("suffix", flow_files.SEVERAL[1:])
def test_names_win_over_what_is_asked(suffix: str, asked: str, tmp_path: Path) -> None:
    """As in shared/cases/both.npz: forward (+7, 0) and backward (-7, 0)."""
    back, forth = some(seed=1), some(seed=2)
    arrays = {"forward": forth, "backward": back}
    path = tmp_path / f"flow{suffix}"
    if suffix == ".npz":
        np.savez(path, **arrays)
    elif suffix == ".pt":
        torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, path)
    else:
        flow_files.save_file(arrays, path)
    flows = check(path, back, forth, direction=asked)
    assert flows.named
    np.savez(tmp_path / "one.npz", flow_fwd=forth)
    check(tmp_path / "one.npz", forward=forth, direction=asked)


@pytest.mark.parametrize("suffix", flow_files.WRITERS)
def test_the_file_says_what_arrays_leave_open(suffix: str, tmp_path: Path) -> None:
    flow = some(1)
    check(flow_files.write(tmp_path / f"clip_forward_1_2{suffix}", flow), forward=flow, direction="backward")
    check(flow_files.write(tmp_path / f"bwd{suffix}", flow), backward=flow, direction="forward")
    plain = flow_files.write(tmp_path / f"clip{suffix}", flow)
    assert not check(plain, backward=flow).named
    check(plain, forward=flow, direction="forward")


def test_an_arrays_own_name_is_nearer_than_the_files(tmp_path: Path) -> None:
    flow = some()
    np.savez(tmp_path / "forward.npz", backward=flow)
    check(tmp_path / "forward.npz", backward=flow)


def test_a_folder_says_what_its_files_leave_open(tmp_path: Path) -> None:
    flow = some()
    flow_files.write_each(tmp_path / "forward_flows", "{:04d}.flo", flow)
    check(tmp_path / "forward_flows", forward=flow)


# -- both directions


@pytest.mark.parametrize(
    ("back", "forth"),
    [
        ("backward_{1}_{0}.flo", "forward_{0}_{1}.flo"),
        ("backward_{0:05d}.flo", "forward_{0:05d}.flo"),
        ("flow_BW_left_{1:04d}.pfm", "flow_FW_left_{0:04d}.pfm"),
        ("{0:02d}_bwd.png", "{0:02d}_fwd.png"),
        ("backward/{0}.flo", "forward/{0}.flo"),
        ("flow_bwd/x{1}.npy", "flow_fwd/x{0}.npy"),
    ],
)
def test_both_directions_in_one_folder_are_both_of_each_step(back: str, forth: str, tmp_path: Path) -> None:
    """As in shared/cases/flow_both_directions: three steps, never six; numbers beyond nine in their order."""
    behind, ahead = some(12, seed=1), some(12, seed=2)
    for name, flow in ((back, behind), (forth, ahead)):
        for t, field in enumerate(flow):
            file = tmp_path / name.format(t + 1, t + 2)
            file.parent.mkdir(exist_ok=True)
            flow_files.WRITERS[file.suffix](file, field[None])
    for asked in ("auto", "forward"):
        check(tmp_path, behind, ahead, direction=asked)


def test_one_array_file_for_each_direction_in_a_folder(tmp_path: Path) -> None:
    back, forth = some(seed=1), some(seed=2)
    np.save(tmp_path / "backward.npy", back)
    np.save(tmp_path / "forward.npy", forth)
    check(tmp_path, back, forth)


def test_files_for_frames_rather_than_steps(tmp_path: Path) -> None:
    """FlyingThings3D has both for every frame: into the past of frame n + 1 belongs to into the future of frame n."""
    back, forth = some(4, seed=1), some(4, seed=2)
    flow_files.write_each(tmp_path / "into_past", "OpticalFlowIntoPast_{:04d}_L.pfm", back, range(6, 10))
    flow_files.write_each(tmp_path / "into_future", "OpticalFlowIntoFuture_{:04d}_L.pfm", forth, range(6, 10))
    check(tmp_path, back[1:], forth[:-1])


def test_directions_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    flow_files.write_each(tmp_path, "forward_{:02d}.flo", some(3))
    flow_files.write_each(tmp_path, "backward_{:02d}.flo", some(2))
    with pytest.raises(FlowError, match="2 backward and 3 forward fields that do not belong together"):
        open_flows(tmp_path)
    np.savez(tmp_path / "a.npz", forward=some(3), backward=some(3)[:, :8])
    with pytest.raises(FlowError, match="20x8, but the forward flow forward is 20x12"):
        open_flows(tmp_path / "a.npz")


# -- layouts

PLACED = {
    "THWC": lambda flow: flow,
    "TCHW": lambda flow: flow.transpose(0, 3, 1, 2),
    "CTHW": lambda flow: flow.transpose(3, 0, 1, 2),
    "BTHWC": lambda flow: flow[None],
    "BTCHW": lambda flow: flow.transpose(0, 3, 1, 2)[None],
    "BCTHW": lambda flow: flow.transpose(3, 0, 1, 2)[None],
    "TBCHW": lambda flow: flow.transpose(0, 3, 1, 2)[:, None],
    "HWTC": lambda flow: flow.transpose(1, 2, 0, 3),
    "CWHT": lambda flow: flow.transpose(3, 2, 1, 0),
}


@pytest.mark.parametrize("suffix", flow_files.SEVERAL)
@pytest.mark.parametrize("layout", PLACED)
def test_every_layout_by_its_shape_or_by_its_name(layout: str, suffix: str, tmp_path: Path) -> None:
    flow = some(5)
    path = tmp_path / f"flow{suffix}"
    flow_files.WRITERS[suffix](path, np.ascontiguousarray(PLACED[layout](flow)))
    check(path, flow, layout=layout)
    check(path, flow, layout=layout.lower())
    if layout not in ("HWTC", "CWHT"):
        check(path, flow)


def test_single_fields(tmp_path: Path) -> None:
    flow = some(1)
    for name, array in (("a", flow[0]), ("b", flow[0].transpose(2, 0, 1)), ("c", flow.transpose(0, 3, 1, 2))):
        np.save(tmp_path / f"{name}.npy", array)
        check(tmp_path / f"{name}.npy", flow)


def test_two_steps_of_two_components_are_a_batch_of_pytorch(tmp_path: Path) -> None:
    """(2, 2, H, W) fits two layouts: the rule takes steps first, and --flow-layout says otherwise."""
    flow = some(2)
    np.save(tmp_path / "a.npy", flow.transpose(0, 3, 1, 2))
    check(tmp_path / "a.npy", flow)
    np.save(tmp_path / "b.npy", flow.transpose(3, 0, 1, 2))
    check(tmp_path / "b.npy", flow, layout="CTHW")
    np.save(tmp_path / "c.npy", flow)
    check(tmp_path / "c.npy", flow)


@pytest.mark.parametrize(
    "shape", [(3, 24, 32), (4, 24, 32), (5, 3, 24, 32), (2, 5, 2, 24, 32), (24, 32), (7,), (), (0, 4, 4, 2)]
)
def test_shapes_that_are_no_flow_are_refused(shape: tuple[int, ...], tmp_path: Path) -> None:
    assert guess(shape) == ""
    np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
    with pytest.raises(FlowError, match=r"a\.npy has shape .*--flow-layout"):
        open_flows(tmp_path / "a.npy")


@pytest.mark.parametrize(
    ("layout", "said"),
    [("THW", "does not fit"), ("XYZ", "not understood"), ("CHW", "does not fit"), ("TTHW", "not understood")],
)
def test_layouts_that_cannot_be_are_refused(layout: str, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", some())
    with pytest.raises(FlowError, match=said):
        open_flows(tmp_path / "a.npy", layout=layout)


def test_a_third_component_says_where_the_vector_is_known(tmp_path: Path) -> None:
    flow = some()
    holds = np.random.default_rng(0).random((*flow.shape[:3], 1)) < 0.7
    expected = np.where(holds, flow, np.float32(np.nan))
    for name, top in (("ones", 1.0), ("bytes", 255.0)):
        np.save(tmp_path / f"{name}.npy", np.concatenate([flow, holds * np.float32(top)], -1).astype(np.float32))
        check(tmp_path / f"{name}.npy", expected)
    np.save(tmp_path / "one.npy", np.concatenate([flow, holds], -1).astype(np.float32)[1])
    check(tmp_path / "one.npy", expected[1:2])
    np.save(tmp_path / "silent.npy", np.concatenate([flow, 0 * holds], -1).astype(np.float32))
    check(tmp_path / "silent.npy", flow)  # as the Scene Flow datasets have it


def test_a_third_component_that_is_none_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "video.npy", np.random.default_rng(0).random((3, 8, 8, 3)).astype(np.float32))
    with open_flows(tmp_path / "video.npy") as flows, pytest.raises(FlowError, match="third is no validity"):
        flows.fields[0]


def test_four_components_are_two_vectors(tmp_path: Path) -> None:
    back, forth = some(seed=1), some(seed=2)
    np.save(tmp_path / "a.npy", np.concatenate([back, forth], -1))
    check(tmp_path / "a.npy", back, forth, direction="forward")
    np.savez(tmp_path / "b.npz", fwd_bwd=np.concatenate([forth, back], -1))
    check(tmp_path / "b.npz", back, forth)


def test_an_array_beside_it_says_where_flow_holds(tmp_path: Path) -> None:
    flow, holds = some(), np.random.default_rng(0).random((3, HEIGHT, WIDTH)) < 0.5
    expected = np.where(holds[..., None], flow, np.float32(np.nan))
    np.savez(tmp_path / "a.npz", flow=flow, valid=holds)
    check(tmp_path / "a.npz", expected)
    np.savez(tmp_path / "b.npz", flow=flow, valid=holds[0].astype(np.uint8))
    check(tmp_path / "b.npz", np.where(holds[0][None, ..., None], flow, np.float32(np.nan)))


def test_values_without_a_sign_are_no_flow(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((3, 8, 8, 2), np.uint8))
    with pytest.raises(FlowError, match="no negative numbers"):
        open_flows(tmp_path / "a.npy")


# -- components apart


@pytest.mark.parametrize(("u", "v"), [("u", "v"), ("flow_x", "flow_y"), ("dx", "dy"), ("backward_u", "backward_v")])
def test_components_in_two_arrays(u: str, v: str, tmp_path: Path) -> None:
    flow = some()
    np.savez(tmp_path / "a.npz", **{v: flow[..., 1], u: flow[..., 0], "noise": np.zeros((3, 2, 8, 8))})
    check(tmp_path / "a.npz", flow)
    np.savez(tmp_path / "one.npz", **{v: flow[0, ..., 1], u: flow[0, ..., 0]})
    check(tmp_path / "one.npz", flow[:1])


def test_components_of_both_directions(tmp_path: Path) -> None:
    back, forth = some(seed=1), some(seed=2)
    sides = {"fwd_u": forth[..., 0], "fwd_v": forth[..., 1], "bwd_u": back[..., 0], "bwd_v": back[..., 1]}
    np.savez(tmp_path / "a.npz", **sides)
    check(tmp_path / "a.npz", back, forth)


@pytest.mark.parametrize(
    ("u", "v", "opened"),
    [
        ("u.npy", "v.npy", "u.npy"),
        ("u.npy", "v.npy", "v.npy"),
        ("flow_x.npy", "flow_y.npy", "."),
        ("u/{:03d}.npy", "v/{:03d}.npy", "."),
        ("u/{:03d}.npy", "v/{:03d}.npy", "v"),
        ("flow_x_{:03d}.npy", "flow_y_{:03d}.npy", "."),
    ],
)
def test_components_in_two_files_or_folders(u: str, v: str, opened: str, tmp_path: Path) -> None:
    flow = some(11)
    for name, part in ((u, flow[..., 0]), (v, flow[..., 1])):
        for t in range(len(flow)):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            np.save(tmp_path / name.format(t), part[t] if "{" in name else part)
    check(tmp_path / opened, flow)


def test_a_component_alone_is_no_flow(tmp_path: Path) -> None:
    np.save(tmp_path / "u.npy", some()[..., 0])
    with pytest.raises(FlowError, match="only the component u of vectors, and there is no v beside it"):
        open_flows(tmp_path / "u.npy")


# -- which array


def test_several_arrays_are_asked_for_and_named(tmp_path: Path) -> None:
    first, second = some(seed=1), some(seed=2)
    np.savez(tmp_path / "a.npz", raft=first, dis=second, frames=np.zeros((4, 3, 8, 8)))
    with pytest.raises(FlowQuestion, match=r"raft, dis, and each could be the flow .*--key NAME") as raised:
        open_flows(tmp_path / "a.npz")
    assert raised.value.setting == "flow_key"
    assert raised.value.choices == ("raft", "dis")
    check(tmp_path / "a.npz", second, key="dis")
    with pytest.raises(FlowError, match="no array 'flo'"):
        open_flows(tmp_path / "a.npz", key="flo")
    with pytest.raises(FlowError, match=r"'frames' of .* has shape \(4, 3, 8, 8\)"):
        open_flows(tmp_path / "a.npz", key="frames")


def test_a_name_that_speaks_of_flow_is_taken(tmp_path: Path) -> None:
    flow = some()
    np.savez(tmp_path / "a.npz", grid=some(seed=4), optical_flow=flow)
    check(tmp_path / "a.npz", flow)
    np.savez(tmp_path / "b.npz", flow=some(seed=4), backward=flow)
    check(tmp_path / "b.npz", flow)


def test_noise_of_two_channels_is_no_flow(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", noise=np.zeros((3, 2, 8, 8), np.float32))
    with pytest.raises(FlowError, match="no flow by its name"):
        open_flows(tmp_path / "a.npz")
    check(tmp_path / "a.npz", np.zeros((3, 8, 8, 2)), key="noise")


def test_two_keys_are_components(tmp_path: Path) -> None:
    flow = some()
    np.savez(tmp_path / "a.npz", one=flow[..., 0], two=flow[..., 1])
    check(tmp_path / "a.npz", flow, key="one,two")


# -- sequences


@pytest.mark.parametrize("suffix", [".flo", ".pfm", ".png", ".npy", ".npz"])
def test_files_are_read_in_the_order_of_their_numbers(suffix: str, tmp_path: Path) -> None:
    """As in shared/cases/flow_unpadded: flow_1 … flow_12."""
    flow = some(12)
    flow_files.write_each(tmp_path, "flow_{}" + suffix, flow, range(1, 13))
    (tmp_path / f"._flow_1{suffix}").write_bytes(b"\0\5\26\7")
    (tmp_path / "README.txt").write_text("of a clip")
    flows = check(tmp_path, flow)
    assert "2 files were left out" in flows.notes[0]
    check(tmp_path / f"flow_%d{suffix}", flow)
    check(Path(f"{tmp_path}:3-5"), flow[2:5])


def test_frames_beside_the_flow_are_left_out(tmp_path: Path) -> None:
    flow = some(3)
    flow_files.write_each(tmp_path, "{:04d}.flo", flow)
    for t in range(3):
        flow_files.cv2.imwrite(str(tmp_path / f"{t:04d}.png"), np.zeros((HEIGHT, WIDTH, 3), np.uint8))
    check(tmp_path, flow)


def test_two_files_of_one_number_are_refused_with_both_names(tmp_path: Path) -> None:
    flow_files.write_each(tmp_path, "left_{}.flo", some(3))
    flow_files.write_each(tmp_path, "right_{}.flo", some(3))
    with pytest.raises(FlowError, match=r"left_0\.flo and right_0\.flo"):
        open_flows(tmp_path)


def test_a_gap_is_said(tmp_path: Path) -> None:
    flow_files.write_each(tmp_path, "{}.flo", some(5))
    (tmp_path / "2.flo").unlink()
    with open_flows(tmp_path) as flows:
        assert any("Frame 2 is missing" in note for note in flows.notes)


def test_fields_are_read_only_when_asked_for(tmp_path: Path) -> None:
    flow_files.write_each(tmp_path, "{}.flo", some(3))
    (tmp_path / "2.flo").write_bytes((tmp_path / "2.flo").read_bytes()[:12] + b"\xff" * 8 * HEIGHT * WIDTH)
    with open_flows(tmp_path) as flows:
        assert np.isfinite(flows.fields[0]).all()
        assert np.isnan(flows.fields[2]).all()
        (tmp_path / "1.flo").write_bytes(b"PIEH")
        with pytest.raises(FlowError, match=r"1\.flo has changed since it was opened"):
            flows.fields[1]


# -- units


def constant(dx: float, dy: float) -> Fields:
    return Fields(3, HEIGHT, WIDTH, lambda t: np.full((HEIGHT, WIDTH, 2), (dx, dy), np.float32))


def test_units_are_told_by_values_that_can_be_nothing_else() -> None:
    assert units.told(constant(3, 0)) == "pixels"
    assert units.told(constant(0, 0)) == "pixels"
    assert units.told(constant(0.6, 0)) is None
    assert units.told(constant(-0.02, 0.01)) is None
    some_unknown = Fields(1, 8, 8, lambda t: np.where(np.arange(8)[:, None, None] < 4, 1e10, 0.3) * np.ones((8, 8, 2)))
    assert units.told(some_unknown) is None


def test_units_are_of_the_flows_own_grid() -> None:
    half = units.in_pixels(constant(0.5, 0.5), "normalised")[0]
    whole = units.in_pixels(constant(0.5, 0.5), "fraction")[0]
    assert half[0, 0].tolist() == [WIDTH / 4, HEIGHT / 4]
    assert whole[0, 0].tolist() == [WIDTH / 2, HEIGHT / 2]
