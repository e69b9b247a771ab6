"""Formulas typed by the user: read as a small language of numbers, names and functions, and never run as Python."""

from __future__ import annotations

import ast
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch

from gpu.errors import FormulaError

LONGEST = 400  # characters
DEEPEST = 40  # brackets, signs and operators inside each other

Value = torch.Tensor
Evaluate = Callable[[Mapping[str, Value]], Value]


@dataclass(frozen=True)
class Formula:
    """`evaluate` takes tensors by name and gives their broadcast float64 result; `names` are those that it reads.

    What has no value (a division by zero, the root of a negative number) is not finite in the result.
    """

    evaluate: Evaluate
    names: frozenset[str]


def _min(*values: Value) -> Value:
    out = values[0]
    for value in values[1:]:
        out = torch.minimum(out, value)
    return out


def _max(*values: Value) -> Value:
    return -_min(*(-value for value in values))


def _power(base: Value, exponent: Value) -> Value:
    # An exponent of one value is passed as a number: the derivative of a general power has a logarithm of the base.
    return torch.pow(base, exponent.item()) if exponent.ndim == 0 and base.ndim > 0 else torch.pow(base, exponent)


def _where(condition: Value, yes: Value, no: Value) -> Value:
    return torch.where(condition != 0, yes, no)


FUNCTIONS: Mapping[str, tuple[Callable[..., Value], int, int]] = {
    "sin": (torch.sin, 1, 1),
    "cos": (torch.cos, 1, 1),
    "tan": (torch.tan, 1, 1),
    "asin": (torch.asin, 1, 1),
    "acos": (torch.acos, 1, 1),
    "atan": (torch.atan, 1, 1),
    "atan2": (torch.atan2, 2, 2),
    "tanh": (torch.tanh, 1, 1),
    "exp": (torch.exp, 1, 1),
    "log": (torch.log, 1, 1),
    "sqrt": (torch.sqrt, 1, 1),
    "abs": (torch.abs, 1, 1),
    "sign": (torch.sign, 1, 1),
    "floor": (torch.floor, 1, 1),
    "hypot": (lambda x, y: torch.sqrt(x * x + y * y), 2, 2),
    "min": (_min, 2, 8),
    "max": (_max, 2, 8),
    "where": (_where, 3, 3),
}
"""What may be called, and with how many values at least and at most."""

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

BINARY: Mapping[type[ast.operator], Callable[[Value, Value], Value]] = {
    ast.Add: torch.add,
    ast.Sub: torch.sub,
    ast.Mult: torch.mul,
    ast.Div: torch.div,
    ast.Mod: torch.remainder,
    ast.Pow: _power,
}
COMPARED: Mapping[type[ast.cmpop], Callable[[Value, Value], Value]] = {
    ast.Lt: torch.lt,
    ast.LtE: torch.le,
    ast.Gt: torch.gt,
    ast.GtE: torch.ge,
}


