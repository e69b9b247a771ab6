"""Fetch one pipeline from the hub into its cache: `python -m gpu.diffusion.hub.fetch OWNER/NAME`.

Only descriptions and safetensors weights of the parts that are used come; no code and no pickles. Fails with one sentence
on stderr.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path, PurePosixPath
from typing import Any

from gpu.diffusion.hub.download import FOUND
from gpu.diffusion.hub.folders import NETWORKS, choose, parts_of, read_json
from gpu.diffusion.hub.libraries import library
from gpu.errors import ModelError, NoisescopeError

DESCRIPTIONS = (".json", ".txt", ".model")


def wanted(names: list[str], parts: dict[str, tuple[str, str]]) -> list[str]:
    """Of a repository's file names, those needed to load `parts`. Full precision where there is a choice: it serves every
    device, and half precision is made from it."""
    chosen = ["model_index.json"]
    for part in parts:
        inside = {PurePosixPath(name).name: name for name in names if str(PurePosixPath(name).parent) == part}
        chosen += [name for file, name in inside.items() if file.endswith(DESCRIPTIONS)]
        if part in NETWORKS:
            files = choose(inside, half=False)[1]
            if not files:
                raise ModelError(f"The weights of {part} are not on the hub as safetensors.")
            chosen += [inside[file] for file in files]
    return chosen


def fetch(name: str) -> None:
    """Fetch the pipeline `name`; ModelError says why not."""
    hub = library("huggingface_hub")
    try:
        described = read_json(Path(hub.hf_hub_download(name, "model_index.json")))
        parts = parts_of(described, name)[1]
        about: Any = hub.HfApi().model_info(name, files_metadata=True, timeout=10)
        sizes = {file.rfilename: file.size or 0 for file in about.siblings}
        files = wanted(list(sizes), parts)
        print(FOUND, flush=True)
        needed = sum(sizes.get(file, 0) for file in files)
        cache = Path(hub.constants.HF_HUB_CACHE)
        cache.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(cache).free
        if needed > free:
            raise ModelError(
                f"{name} takes {needed / 1e9:.1f} GB on disk, and {free / 1e9:.1f} GB are free in {cache}."
            )
        hub.snapshot_download(name, revision=about.sha, allow_patterns=files)
    except hub.errors.GatedRepoError:
        raise ModelError(
            f"{name} asks for its licence to be accepted: do so on its page, then `hf auth login`."
        ) from None
    except hub.errors.RepositoryNotFoundError:
        raise ModelError(f"There is no model {name} on the hub, and no folder of that name.") from None
    except hub.errors.EntryNotFoundError:
        raise ModelError(f"{name} on the hub has no model_index.json, so it is no diffusers pipeline.") from None
    except NoisescopeError:
        raise
    except Exception as error:  # of whichever network library is in use
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(f"{name} is neither a folder nor can the hub be reached: {reason}") from error


def main() -> int:
    """Fetch what the first argument names; 2 with a sentence on stderr when that fails."""
    try:
        fetch(sys.argv[1])
    except NoisescopeError as error:
        print(" ".join(str(error).split()), file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
