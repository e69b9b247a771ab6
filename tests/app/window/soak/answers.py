"""Stands in for the person where a dialog of the system asks: files are chosen, questions answered, nothing is opened."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QDesktopServices, QImage
from PySide6.QtWidgets import QAbstractButton, QApplication, QFileDialog, QMenu, QMessageBox, QWidget

from gpu.assets import asset

FRAMES, SIZE = 10, (48, 32)


def make_files(folder: Path) -> dict[str, list[Path]]:
    """Small files of every kind that the window opens, good and bad ones: by kind (video, images, still, flow, session,
    poses, wrong)."""
    pictures = folder / "pictures"
    pictures.mkdir(parents=True)
    for t in range(FRAMES):
        _picture(t).save(str(pictures / f"frame-{t:03d}.png"))
    still = folder / "still.png"
    _picture(3).save(str(still))
    flow = np.zeros((FRAMES - 1, SIZE[1], SIZE[0], 2), np.float32)
    flow[..., 0] = -1.5
    np.save(folder / "flow.npy", flow)
    np.savez(folder / "flow.npz", flow=flow)
    session = {"source": {"kind": "images", "path": str(pictures), "frames": 6}, "priors": [{"name": "integral"}]}
    (folder / "small.json").write_text(json.dumps(session), encoding="utf-8")
    (folder / "wrong.json").write_text('{"version": 99}', encoding="utf-8")
    (folder / "wrong.mp4").write_bytes(b"no video")
    (folder / "wrong.npy").write_bytes(b"no flow")
    return {
        "video": [asset("clips/bunny.mp4"), asset("clips/city.mp4")],
        "images": [pictures],
        "still": [still, asset("stills/bowl.jpg")],
        "flow": [folder / "flow.npy", folder / "flow.npz"],
        "session": [folder / "small.json"],
        "poses": [asset("poses/run.json"), asset("poses/wave.json")],
        "wrong": [folder / "wrong.json", folder / "wrong.mp4", folder / "wrong.npy", folder / "absent.mp4"],
    }


def _picture(t: int) -> QImage:
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    for y in range(SIZE[1]):
        for x in range(SIZE[0]):
            image.setPixelColor(x, y, QColor((7 * (x - t)) % 256, (11 * y) % 256, (5 * (x - t) * y) % 256))
    return image


class Person:
    """Chooses files and answers questions by a generator of random numbers that is replaced for every action."""

    def __init__(self, files: dict[str, list[Path]], folder: Path) -> None:
        self.files, self.folder = files, folder
        self.random = random.Random(0)

    def file(self, *kinds: str) -> Path:
        """A file of one of the kinds."""
        return self.random.choice([path for kind in kinds for path in self.files[kind]])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Answer for as long as the block runs."""
        timer = QTimer()
        timer.timeout.connect(self._answer)
        timer.start(20)
        patched: dict[str, Any] = {
            "getOpenFileName": staticmethod(self._open),
            "getSaveFileName": staticmethod(self._save),
            "getExistingDirectory": staticmethod(self._directory),
        }
        opened = staticmethod(lambda url: self.random.random() < 0.5)
        with (
            mock.patch.multiple(QFileDialog, **patched),
            mock.patch.object(QDesktopServices, "openUrl", opened),
        ):
            yield
        timer.stop()

    def _open(self, parent: QWidget | None, title: str, *_: Any) -> tuple[str, str]:
        if self.random.random() < 0.2:
            return "", ""  # cancelled
        if self.random.random() < 0.1:
            return str(self.file("wrong")), ""
        kinds = {"Open video": "video", "Open still": "still", "Open flow": "flow", "Open session": "session"}
        return str(self.file(kinds.get(title, "poses"))), ""

    def _save(self, parent: QWidget | None, title: str, start: str, *_: Any) -> tuple[str, str]:
        if self.random.random() < 0.2:
            return "", ""
        if self.random.random() < 0.1:
            return str(self.folder / "absent" / Path(start).name), ""
        return str(self.folder / f"{self.random.randrange(4)}-{Path(start).name}"), ""

    def _directory(self, parent: QWidget | None, title: str, *_: Any) -> str:
        if self.random.random() < 0.3:
            return ""
        return str(self.files["images"][0] if "image sequence" in title else self.folder)

    def _answer(self) -> None:
        """Press a button of a box that waits, close a menu that was left open."""
        box = QApplication.activeModalWidget()
        if isinstance(box, QMessageBox):
            buttons = [button for button in box.findChildren(QAbstractButton) if button.isVisible()]
            if buttons:
                self.random.choice(buttons).click()
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            popup.close()
