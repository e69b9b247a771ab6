"""The packages of the optional extra, imported when they are needed and missed in words."""

from __future__ import annotations

import importlib
import warnings
from typing import Any

from gpu.errors import ModelError


def library(name: str) -> Any:
    """The module `name` (diffusers, transformers, huggingface_hub, psutil); ModelError says how to install it."""
    try:
        with warnings.catch_warnings():  # what its authors have to tell each other
            warnings.simplefilter("ignore")
            module = importlib.import_module(name)
    except ImportError as error:
        raise ModelError(
            f"A diffusers pipeline needs packages that are not installed ({error}). Install them with: "
            "pip install 'noisescope[hub]'"
        ) from error
    if name in ("diffusers", "transformers"):
        logging = importlib.import_module(f"{name}.utils.logging")
        logging.set_verbosity_error()
        logging.disable_progress_bar()
    return module
