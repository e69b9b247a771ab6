"""What a pixel of a noise frame is. Plain numbers, so that they can be had without torch."""

from __future__ import annotations

KEPT, INHERITED, NEW, UNDEFINED = 0, 1, 2, 3
"""Transported since the shot's first frame; born in a later frame (stage 1 of the disocclusion handler); fresh noise that
opens an anchor here (stage 2); fresh noise of the random-fill baseline, never transported."""
