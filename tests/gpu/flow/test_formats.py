"""Flow files: written and read back, against bytes made by hand, and sentences for what is wrong."""

from __future__ import annotations

import os
import struct
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import OpenImageIO as oiio
import pytest

from gpu.cv import cv2
from gpu.errors import FlowError
from gpu.flow.formats.flo import write_flo
from gpu.flow.stored import open_flows, read_flow
from tests.gpu.flow import flow_files


def some_flow(steps: int = 3, height: int = 5, width: int = 7) -> np.ndarray:
    """Vectors in steps of 1/64, which KITTI's files hold exactly."""
    return (np.random.default_rng(2).integers(-2000, 2000, (steps, height, width, 2)) / 64).astype(np.float32)


@pytest.mark.parametrize("suffix", flow_files.WRITERS)
@pytest.mark.parametrize("steps", [1, 3])
def test_what_is_written_is_read(suffix: str, steps: int, tmp_path: Path) -> None:
    flow = some_flow(steps)
    flow[0, 1, 2] = np.nan
    read = read_flow(flow_files.write(tmp_path / f"motion{suffix}", flow))
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, flow)


def test_a_middlebury_file_made_by_hand(tmp_path: Path) -> None:
    values = [1.5, -2.5, 3.0, 4.0, 1e10, 1e10, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]
    data = struct.pack("<f", 202021.25) + struct.pack("<ii", 3, 2) + struct.pack("<12f", *values)
    (tmp_path / "a.flo").write_bytes(data)
    flow = read_flow(tmp_path / "a.flo")
    assert flow.shape == (1, 2, 3, 2)
    assert flow[0, 0, 0].tolist() == [1.5, -2.5]
    assert flow[0, 1, 2].tolist() == [11.0, 12.0]
    assert np.isnan(flow[0, 0, 2]).all()


def test_middlebury_agrees_with_opencv(tmp_path: Path) -> None:
    flow = some_flow(1)
    write_flo(tmp_path / "ours.flo", flow[0])
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(tmp_path / "ours.flo")), flow[0])
    cv2.writeOpticalFlow(str(tmp_path / "theirs.flo"), flow[0])
    np.testing.assert_array_equal(read_flow(tmp_path / "theirs.flo"), flow)


def test_a_kitti_file_has_red_as_dx(tmp_path: Path) -> None:
    """OpenCV writes blue, green, red; KITTI's development kit reads u from red, v from green, known from blue."""
    coded = np.zeros((2, 2, 3), np.uint16)
    coded[0, 0] = (1, 2**15 - 64, 2**15 + 32)
    cv2.imwrite(str(tmp_path / "a.png"), coded)
    flow = read_flow(tmp_path / "a.png")
    assert flow[0, 0, 0].tolist() == [0.5, -1.0]
    assert np.isnan(flow[0, 1, 1]).all()


def test_a_single_field_and_other_number_types_are_taken(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 6, 2), np.float16))
    assert read_flow(tmp_path / "a.npy").shape == (1, 4, 6, 2)
    np.save(tmp_path / "b.npy", np.full((1, 4, 6, 2), 1e300))
    assert np.isinf(read_flow(tmp_path / "b.npy")).all()
    np.save(tmp_path / "c.npy", np.full((2, 4, 6, 2), 3))
    assert read_flow(tmp_path / "c.npy").dtype == np.float32


def test_an_archive_gives_backward_first_or_the_one_that_fits(tmp_path: Path) -> None:
    flow = some_flow()
    np.savez(tmp_path / "a.npz", forward=-flow, backward=flow, noise=np.zeros((3, 4)))
    np.testing.assert_array_equal(read_flow(tmp_path / "a.npz"), flow)
    np.savez(tmp_path / "b.npz", motion=flow, other=np.zeros(3))
    np.testing.assert_array_equal(read_flow(tmp_path / "b.npz"), flow)
    np.savez(tmp_path / "c.npz", one=flow, two=flow)
    with pytest.raises(FlowError, match="holds one, two"):
        read_flow(tmp_path / "c.npz")


@pytest.mark.parametrize("suffix", flow_files.WRITERS)
@pytest.mark.parametrize("content", [b"", b"hello, this is text, not a flow\n" * 5, b"PIEH", b"PK\x03\x04" + bytes(40)])
def test_garbage_gets_a_sentence_that_names_the_file(suffix: str, content: bytes, tmp_path: Path) -> None:
    file = tmp_path / f"bad{suffix}"
    file.write_bytes(content)
    with pytest.raises(FlowError, match=f"bad\\{suffix}"):
        read_flow(file)


