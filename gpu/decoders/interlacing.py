"""Whether a frame that says it is interlaced shows two moments, line by line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]

BLOCK = 8  # rows and columns
SCALE = 1.25  # so much more do neighbouring lines differ than lines of one field, in a block that is combed
LEAST = 3.0  # of 255: below this, differences are noise
SHARE = 0.002  # of all blocks


def combed(luma: U8) -> bool:
    """Whether `luma` (H, W) has combs: blocks where neighbouring lines, which are of two fields, differ more than the lines of
    one field do, which are twice as far apart. Film that is coded as if it were interlaced has none, nor has a still scene;
    they are better left alone, as what takes combs away costs detail."""
    height, width = luma.shape
    rows, columns = (height - 2) // BLOCK, width // BLOCK
    if rows < 1 or columns < 1:
        return False
    lines = luma[: rows * BLOCK + 2, : columns * BLOCK].astype(np.int16)
    near = np.abs(lines[1:-1] - lines[:-2]) + np.abs(lines[1:-1] - lines[2:])
    far = 2 * np.abs(lines[2:] - lines[:-2])
    near_sum, far_sum = (
        values.reshape(rows, BLOCK, columns, BLOCK).sum((1, 3), dtype=np.int64) for values in (near, far)
    )
    combs = (near_sum > SCALE * far_sum) & (near_sum > 2 * LEAST * BLOCK * BLOCK)
    return bool(combs.mean() > SHARE)
