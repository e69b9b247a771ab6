"""Measures what `noisescope warp` takes at its most: `python -m tests.gpu.engine.measure_memory 1024x1024x16 128x128x1000`.

No test: a large size takes minutes. For each of the sizes (rows x columns x frames) one child process writes the noise of prior
`integral` along a rotation; beside its peak (resident memory, libraries and all) stands what gpu.engine.memory reckons with.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from gpu.engine import memory
from gpu.session import NoiseSettings

BETWEEN = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""
"""A small process that starts the one to be measured: Linux counts the memory of whoever starts a process among its own."""


def peak(height: int, width: int, frames: int, backend: str = "auto", form: str = "npz") -> int:
    """Bytes of resident memory that `warp` takes at its most."""
    with tempfile.TemporaryDirectory() as folder:
        size = ["--size", f"{height}x{width}", "--frames", str(frames), "--backend", backend]
        command = ["-m", "app", "warp", "--synthetic", "rotation", *size, "--out", str(Path(folder) / f"noise.{form}")]
        between = [sys.executable, "-c", BETWEEN, sys.executable, *command]
        done = subprocess.run(between, stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise SystemExit(f"warp ended with {done.returncode}")
    return int(done.stdout) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", nargs="+", help="rows x columns x frames, as 512x512x8")
    parser.add_argument("--backend", default="auto", choices=("auto", "gl", "torch"))
    parser.add_argument("--form", default="npz", help="ending of the file")
    given = parser.parse_args()
    noise = NoiseSettings(backend=given.backend)
    for size in given.sizes:
        height, width, frames = (int(part) for part in size.split("x"))
        taken = peak(height, width, frames, given.backend, given.form)
        reckoned = memory.needed(height, width, noise, frames=frames)
        print(
            f"{size}: {taken / 1e6:.0f} MB; reckoned with {reckoned / 1e6:.0f} MB, {reckoned / taken:.2f} of it",
            flush=True,
        )


if __name__ == "__main__":
    main()
