"""The command line `noisescope`: finds the commands, runs one, turns errors into one sentence and an exit code."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from types import FrameType

import gpu
from app.commands import COMMANDS, Parser
from gpu.errors import NoisescopeError

DONE, MISSING, WRONG_INPUT, FAULT, STOPPED = 0, 1, 2, 70, 130
"""Exit codes: done; doctor found something missing; the user's input is wrong; the program is wrong; Ctrl-C."""


def parser() -> Parser:
    """The parser of all commands. Loads no heavy library."""
    from app.commands.kit import window

    root = Parser(
        prog="noisescope",
        description="See, compare and export noise priors for video diffusion. Without a command it opens the window.",
        allow_abbrev=False,  # or it would take the --s of a command for its own --session, --size or --screenshot
    )
    root.add_argument("--version", action="version", version=f"noisescope {gpu.__version__}")
    window.configure(root)
    commands = root.add_subparsers(title="commands", metavar="COMMAND", dest="command", parser_class=Parser)
    for name, command in COMMANDS.items():
        child = commands.add_parser(name, help=command.summary, description=command.summary, allow_abbrev=False)
        command.configure(child)
        child.set_defaults(run=command.run)
    return root


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code: one of those above.

    What goes wrong is said in one sentence on stderr. NOISESCOPE_DEBUG=1 shows where a fault of the program happened.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a letter that the terminal has not is written as its number
            stream.reconfigure(errors="backslashreplace")
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as done:  # argparse has printed its sentence, or the help
        return done.code if isinstance(done.code, int) else WRONG_INPUT
    # Torch's threads wait busily for each other unless told before they start. Where other programs want the cores too,
    # that costs more than the work: rendering took 36 s with it and 12 s without on two cores at a load of 9.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with _stopped_by_termination():
            run = arguments.run
            code: int = run(arguments)
            return code
    except NoisescopeError as problem:
        return _say(str(problem), WRONG_INPUT)
    except KeyboardInterrupt:
        return _say("Stopped. Nothing was left half-written.", STOPPED)
    except BrokenPipeError:  # the reader of our output has gone, as in `noisescope stats … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except MemoryError:
        return _say(
            "There is not enough memory for this; try a smaller --size, fewer --channels or a lower --k.", WRONG_INPUT
        )
    except Exception as fault:
        if os.environ.get("NOISESCOPE_DEBUG"):
            raise
        package = (fault.name or "").partition(".")[0] if isinstance(fault, ModuleNotFoundError) else ""
        if package not in ("", "app", "gpu"):
            return _say(
                f"The Python package {package} is missing; `noisescope doctor` says how to get it.", WRONG_INPUT
            )
        what = f"{type(fault).__name__}: {fault}"
        return _say(
            f"This is a fault of the program, not of your input ({what}). NOISESCOPE_DEBUG=1 shows where.", FAULT
        )


def _say(sentence: str, code: int) -> int:
    print(f"noisescope: {' '.join(sentence.split())}", file=sys.stderr)
    return code


@contextlib.contextmanager
def _stopped_by_termination() -> Iterator[None]:
    """Let SIGTERM end the work as Ctrl-C does, so that temporary files are removed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGTERM, stop)
    except ValueError:  # not the main thread, which alone gets signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
