"""What a pickle of torch.save describes, without running any of it: tensors as their place in a storage.

The operations are those of Python's pickletools; a name of code is looked up in the lists below and nowhere else, so
that a file can ask for nothing but a description. What torch.load(weights_only=True) refuses is refused.
"""

from __future__ import annotations

import io
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gpu.arrays.source import DamageError

OPERATIONS = 2_000_000
"""How many a pickle may have: a model of ten thousand tensors has 600,000."""

REFUSED = "it holds Python objects ({}), which are not loaded because they can run code"


@dataclass(frozen=True)
class Name:
    """A name of code, as in "torch.FloatStorage": a word, never what it names."""

    text: str


@dataclass(frozen=True)
class Storage:
    """`count` values of `type`, in words, under a key; `first` is where a view of a storage begins."""

    type: str
    key: str
    count: int
    first: int = 0


@dataclass(frozen=True)
class Tensor:
    """A tensor of a storage: sizes in values of `type`, or of the storage's where that is empty."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    type: str = ""


@dataclass(frozen=True)
class Other:
    """What is no plain tensor, in words."""

    text: str


@dataclass
class _Mark:
    """Where the arguments of an operation begin."""


def described(data: io.BytesIO, storages: dict[str, Storage] | None = None) -> Any:
    """What the pickle at the place of `data` describes: dictionaries, lists, numbers, Tensor, Other; reads up to its end.

    Into `storages` go all that it names, by key.

    DamageError for what is no pickle, or holds Python objects.
    """
    machine = _Machine({} if storages is None else storages)
    for count, (operation, argument, _) in enumerate(pickletools.genops(data)):
        if count > OPERATIONS:
            raise DamageError(f"it has more than {OPERATIONS} parts")
        if operation.name == "STOP":
            return machine.stack[-1]
        machine.step(operation.name, argument)
    raise DamageError("it ends too early")


class _Machine:
    def __init__(self, storages: dict[str, Storage]) -> None:
        self.storages = storages
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name]())
        elif name in _LITERALS:
            stack.append(argument)
        elif name in ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE"):
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[argument])
        elif name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            count = int(name[-1])
            stack[-count:] = [tuple(stack[-count:])] if len(stack) >= count else [stack[-count]]
        elif name in ("GLOBAL", "STACK_GLOBAL"):
            module, word = argument.split(" ", 1) if name == "GLOBAL" else (stack.pop(-2), stack.pop())
            stack.append(_name(module, word))
        elif name in ("BINPERSID", "PERSID"):
            storage = _storage(stack.pop())
            self.storages[storage.key] = storage
            stack.append(storage)
        elif name == "REDUCE":
            arguments = stack.pop()
            stack.append(_made(stack.pop(), arguments))
        elif name == "BUILD":  # what is set on an object, as on an OrderedDict: no part of the description
            stack.pop()
        elif name in ("PROTO", "FRAME"):
            pass
        elif name in ("APPEND", "SETITEM"):
            values = [stack.pop() for _ in range(1 + (name == "SETITEM"))][::-1]
            _add(stack[-1], values)
        elif name in ("APPENDS", "SETITEMS", "ADDITEMS"):
            values = self._marked()
            _add(stack[-1], values)
        elif name in ("TUPLE", "LIST", "FROZENSET"):
            values = self._marked()
            stack.append(values if name == "LIST" else tuple(values))
        elif name == "DICT":
            values = self._marked()
            stack.append({})
            _add(stack[-1], values)
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self._marked()
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            raise DamageError(REFUSED.format(f"made by {name}"))

    def _marked(self) -> list[Any]:
        """What stands above the last mark, which goes with it."""
        for at in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[at], _Mark):
                values = self.stack[at + 1 :]
                del self.stack[at:]
                return values
        raise DamageError("it is a damaged pickle")


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": _Mark, "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple, "EMPTY_SET": list,
}  # fmt: skip
_LITERALS = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING", "BINSTRING",
    "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
)  # fmt: skip
_INERT = (
    "collections.OrderedDict", "collections.defaultdict", "collections.Counter", "_codecs.encode", "builtins.set",
    "builtins.frozenset", "builtins.list", "builtins.dict", "builtins.int", "builtins.bytearray", "__builtin__.set",
)  # fmt: skip


def _name(module: Any, word: Any) -> Name:
    text = f"{module}.{word}"
    if not text.startswith("torch.") and text not in _INERT:
        raise DamageError(REFUSED.format(text[:100]))
    return Name(text)


def _add(target: Any, values: list[Any]) -> None:
    if isinstance(target, list):
        target.extend(values)
    elif isinstance(target, dict) and len(values) % 2 == 0:
        target.update(zip(values[::2], values[1::2]))
    elif not isinstance(target, Other):
        raise DamageError("it is a damaged pickle")


def _storage(told: Any) -> Storage:
    """Of the tuple by which torch names one: "storage", type, key, device, count and, in the old format, a view."""
    match told:
        case ("storage", Name(text=kind), key, _, int(count), *view) if count >= 0:
            first = 0
            if view and view[0] is not None:
                _, first, count = view[0]
            return Storage(kind.rpartition(".")[2].removesuffix("Storage"), str(key), int(count), int(first))
        case ("module", Name(text=kind), *_):
            raise DamageError(REFUSED.format(kind[:100]))
    raise DamageError("it refers to what is no storage of a tensor")


def _made(name: Any, arguments: Any) -> Any:
    """What a call describes; nothing is called."""
    text = name.text if isinstance(name, Name) else type(name).__name__
    match text.rpartition(".")[2], arguments:
        case "_rebuild_tensor" | "_rebuild_tensor_v2", (Storage() as storage, offset, shape, strides, *_):
            return Tensor(storage, _whole(offset), _sides(shape), _sides(strides))
        case "_rebuild_tensor_v3", (Storage() as storage, offset, shape, strides, _, _, Name(text=kind), *_):
            return Tensor(storage, _whole(offset), _sides(shape), _sides(strides), kind.removeprefix("torch."))
        case "_rebuild_parameter" | "_rebuild_parameter_with_state", (Tensor() as tensor, *_):
            return tensor
        case "_rebuild_from_type_v2", (Name() as function, _, tuple(inner), *_):
            return _made(function, inner)
        case "OrderedDict" | "Counter" | "defaultdict" | "dict", _:
            return _dictionary(arguments)
        case "Size" | "set" | "frozenset" | "list", (values, *_) if isinstance(values, (list, tuple)):
            return tuple(values)
    if text.startswith(("torch._utils._rebuild_", "torch._tensor._rebuild_")):
        return Other(f"a tensor that is not stored plainly ({text.rpartition('.')[2].removeprefix('_rebuild_')})")
    if text in _INERT or text in ("torch.device", "torch.Size", "torch.serialization._get_layout"):
        return Other(text)
    raise DamageError(REFUSED.format(text[:100]))


def _dictionary(arguments: Any) -> dict[Any, Any]:
    pairs = [value for value in arguments if isinstance(value, (dict, list, tuple))]  # defaultdict has a type before
    return dict(pairs[0]) if pairs else {}


def _whole(value: Any) -> int:
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise DamageError("it describes a tensor in no place")
    return value


def _sides(values: Any) -> tuple[int, ...]:
    if not isinstance(values, (list, tuple)):
        raise DamageError("it describes a tensor of no shape")
    return tuple(_whole(value) for value in values)
