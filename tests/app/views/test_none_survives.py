"""PySide6 6.12.0 on Python 3.11 loses a reference to None at every void call; importing app makes that harmless."""

from __future__ import annotations

import subprocess
import sys

PAINT_LONG = """
import app
from PySide6.QtGui import QColor, QImage, QPainter
image = QImage(4, 4, QImage.Format.Format_RGB32)
painter = QPainter(image)
colour = QColor("red")
for _ in range(200_000):
    painter.setPen(colour)
painter.end()
print("alive")
"""


def test_a_long_session_of_painting_does_not_abort() -> None:
    done = subprocess.run([sys.executable, "-c", PAINT_LONG], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "alive", done.stderr[-500:]
    assert done.returncode == 0
