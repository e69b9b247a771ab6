"""Formulas typed by the user: what they mean, and that nothing else than a formula ever gets through."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gpu import interrupt
from gpu.errors import FormulaError
from gpu.session import SourceSettings
from gpu.source import deformations
from gpu.source.deformations import DEFORMATIONS, Grid, derivative, resolve
from gpu.source.deformations.kit.formulas import FUNCTIONS, LONGEST, parse
from gpu.source.synthetic.source import open_synthetic
from gpu.source.synthetic.truth import DeformationTruth

GRID = Grid(32, 44, 20)
NAMES = frozenset({"x", "y", "t"})


def value(text: str, **names: float) -> float:
    given = {name: torch.tensor(names.get(name, 0.0), dtype=torch.float64) for name in NAMES}
    return float(parse(text, NAMES).evaluate(given))


def truth_of(dx: str, dy: str = "0", grid: Grid = GRID) -> DeformationTruth:
    deformation = DEFORMATIONS.get("formula")
    return DeformationTruth(deformation.make(grid, resolve("formula", deformation, {"dx": dx, "dy": dy})), grid)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2*3 - 4/8", 6.5),
        ("-2**2", -4),
        ("2**-1", 0.5),
        ("(-8)**2", 64),
        ("7 % 3", 1),
        ("2*pi", 2 * math.pi),
        ("sin(x) + cos(y)", math.sin(2) + math.cos(3)),
        ("hypot(x, y)", math.hypot(2, 3)),
        ("atan2(y, x)", math.atan2(3, 2)),
        ("min(x, y, 1)", 1),
        ("max(x, y, 1)", 3),
        ("where(x < y, 10, 20)", 10),
        ("10 if x >= y else 20", 20),
        ("0 < x < y", 1),
        ("0 < x < 1", 0),
        ("abs(-3) + sign(-2) + floor(2.7)", 4),
        ("exp(log(5)) + sqrt(9) + tanh(0)", 8),
        ("  (x\n + y) ", 5),
        ("1e3 + .5", 1000.5),
        ("+x", 2),
    ],
)
def test_formulas_mean_what_they_say(text: str, expected: float) -> None:
    assert value(text, x=2, y=3) == pytest.approx(expected)


def test_every_function_can_be_called() -> None:
    for name, (_, least, most) in FUNCTIONS.items():
        for count in {least, most}:
            assert math.isfinite(value(f"{name}({', '.join(['0.5'] * count)})")), name
        with pytest.raises(FormulaError, match=name):
            parse(f"{name}({', '.join(['1'] * (most + 1))})", NAMES)
        with pytest.raises(FormulaError, match=name):
            parse(f"{name}()", NAMES)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "x.__class__",
        "().__class__.__bases__[0].__subclasses__()",
        "(lambda: 1)()",
        "lambda x: x",
        "[x for x in (1, 2)]",
        "{1: 2}",
        "[1, 2][0]",
        "x[0]",
        "(x, y)",
        "'text'",
        "b'text'",
        "f'{x}'",
        "True",
        "None",
        "...",
        "1j",
        "x := 3",
        "(x := 3)",
        "open('file')",
        "eval('1')",
        "exec",
        "sin",
        "sin.__call__(1)",
        "sin(*x)",
        "sin(x=1)",
        "sin(**x)",
        "sin()(1)",
        "x and y",
        "not x",
        "~x",
        "x ^ 2",
        "x | 1",
        "x // 2",
        "x @ y",
        "x << 2",
        "x == y",
        "x in y",
        "x is y",
        "await x",
        "yield",
        "import os",
        "x; y",
        "x = 1",
        "x +",
        "x + sin(",
        ")",
        "1 2",
        "2x",
        "",
        "   ",
        "\n",
        "#",
        "\0",
        "x\0y",
        "\ud800",
        "z",
        "é",
        "9" * 399,
        "1e999",
        "x" + "+x" * LONGEST,
        "(" * 199 + "x" + ")" * 199 + "+",
        "-" * 300 + "x",
        "sin(" * 60 + "x" + ")" * 60,
        "x" + "**9" * 100,
        "0777",
        "1_000 if",
        "'\\d'",
        "１ +",
    ],
)
def test_everything_else_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text, NAMES, "The formula for dx")
    said = str(caught.value)
    assert said.startswith("The formula for dx")
    assert said.endswith(".")
    assert len(said) < 400


def test_the_place_is_named() -> None:
    with pytest.raises(FormulaError, match=r"column 5: speed is not known\. The names are: .*x"):
        parse("x + speed", NAMES)
    with pytest.raises(FormulaError, match=r"column 5: there is no function foo"):
        parse("1 + foo(x)", NAMES)
    with pytest.raises(FormulaError, match="line 2, column 1"):
        parse("(x +\nq)", NAMES)
    with pytest.raises(FormulaError, match=r"write \*\*"):
        parse("x ^ 2", NAMES)
    with pytest.raises(FormulaError, match="column"):
        parse("x + * y", NAMES)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60))
@example("x.y")
@example("sin(\ud800)")
@example("2**2**2**2**2**2**2")
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    try:
        formula = parse(text, NAMES)
    except FormulaError:
        return
    points = torch.ones(3, dtype=torch.float64)
    assert formula.evaluate(dict.fromkeys(formula.names, points)).dtype == torch.float64


PIECES = ["x", "y", "t", "1", "0", "9e9", "sin", "log", "sqrt", "min", "where", "(", ")", ",", "+", "-", "*", "/", "**"]
PIECES += ["%", "<", ">=", " if ", " else ", ".", "__class__", "[", "]", "lambda", ":", "=", "'", "#", "\\", "pi", "e"]


@pytest.mark.slow
@settings(max_examples=250, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_mixture_of_pieces_is_a_formula_or_a_formula_error(text: str) -> None:
    try:
        formula = parse(text, NAMES)
    except FormulaError:
        return
    names = {name: torch.linspace(-2, 2, 4, dtype=torch.float64) for name in formula.names}
    assert formula.evaluate(names).shape in ((), (4,))


EXPRESSION = st.recursive(
    st.sampled_from(["x", "y", "t", "u", "v", "r", "theta", "0", "2", "0.5", "pi"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-", "*", "/", "**", "%", "<"]), inner),
        st.builds("{}({})".format, st.sampled_from(["sin", "exp", "log", "sqrt", "abs", "tan", "floor"]), inner),
        st.builds("min({}, {})".format, inner, inner),
    ),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(EXPRESSION, EXPRESSION)
@example("1/(x-x)", "0")
@example("x**y**y", "log(-1)")
@example("5", "x/0")
def test_any_formula_gives_finite_motion_and_a_frame(dx: str, dy: str) -> None:
    """What has no value is invalid, not NaN."""
    truth = truth_of(dx, dy, Grid(7, 9, 4))
    for array in (truth.backward(1), truth.forward(1), truth.to_reference(2), truth.jacobian(2)):
        assert np.isfinite(array).all()
    assert truth.valid(1).dtype == bool


def test_a_formula_without_t_is_a_speed() -> None:
    truth = truth_of("2.5", "-1")
    assert np.allclose(truth.backward(6), [-2.5, 1], atol=1e-5)
    sheared = truth_of("3*sin(y/9)")
    rows = np.arange(32) + 0.5
    assert np.allclose(sheared.backward(6)[..., 0], -3 * np.sin(rows / 9)[:, None], atol=1e-5)
    assert np.abs(sheared.backward(6)[..., 1]).max() < 1e-6


def test_a_formula_with_t_is_a_displacement() -> None:
    truth = truth_of("t*t", "5 + 0*t")
    assert np.allclose(truth.backward(3), [-(16 - 9), 0], atol=1e-5)
    assert np.allclose(truth.to_reference(4) - truth.to_reference(0), [-16, 0], atol=1e-5)


def test_the_helpers_are_what_they_are_called() -> None:
    truth = truth_of("r", "theta")
    shift = truth.to_reference(0) - truth.to_reference(1)
    x, y = 40.5 - 22, 4.5 - 16
    assert shift[4, 40, 0] == pytest.approx(math.hypot(x, y), abs=1e-4)
    assert shift[4, 40, 1] == pytest.approx(math.atan2(y, x), abs=1e-5)
    for text, expected in (("u*W", 40.5), ("v*H", 4.5), ("cx", 22), ("cy", 16), ("T", 20)):
        shift = truth_of(text).to_reference(0) - truth_of(text).to_reference(1)
        assert shift[4, 40, 0] == pytest.approx(expected, abs=1e-4)


def test_a_division_by_zero_is_invalid_there_alone() -> None:
    truth = truth_of("where(x < 10, 1/0, 1)")
    valid = truth.valid(3)
    assert not valid[:, :10].any()
    assert valid[:, 12:].all()
    assert np.isfinite(truth.backward(3)).all()


def test_a_formula_that_folds_is_valid_only_where_it_is_upright() -> None:
    truth = truth_of("0.25*(x - cx)*exp(-(x - cx)**2/50)")  # after 4 frames its middle turns over
    for t in (6, 12):
        valid, area = truth.valid(t), truth.jacobian(t + 1)
        assert (area < 0).any()
        assert not valid[area < 0].any()
        assert valid[:, :4].all()
        # Every valid pixel lands on a valid position, from which forward motion leads back.
        at = np.argwhere(valid)[:, ::-1] + 0.5 + truth.backward(t)[valid]
        points = torch.from_numpy(at)
        warp = truth.warp
        zero = torch.zeros(len(points), dtype=torch.int64)
        back = warp.from_reference(t + 1, warp.to_reference(t, points, zero), zero, points)
        assert np.abs(back.numpy() - (np.argwhere(valid)[:, ::-1] + 0.5)).max() < 2e-3


def test_the_source_says_which_formula_is_wrong() -> None:
    for parameters in ({"dx": "x.y"}, {"dy": "q"}, {"dx": "import os"}):
        with pytest.raises(FormulaError, match=f"formula for {next(iter(parameters))}"):
            open_synthetic(SourceSettings("synthetic", name="formula", height=16, width=16, parameters=parameters))


def test_derivatives_are_the_same_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.rand((9, 11, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(3))

    def bent(at: torch.Tensor) -> torch.Tensor:
        return torch.stack([at[..., 0].sin() * at[..., 1], at[..., 0] + at[..., 1] ** 3], dim=-1)

    whole = derivative(bent, points)
    monkeypatch.setattr(deformations, "AT_ONCE", 10)
    for part, expected in zip(derivative(bent, points), whole, strict=True):
        assert torch.equal(part, expected)


def test_a_formula_that_takes_long_can_be_stopped() -> None:
    """The inverse of a long formula on a large grid takes minutes; who no longer waits for it ends it between two steps."""
    truth = truth_of("3*sin(y/9)", "2*cos(x/7)")
    interrupt.watch(lambda: True)
    try:
        with pytest.raises(interrupt.Interrupted):
            truth.forward(1)
    finally:
        interrupt.watch(None)
    assert np.isfinite(truth.forward(1)).all()
