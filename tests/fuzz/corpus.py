"""Small good files to change: (name, bytes) for each reader, made by code where they are not of tests/cases."""

from __future__ import annotations

import io
import json
import struct
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Files = list[tuple[str, bytes]]
CASES = Path(__file__).parents[1] / "cases"


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def _saved(save: Callable[..., Any], *arguments: Any, **named: Any) -> bytes:
    out = io.BytesIO()
    save(out, *arguments, **named)
    return out.getvalue()


def arrays(name: str, array: np.ndarray) -> Files:
    """An array under a name in every format of named arrays."""
    import torch
    from safetensors.torch import save

    tensor = torch.from_numpy(array)
    nested = {"a": {name: tensor}, "axes": "TCHW", "list": [tensor.half(), "x"]}
    return [
        ("a.npy", _saved(np.save, array)),
        ("a.npy", _saved(np.save, np.asfortranarray(array.astype(np.float16)))),
        ("a.npz", _saved(np.savez, **{name: array, "meta": np.array('{"program": "noisescope"}')})),
        ("a.npz", _saved(np.savez_compressed, **{name: array, "undefined": array > 0})),
        ("a.pt", _saved(lambda out: torch.save({name: tensor, "axes": "TCHW"}, out))),
        ("a.pt", _saved(lambda out: torch.save(nested, out, _use_new_zipfile_serialization=False))),
        ("a.safetensors", save({name: tensor}, metadata={"axes": "TCHW"})),
        ("a.safetensors", save({name: tensor.bfloat16(), "other": tensor[0].clone()})),
    ]


def noise() -> Files:
    from safetensors.torch import save
    from torch import from_numpy, tensor

    latent = {"latent_tensor": from_numpy(_noise(1, 4, 8, 8)), "latent_format_version_0": tensor([])}
    return [*arrays("noise", _noise(2, 3, 8, 8)), ("a.latent", save(latent))]


def flow() -> Files:
    import cv2

    field = _noise(1, 6, 8, 2)
    coded = np.concatenate([np.ones((6, 8, 1)), 32768 + 64 * field[0, ..., ::-1]], axis=-1).astype(np.uint16)
    flo = b"PIEH" + struct.pack("<2i", 8, 6) + field.tobytes()
    pfm = b"PF\n8 6\n-1.0\n" + np.concatenate([field[0], np.zeros((6, 8, 1), np.float32)], axis=-1).tobytes()
    return [
        *arrays("backward", _noise(2, 6, 8, 2)),
        ("a.flo", flo),
        ("a.png", cv2.imencode(".png", coded)[1].tobytes()),
        ("a.pfm", pfm),
    ]


def pictures() -> Files:
    import cv2

    picture = np.random.default_rng(3).integers(0, 255, (12, 16, 3)).astype(np.uint8)
    out: Files = []
    for suffix in (".png", ".jpg", ".bmp", ".tiff", ".webp", ".ppm"):
        out.append((f"a{suffix}", cv2.imencode(suffix, picture)[1].tobytes()))
    for suffix in (".png", ".tiff", ".ppm"):
        out.append((f"a{suffix}", cv2.imencode(suffix, picture.astype(np.uint16) * 257)[1].tobytes()))
    out.append(("a.png", cv2.imencode(".png", np.dstack([picture, picture[..., 0]]))[1].tobytes()))
    out.append(("a.hdr", cv2.imencode(".hdr", picture.astype(np.float32) / 255)[1].tobytes()))
    out.append(("a.pfm", b"PF\n16 12\n-1.0\n" + (picture.astype("<f4") / 255).tobytes()))
    out.append(("a.tiff", _deflated_tiff(picture)))
    for path in sorted(CASES.rglob("*.exr"))[:2]:
        out.append(("a.exr", path.read_bytes()))
    return out + _by_pillow(picture) + _by_openimageio(picture)


def _by_pillow(picture: np.ndarray) -> Files:
    from PIL import Image, ImageCms

    image = Image.fromarray(picture)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    return [
        *((f"a.{kind}", _saved(image.save, format=kind)) for kind in ("gif", "tga", "avif", "sgi", "jpeg2000")),
        ("a.png", _saved(image.quantize(16).save, format="PNG", transparency=3)),
        ("a.png", _saved(image.convert("1").save, format="PNG")),
        ("a.jpg", _saved(image.convert("CMYK").save, format="JPEG", icc_profile=profile)),
        ("a.tif", _saved(image.save, format="TIFF", save_all=True, append_images=[image, image], icc_profile=profile)),
        ("a.tif", _saved(image.convert("LAB").save, format="TIFF")),
        ("a.webp", _saved(image.save, format="WEBP", save_all=True, append_images=[image.rotate(180)])),
        ("a.psd", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 12, 16, 8, 3) + bytes(14) + picture.tobytes()),
    ]


