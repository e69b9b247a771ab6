"""Small inputs for the command line: a photo, a video, a flow, and files that are not what they say."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.cli import main
from app.export.kit.video_writer import video
from gpu.cv import cv2

HEIGHT, WIDTH, FRAMES = 24, 32, 4


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Result]:
    """Run a command line in this process. File descriptors are captured, so that no library can speak past it."""

    def run(*argv: object) -> Result:
        capfd.readouterr()
        code = main([str(item) for item in argv])
        out, err = capfd.readouterr()
        return Result(code, out, err)

    return run


def texture(height: int, width: int, seed: int = 0) -> Any:
    """A picture with something to follow: smooth random colours."""
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 4 + 2, width // 4 + 2, 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of inputs, good and bad."""
    folder = tmp_path_factory.mktemp("inputs")
    Image.fromarray(texture(HEIGHT, WIDTH)).save(folder / "photo.png")
    Image.fromarray(texture(1, 1)).save(folder / "1x1.png")
    Image.fromarray(texture(2, 3000)).save(folder / "2x3000.png")
    (folder / "doubled").mkdir()
    for name in ("0000.png", "0001.png", "0001.jpg"):
        Image.fromarray(texture(HEIGHT, WIDTH)).save(folder / "doubled" / name)
    cv2.imwrite(str(folder / "light.hdr"), np.full((HEIGHT, WIDTH, 3), 0.2, np.float32))
    head = struct.pack(">I4sIIBBBBB", 13, b"IHDR", 30000, 30000, 8, 0, 0, 0, 0)
    (folder / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + struct.pack(">I", zlib.crc32(head[4:])) + bytes(99))
    wide = texture(HEIGHT, WIDTH + 2 * FRAMES)
    with video(folder / "clip.mp4", 12) as put:
        for t in range(FRAMES):
            put(wide[:, 2 * t : 2 * t + WIDTH])
    data = (folder / "clip.mp4").read_bytes()
    (folder / "text.mp4").write_text("This is no video.\n" * 50)
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "truncated.mp4").write_bytes(data[: len(data) // 3])
    (folder / "text.png").write_text("This is no picture.")
    flow = np.zeros((FRAMES - 1, HEIGHT, WIDTH, 2), np.float32)
    flow[..., 0] = 1.5
    np.save(folder / "flow.npy", flow)
    broken = flow.copy()
    broken[0, 3, 4] = np.nan
    broken[1, 5, 6] = np.inf
    broken[2, 7, 8] = 1e9
    np.save(folder / "broken-flow.npy", broken)
    np.save(folder / "3d-flow.npy", flow[..., 0])
    np.save(folder / "three-components.npy", np.zeros((3, HEIGHT, WIDTH, 3), np.float32))
    np.save(folder / "integer-flow.npy", flow.astype(np.int64))
    np.save(folder / "no-flow.npy", flow[:0])
    (folder / "text.npy").write_text("This is no array.")
    (folder / "corrupt.json").write_text('{"version": 1, "noise": {"k": ')
    (folder / "no-priors.json").write_text('{"priors": []}')
    (folder / "deep.json").write_text("[" * 9999)
    (folder / "null.json").write_text('{"source": {"path": "a\\u0000b"}}')
    (folder / "parameter.json").write_text('{"priors": [{"name": "integral", "parameters": {"speed": 3}}]}')
    (folder / "nowhere").symlink_to(folder / "gone")
    (folder / "future.json").write_text('{"version": 99}')
    (folder / "wrong.json").write_text('{"noise": {"k": "three"}}')
    return folder
