"""Which torch device does the work, by name, and whether it can be used here."""

from __future__ import annotations

import torch

from gpu.errors import BackendError


def device(name: str = "auto") -> torch.device:
    """The torch device of that name; `auto` takes cuda, then mps, then cpu. BackendError when it cannot be used here.

    >>> device("cpu")
    device(type='cpu')
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        wanted = torch.device(name)
        torch.zeros(1, device=wanted).item()  # the device `meta` holds no values
    except (RuntimeError, AssertionError) as problem:
        first_line = str(problem).splitlines()[0]
        raise BackendError(
            f"The torch device {name!r} cannot be used here; try auto or cpu. torch says: {first_line}"
        ) from None
    return wanted
