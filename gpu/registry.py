"""Registries: adding a prior, task, deformation, lesson, estimator or format is adding one file that registers itself.

The file goes into the registry's folder, gpu/priors for a prior, or stays outside the program: the environment variable
NOISESCOPE_PLUGINS names folders (several as in PATH) that are laid out like the repository. With NOISESCOPE_PLUGINS=/mine
the file /mine/gpu/priors/swirled.py is the module gpu.priors.swirled, and what it registers stands in the menus, the
command line and, when the tests run with the variable set, the tests of every prior. A file there that cannot be imported is
left out with a warning.
"""

from __future__ import annotations

import importlib
import logging
import os
import pkgutil
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import FileFinder
from typing import Generic, TypeVar

from gpu.errors import ChoiceError

T = TypeVar("T")

PLUGINS = "NOISESCOPE_PLUGINS"
"""The environment variable that names folders with entries of one's own."""


def plugin_folders(package: str) -> list[str]:
    """The folders of NOISESCOPE_PLUGINS that modules of a package may lie in, whether they are there or not."""
    roots = filter(None, os.environ.get(PLUGINS, "").split(os.pathsep))
    return [os.path.join(os.path.abspath(root), *package.split(".")) for root in roots]


class Registry(Generic[T]):
    """Named entries found in the modules of one package, in the order they ask for.

    The package's modules, those in the folders of NOISESCOPE_PLUGINS included, are imported at the first look-up, so
    importing the package itself stays cheap.

    >>> from gpu.flow.estimators import ESTIMATORS
    >>> ESTIMATORS.names()[:2], "dis" in ESTIMATORS, ESTIMATORS.get("dis").title
    (['dis', 'farneback'], True, 'DIS')
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, tuple[int, T]] = {}
        self._loaded = False
        self._loading = 0  # the thread that is at it: others wait until all entries are there
        self._lock = threading.Lock()

    def add(self, name: str, *, order: int = 100) -> Callable[[T], T]:
        """Decorator that registers its argument under `name`; a smaller `order` comes first in menus and tables."""

        def register(entry: T) -> T:
            if name in self._entries:
                raise ValueError(f"the {self.kind} {name!r} is registered twice")
            self._entries[name] = (order, entry)
            return entry

        return register

    def _ready(self) -> bool:
        return self._loaded

    def _load(self) -> None:
        if self._ready() or self._loading == threading.get_ident():
            return
        with self._lock:
            if self._ready():  # another thread was faster
                return
            self._loading = threading.get_ident()  # an entry may look into the registry while it is imported
            try:
                package = importlib.import_module(self._package)
                plugins = plugin_folders(self._package)
                package.__path__.extend(plugins)
                for finder, name, _ in pkgutil.iter_modules(package.__path__):
                    self._import(name, isinstance(finder, FileFinder) and finder.path in plugins)
                self._loaded = True
            finally:
                self._loading = 0

    def _import(self, name: str, foreign: bool) -> None:
        """Import one module; what is wrong with a file of somebody's own costs that file, and is said in the log."""
        try:
            importlib.import_module(f"{self._package}.{name}")
        except Exception as problem:
            if not foreign:
                raise
            kind = type(problem).__name__
            logging.getLogger("noisescope").warning(
                "The %s in %s of %s cannot be loaded and is left out: %s: %s",
                self.kind,
                f"{name}.py",
                PLUGINS,
                kind,
                problem,
            )

    def names(self) -> list[str]:
        """All names, by order and then alphabetically."""
        self._load()
        return sorted(self._entries, key=lambda name: (self._entries[name][0], name))

    def get(self, name: str) -> T:
        """The entry of that name; ChoiceError names the choices when there is none."""
        self._load()
        if name not in self._entries:
            choices = ", ".join(self.names())
            raise ChoiceError(f"There is no {self.kind} named {name!r}. Choose one of: {choices}.")
        return self._entries[name][1]

    def items(self) -> Iterator[tuple[str, T]]:
        for name in self.names():
            yield name, self._entries[name][1]

    def __contains__(self, name: object) -> bool:
        self._load()
        return name in self._entries
