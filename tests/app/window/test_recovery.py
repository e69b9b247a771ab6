"""Work is not lost: two windows on one folder, changes without end, crashes that wait for an answer, ruined files."""

from __future__ import annotations

import os
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QMenu

from app.model.autosaves import Autosaves
from app.views.widgets.banner import Answer, Banner
from app.window import recovery
from app.window.main_window import Window
from gpu import session as sessions
from gpu.session import NoiseSettings, Session
from tests.app.window.conftest import MakeWindow, wait_for


def seeded(seed: int) -> Session:
    return Session(noise=NoiseSettings(seed=seed))


def change(window: Window, seed: int) -> None:
    session = window.state.session
    window.state.change(replace(session, noise=replace(session.noise, seed=seed)), "Seed")


def lost(folder: Path, *seeds: int) -> None:
    """What windows with these seeds left that were killed, the last of them last."""
    for number, seed in enumerate(seeds):
        autosaves = Autosaves(folder / "autosaves")
        autosaves.write(sessions.to_json(seeded(seed)))
        (path,) = [
            path for path in (folder / "autosaves").iterdir() if path.suffix == ".json" and path == autosaves._path
        ]
        os.utime(path, (10**9 + 60 * number, 10**9 + 60 * number))
        autosaves.set_aside()


def kept(folder: Path) -> list[int]:
    """The seeds of all that is kept, whoever's it is."""
    return sorted(sessions.load(path).noise.seed for path in (folder / "autosaves").glob("*.json"))


def press(banner: Banner, text: str) -> None:
    (button,) = [button for button in banner._buttons if button.text() == text and not button.isHidden()]
    button.click()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


def test_two_windows_keep_their_own(make_window: MakeWindow, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "AUTOSAVE_MS", 10)
    one, other = make_window(run=False), make_window(run=False)
    assert not (folder / "autosaves").exists(), "there is nothing to restore before the first change"
    change(one, 1)
    change(other, 2)
    wait_for(lambda: kept(folder) == [1, 2])
    other.recovery.offer()
    assert other.banner.text == "", "a window that runs has not crashed"
    other.close()
    assert kept(folder) == [1]
    one.close()
    assert kept(folder) == []


