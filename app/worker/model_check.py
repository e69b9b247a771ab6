"""Looks at the model a person named, without loading it: what it is, or what is wrong with it. Runs in the worker."""

from __future__ import annotations

from pathlib import Path


def model_found(name: str) -> tuple[str, bool]:
    """A sentence about the diffusers pipeline at a folder or hub id, and whether it can be used."""
    from gpu.diffusion.hub.download import locate
    from gpu.diffusion.hub.folders import look, values_in, weights
    from gpu.errors import ModelError

    try:
        place = locate(name, download=False)
    except ModelError as problem:
        if _is_id(name) and "not on this machine" in str(problem):
            return (
                f"{name} is not on this machine yet: it is fetched from the hub when the first frame is sampled.",
                True,
            )
        return str(problem), False
    try:
        folder = look(place)
        values = sum(values_in(path) for _, paths in weights(folder, False).values() for path in paths)
    except ModelError as problem:
        return str(problem), False
    return f"{folder.family.title}: {values / 1e6:,.0f} million weights, {4 * values / 1e9:.1f} GB in memory.", True


def _is_id(name: str) -> bool:
    return name.count("/") == 1 and not name.startswith(("/", ".", "~")) and not Path(name).exists()
