"""What diffusers, transformers and tokenizers raise about files that make no sense, as one sentence."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from gpu.errors import ModelError, NoisescopeError
from gpu.interrupt import Interrupted

LONGEST = 300  # letters of a library's own words


def reason_of(error: BaseException) -> str:
    """What a library says, in its first line (and the next where that ends in a colon), shortened, with a stop at its end."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    text = " ".join(lines[:2]) if lines[0].endswith(":") else lines[0]
    return text.rstrip(".:") + "." if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


@contextmanager
def in_words(what: str, no_memory: str) -> Iterator[None]:
    """Whatever goes wrong, as a ModelError that begins with `what`; `no_memory` is the whole sentence where that is short.

    The libraries raise what they like: bare Exception (tokenizers), types of their own (huggingface_hub), and from code in
    Rust a PanicException, which is not even an Exception. Our own errors and interruptions pass.
    """
    try:
        with warnings.catch_warnings():  # what their authors have to tell each other
            warnings.simplefilter("ignore")
            yield
    except (NoisescopeError, Interrupted):
        raise
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelError(no_memory) from error
    except Exception as error:
        if "can't allocate memory" in str(error) or "out of memory" in str(error):
            raise ModelError(no_memory) from error
        raise ModelError(f"{what}: {reason_of(error)}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise ModelError(f"{what}: {reason_of(error)}") from error
