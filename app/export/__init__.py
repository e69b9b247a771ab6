"""Files out: noise, flow and pictures, one file a format. The registry is FORMATS."""

from __future__ import annotations
