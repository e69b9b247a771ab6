"""Registries: adding a prior, task, deformation, estimator or format is adding one file that registers itself."""

from __future__ import annotations

import importlib
import pkgutil
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from gpu.errors import ChoiceError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named entries found in the modules of one package, in the order they ask for.

    The package's modules are imported at the first look-up, so importing the package itself stays cheap. A folder that is
    appended to the package's `__path__` before that is searched as well, so that entries can come from elsewhere.
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
                for module in pkgutil.iter_modules(package.__path__):
                    importlib.import_module(f"{self._package}.{module.name}")
                self._loaded = True
            finally:
                self._loading = 0

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