def parse(text: str, names: frozenset[str], what: str = "the formula") -> Formula:
    """The formula `text`, which may use `names`, CONSTANTS, FUNCTIONS, + - * / % **, comparisons (1 or 0) and
    `a if condition else b`.

    FormulaError names the place (the column, from 1) and what is not understood there. No other exception is raised,
    whatever the text.
    """
    source = text.strip()
    if not source:
        raise FormulaError(f"{what} is empty; type a number or a formula, for example 3*sin(y/9).")
    if len(source) > LONGEST:
        raise FormulaError(f"{what} has {len(source)} characters; at most {LONGEST} are read.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Brackets let a formula go on over several lines. Only a tree is made; nothing of it is ever compiled or run.
            tree = ast.parse(source, mode="eval").body
    except SyntaxError as problem:
        column = f" at column {problem.offset}" if problem.offset and problem.lineno == 1 else ""
        raise FormulaError(f"{what} is not understood{column}: {_shown(source)}.") from None
    except (ValueError, RecursionError, MemoryError, OverflowError):
        raise FormulaError(f"{what} is not understood: {_shown(source)}.") from None
    reader = _Reader(source, names, what)
    return Formula(reader.read(tree, 0), frozenset(reader.used))


def _shown(source: str) -> str:
    printable = "".join(letter if letter.isprintable() else "�" for letter in source)
    return printable if len(printable) <= 60 else printable[:57] + "…"


class _Reader:
    """Turns the nodes of a syntax tree into functions; every kind of node that is not listed here is refused."""

    def __init__(self, source: str, names: frozenset[str], what: str) -> None:
        self.source, self.names, self.what = source, names, what
        self.used: set[str] = set()

    def refuse(self, node: ast.expr, why: str) -> FormulaError:
        line = (
            self.source.splitlines()[node.lineno - 1] if node.lineno <= len(self.source.splitlines()) else self.source
        )
        column = len(line.encode("utf-8", "replace")[: node.col_offset].decode("utf-8", "replace")) + 1
        place = f"column {column}" if node.lineno == 1 else f"line {node.lineno}, column {column}"
        return FormulaError(f"{self.what}, {place}: {why}")

    def read(self, node: ast.expr, depth: int) -> Evaluate:
        if depth > DEEPEST:
            raise self.refuse(node, f"more than {DEEPEST} operations lie inside each other.")
        match node:
            case ast.Constant():
                return self.number(node)
            case ast.Name():
                return self.name(node)
            case ast.BinOp(left=left, op=op, right=right):
                if type(op) not in BINARY:
                    hint = "for a power write **." if isinstance(op, ast.BitXor) else "use + - * / % **."
                    raise self.refuse(right, f"the operator before this is not known; {hint}")
                binary = BINARY[type(op)]
                first, second = self.read(left, depth + 1), self.read(right, depth + 1)
                return lambda values: binary(first(values), second(values))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                negated = self.read(operand, depth + 1)
                return lambda values: -negated(values)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.read(operand, depth + 1)
            case ast.Compare():
                return self.comparison(node, depth)
            case ast.IfExp(test=test, body=body, orelse=other):
                parts = [self.read(part, depth + 1) for part in (test, body, other)]
                return lambda values: _where(*(part(values) for part in parts))
            case ast.Call():
                return self.call(node, depth)
        raise self.refuse(node, f"{_shown(ast.get_source_segment(self.source, node) or 'this')} is not understood.")

    def number(self, node: ast.Constant) -> Evaluate:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            raise self.refuse(node, f"{_shown(repr(node.value))} is not a number.")
        try:
            number = float(node.value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.refuse(node, "the number is too large.")
        return lambda values: torch.tensor(number, dtype=torch.float64)

    def name(self, node: ast.Name) -> Evaluate:
        name = node.id
        if name in CONSTANTS:
            return lambda values: torch.tensor(CONSTANTS[name], dtype=torch.float64)
        if name in FUNCTIONS:
            raise self.refuse(node, f"{name} needs its values in brackets, as in {name}(…).")
        if name not in self.names:
            choices = ", ".join([*sorted(self.names), *CONSTANTS])
            raise self.refuse(node, f"{_shown(name)} is not known. The names are: {choices}.")
        self.used.add(name)
        return lambda values: values[name]

    def comparison(self, node: ast.Compare, depth: int) -> Evaluate:
        if any(type(op) not in COMPARED for op in node.ops):
            raise self.refuse(node, "this comparison is not known; use < <= > >=.")
        sides = [self.read(side, depth + 1) for side in (node.left, *node.comparators)]
        tests = [COMPARED[type(op)] for op in node.ops]

        def evaluate(values: Mapping[str, Value]) -> Value:
            results = [side(values) for side in sides]
            out = torch.ones((), dtype=torch.float64)
            for test, first, second in zip(tests, results, results[1:]):
                out = out * test(first, second)
            return out

        return evaluate

    def call(self, node: ast.Call, depth: int) -> Evaluate:
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node, "only functions can be called.")
        name = node.func.id
        if name not in FUNCTIONS:
            raise self.refuse(node, f"there is no function {_shown(name)}. The functions are: {', '.join(FUNCTIONS)}.")
        function, least, most = FUNCTIONS[name]
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.refuse(node, f"{name} takes plain values only.")
        if not least <= len(node.args) <= most:
            wanted = f"{least}" if least == most else f"{least} to {most}"
            raise self.refuse(node, f"{name} takes {wanted} value{'s' * (most > 1)}, not {len(node.args)}.")
        arguments = [self.read(argument, depth + 1) for argument in node.args]
        return lambda values: function(*(argument(values) for argument in arguments))
