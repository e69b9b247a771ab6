"""The command line `noisescope`: finds the commands, runs one, turns errors into one sentence and an exit code."""

from __future__ import annotations
