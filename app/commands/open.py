"""`noisescope open SESSION.json`: the window on a saved session."""

from __future__ import annotations

import argparse
from pathlib import Path

from app.commands import COMMANDS, Command, Parser
from gpu import session as sessions


def configure(parser: Parser) -> None:
    parser.add_argument(
        "session", metavar="SESSION.json", type=Path, help="a session saved by the window or by warp's meta"
    )


def run(arguments: argparse.Namespace) -> int:
    from app.commands.kit.window import open_window

    return open_window(sessions.load(arguments.session))


COMMANDS.add("open", order=60)(Command("Open the window on a saved session.", configure, run))
