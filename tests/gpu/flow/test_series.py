"""Flow in lists of tensors or numbered arrays, one a step; and axes whose order a shape leaves open."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gpu.errors import FlowError, FlowQuestion
from gpu.flow.stored import open_flows
from tests.gpu.flow.test_stored import check, some

STEPS = {
    "(H, W, 2)": lambda flow: flow,
    "(2, H, W)": lambda flow: flow.transpose(0, 3, 1, 2),
    "(1, 2, H, W)": lambda flow: flow.transpose(0, 3, 1, 2)[:, None],
    "(1, H, W, 2)": lambda flow: flow[:, None],
}


def tensors(steps: np.ndarray) -> list[torch.Tensor]:
    return [torch.from_numpy(np.ascontiguousarray(step)) for step in steps]


@pytest.mark.parametrize("shape", STEPS)
@pytest.mark.parametrize("form", ["list", "tuple", "dictionary", "npz", "safetensors"])
def test_a_list_of_fields_is_the_flow_of_so_many_steps(form: str, shape: str, tmp_path: Path) -> None:
    flow = some(11)
    steps = STEPS[shape](flow)
    path = tmp_path / ("a." + {"npz": "npz", "safetensors": "safetensors"}.get(form, "pt"))
    if form == "npz":
        np.savez(path, *steps)
    elif form == "safetensors":
        save_file({f"flow_{t}": step for t, step in enumerate(tensors(steps))}, str(path))
    elif form == "dictionary":
        torch.save({"flow": tensors(steps), "fps": 24.0}, path)
    else:
        torch.save(tensors(steps) if form == "list" else tuple(tensors(steps)), path)
    flows = check(path, flow)
    names = {"npz": "arr_{}", "safetensors": "flow_{}", "dictionary": "flow.{}"}.get(form, "{}")
    assert flows.notes == (f"The arrays {names.format(0)} to {names.format(10)} of {path} are read as 11 steps.",)
    check(path, flow, key=names.format("*"))
    check(path, flow[3:4], key=names.format(3))
    check(path, flow, layout=shape.translate(str.maketrans("12", "BC", "(), ")))


def test_lists_of_both_directions(tmp_path: Path) -> None:
    back, forth = some(2, seed=1), some(2, seed=2)
    torch.save({"forward": tensors(forth), "backward": tensors(back)}, tmp_path / "a.pt")
    check(tmp_path / "a.pt", back, forth)
    check(tmp_path / "a.pt", back, key="backward")


def test_a_list_of_components(tmp_path: Path) -> None:
    flow = some(4)
    torch.save({"u": tensors(flow[..., 0]), "v": tensors(flow[..., 1])}, tmp_path / "a.pt")
    check(tmp_path / "a.pt", flow)


def test_two_fields_may_be_one_of_each_direction_and_are_asked_for(tmp_path: Path) -> None:
    flow = some(2)
    torch.save(tensors(flow), tmp_path / "a.pt")
    with pytest.raises(FlowQuestion) as caught:
        open_flows(tmp_path / "a.pt")
    assert caught.value.choices == ("0", "1", "*")
    check(tmp_path / "a.pt", flow, key="*")
    check(tmp_path / "a.pt", flow[1:], key="1")
    torch.save(tensors(np.stack([some(3)] * 2)), tmp_path / "both.pt")
    with pytest.raises(FlowQuestion) as caught:
        open_flows(tmp_path / "both.pt")
    assert caught.value.choices == ("0", "1")


def test_arrays_that_only_a_number_sets_apart_but_differ_are_no_steps(tmp_path: Path) -> None:
    np.savez(tmp_path / "sizes.npz", flow_0=some(1)[0], flow_1=some(1)[0, :8], flow_2=some(1)[0])
    np.savez(tmp_path / "gaps.npz", flow_0=some(1)[0], flow_1=some(1)[0], flow_7=some(1)[0])
    for name in ("sizes", "gaps"):
        with pytest.raises(FlowQuestion, match="each could be the flow"):
            open_flows(tmp_path / f"{name}.npz")


# -- axes

PLACED = {
    "HWCT": lambda flow: flow.transpose(1, 2, 3, 0),
    "HWTC": lambda flow: flow.transpose(1, 2, 0, 3),
    "CHWT": lambda flow: flow.transpose(3, 1, 2, 0),
}


@pytest.mark.parametrize("steps", [2, 3, 4, 5])
@pytest.mark.parametrize("layout", PLACED)
def test_steps_behind_rows_and_columns_are_asked_for(layout: str, steps: int, tmp_path: Path) -> None:
    """(24, 40, 2, 4) would else be 24 steps of 40 rows and 2 columns with two vectors each."""
    flow = np.random.default_rng(2).standard_normal((steps, 24, 40, 2)).astype(np.float32)
    path = tmp_path / "a.npy"
    np.save(path, np.ascontiguousarray(PLACED[layout](flow)))
    if (layout, steps) == ("CHWT", 2):  # what (T, H, W, 2) is as well, and is taken for
        open_flows(path).close()
    elif (layout, steps) == ("HWCT", 5):  # no order that is guessed fits
        with pytest.raises(FlowError, match="has shape .*--flow-layout"):
            open_flows(path)
    else:
        with pytest.raises(FlowQuestion, match="--flow-layout") as caught:
            open_flows(path)
        assert caught.value.setting == "flow_layout"
        assert layout in caught.value.choices
        for choice in caught.value.choices:
            open_flows(path, layout=choice).close()
    check(path, flow, layout=layout)


def test_long_frames_are_asked_for_and_usual_ones_are_not(tmp_path: Path) -> None:
    for shape, asked in (((120, 160, 30, 2), True), ((30, 120, 160, 2), False), ((5, 2, 24, 40), False)):
        np.save(tmp_path / "a.npy", np.zeros(shape, np.float32))
        if asked:
            with pytest.raises(FlowQuestion, match=r"120 steps of 30x160 .*HWTC \(30 of 160x120\)"):
                open_flows(tmp_path / "a.npy")
        else:
            open_flows(tmp_path / "a.npy").close()


def test_components_with_their_steps_behind_are_asked_for(tmp_path: Path) -> None:
    flow = np.random.default_rng(2).standard_normal((4, 24, 40, 2)).astype(np.float32)
    u, v = (np.ascontiguousarray(flow[..., place].transpose(1, 2, 0)) for place in (0, 1))
    np.savez(tmp_path / "a.npz", u=u, v=v)
    with pytest.raises(FlowQuestion, match="HWT"):
        open_flows(tmp_path / "a.npz")
    check(tmp_path / "a.npz", flow, layout="HWT")


# -- what cannot be read


def test_types_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    flow = torch.zeros(3, 12, 20, 2)
    torch.save(flow.to(torch.float8_e4m3fn), tmp_path / "f8.pt")
    torch.save({"flow": flow.to_sparse()}, tmp_path / "sparse.pt")
    save_file({"flow": flow.to(torch.float8_e5m2)}, str(tmp_path / "f8.safetensors"))
    for name, said in (("f8.pt", "float8_e4m3fn"), ("sparse.pt", "'flow', .*sparse"), ("f8.safetensors", "F8_E5M2")):
        with pytest.raises(FlowError, match=f"holds .*{said}.*cannot be read"):
            open_flows(tmp_path / name)
    with pytest.raises(FlowError, match="under 'flow' a tensor of type F8_E5M2"):
        open_flows(tmp_path / "f8.safetensors", key="flow")
