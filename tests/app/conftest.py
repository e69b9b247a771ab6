"""For the tests of app: pytest-qt, loaded here so that a test of gpu starts without importing Qt."""

from __future__ import annotations

import os

import pytest

os.environ["PYTEST_QT_API"] = "pyside6"


def pytest_configure(config: pytest.Config) -> None:
    """Load pytest-qt. Where the command line has been read already its two options keep their defaults."""
    for option, default in (("qt_log", True), ("qt_log_format", None)):
        if option not in vars(config.option):
            setattr(config.option, option, default)
    config.pluginmanager.import_plugin("pytestqt.plugin")