@pytest.mark.parametrize("suffix", flow_files.WRITERS)
def test_a_file_cut_short_gets_a_sentence(suffix: str, tmp_path: Path) -> None:
    file = flow_files.write(tmp_path / f"cut{suffix}", some_flow(1, 40, 50))
    file.write_bytes(file.read_bytes()[:-300])
    with pytest.raises(FlowError, match="cut"):
        read_flow(file)


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros((5, 7)), r"\(5, 7\)"),
        (np.zeros((3, 3, 5, 7)), r"\(3, 3, 5, 7\)"),
        (np.zeros((0, 5, 7, 2)), r"\(0, 5, 7, 2\)"),
        (np.zeros((5, 7, 2), complex), "complex"),
        (np.zeros((5, 7, 2), bool), "bool"),
    ],
)
def test_a_wrong_array_gets_a_sentence(array: np.ndarray, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "wrong.npy", array)
    with pytest.raises(FlowError, match=said):
        read_flow(tmp_path / "wrong.npy")


def test_arrays_of_objects_are_never_unpickled(tmp_path: Path) -> None:
    np.save(tmp_path / "objects.npy", np.array([{}, {}], object), allow_pickle=True)
    with pytest.raises(FlowError, match="objects"):
        read_flow(tmp_path / "objects.npy")


def test_an_impossible_size_in_a_header_is_refused_before_memory_is(tmp_path: Path) -> None:
    (tmp_path / "a.flo").write_bytes(b"PIEH" + struct.pack("<ii", 2**30, -5))
    with pytest.raises(FlowError, match="cannot be"):
        read_flow(tmp_path / "a.flo")


def test_an_eight_bit_picture_is_no_kitti_flow(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(FlowError, match="16 bits"):
        read_flow(tmp_path / "a.png")


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="holds no flow files"):
        read_flow(tmp_path)
    flow_files.write(tmp_path / "0.flo", some_flow(1))
    flow_files.write(tmp_path / "1.flo", some_flow(1, 6, 7))
    with pytest.raises(FlowError, match=r"1\.flo is 7x6, but 0\.flo is 7x5"):
        read_flow(tmp_path)
    flow_files.write(tmp_path / "2.png", some_flow(1))
    with pytest.raises(FlowError, match="mixes"):
        read_flow(tmp_path)


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    with pytest.raises(FlowError, match="There is no flow file"):
        read_flow(tmp_path / "absent.npy")
    (tmp_path / "a.mat").write_bytes(b"x")
    with pytest.raises(FlowError, match=r"expected one of \.npy, \.npz, .*\.flo, .*\.png"):
        read_flow(tmp_path / "a.mat")


def test_a_vector_with_one_bad_component_is_written_as_unknown(tmp_path: Path) -> None:
    flow = some_flow(1)[0]
    flow[1, 2, 0] = np.inf
    write_flo(tmp_path / "a.flo", flow)
    read = read_flow(tmp_path / "a.flo")[0]
    assert np.isnan(read[1, 2]).all()
    assert np.isfinite(read).all(axis=-1).sum() == 34


@pytest.mark.parametrize("suffix", flow_files.WRITERS)
def test_a_pipe_is_no_flow_file(suffix: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"a{suffix}")
    with pytest.raises(FlowError, match="is no regular file"):
        read_flow(tmp_path / f"a{suffix}")


# -- sizes that files claim


def claims(path: Path, width: int, height: int) -> None:
    """A small file that claims a field of that size."""
    if path.suffix == ".flo":
        path.write_bytes(b"PIEH" + struct.pack("<ii", width, height) + bytes(200))
    elif path.suffix == ".pfm":
        path.write_bytes(f"PF\n{width} {height}\n-1\n".encode() + bytes(200))
    elif path.suffix == ".png":
        path.write_bytes(flow_files.png_header(width, height) + bytes(309))
    elif path.suffix == ".flo5":
        with h5py.File(path, "w") as file:
            file.create_dataset("flow", (height, width, 2), "f4", chunks=(64, 64, 2), compression="gzip")
    elif path.suffix == ".npy":
        with path.open("wb") as file:
            shape = (1, height, width, 2)
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            file.write(bytes(200))