def test_changes_without_end_do_not_keep_it_from_being_kept(
    make_window: MakeWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that every change starts anew never ends."""
    assert recovery.AUTOSAVE_MS <= 5000
    monkeypatch.setattr(recovery, "AUTOSAVE_MS", 200)
    window = make_window(run=False)
    began, seed = time.monotonic(), 100
    while time.monotonic() < began + 1.0:
        seed += 1
        change(window, seed)
        QApplication.processEvents()
        time.sleep(0.02)
    (last,) = kept(folder)
    assert last > 101
    wait_for(lambda: kept(folder) == [seed])


def test_what_was_left_behind_is_restored_or_thrown_away(make_window: MakeWindow, folder: Path) -> None:
    lost(folder, 1, 2, 3)
    window = make_window(run=False)
    window.recovery.offer()
    assert "random, fixed, bilinear, integral" in window.banner.text
    assert "2 more are in File, Restore after a crash" in window.banner.text
    press(window.banner, "Throw away")
    assert kept(folder) == [1, 2]
    assert "1 more is in File" in window.banner.text
    press(window.banner, "Restore")
    assert window.state.session.noise.seed == 2
    assert window.banner.text == "", "the other one is in the menu; a person is at work"
    assert kept(folder) == [1, 2], "2 is this window's own now"
    window.close()
    assert kept(folder) == [1]


def test_what_is_not_answered_is_offered_again(make_window: MakeWindow, folder: Path) -> None:
    lost(folder, 1)
    window = make_window(run=False)
    window.recovery.offer()
    second = make_window(run=False)
    second.recovery.offer()
    assert second.banner.text == "", "one window asks, not two"
    window.banner.clear()
    assert window.banner.text, "what clears errors leaves an offer"
    window.banner._close.click()
    assert window.banner.text == ""
    change(window, 9)
    window.recovery.keep()
    window.close()
    second.recovery.offer()
    assert "random, fixed" in second.banner.text
    assert kept(folder) == [1]


def test_restoring_a_second_one_keeps_the_first(make_window: MakeWindow, folder: Path) -> None:
    lost(folder, 1, 2)
    window = make_window(run=False)
    window.recovery.offer()
    press(window.banner, "Restore")
    change(window, 22)
    menu = QMenu()
    window.recovery.fill_menu(menu)
    (action,) = menu.actions()
    action.trigger()
    assert window.state.session.noise.seed == 1
    assert kept(folder) == [1, 22], "what was changed before is left behind like that of a crash"
    window.recovery.fill_menu(menu)
    (action,) = menu.actions()
    action.trigger()
    assert window.state.session.noise.seed == 22
    window.close()
    assert kept(folder) == [1]


def test_an_offer_answered_from_the_menu_is_withdrawn(make_window: MakeWindow, folder: Path) -> None:
    lost(folder, 1)
    window = make_window(run=False)
    window.recovery.offer()
    menu = QMenu()
    window.recovery.fill_menu(menu)
    menu.actions()[0].trigger()
    assert window.state.session.noise.seed == 1
    assert window.banner.text == ""
    window.recovery.fill_menu(menu)
    assert [action.isEnabled() for action in menu.actions()] == [False]


def test_restoring_onto_a_full_disk_loses_nothing(
    make_window: MakeWindow, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(folder, 1)
    window = make_window(run=False)
    window.recovery.offer()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        press(window.banner, "Restore")
        wait_for(lambda: "the disk is full" in window.banner.text)
    assert window.state.session.noise.seed == 1
    assert kept(folder) == [1]
    window.close()
    assert kept(folder) == [1]


def test_errors_come_and_go_over_what_stands(qapp: object) -> None:
    banner, answered = Banner(), []
    banner.show_notice("Settings were moved.")
    banner.offer(
        "Restore it?", (Answer("Yes", "", lambda: answered.append("yes")), Answer("No", "", lambda: None)), "Later"
    )
    assert banner.text == "Restore it?"
    banner.show_error("A fault.", "details")
    assert (banner.text, banner._more.text()) == ("A fault.", "Details")
    banner.clear()
    assert (banner.text, banner._close.toolTip()) == ("Restore it?", "Later")
    banner.show_note("Written.")
    banner._close.click()
    press(banner, "Yes")
    assert answered == ["yes"]
    assert banner.text == "Settings were moved."
    banner.clear()
    assert banner.text == "Settings were moved."
    banner._close.click()
    assert banner.text == ""


# -- files of state that cannot be read

RUINED = {
    "settings.json": [
        "[" * 100_000,
        '{"recent": null}',
        '{"theme": [1], "measures": {"a": 1}}',
        "\0" * 100,
        '{"panel_source": 3}',
    ],
    "running": [30 * "9", "1" + 400 * "0", ""],
    "autosave.json": ['{"noise": {"seed": 1' + 400 * "0" + "}}", "[" * 100_000],
    "experiments.json": ["[" * 100_000, '{"stamp": 3, "text": null}'],
}


@pytest.mark.slow
def test_the_window_starts_whatever_stands_in_its_files(make_window: MakeWindow, folder: Path) -> None:
    for number in range(5):
        folder.mkdir(exist_ok=True)
        for name, texts in RUINED.items():
            (folder / name).write_text(texts[number % len(texts)])
        window = make_window(run=False)
        window.recovery.offer()
        while window.banner.text:
            assert "cannot be" in window.banner.text or "not understood" in window.banner.text
            window.banner._close.click()
        menu = QMenu()
        window.documents.fill_recent(menu)
        assert not menu.isEmpty()
        window.close()
    aside = [path.name for path in folder.rglob("*.unreadable-*")]
    assert "settings.json.unreadable-5" in aside
    assert "autosave.json" not in os.listdir(folder)


@pytest.mark.slow
def test_settings_that_cannot_be_read_are_told_until_it_is_read(make_window: MakeWindow, folder: Path) -> None:
    folder.mkdir()
    (folder / "settings.json").write_text("theme = dark")
    window = make_window(run=False)
    told = window.banner.text
    assert "The settings cannot be read" in told
    assert "settings.json.unreadable-1" in told
    window.banner.clear()  # as soon as the source is open
    assert window.banner.text == told


@pytest.mark.slow
def test_places_of_nonsense_leave_a_window_that_can_be_used(make_window: MakeWindow, folder: Path) -> None:
    """Bytes of Qt's own, changed: sizes of the parts, the window's place."""
    window = make_window(run=False)
    layout, user_folder = window.layout_, window.user_folder
    layout.keep(user_folder)
    right, chance = user_folder.settings(), random.Random(5)
    for number in range(25):
        changed = {}
        for key in ("across", "down", "geometry"):
            data = bytearray.fromhex(right[key])
            for _ in range(chance.randint(1, 8)):
                data[chance.randrange(len(data))] = chance.choice([0, 1, 127, 128, 255, chance.randrange(256)])
            changed[key] = bytes(data[: chance.choice([len(data), len(data), chance.randrange(len(data))])]).hex()
        user_folder.set(**changed, measures=chance.sample(["", "x", "warp error", "\u0000"], 2))
        layout.restore(user_folder)
        QApplication.processEvents()
        screen = window.screen().availableGeometry()
        assert window.width() <= 2 * screen.width(), number
        assert window.height() <= 2 * screen.height(), number
        assert window.frameGeometry().intersects(screen), number
        assert layout.across.orientation() == Qt.Orientation.Horizontal
        assert layout.down.orientation() == Qt.Orientation.Vertical
        assert (layout.across.handleWidth(), layout.down.handleWidth()) == (1, 1)
        assert window.compare.width() >= window.compare.minimumWidth()
