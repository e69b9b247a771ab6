"""A second decoder to compare with: FFmpeg's own program, another build than the library that the program reads films with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np


def ffmpeg(*arguments: str | Path) -> bytes:
    """Run FFmpeg's program; what it writes to standard output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *map(str, arguments)]
    return subprocess.run(command, check=True, timeout=60, stdout=subprocess.PIPE).stdout


def shown_by_ffmpeg(path: Path, *output: str | Path) -> np.ndarray:
    """(T, H, W, 3) RGB of every frame once, turned as the file says, with the options `output` (filters, say)."""
    data = ffmpeg(
        "-i", path, *output, "-fps_mode", "passthrough", "-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "-"
    )
    frames, at = [], 0
    while at < len(data):
        _, size, _ = data[at : at + 64].split(b"\n", 3)[:3]
        columns, rows = map(int, size.split())
        start = at + len(b"P6\n") + len(size) + len(b"\n255\n")
        at = start + 3 * rows * columns
        frames.append(np.frombuffer(data[start:at], np.uint8).reshape(rows, columns, 3))
    return np.stack(frames)