CLAIMED = [(8000, 8000), (30000, 30000), (60000, 60000), (2**31 - 1, 2**31 - 1)]


@pytest.mark.parametrize(
    ("suffix", "width", "height"),
    [(suffix, *size) for suffix in (".flo", ".pfm", ".png", ".npy") for size in CLAIMED]
    + [(".flo5", *size) for size in CLAIMED[:2]],
)
def test_sizes_are_not_believed(suffix: str, width: int, height: int, tmp_path: Path) -> None:
    """A few hundred bytes that claim gigabytes are refused before memory is taken: 342 bytes of PNG took 4.5 GB once."""
    path = tmp_path / f"bomb{suffix}"
    claims(path, width, height)
    tracemalloc.start()
    with pytest.raises(FlowError, match="bomb"):
        read_flow(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 32 << 20


@pytest.mark.parametrize(("bits", "colour"), [(8, 2), (8, 0), (8, 3), (16, 0), (16, 6), (1, 0)])
def test_pictures_that_are_no_kitti_flow_are_refused_by_their_header(bits: int, colour: int, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(flow_files.png_header(8, 8, bits, colour) + bytes(100))
    with pytest.raises(FlowError, match="16 bits a channel"):
        read_flow(tmp_path / "a.png")


# -- formats of one field


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_float_map_made_by_hand(order: str, tmp_path: Path) -> None:
    """Rows from below; a positive scale means that the largest byte comes first."""
    rows = [[(1.5, -2.0, 0), (3.0, 4.0, 0)], [(5.0, 6.0, 0), (7.0, 8.0, 0)]]  # from above
    values = [value for row in reversed(rows) for pixel in row for value in pixel]
    scale = b"-1.0" if order == "<" else b"1.0"
    (tmp_path / "a.pfm").write_bytes(b"PF\n2 2\n" + scale + b"\n" + struct.pack(f"{order}12f", *values))
    flow = read_flow(tmp_path / "a.pfm")
    assert flow.tolist() == [[[[1.5, -2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]


@pytest.mark.parametrize("head", ["PF\n2 2\n0", "PF\n2 2\nnan", "PF\n-2 2\n-1", "P6\n2 2\n255", "PF 2", "PF\n2 2\n1e"])
def test_float_maps_that_are_none(head: str, tmp_path: Path) -> None:
    (tmp_path / "a.pfm").write_bytes(head.encode() + b"\n" + bytes(48))
    with pytest.raises(FlowError, match=r"a\.pfm is not a portable float map"):
        read_flow(tmp_path / "a.pfm")


def test_components_in_float_maps_of_one_channel(tmp_path: Path) -> None:
    flow = some_flow(1)[0]
    for name, part in (("u", flow[..., 0]), ("v", flow[..., 1])):
        (tmp_path / f"{name}.pfm").write_bytes(b"Pf\n7 5\n-1\n" + part[::-1].astype("<f4").tobytes())
    np.testing.assert_array_equal(read_flow(tmp_path)[0], flow)
    np.testing.assert_array_equal(read_flow(tmp_path / "v.pfm")[0], flow)


def test_springs_files(tmp_path: Path) -> None:
    """gzip chunks; four vectors a pixel of the true flow, in pixels of the pictures."""
    flow = np.zeros((2160, 3840, 2), np.float32)
    flow[100:140, 200:260] = some_flow(1, 40, 60)[0]
    flow[0, 0] = np.nan
    for name in ("flow_FW_left_0001", "flow_BW_left_0002"):
        with h5py.File(tmp_path / f"{name}.flo5", "w") as file:
            file.create_dataset("flow", data=flow if "FW" in name else -flow, compression="gzip", compression_opts=1)
    with open_flows(tmp_path) as flows:
        assert flows.directions == ("backward", "forward")
        assert flows.pixels
        np.testing.assert_array_equal(flows.forward[0], flow[::2, ::2])
        np.testing.assert_array_equal(flows.backward[0], -flow[::2, ::2])


def test_hdf5_files_reach_for_no_other_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "other.flo5", "w") as file:
        file["flow"] = some_flow(1)[0]
    with h5py.File(tmp_path / "link.flo5", "w") as file:
        file["flow"] = h5py.ExternalLink(str(tmp_path / "other.flo5"), "flow")
    with h5py.File(tmp_path / "soft.flo5", "w") as file:
        file["flow"] = h5py.SoftLink("/flow")
    layout = h5py.VirtualLayout((5, 7, 2), "f4")
    layout[...] = h5py.VirtualSource(str(tmp_path / "other.flo5"), "flow", (5, 7, 2))
    with h5py.File(tmp_path / "virtual.flo5", "w") as file:
        file.create_virtual_dataset("flow", layout)
    for name in ("link", "soft", "virtual"):
        with pytest.raises(FlowError, match="nothing"):
            read_flow(tmp_path / f"{name}.flo5")


# -- OpenEXR


def write_exr(path: Path, channels: dict[str, np.ndarray], kind: str = "float") -> None:
    """Channels by their names, written by OpenImageIO."""
    height, width = next(iter(channels.values())).shape
    spec = oiio.ImageSpec(width, height, len(channels), kind)
    spec.channelnames = tuple(channels)
    out = oiio.ImageOutput.create(str(path))
    assert out.open(str(path), spec), out.geterror()
    assert out.write_image(np.ascontiguousarray(np.stack(list(channels.values()), -1), np.float32)), out.geterror()
    out.close()


def blender(layer: str, back: np.ndarray, forth: np.ndarray, letters: str = "XYZW") -> dict[str, np.ndarray]:
    """What Cycles writes of a frame: previous minus current, and current minus next, y up."""
    parts = (back[..., 0], -back[..., 1], -forth[..., 0], forth[..., 1])
    return {f"{layer}{letter}": part for letter, part in zip(letters, parts)}


@pytest.mark.parametrize(("layer", "letters"), [("ViewLayer.Vector.", "XYZW"), ("Vector.", "XYZW"), ("", "RGBA")])
def test_blenders_vector_pass(layer: str, letters: str, tmp_path: Path) -> None:
    """A file for each frame: backward leads to the frame before, forward to the one after, so four frames are three steps."""
    back, forth = some_flow(4), -some_flow(4)[::-1]
    for frame in range(4):
        channels = blender(layer, back[frame], forth[frame], letters)
        if letters == "XYZW":
            picture = np.random.default_rng(frame).random((5, 7))
            channels |= {f"ViewLayer.Combined.{letter}": picture for letter in "RGBA"}
            channels |= {f"ViewLayer.Normal.{letter}": picture for letter in "XYZ"}
        write_exr(tmp_path / f"{frame + 1:04d}.exr", channels)
    with open_flows(tmp_path) as flows:
        assert (flows.directions, flows.named, flows.pixels, flows.by_frame) == (
            ("backward", "forward"),
            True,
            True,
            True,
        )
        assert flows.backward is not None
        assert flows.forward is not None
        np.testing.assert_allclose(flows.backward.all(), back[1:], atol=1e-5)
        np.testing.assert_allclose(flows.forward.all(), forth[:-1], atol=1e-5)
    for asked in ("backward", "forward"):
        with open_flows(tmp_path / "0002.exr", asked) as flows:
            assert flows.directions == (asked,)
            np.testing.assert_allclose(flows.fields[0], back[1] if asked == "backward" else forth[1], atol=1e-5)


def test_other_layers_of_motion(tmp_path: Path) -> None:
    flow = some_flow(1)[0]
    write_exr(tmp_path / "plain.exr", {"u": flow[..., 0], "v": flow[..., 1]})
    np.testing.assert_allclose(read_flow(tmp_path / "plain.exr")[0], flow)
    write_exr(tmp_path / "fwd.exr", {"R": flow[..., 0], "G": flow[..., 1], "B": 0 * flow[..., 0]}, "half")
    with open_flows(tmp_path / "fwd.exr") as flows:
        assert flows.directions == ("forward",)
        np.testing.assert_allclose(flows.fields[0], flow, rtol=1e-3)
    nuke = {
        "forward.u": flow[..., 0],
        "forward.v": -flow[..., 1],
        "backward.u": flow[..., 0],
        "backward.v": flow[..., 1],
    }
    write_exr(tmp_path / "nuke.exr", nuke)
    with open_flows(tmp_path / "nuke.exr", "forward") as flows:
        np.testing.assert_allclose(flows.forward[0], flow)  # type: ignore[index]
    write_exr(tmp_path / "depth.exr", {"Z": flow[..., 0]})
    with pytest.raises(FlowError, match="holds the channels Z; expected Blender's vector pass"):
        read_flow(tmp_path / "depth.exr")
