"""Standard output that takes every character and every file name, and a sentence when it cannot be written. No Qt here."""

from __future__ import annotations

import codecs
import contextlib
import errno
import io
import os
import sys

from gpu.files import reason

PLAIN = {
    "–": "-",
    "—": "-",
    "−": "-",
    "·": ".",
    "×": "x",
    "…": "...",
    "→": "->",
    "⇒": "=>",
    "≤": "<=",
    "≥": ">=",
    "±": "+-",
    "≈": "~",
    "∞": "inf",
    "∫": "integral",
    "√": "sqrt",
    "σ": "sigma",
    "γ": "gamma",
    "Φ": "Phi",
    "α": "alpha",
    "Δ": "Delta",
    "°": " deg",
    "✓": "+",
    "✗": "x",
    "▸": ">",
    "“": "'",
    "”": "'",
    "‘": "'",
    "’": "'",
    "\u00a0": " ",
    "\u202f": " ",
    "⁻": "^-",
    "²": "^2",
    "³": "3",
}
"""What our own sentences have beyond ASCII, for terminals and files of another encoding."""

TEXT, JSON = "noisescope", "noisescope-json"
"""The names under which Python knows `_plainly` and `_for_json`."""


def _plainly(problem: UnicodeError) -> tuple[str, int]:
    r"""What is written for characters that an encoding lacks, and for the bytes of a name that is not UTF-8 (which Python
    keeps as lone surrogates): ASCII that means the same, \xNN for a byte, else \uXXXX."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    letters = problem.object[problem.start : problem.end]
    return "".join(PLAIN.get(letter) or _byte(letter) or _escaped(letter) for letter in letters), problem.end


def _for_json(problem: UnicodeError) -> tuple[str, int]:
    r"""The same in JSON: \uXXXX, which it reads back as what it was, for bytes too."""
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    letters = problem.object[problem.start : problem.end]
    return "".join(PLAIN.get(letter) or _escaped(letter) for letter in letters), problem.end


def _byte(letter: str) -> str:
    return f"\\x{ord(letter) - 0xDC00:02x}" if 0xDC80 <= ord(letter) <= 0xDCFF else ""


def _escaped(letter: str) -> str:
    words = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{words[at : at + 2].hex()}" for at in range(0, len(words), 2))


def prepare() -> None:
    """Make standard output and error take every character, and see to it that no file of ours gets their numbers."""
    codecs.register_error(TEXT, _plainly)
    codecs.register_error(JSON, _for_json)
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed by whoever started us: the next file to be opened would be what others print into
            os.open(os.devnull, os.O_RDWR)
    # Python has none then, which not every library expects. It is dropped as before.
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=TEXT)


def print_json() -> None:
    """What is printed from now on is JSON."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors=JSON)


def flush() -> None:
    """Hand on what was printed. OSError when it does not reach its reader, BrokenPipeError when there is none any more."""
    sys.stdout.flush()


def unprinted(problem: OSError) -> str:
    """What to say of an OSError that printing has raised; "" when it is not from there: whoever writes a file has its name in
    the error, or a sentence of its own (gpu.files)."""
    if problem.filename is not None or problem.errno not in (
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EBADF,
        errno.EFBIG,
    ):
        return ""
    write_nowhere()
    return f"The result cannot be printed: {reason(problem)}."


def write_nowhere() -> None:
    """What is still to be printed is dropped, or Python would complain of it at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
