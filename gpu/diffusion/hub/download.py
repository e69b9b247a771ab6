"""Where a pipeline lies: a folder as it is; a hub id in the hub's cache on this machine, fetched there when it is not.

Fetching runs in a process of its own (`gpu.diffusion.hub.fetch`), which can be ended at any moment; what it has fetched by
then stays, and the next try goes on from there.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

from gpu import interrupt
from gpu.diffusion.hub.libraries import library
from gpu.errors import ModelError
from gpu.files import reason
from gpu.leftovers import scratch_folder

FOUND = "found"
"""The line that the fetching process prints when the hub has answered."""
PATIENCE = 30.0  # seconds until the hub must have answered
_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def locate(name: str, download: bool = True) -> Path:
    """The folder of the pipeline `name`; ModelError when there is none and none can be fetched (or shall be)."""
    if not name.strip():
        raise ModelError(
            "No model is chosen. Give the folder of a diffusers pipeline, or its id on the hub (owner/name)."
        )
    if "\0" in name:
        raise ModelError("The path of the model holds a null character, which no file name can.")
    try:
        folder = Path(name).expanduser()
        if not _ID.fullmatch(name) or folder.exists():
            return folder
    except (OSError, RuntimeError) as error:  # a folder that may not be looked into; a user that is not there
        told = reason(error) if isinstance(error, OSError) else str(error)
        raise ModelError(f"The model {name} cannot be looked for: {told}.") from None
    snapshot = _cached(name)
    if snapshot is None and download:
        _fetch(name)
        snapshot = _cached(name)
    if snapshot is None:
        raise ModelError(
            f"The model {name} is not on this machine: there is no such folder and it is not in the hub's cache."
        )
    return snapshot


def _cached(name: str) -> Path | None:
    """The snapshot of the hub id in the cache, if it was fetched whole."""
    hub = library("huggingface_hub")
    try:
        snapshot = Path(hub.snapshot_download(name, local_files_only=True))
    except (OSError, ValueError, hub.errors.HfHubHTTPError):
        return None
    whole = (snapshot / "model_index.json").is_file() and (snapshot / "unet").is_dir()
    # The marks of a fetch that was broken off lie beside the files they belong to.
    blobs = snapshot.parent.parent / "blobs"
    unfinished = blobs.is_dir() and any(blobs.glob("*.incomplete"))
    return snapshot if whole and not unfinished else None


def _fetch(name: str) -> None:
    """Run the fetching process; ModelError with its last sentence when it fails."""
    if library("huggingface_hub").constants.HF_HUB_OFFLINE:
        raise ModelError(
            f"The model {name} is not in the hub's cache on this machine, and HF_HUB_OFFLINE forbids to fetch it. "
            f"Fetch it elsewhere with `hf download {name}`, or give a folder."
        )
    environment = {**os.environ, "HF_HUB_ETAG_TIMEOUT": "10", "HF_HUB_DOWNLOAD_TIMEOUT": "10"}
    command = [sys.executable, "-P", "-m", "gpu.diffusion.hub.fetch", name]
    root = str(Path(__file__).resolve().parents[3])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with scratch_folder() as folder:
        said, complained = folder / "said", folder / "complained"
        with said.open("wb") as out, complained.open("wb") as err:
            process = subprocess.Popen(command, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=environment)
        try:
            begun = time.monotonic()
            while process.poll() is None:
                interrupt.poll()
                time.sleep(0.05)
                if time.monotonic() - begun > PATIENCE and FOUND not in said.read_text():
                    raise ModelError(f"The hub did not answer within {PATIENCE:.0f} seconds when asked for {name}.")
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
        if process.returncode != 0:
            lines = complained.read_text(errors="replace").strip().splitlines()
            raise ModelError(lines[-1] if lines else f"The model {name} could not be fetched from the hub.")
