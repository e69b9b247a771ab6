"""Files of named arrays: what NumPy, torch and safetensors write is read as they read it, and what is broken is a sentence."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
import zlib
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from gpu.arrays import open_arrays
from gpu.errors import FlowError

RNG = np.random.default_rng(5)
CUBE = RNG.standard_normal((3, 4, 70, 80)).astype(np.float32)


def tensors() -> dict[str, Any]:
    x = torch.from_numpy(RNG.standard_normal((3, 4, 5, 6)).astype(np.float32))
    base = torch.arange(2000.0).reshape(40, 50)
    return {
        "x": x,
        "nested": {"list": [x.half(), x.bfloat16()], "axes": "CTHW"},
        "view": base[3:30:2, 5:40].t(),
        "wide": base[0].expand(7, 50),
        "parameter": torch.nn.Parameter(x),
        "permuted": x.permute(1, 3, 0, 2),
        "scalar": torch.tensor(3.5, dtype=torch.float64),
        "bool": x > 0,
        "uint16": torch.arange(5).to(torch.uint16),
        "empty": torch.zeros(0, 3),
        "state": OrderedDict(weight=x.to(torch.int8)),
        "epoch": 3,
        "sparse": base.to_sparse(),
    }


def leaves(value: Any, name: str = "") -> dict[str, Any]:
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if parts is None:
        return {name: value}
    return {at: leaf for key, part in parts for at, leaf in leaves(part, f"{name}.{key}".lstrip(".")).items()}


def as_numpy(tensor: torch.Tensor) -> np.ndarray:
    tensor = tensor.detach()
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy()


def pieces_fit(array: Any, expected: np.ndarray) -> None:
    """Whole, in pieces along each axis, and the first five places one after the other."""
    whole = array.read()
    assert whole.dtype == array.dtype == expected.dtype.newbyteorder("=")
    assert np.array_equal(whole, expected)
    assert whole.shape == array.shape
    assert whole.flags.c_contiguous
    for axis, side in enumerate(expected.shape):
        ranges = ((0, 1), (1, 3), (0, side), (side, None), (-2, 99))
        for start, stop in ranges:
            piece = expected[(slice(None),) * axis + (slice(max(start, 0), stop),)]
            assert np.array_equal(array.read(start, stop, axis), piece)
        assert all(np.array_equal(part, expected.take(at, axis)) for at, part in zip(range(5), array.slices(axis)))


@pytest.mark.parametrize("old", [False, True])
def test_files_of_torch_are_read_as_torch_reads_them(tmp_path: Path, old: bool) -> None:
    told = tensors()
    if old:
        del told["uint16"]  # torch writes it, and cannot read it
    torch.save(told, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
    with open_arrays(tmp_path / "a.pt") as arrays:
        loaded = leaves(torch.load(tmp_path / "a.pt", weights_only=True))
        plain = {name: value for name, value in loaded.items() if isinstance(value, torch.Tensor) and name != "sparse"}
        assert list(arrays) == list(plain)
        for name, tensor in plain.items():
            pieces_fit(arrays[name], as_numpy(tensor))
        assert arrays["nested.list.1"].stored == "bfloat16"
        assert arrays.text("nested.axes") == "CTHW"
        assert "sparse" in arrays.others["sparse"]


@pytest.mark.parametrize("protocol", range(2, 6))
@pytest.mark.parametrize("old", [False, True])
def test_a_lone_tensor_of_torch_has_no_name(tmp_path: Path, old: bool, protocol: int) -> None:
    x = torch.arange(24).reshape(2, 3, 4)
    torch.save(x, tmp_path / "a.pt", _use_new_zipfile_serialization=not old, pickle_protocol=protocol)
    with open_arrays(tmp_path / "a.pt") as arrays:
        assert list(arrays) == [""]
        assert np.array_equal(arrays[""].read(), x.numpy())


def test_the_case_in_the_old_format() -> None:
    path = Path(__file__).parent / "legacy.pt"
    with open_arrays(path) as arrays:
        assert arrays[""].shape == (3, 4, 16, 16)
        assert np.array_equal(arrays[""].read(), torch.load(path, weights_only=True).numpy())


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_archives_of_numpy(tmp_path: Path, save: Any) -> None:
    expected = {
        "c": CUBE,
        "fortran": np.asfortranarray(CUBE),
        "big": CUBE[:1].astype(">f8"),
        "half": CUBE[0].astype(np.float16),
        "bytes": np.arange(7, dtype=np.uint8),
        "none": np.zeros((0, 3)),
        "one": np.array(2.5),
    }
    odd = {"meta": np.array("né"), "objects": np.array([1, None]), "z": np.ones(2, complex), "r": np.zeros(2, "f4,i4")}
    save(tmp_path / "a.npz", **expected, **odd)
    with open_arrays(tmp_path / "a.npz", FlowError) as arrays:
        for name, array in expected.items():
            pieces_fit(arrays[name], array)
        assert arrays.text("meta") == "né"
        assert arrays.text("nothing") == ""
        assert "records" in arrays.others["r"]
        for name, kind in {"objects": "object", "z": "complex128", "meta": "str"}.items():
            with pytest.raises(FlowError, match=f"a.npz cannot be read .*'{name}' holds values of type {kind}"):
                arrays[name].read()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_single_arrays_of_numpy(tmp_path: Path, order: str, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.asarray(CUBE, order=order), version)  # type: ignore[call-overload]
    with open_arrays(tmp_path / "a.npy") as arrays:
        pieces_fit(arrays[""], CUBE)


def test_a_header_of_python_2_is_understood(tmp_path: Path) -> None:
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L)}\n"
    (tmp_path / "a.npy").write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(48))
    with open_arrays(tmp_path / "a.npy") as arrays:
        assert arrays[""].shape == (3, 4)


@pytest.mark.parametrize("suffix", [".safetensors", ".latent"])
def test_safetensors(tmp_path: Path, suffix: str) -> None:
    x = torch.from_numpy(CUBE)
    told = {"latent_tensor": x, "b": x.bfloat16(), "latent_format_version_0": torch.tensor([]), "i": torch.arange(3)}
    save_file(told, tmp_path / f"a{suffix}", metadata={"prompt": "a cat"})
    with open_arrays(tmp_path / f"a{suffix}") as arrays:
        assert set(arrays) == set(told)
        for name, tensor in told.items():
            pieces_fit(arrays[name], as_numpy(tensor))
        assert arrays.text("prompt") == "a cat"


def packed(path: Path, shape: tuple[int, int], repeats: int) -> Path:
    """A .npz of float32 zeros of `shape`: `repeats` times 1 MB, packed a thousand times smaller."""
    deflate = zlib.compressobj(wbits=-15)
    start = header(str(shape))
    data = deflate.compress(start) + deflate.flush(zlib.Z_FULL_FLUSH)
    deflate = zlib.compressobj(wbits=-15)
    data += (deflate.compress(bytes(1 << 20)) + deflate.flush(zlib.Z_FULL_FLUSH)) * repeats + b"\3\0"
    told = struct.pack("<5H3L2H", 20, 0, 8, 0, 0, 0, len(data), len(start) + (repeats << 20), 5, 0)
    beginning = b"PK\3\4" + told + b"a.npy" + data
    listed = b"PK\1\2" + struct.pack("<H", 20) + told + struct.pack("<3H2L", 0, 0, 0, 0, 0) + b"a.npy"
    end = b"PK\5\6" + struct.pack("<4H2LH", 0, 0, 1, 1, len(listed), len(beginning), 0)
    path.write_bytes(beginning + listed + end)
    return path


def test_what_a_small_file_unpacks_to_is_bounded(tmp_path: Path) -> None:
    path = packed(tmp_path / "a.npz", (600, 1 << 18), 600)
    tracemalloc.start()
    with open_arrays(path, FlowError) as arrays:
        assert arrays["a"].read(0, 2).shape == (2, 1 << 18)
        with pytest.raises(FlowError, match="an array of 629 MB in .* kB of the file is more than is unpacked"):
            arrays["a"].read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 12 << 20


def header(shape: str = "(3, 4)", kind: str = "'<f4'") -> bytes:
    text = f"{{'descr': {kind}, 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(text)) + text


def tensor_file(entry: str) -> bytes:
    return struct.pack("<Q", len(entry)) + entry.encode() + bytes(48)


BROKEN = {
    "empty": b"",
    "text": b"hello, world",
    "pickle": pickle.dumps({"a": 1}),
    "npy cut": header()[:9],
    "npy header cut": header()[:30],
    "npy values cut": header() + bytes(47),
    "npy longer": header() + bytes(49),
    "npy huge": header("(99999999999, 99999999999)") + bytes(48),
    "npy negative": header("(-3, 4)") + bytes(48),
    "npy digits": header("(" + "9" * 5000 + ",)") + bytes(48),
    "npy brackets": header("(" * 3000) + bytes(48),
    "npy nonsense": header("(3,, 'a' 4)") + bytes(48),
    "npy type": header(kind="'<f5'") + bytes(48),
    "npy objects": header(kind="'|O'") + bytes(96),
    "npy text": header(kind="'<U1'") + bytes(48),
    "npy records": header(kind="[('a', '<f4')]") + bytes(48),
    "npy sides": header("(" + "1," * 50 + "12)") + bytes(48),
    "zip cut": b"PK\3\4" + bytes(40),
    "safetensors huge": struct.pack("<Q", 1 << 33) + b'{"a":1}',
    "safetensors deep": tensor_file('{"a":' + "[" * 20000),
    "safetensors digits": tensor_file('{"a":{"dtype":"F32","shape":[' + "9" * 5000 + '],"data_offsets":[0,48]}}'),
    "safetensors shape": tensor_file('{"a":{"dtype":"F32","shape":[3,5],"data_offsets":[0,48]}}'),
    "safetensors truth": tensor_file('{"a":{"dtype":"F32","shape":[true,12],"data_offsets":[0,48]}}'),
    "safetensors place": tensor_file('{"a":{"dtype":"F32","shape":[12],"data_offsets":[4,52]}}'),
    "safetensors beyond": tensor_file('{"a":{"dtype":"F32","shape":[120],"data_offsets":[0,480]}}'),
    "safetensors list": tensor_file('{"a":[1,2]}'),
    "safetensors type": tensor_file('{"a":{"dtype":{},"shape":[12],"data_offsets":[0,48]}}'),
    "safetensors metadata": tensor_file(
        '{"__metadata__":{"a":1},"a":{"dtype":"F32","shape":[12],"data_offsets":[0,48]}}'
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_are_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.bin").write_bytes(BROKEN[name])
    with (
        pytest.raises(FlowError, match=r"^The file .*a\.bin cannot be read as .*\.$"),
        open_arrays(tmp_path / "a.bin", FlowError) as arrays,
    ):
        arrays[next(iter(arrays), "")].read()


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("/tmp/noisescope-was-here",)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("value", [Evil(), torch.nn.Linear(2, 2), np.ones(3)])
def test_python_objects_are_refused_and_nothing_runs(tmp_path: Path, value: Any, old: bool) -> None:
    torch.save({"a": value}, tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
    with pytest.raises(FlowError, match=r"holds Python objects \(.*\), which are not loaded because they can run code"):
        open_arrays(tmp_path / "a.pt", FlowError)
    assert not Path("/tmp/noisescope-was-here").exists()


def test_pickles_that_grow_are_refused(tmp_path: Path) -> None:
    """A list of two of a list of two …, and one that holds itself."""
    doubled: list[Any] = []
    for _ in range(60):
        doubled = [doubled, doubled]
    endless: list[Any] = []
    endless.append(endless)
    for value in (doubled, endless):
        torch.save(value, tmp_path / "a.pt")
        with pytest.raises(FlowError, match="nested too deeply, or are too many"):
            open_arrays(tmp_path / "a.pt", FlowError)


def test_damage_within_an_archive_is_found(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=CUBE)
    data = bytearray((tmp_path / "a.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "a.npz").write_bytes(data)
    with open_arrays(tmp_path / "a.npz", FlowError) as arrays:
        with pytest.raises(FlowError, match="checksum of array 'a' is wrong"):
            arrays["a"].read()
        for axis in range(4):
            with pytest.raises(FlowError, match="checksum of array 'a' is wrong"):
                list(arrays["a"].slices(axis))


def test_files_that_change_while_they_are_read(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", CUBE)
    with open_arrays(tmp_path / "a.npy", FlowError) as arrays:
        steps = arrays[""].slices()
        assert np.array_equal(next(steps), CUBE[0])
        os.truncate(tmp_path / "a.npy", 5000)
        with pytest.raises(FlowError, match=r"changed while it was read|ends too early"):
            next(steps)
    np.save(tmp_path / "b.npy", CUBE)
    with open_arrays(tmp_path / "b.npy", FlowError) as arrays:
        (tmp_path / "b.npy").unlink()  # what is open stays
        assert np.array_equal(arrays[""].read(), CUBE)


def test_what_is_no_file_is_a_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    places = {tmp_path / "none": "no such file", tmp_path: "it is a folder", tmp_path / "pipe": "it is no regular file"}
    for path, why in (places | {Path("a\0b"): "null"}).items():
        with pytest.raises(FlowError, match=f"cannot be read as a file of arrays: .*{why}"):
            open_arrays(path, FlowError)


def test_a_file_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    np.save(tmp_path / "a.npy", CUBE[0])
    monkeypatch.setattr("builtins.open", refuse)  # a test that runs as root may read everything
    with pytest.raises(FlowError, match="cannot be read as a file of arrays: permission denied"):
        open_arrays(tmp_path / "a.npy", FlowError)
