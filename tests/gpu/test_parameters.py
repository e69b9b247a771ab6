"""A value of a parameter is taken in its type, or refused with a short sentence, whatever it is."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gpu.errors import SessionError
from gpu.parameters import ParameterInfo, choice, switch

NUMBER = ParameterInfo("angle", "Angle", 1.0, 0.0, 10.0)
TEXT = ParameterInfo("path", "Path", text="a")
CHOICE = choice("way", "Way", "in", [("in", "In"), ("out", "Out")])
SWITCH = switch("loud", "Loud", True)


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, -(10**4000), "3", True, None, [1], {}, 11, -1e-9])
def test_no_number_but_a_sentence(value: Any) -> None:
    with pytest.raises(SessionError, match="angle of the deformation x") as caught:
        NUMBER.checked(value, "deformation x")
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("info", "value"), [(CHOICE, "y" * 10**6), (SWITCH, "y" * 10**6), (TEXT, True), (CHOICE, "\ud800")]
)
def test_what_is_wrong_is_said_in_few_letters(info: ParameterInfo, value: Any) -> None:
    with pytest.raises(SessionError) as caught:
        info.checked(value, "task x")
    assert len(str(caught.value).encode()) < 200


def test_what_is_right_is_taken_in_its_type() -> None:
    assert NUMBER.checked(3, "x") == 3.0
    assert (TEXT.checked("b", "x"), CHOICE.checked("out", "x"), SWITCH.checked(False, "x")) == ("b", "out", False)