def _by_openimageio(picture: np.ndarray) -> Files:
    import OpenImageIO as oiio

    names = ("R", "G", "B", "A", "speed.X", "speed.Y")
    values = np.concatenate([picture, picture], axis=-1).astype(np.float32) / 255
    out: Files = []
    with tempfile.TemporaryDirectory() as folder:
        for suffix, kind, count, compression, tile in (
            ("exr", "half", 6, "zip", 0),
            ("exr", "float", 6, "piz", 8),
            ("exr", "half", 4, "dwaa", 0),
            ("jxl", "uint8", 3, "jpegxl:90", 0),
            ("jxl", "float", 3, "jpegxl:90", 0),
            ("dpx", "uint16", 3, "", 0),
            ("tif", "float", 4, "lzw", 16),
        ):
            spec = oiio.ImageSpec(16, 12, count, kind)
            spec.channelnames = names[:count]
            spec.tile_width = spec.tile_height = tile
            spec.attribute("compression", compression)
            path = f"{folder}/a.{suffix}"
            file = oiio.ImageOutput.create(path)
            assert file is not None
            assert file.open(path, spec), oiio.geterror()
            assert file.write_image(np.ascontiguousarray(values[..., :count]))
            file.close()
            out.append((f"a.{suffix}", Path(path).read_bytes()))
    return out


def _deflated_tiff(picture: np.ndarray) -> bytes:
    from PIL import Image

    return _saved(Image.fromarray(picture).save, format="TIFF", compression="tiff_deflate")


def video() -> Files:
    return [
        (path.name, path.read_bytes()) for path in sorted(CASES.glob("*")) if path.suffix in (".mp4", ".webm", ".avi")
    ]


def session() -> Files:
    from gpu import session as sessions

    full = sessions.Session(
        source=sessions.SourceSettings("synthetic", name="zoom", parameters={"factor": 1.1}),
        priors=(sessions.PriorSettings("integral"), sessions.PriorSettings("random", gamma=0.3)),
        view={"zoom": 2.5, "rows": ["output", "noise"], "open": {"a": True, "b": None}},
    )
    return [("a.json", sessions.to_json(each).encode()) for each in (sessions.Session(), full)]


def manifest() -> Files:
    tables = [
        "name,video,synthetic,prior,size,frames,seed,format\nwalk,walk.mp4,,integral,256x384,48,7,npz\n",
        "name,synthetic,prior,size,seed,format\nturn,rotation:degrees=2,bilinear:mode=chained,24x32,8,pt\n",
        "source;prior;axes;format\r\nswirl;random:gamma=0.1;CTHW;npy\r\n;;;\r\nsmoke;;;\r\n",
        '"scene","k","s","fit"\n"pose","2","4",\n"pose","3","4",\n',
    ]
    return [("a.csv", text.encode()) for text in tables]


def poses() -> Files:
    from gpu.worlds.figure.pose_files import BODY_25, COCO_17
    from gpu.worlds.figure.sequence import JOINTS

    spots = [[round(0.1 * at, 2), 0.5] for at in range(len(JOINTS))]
    own = {
        "format": "noisescope-pose", "version": 1, "name": "walk", "fps": 24, "loop": True, "length": 4, "travel": 0.8,
        "joints": list(JOINTS), "keyframes": [{"time": 0, "positions": spots}, {"time": 2.5, "positions": [None, *spots[1:]]}],
    }  # fmt: skip
    keypoints = [value for at in range(len(BODY_25)) for value in (10.5 + at, 20 + 3 * (at % 5), 0.9)]
    person = {"pose_keypoints_2d": keypoints}
    coco = {
        "images": [{"id": 1}, {"id": 2}],
        "annotations": [{"image_id": at, "keypoints": keypoints[: 3 * len(COCO_17)]} for at in (1, 2)],
    }
    return [
        ("a.json", json.dumps(data).encode()) for data in (own, {"people": [person]}, [{"people": [person, {}]}], coco)
    ]


def formulas() -> Files:
    texts = (
        "3*sin(y/9) + t", "x if x > 3 else -y", "min(x, y, 2**3)", "(((1)))", "sqrt(abs(x - w/2))*1.5e-3", "-(-x) % 7",
        "exp(-((x-w/2)**2 + (y-h/2)**2)/50)", "atan2(y, x) + pi*t/10", "1/0 + x", "2 <= t < 5",
    )  # fmt: skip
    return [("a.txt", text.encode()) for text in texts]


def hub() -> Files:
    """The files of a tiny pipeline, "unet/config.json" being called unet@config.json."""
    from tests.gpu.diffusion.hub_pipelines import stable_diffusion

    with tempfile.TemporaryDirectory() as folder:
        stable_diffusion(Path(folder))
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.is_file() and "made" not in path.parts]
        return [(str(path.relative_to(folder)).replace("/", "@"), path.read_bytes()) for path in paths]
