"""`python -m app` is the command line `noisescope`."""

from __future__ import annotations
