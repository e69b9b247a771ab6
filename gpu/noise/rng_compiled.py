"""The hash and the Gaussians of gpu.noise.rng for compiled kernels: the same words, the same values to the last bit.

Written so that the compiler works on as many values at once as the processor can: no branches, no product wider than 32 bits,
and no logarithm from a library.
"""

from __future__ import annotations

import importlib
import math
from typing import Any

import numpy as np
import numpy.typing as npt

from gpu.compiled import inlined, kernel
from gpu.noise import coefficients

types: Any = importlib.import_module("numba").types
intrinsic: Any = importlib.import_module("numba.extending").intrinsic

_U32, _I32, _F32 = np.uint32, np.int32, np.float32
ROW, COLUMN = _U32(coefficients.ROW), _U32(coefficients.COLUMN)
_ONE, _HALF, _TWO, _FOUR = _F32(1), _F32(0.5), _F32(2), _F32(4)
_STEP, _ROOT2 = _F32(2.0**-32), _F32(2**0.5)
_C0, _C1, _C2, _C3, _C4, _C5, _C6, _C7, _C8 = (_F32(c) for c in coefficients.CENTRAL)
_T0, _T1, _T2, _T3, _T4, _T5, _T6, _T7, _T8 = (_F32(c) for c in coefficients.TAIL)
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7, _L8 = (_F32(c) for c in coefficients.LOGARITHM)
_LN2_HIGH, _LN2_LOW = _F32(coefficients.LN2_HIGH), _F32(coefficients.LN2_LOW)
_S0, _S1, _S2, _S3, _S4 = (_F32(c) for c in coefficients.SINE)
_N0, _N1, _N2, _N3, _N4 = (_F32(c) for c in coefficients.COSINE)
_HALF_STEP, _TURN = _F32(2.0**-31), _F32(math.pi / 2**31)
_EIGHTH, _QUARTER, _TURNED, _BELOW = _I32(1 << 29), _I32(30), _I32(1), _I32(2)
_ROOT_HALF, _SPLIT, _CENTRE, _THREE = _I32(coefficients.ROOT_HALF_BITS), _F32(5), _F32(2.5), _F32(3)
_MANTISSA, MAGNITUDE, _SIGN = _I32(23), _U32(0x7FFFFFFF), _U32(0x80000000)


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def mixed(context: Any, word: Any) -> Any:
    """`gpu.noise.rng.mix` of a uint32. Written in LLVM's own terms: numba would widen products to 64 bits."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        constant = target.get_value_type(types.uint32)
        w = arguments[0]
        w = builder.xor(w, builder.lshr(w, constant(16)))
        w = builder.mul(w, constant(0x7FEB352D))
        w = builder.xor(w, builder.lshr(w, constant(15)))
        w = builder.mul(w, constant(0x846CA68B))
        return builder.xor(w, builder.lshr(w, constant(16)))

    return types.uint32(types.uint32), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def bits(context: Any, value: Any) -> Any:
    """The int32 with the bits of a float32."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.int32))

    return types.int32(types.float32), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def real(context: Any, word: Any) -> Any:
    """The float32 with the bits of an int32."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], target.get_value_type(types.float32))

    return types.float32(types.int32), generate


@intrinsic  # type: ignore[untyped-decorator, unused-ignore]
def nearest(context: Any, value: Any) -> Any:
    """The int32 nearest to a float32, halves to even: two instructions, where numpy's rint is a call."""

    def generate(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rint = builder.module.declare_intrinsic("llvm.rint", [target.get_value_type(types.float32)])
        return builder.fptosi(builder.call(rint, arguments), target.get_value_type(types.int32))

    return types.int32(types.float32), generate


@inlined
def logarithm(q: Any) -> Any:
    """ln q of a normal float32, as gpu.noise.rng has it."""
    pattern = bits(q)
    exponent = (pattern - _ROOT_HALF) >> _MANTISSA
    f = real(_I32(pattern - (exponent << _MANTISSA))) - _ONE
    z = f * f
    e = _F32(exponent)
    y = _L0 * f + _L1
    y = y * f + _L2
    y = y * f + _L3
    y = y * f + _L4
    y = y * f + _L5
    y = y * f + _L6
    y = y * f + _L7
    y = y * f + _L8
    y = y * f * z
    y = y + e * _LN2_LOW
    y = y - z * _HALF
    return (f + y) + e * _LN2_HIGH


@inlined
def gaussian(word: Any) -> Any:
    """`gpu.noise.rng.gaussian` of a uint32. Both branches are computed and one is chosen, so that loops run in SIMD."""
    p = (_F32(_I32(word & MAGNITUDE)) + _HALF) * _STEP
    q = (_ONE - p) * p * _FOUR
    w = -logarithm(q)
    a = w - _CENTRE
    near = a * _C0 + _C1
    near = near * a + _C2
    near = near * a + _C3
    near = near * a + _C4
    near = near * a + _C5
    near = near * a + _C6
    near = near * a + _C7
    near = near * a + _C8
    root = _F32(np.sqrt(w if w > _SPLIT else _SPLIT)) - _THREE
    far = root * _T0 + _T1
    far = far * root + _T2
    far = far * root + _T3
    far = far * root + _T4
    far = far * root + _T5
    far = far * root + _T6
    far = far * root + _T7
    far = far * root + _T8
    value = near if w < _SPLIT else far
    value = value * ((p * -_TWO + _ONE) * _ROOT2)
    return real(_I32(_U32(bits(value)) ^ (word & _SIGN)))


OUTER = _I32(0.00169 * 2**32)
"""Words whose MAGNITUDE is below may lie so far out that `central` is not right."""


@inlined
def central(word: Any) -> Any:
    """`gaussian` of a uint32 whose MAGNITUDE is not below OUTER, as of all but one in 300: a third cheaper."""
    p = (_F32(_I32(word & MAGNITUDE)) + _HALF) * _STEP
    q = (_ONE - p) * p * _FOUR
    a = -logarithm(q) - _CENTRE
    near = a * _C0 + _C1
    near = near * a + _C2
    near = near * a + _C3
    near = near * a + _C4
    near = near * a + _C5
    near = near * a + _C6
    near = near * a + _C7
    near = near * a + _C8
    value = near * ((p * -_TWO + _ONE) * _ROOT2)
    return real(_I32(_U32(bits(value)) ^ (word & _SIGN)))


@inlined
def of_row(plane: Any, y: Any) -> Any:
    """What row y of a plane (from rng.key) brings to its words."""
    return mixed(_U32(mixed(_U32(_U32(y) + ROW)) ^ plane))


@inlined
def of_column(x: Any) -> Any:
    """What column x brings to the words of every plane: mixed(of_row(plane, y) ^ of_column(x)) is a word."""
    return mixed(_U32(_U32(x) + COLUMN))


@inlined
def pair(first: Any, second: Any) -> Any:
    """`gpu.noise.rng.pairs` of two uint32."""
    p = (_F32(_I32(first & MAGNITUDE)) + _HALF) * _HALF_STEP
    radius = _F32(np.sqrt(logarithm(p) * -_TWO))
    turn = _I32(second)
    quadrant = _I32(_I32(turn + _EIGHTH) >> _QUARTER)
    angle = _F32(_I32(turn - _I32(quadrant << _QUARTER))) * _TURN
    z = angle * angle
    sine = ((((_S0 * z + _S1) * z + _S2) * z + _S3) * z + _S4) * angle
    cosine = (((_N0 * z + _N1) * z + _N2) * z + _N3) * z + _N4
    turned = (quadrant & _TURNED) != 0
    x, y = (sine if turned else cosine), (cosine if turned else sine)
    x = -x if ((quadrant + _TURNED) & _BELOW) != 0 else x
    y = -y if (quadrant & _BELOW) != 0 else y
    return x * radius, y * radius


@kernel
def columns(x0: int, width: int) -> npt.NDArray[np.uint32]:
    """(width,) `of_column` of the columns from x0 on."""
    out = np.empty(width, _U32)
    for x in range(width):
        out[x] = of_column(x0 + x)
    return out


@kernel
def fill_row(plane: np.uint32, y: int, across: npt.NDArray[np.uint32], out: npt.NDArray[np.float32]) -> None:
    """Row y of a plane, over the columns `across` (from `columns`), into `out` of the same length."""
    row = of_row(plane, y)
    for x in range(len(across)):
        out[x] = gaussian(mixed(_U32(row ^ across[x])))


@kernel
def fill_pair(first: np.uint32, second: np.uint32, y: int, across: Any, out: Any, other: Any) -> None:
    """`pair` of row y of two planes of words, over the columns `across`, into `out` and `other` of the same length."""
    row, second_row = of_row(first, y), of_row(second, y)
    for x in range(len(across)):
        out[x], other[x] = pair(mixed(_U32(row ^ across[x])), mixed(_U32(second_row ^ across[x])))


@kernel
def fill(planes: npt.NDArray[np.uint32], y0: int, x0: int, out: npt.NDArray[np.float32]) -> None:
    """rng.plane of each of the C `planes` into `out` (C, height, width)."""
    across = columns(x0, out.shape[2])
    for channel in range(out.shape[0]):
        for y in range(out.shape[1]):
            fill_row(planes[channel], y0 + y, across, out[channel, y])


@kernel
def fill_scattered(out: Any, planes: Any, y: Any, x: Any) -> None:
    """rng.scattered of uint32 keys, rows and columns, (n,) each, into `out` (n,) float32."""
    for i in range(len(out)):
        out[i] = gaussian(mixed(_U32(of_row(planes[i], y[i]) ^ of_column(x[i]))))
