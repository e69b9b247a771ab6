"""The commands of `noisescope`, one file each. The registry is COMMANDS.

`noisescope --help` loads every module of this folder, so none of them imports torch, OpenCV or Qt before it runs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from gpu.registry import Registry


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence, and whose help ends with names from the registries,
    which are loaded only when it is shown."""

    names: Callable[[], str] | None = None

    def format_help(self) -> str:
        if self.names is not None:
            self.epilog = self.names()
            self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """As argparse's own, but without the usage: with as many options as ours the sentence would drown in it."""
        self.exit(2, f"noisescope: {' '.join(message.split()).rstrip('.')}; `{self.prog} --help` lists the options.\n")


@dataclass(frozen=True)
class Command:
    """A command: a sentence for the help, what adds its options, and what runs it and returns the exit code; `writes` says
    in README's table what comes out."""

    summary: str
    configure: Callable[[Parser], None]
    run: Callable[[argparse.Namespace], int]
    writes: str = ""


COMMANDS: Registry[Command] = Registry("command", "app.commands")
