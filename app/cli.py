"""The command line `noisescope`: finds the commands, runs one, turns errors into one sentence and an exit code."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from app import stopping

if TYPE_CHECKING:
    from app.commands import Parser

DONE, MISSING, WRONG_INPUT, FAULT = 0, 1, 2, 70
"""Exit codes: done; doctor found something missing; the user's input is wrong; the program is wrong. One that was told to
end by a signal exits as shells expect: 130 after Ctrl-C, 143 after SIGTERM (app/stopping.py)."""


def parser() -> Parser:
    """The parser of all commands. Loads no heavy library."""
    import gpu
    from app.commands import COMMANDS, Parser
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
    Without `argv` it is the one of this process, which a signal then ends without taking libraries apart.
    """
    with stopping.listening():
        code = _run(argv)
        if argv is None and stopping.told():
            stopping.leave(code)
        return code


def _run(argv: Sequence[str] | None) -> int:
    from app import printing
    from gpu import interrupt
    from gpu.errors import NoisescopeError
    from gpu.noise import field_limit

    interrupt.watch(stopping.check)
    try:
        printing.prepare()
        try:
            arguments = parser().parse_args(argv)
        except SystemExit as done:  # argparse has printed its sentence, or the help
            return done.code if isinstance(done.code, int) else WRONG_INPUT
        if getattr(arguments, "json", False):
            printing.print_json()
        # Torch's threads wait busily for each other unless told before they start. Where other programs want the cores
        # too, that costs more than the work: rendering took 36 s with it and 12 s without on two cores at a load of 9.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        run = arguments.run
        with field_limit.limited(getattr(arguments, "field_mb", None)):
            code: int = run(arguments)
        printing.flush()
        return code
    except KeyboardInterrupt:
        return _say(stopping.SAID, stopping.code())
    except NoisescopeError as problem:
        return _stopped() or _say(str(problem), WRONG_INPUT)
    except BrokenPipeError:  # the reader of our output has gone, as in `noisescope stats … | head`
        printing.write_nowhere()
        return DONE
    except MemoryError:
        return _stopped() or _say(
            "There is not enough memory for this; try a smaller --size, fewer --channels or a lower --k.", WRONG_INPUT
        )
    except OSError as problem:
        return _stopped() or _refused(problem)
    except Exception as fault:
        return _stopped() or _fault(fault)
    finally:
        interrupt.watch(None)


def _refused(problem: OSError) -> int:
    """Say what the system refused. With a file's name it is about that file, and no fault of the program."""
    from app.printing import unprinted
    from gpu.files import reason

    if sentence := unprinted(problem):
        return _say(sentence, WRONG_INPUT)
    if problem.filename is None or os.environ.get("NOISESCOPE_DEBUG"):
        return _fault(problem)
    name = os.fsdecode(problem.filename) if isinstance(problem.filename, bytes) else str(problem.filename)
    return _say(f"{name} cannot be used: {reason(problem)}.", WRONG_INPUT)


def _fault(fault: Exception) -> int:
    """Say what nobody foresaw, or what of the installation is missing."""
    from app.system import missing_library

    if os.environ.get("NOISESCOPE_DEBUG"):
        raise fault
    if isinstance(fault, ImportError):
        sentence = missing_library(fault)
        if sentence:
            return _say(sentence, WRONG_INPUT)
    package = (fault.name or "").partition(".")[0] if isinstance(fault, ModuleNotFoundError) else ""
    if package not in ("", "app", "gpu"):
        return _say(f"The Python package {package} is missing; `noisescope doctor` says how to get it.", WRONG_INPUT)
    what = f"{type(fault).__name__}: {fault}"
    return _say(f"This is a fault of the program, not of your input ({what}). NOISESCOPE_DEBUG=1 shows where.", FAULT)


def _stopped() -> int:
    """What goes wrong after a signal is its consequence: Ctrl-C reaches the processes that we have started, too. 0: no
    signal came."""
    return _say(stopping.SAID, stopping.code()) if stopping.told() else 0


def _say(sentence: str, code: int) -> int:
    with contextlib.suppress(OSError):  # there may be nobody to hear it
        print(f"noisescope: {' '.join(sentence.split())}", file=sys.stderr, flush=True)
    return code
