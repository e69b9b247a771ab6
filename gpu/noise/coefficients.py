"""Constants of the hash and of the Gaussians for gpu.noise.rng and its kernels; the shaders have their own."""

from __future__ import annotations

ROW, COLUMN = 0x9E3779B9, 0x85EBCA6B
"""Added to rows and columns before they are mixed."""

# Giles 2010, "Approximating the erfinv function", single precision: polynomials in w = -ln(1 - x^2), highest power
# first.
CENTRAL = (
    2.81022636e-08,
    3.43273939e-07,
    -3.5233877e-06,
    -4.39150654e-06,
    0.00021858087,
    -0.00125372503,
    -0.00417768164,
    0.246640727,
    1.50140941,
)
TAIL = (
    -0.000200214257,
    0.000100950558,
    0.00134934322,
    -0.00367342844,
    0.00573950773,
    -0.0076224613,
    0.00943887047,
    1.00167406,
    2.83297682,
)


# The Cephes library's logf (S. L. Moshier): ln m - (m - 1) + (m - 1)^2 / 2 for m in [sqrt(1/2), sqrt(2)), divided by (m - 1)^3,
# highest power first, and ln 2 in two parts. Kernels and torch do it in the same steps, so that values are the same bits.
LOGARITHM = (
    7.0376836292e-2,
    -1.1514610310e-1,
    1.1676998740e-1,
    -1.2420140846e-1,
    1.4249322787e-1,
    -1.6668057665e-1,
    2.0000714765e-1,
    -2.4999993993e-1,
    3.3333331174e-1,
)
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4
ROOT_HALF_BITS = 0x3F3504F3

# Sine over its angle, and cosine, as polynomials in the angle's square, highest power first: their series, exact to the last
# place of single precision up to an eighth of a turn.
SINE = (1 / 362880, -1 / 5040, 1 / 120, -1 / 6, 1.0)
COSINE = (1 / 40320, -1 / 720, 1 / 24, -1 / 2, 1.0)
