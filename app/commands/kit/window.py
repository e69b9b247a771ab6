"""The window itself: `noisescope` without a command, with --session, or as a picture with --screenshot."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from app.commands import Parser
from gpu import session as sessions


def configure(parser: Parser) -> None:
    """Options of `noisescope` without a command."""
    parser.add_argument(
        "--screenshot", metavar="OUT.png", type=Path, help="draw the real window off screen into a picture"
    )
    parser.add_argument("--session", metavar="F.json", type=Path, help="start from a saved session")
    parser.add_argument(
        "--size",
        metavar="WIDTHxHEIGHT",
        type=_window_size,
        default=(1280, 800),
        help="size of the window in --screenshot (default 1280x800)",
    )
    parser.add_argument("--lesson", metavar="NAME", help="open a lesson, by name or number, instead of the comparison")
    parser.add_argument(
        "--step",
        metavar="N",
        default="",
        help="step of the lesson in --screenshot: its number, the start of its heading, or mathematics",
    )
    parser.add_argument(
        "--theme", choices=("dark", "light"), default="dark", help="theme of the lesson in --screenshot (default dark)"
    )
    parser.set_defaults(run=run)


def _window_size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT as in 1280x800, not {text!r}")
    if not (320 <= int(width) <= 16384 and 240 <= int(height) <= 16384):
        raise argparse.ArgumentTypeError(f"a window is between 320x240 and 16384x16384 pixels, not {text}")
    return int(width), int(height)


def run(arguments: argparse.Namespace) -> int:
    """Open the window, or draw it into a file. Errors in the session file are found before Qt starts."""
    if arguments.lesson is not None:
        return _run_lesson(arguments)
    session = sessions.load(arguments.session) if arguments.session else None
    if arguments.screenshot is None:
        return open_window(session)
    from app.display import require_window
    from gpu.files import check_file, replacing
    from gpu.source.inputs import check_outputs

    check_file(arguments.screenshot, (".png",))
    check_outputs(session, [arguments.screenshot], [arguments.session])
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    require_window()
    from app.window.start import take_screenshot

    with replacing(arguments.screenshot) as partial:
        take_screenshot(partial, session, arguments.size)
    return 0


def _run_lesson(arguments: argparse.Namespace) -> int:
    """Open a lesson, or draw it into a file; an unknown name is found before Qt starts."""
    from app.display import require_window
    from app.lessons.compute import texts
    from gpu.files import check_file, replacing

    name = texts.lesson(arguments.lesson).name
    if arguments.screenshot is None:
        require_window()
        from app.window.start import show_lesson

        return int(show_lesson(name))
    check_file(arguments.screenshot, (".png",))
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    require_window()
    from app.window.start import take_lesson_screenshot

    with replacing(arguments.screenshot) as partial:
        take_lesson_screenshot(partial, name, arguments.step, arguments.size, arguments.theme)
    return 0


def open_window(session: sessions.Session | None) -> int:
    """The window on this session (None: where the person left off), until it is closed."""
    from app.display import require_window

    require_window()
    from app.window.start import main

    return int(main(session))
