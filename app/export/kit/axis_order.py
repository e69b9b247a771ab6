"""The order of the axes of a file that does not say it: from their lengths, and where those fit twice from the values."""

from __future__ import annotations

import math

from app.export import NoiseFileError
from app.export.kit.axes import text
from gpu.arrays import Array
from gpu.arrays.series import Series

ORDERS = {2: ("HW",), 3: ("CHW", "HWC", "THW"), 4: ("TCHW", "CTHW", "THWC"), 5: ("BCTHW", "BTCHW", "BTHWC")}
"""What programs write, by the number of axes; the first is what is meant where lengths do not speak against it."""

USUAL = (3, 4, 8, 12, 16, 32, 48, 64, 128)
"""Channels of pictures and of latents: 4 (Stable Diffusion), 12 (Mochi), 16 (CogVideoX, Wan, Flux), 48 (Wan 2.2), 128 (LTX)."""

POSSIBLE = (1, 2)
LONGEST = 3.5
"""How many times longer than the other a side of a frame may be."""

PAIRS = 3
SURE = 1e-6
UNSURE = 1e-3


def fits(order: str, shape: tuple[int, ...]) -> bool:
    """Whether `order` is made of the letters of TCHW or CHW, THW, HW, with a B of length 1 or none, one for each axis."""
    letters = sorted(order.replace("B", ""))
    complete = any(letters == sorted(word) for word in ("TCHW", "CHW", "THW", "HW"))
    if not complete or order.count("B") > 1 or len(order) != len(shape):
        return False
    return "B" not in order or shape[order.index("B")] == 1


def guessed(array: Array | Series, called: str) -> tuple[str, str]:
    """The order of the axes of `array`, and a sentence of why where it is not the usual one.

    NoiseFileError asks for --axes, about what is `called` so, where two orders fit and nothing tells.
    """
    shape = array.shape
    orders = [order for order in ORDERS[len(shape)] if fits(order, shape)]
    if isinstance(array, Series):
        orders = [order for order in orders if order[0] == "T"]
    if not orders:
        raise NoiseFileError(f"{called} has the shape {shape}: a batch of {shape[0]} clips, where one was expected.")
    usual = orders[0]
    likely = [order for order in orders if _likely(order, shape, USUAL)]
    settled = len(shape) < 5  # what people write without saying more is then `usual`
    if not likely or (settled and usual not in likely):
        likely = [order for order in orders if _likely(order, shape, (*USUAL, *POSSIBLE))]
    if settled and not likely:
        return usual, ""
    # Channels last are fewer than rows are where they are taken for channels: 32 columns are no 32 channels.
    others = [_channels(order, shape) for order in likely if order[-1] != "C"]
    likely = [order for order in likely if order[-1] != "C" or all(_channels(order, shape) < other for other in others)]
    if settled and likely == [usual]:
        return usual, ""
    if len(likely) == 1:
        return likely[0], _why(array, likely[0], "by their lengths")
    if set(likely) in ({"BCTHW", "BTCHW"}, {"TCHW", "CTHW"}):
        told = _frames_along(array, *likely)
        if settled and told in ("", usual):
            return usual, ""
        if told:
            return told, _why(array, told, "because frames resemble each other and channels do not")
    elif settled and set(likely) == {"CHW", "THW"}:
        return usual, ""
    raise _asked(array, called, likely or orders)


def _channels(order: str, shape: tuple[int, ...]) -> int:
    return shape[order.index("C")] if "C" in order else 1


def _why(array: Array | Series, order: str, reason: str) -> str:
    return f"The axes were taken as {_text(order, array.shape)}, {reason}; --axes says it otherwise."


def _text(order: str, shape: tuple[int, ...]) -> str:
    """The lengths in words, the batch of 1 left out."""
    told = [(letter, length) for letter, length in zip(order, shape) if letter != "B"]
    return text("".join(letter for letter, _ in told), tuple(length for _, length in told))


def _asked(array: Array | Series, called: str, orders: list[str]) -> NoiseFileError:
    choices = ", or ".join(f"--axes {order} for {_text(order, array.shape)}" for order in orders)
    return NoiseFileError(f"{called} has the shape {array.shape}, which does not tell its axes; give {choices}.")


def _likely(order: str, shape: tuple[int, ...], channels: tuple[int, ...]) -> bool:
    lengths = dict(zip(order, shape))
    short, long = sorted((lengths["H"], lengths["W"]))
    return lengths.get("C", channels[0]) in channels and long <= LONGEST * short


def _frames_along(array: Array | Series, first: str, second: str) -> str:
    """Of two orders the one whose frames show the same while its channels do not; "" where neither or both do.

    Noise that is carried shows itself again in the next frame, moved; channels of noise are independent of each other.
    """
    alike = {order: _resemblance(array, order.index("T")) for order in (first, second)}
    for order, other in ((first, second), (second, first)):
        if alike[order] < SURE and alike[other] > UNSURE:
            return order
    return ""


def _resemblance(array: Array | Series, axis: int) -> float:
    """The probability that what lies side by side along `axis` is as alike, at any shift, as it is, if it is independent."""
    from gpu.metrics.whiteness import across

    pairs = min(PAIRS, array.shape[axis] - 1)
    chances = [1.0]
    for at in range(pairs):
        pair = array.read(at, at + 2, axis).swapaxes(0, axis).astype("float32")
        first, second = (part.reshape(-1, *part.shape[-2:]) for part in pair)
        p = across(first, second).p
        chances.append(1.0 if math.isnan(p) else p * pairs)
    return min(chances)
