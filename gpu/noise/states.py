"""What a pixel of a noise frame is. Plain numbers, so that they can be had without torch."""

from __future__ import annotations

KEPT, INHERITED, NEW, UNDEFINED, RENEWED = 0, 1, 2, 3, 4
"""Moved from the shot's first frame itself; born in a later frame (stage 1 of the disocclusion handler); fresh noise that opens
an anchor here (stage 2); fresh noise of the random-fill baseline, never transported; of the shot's first frame, but taken over
by a later anchor on the way (gpu.noise.renewal)."""

STATES = ("kept", "inherited", "new", "undefined", "renewed")
"""Their names, by number."""
