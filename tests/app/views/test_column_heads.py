"""The menu of a column's head: what a prior can be told there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtWidgets import QMenu

from app.views.compare.column_heads import Chip
from gpu.priors import PRIORS
from gpu.session import PriorSettings

CATALOGUE: Any = SimpleNamespace(priors={name: prior.info for name, prior in PRIORS.items()})
SWITCHES = [
    (name, info.name) for name, prior in PRIORS.items() for info in prior.info.parameters if info.is_switch
]  # fmt: skip


def toggled(chip: Chip, label: str) -> bool:
    """Whether a switch of the menu was on; it is clicked."""
    chip.open_menu()
    menu = chip.findChildren(QMenu)[-1]
    action = next(action for action in menu.actions() if action.text() == label)
    on = action.isChecked()
    action.trigger()
    return on


@pytest.mark.parametrize(("name", "parameter"), SWITCHES)
def test_a_switch_of_a_prior_is_clicked_on_and_off(
    themed: object, qtbot: Any, name: str, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Back at its default it leaves the name of the column. The menu is not put on a screen: there is none."""
    monkeypatch.setattr(QMenu, "popup", lambda *words: None)
    chip = Chip(PriorSettings(name, gamma=0.25))
    qtbot.addWidget(chip)
    info = next(info for info in PRIORS.get(name).info.parameters if info.name == parameter)
    taken: list[PriorSettings] = []
    chip.replaced.connect(lambda key, prior, merge: taken.append(prior))
    chip.show_state(chip.prior, False, False, CATALOGUE)
    assert toggled(chip, info.label) is info.default
    assert taken[-1] == PriorSettings(name, gamma=0.25, parameters={parameter: not info.default})
    chip.show_state(taken[-1], False, False, CATALOGUE)
    assert toggled(chip, info.label) is not info.default
    assert taken[-1] == PriorSettings(name, gamma=0.25)


def test_there_are_switches() -> None:
    assert ("go-with-the-flow", "pooled") in SWITCHES
