"""Do measured covariances of many normal values agree with theory, entry by entry and all together?

Two answers for two uses: `agreement` gives a p-value that is right for few draws too; `deviation` says how large the largest
deviation may be, in the covariances' own unit, so that it can be drawn beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from scipy import special, stats

F64 = npt.NDArray[np.float64]
Floats = TypeVar("Floats", npt.NDArray[np.float32], npt.NDArray[np.float64])


@dataclass(frozen=True)
class Agreement:
    """Empirical covariances (P, Q) of n draws against theory: standardised deviations `z`, and the p-value of the entry that
    deviates most, times the number of entries."""

    empirical: F64
    theory: F64
    z: F64
    p: float
    worst: float
    entries: int


@dataclass(frozen=True)
class Deviation:
    """How far measured covariances are from theory: the largest deviation of `entries`, the size that it is `expected` to
    have (exceeded half of the time), and the `bound` that it exceeds with probability 0.001, both where theory holds."""

    deviation: float
    expected: float
    bound: float
    entries: int

    @property
    def holds(self) -> bool:
        """Whether theory and measurement agree."""
        return self.deviation <= self.bound


def counted(matrix: Floats, same: bool) -> Floats:
    """The entries (m,) of a matrix, row by row; of one that is the `same` both ways each once."""
    return matrix[np.triu_indices(len(matrix))] if same else matrix.reshape(-1)


def standard_errors(theory: Floats, variance_a: Floats, variance_b: Floats, n: int) -> Floats:
    """(P, Q) standard errors of the covariances `theory` of jointly normal values of known means and variances (P,) and (Q,),
    measured on n draws: Var(mean a_i b_j) = (σ_i² σ_j² + c_ij²) / n (Isserlis 1918)."""
    errors: Floats = np.sqrt((variance_a[:, None] * variance_b[None, :] + np.square(theory)) / n)
    return errors


def scores(empirical: Floats, theory: Floats, variance_a: Floats, variance_b: Floats, n: int) -> Floats:
    """(P, Q) deviations from theory in standard errors; where there is no error possible, of a billionth of a unit."""
    least = theory.dtype.type(1e-12)
    errors = np.maximum(standard_errors(theory, variance_a, variance_b, n), least)
    deviations: Floats = np.divide(empirical - theory, errors, dtype=theory.dtype)
    return deviations


def tails(mean: F64, correlation: F64, n: int) -> F64:
    """Two-sided p-values of the mean of n products of standard normals that have the given correlation.

    A product is ((1 + ρ) χ² − (1 − ρ) χ'²) / 2 with independent chi-squared variables, so that its cumulant generating function
    is known: the saddle-point formula of Lugannani and Rice (1980), good for few draws and far out, where a normal
    approximation is not.
    """
    rest = 1 - correlation**2
    slope = rest + 2 * mean * correlation
    t = 2 * (mean - correlation) / (slope + np.sqrt(np.maximum(slope**2 + 4 * mean * rest * (mean - correlation), 0)))
    up, down = 1 - (1 + correlation) * t, 1 + (1 - correlation) * t
    exponent = n * (t * mean + 0.5 * np.log(up * down))
    w = np.sign(t) * np.sqrt(2 * np.maximum(exponent, 0))
    u = t * np.sqrt(n / 2 * (((1 + correlation) / up) ** 2 + ((1 - correlation) / down) ** 2))
    near = np.abs(w) < 1e-3  # the formula is 0/0 at the middle
    safe_w, safe_u = np.where(near, 1, w), np.where(near, 1, u)
    above = stats.norm.sf(w) + np.where(near, 0, stats.norm.pdf(w) * (1 / safe_u - 1 / safe_w))
    return np.asarray(2 * np.clip(np.minimum(above, 1 - above), 0, 0.5))


def agreement(a: F64, b: F64, theory: F64, variance_a: F64, variance_b: F64, same: bool) -> Agreement:
    """Compare the second moments of `a` (n, P) and `b` (n, Q), zero-mean normal draws, with `theory` (P, Q), by `tails`. Of a
    matrix that is the `same` both ways one half is counted."""
    n = len(a)
    empirical = a.T @ b / n
    z = scores(empirical, theory, variance_a, variance_b, n)
    scale = counted(np.sqrt(np.outer(variance_a, variance_b)), same)
    p = tails(counted(empirical, same) / scale, np.clip(counted(theory, same) / scale, -1, 1), n)
    return Agreement(
        empirical, theory, z, min(1.0, float(p.min()) * p.size), float(np.abs(counted(z, same)).max()), p.size
    )


def largest_deviation(errors: Floats, n: int, p: float) -> float:
    """What the largest deviation of covariances measured on n draws exceeds with probability p, where theory holds; `errors`
    (m,) are the standard errors of one draw.

    The deviations count as normal and independent. Where they are not independent it is exceeded less often (Sidak's
    inequality), so that a bound stays a bound.
    """
    each = errors.astype(np.float64)
    low, high = 0.0, 10.0 * float(each.max())
    for _ in range(40):
        middle = (low + high) / 2
        within = float(np.log1p(-2 * special.ndtr(-middle / np.maximum(each, 1e-12))).sum())
        low, high = (middle, high) if within < math.log1p(-p) else (low, middle)
    return high / math.sqrt(n)


def deviation(
    empirical: Floats, theory: Floats, variance_a: Floats, variance_b: Floats, n: int, same: bool
) -> Deviation:
    """How far `empirical` (P, Q) of n draws is from `theory`, counting that the largest of many is looked at. Of a matrix
    that is the `same` both ways one half is counted."""
    errors = counted(standard_errors(theory, variance_a, variance_b, 1), same)
    apart = counted(empirical - theory, same)
    return Deviation(
        float(np.abs(apart).max()), largest_deviation(errors, n, 0.5), largest_deviation(errors, n, 0.001), len(apart)
    )
