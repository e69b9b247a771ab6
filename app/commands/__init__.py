"""The commands of `noisescope`, one file each. The registry is COMMANDS."""

from __future__ import annotations
