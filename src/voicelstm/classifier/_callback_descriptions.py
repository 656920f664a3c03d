"""What the makers of callbacks consist of, said in a way that is the same in every process."""

import dis
import hashlib
import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

__all__ = ["describe_callbacks"]

# Keras's own that train nothing, and change nothing of what is trained.
_ONLY_SHOW = {"CSVLogger", "History", "ModelCheckpoint", "ProgbarLogger", "RemoteMonitor", "TensorBoard"}
_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis))
# Whether one is held or set at the moment says nothing of what a callback does.
_LOCKS = (
    *(type(threading.Lock()), type(threading.RLock()), threading.Condition, threading.Event),
    *(threading.Semaphore, threading.BoundedSemaphore),
)
# Of a class, what Python adds, and what says nothing that its functions do not.
_NOT_OF_A_CLASS = {
    "__abstractmethods__", "__annotate_func__", "__annotations__", "__annotations_cache__", "__dict__",
    "__dataclass_fields__", "__dataclass_params__", "__doc__", "__firstlineno__", "__match_args__",
    "__module__", "__orig_bases__", "__parameters__", "__qualname__", "__static_attributes__",
    "__weakref__", "_abc_impl",
}  # fmt: skip


def describe_callbacks(makers: Sequence[Callable[[], Any]]) -> list[Any]:
    """Describe makers of callbacks by their code and values, as lists of text.

    Left out are Keras's own that only show or write. TypeError if a maker holds what cannot be compared
    between processes, such as an open file; it says where that is held, from within outwards up to a global
    variable.
    """
    return [_Describer().of(maker) for maker in makers if not _only_shows(maker)]


def _only_shows(maker: Any) -> bool:
    while isinstance(maker, partial):
        maker = maker.func
    return (
        isinstance(maker, type)
        and maker.__module__.partition(".")[0] == "keras"
        and maker.__name__ in _ONLY_SHOW
    )


class _Describer:
    """Describes values and what they hold; what it meets again, it names by number."""

    def __init__(self) -> None:
        self._met: dict[int, tuple[int, Any]] = {}  # with the value, whose id would else be given again
        self._place = ""  # where the value that is being described is held

    def of(self, value: Any) -> Any:
        """Describe a value."""
        kind = type(value)
        if kind in _PLAIN:
            return [kind.__name__, repr(value)]
        if kind in (tuple, set, frozenset):
            parts = [self.of(each) for each in value]
            return [kind.__name__, parts if kind is tuple else sorted(parts, key=json.dumps)]
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind != "O":
            digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
            return ["array", value.dtype.str, repr(value.shape), digest]
        if isinstance(value, CodeType):
            return self._code(value)
        if id(value) in self._met:
            return ["again", str(self._met[id(value)][0])]
        self._met[id(value)] = len(self._met), value
        return [kind.__name__, *self._parts(value)]

    def _parts(self, value: Any) -> Iterator[Any]:
        if type(value) is list:
            yield from map(self.of, value)
        elif type(value) is dict:
            yield from ([self.of(key), self.of(item)] for key, item in value.items())
        elif isinstance(value, PurePath):
            yield str(value)
        elif isinstance(value, logging.Logger):
            yield from (self.of(type(value)), value.name)
        elif isinstance(value, logging.LoggerAdapter):
            yield from map(self.of, (type(value), vars(value)))
        elif isinstance(value, _LOCKS):
            yield self.of(type(value))
        elif isinstance(value, partial):
            yield self.of(value.func)
            yield self._at(" in the arguments of a partial", (value.args, value.keywords))
        elif isinstance(value, MethodType):
            yield from map(self.of, (value.__func__, value.__self__))
        elif isinstance(value, ModuleType):
            yield from self._module(value)
        elif isinstance(value, FunctionType | BuiltinFunctionType | type) and _is_of_library(value):
            yield from (value.__module__ or "", value.__qualname__, _version(value.__module__ or ""))
        elif isinstance(value, FunctionType):
            yield from self._function(value)
        elif isinstance(value, type):
            yield from self._class(value)
        elif isinstance(value, staticmethod | classmethod):
            yield self.of(value.__func__)
        elif isinstance(value, property):
            yield from map(self.of, (value.fget, value.fset, value.fdel))
        else:
            yield from self._instance(value)

    def _code(self, code: CodeType) -> list[Any]:
        names = [*code.co_names, *code.co_varnames, *code.co_freevars, *code.co_cellvars]
        return ["code", code.co_code.hex(), str(code.co_flags), names, self.of(code.co_consts)]

    def _function(self, function: FunctionType) -> Iterator[Any]:
        yield from (function.__module__, function.__qualname__)
        name = function.__qualname__
        yield from map(self.of, (function.__code__, vars(function)))
        yield self._at(f" in a default of {name}", (function.__defaults__, function.__kwdefaults__))
        for variable, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            yield self._at(f" in the variable {variable!r} around {name}", _content(cell))
        for name in sorted(_global_names(function.__code__)):
            if name in function.__globals__:
                yield [name, self._global(name, function.__globals__)]

    def _global(self, name: str, variables: dict[str, Any]) -> Any:
        before, self._place = self._place, ""  # what a global variable holds is found without more
        described = self._at(
            f" in the global variable {name!r} of {variables.get('__name__')}", variables[name]
        )
        self._place = before
        return described

    def _at(self, place: str, value: Any) -> Any:
        """Describe a value that is held in a place, which is within those around it."""
        before, self._place = self._place, place + self._place
        described = self.of(value)
        self._place = before
        return described

    def _class(self, class_: type) -> Iterator[Any]:
        yield from (class_.__module__, class_.__qualname__)
        yield from map(self.of, class_.__bases__)
        for name, member in sorted(vars(class_).items()):
            if name not in _NOT_OF_A_CLASS:
                yield [name, self._at(f" in {name!r} of the class {class_.__qualname__}", member)]

    def _module(self, module: ModuleType) -> Iterator[str]:
        yield from (module.__name__, _version(module.__name__))
        path = getattr(module, "__file__", None)
        if path and not _is_library(module.__name__):
            yield hashlib.sha256(Path(path).read_bytes()).hexdigest()

    def _instance(self, value: Any) -> Iterator[Any]:
        yield self.of(type(value))
        if not _is_of_library(type(value)) and hasattr(value, "__dict__"):
            for name, held in vars(value).items():
                yield [name, self._at(f" in the attribute {name!r} of a {type(value).__qualname__}", held)]
        elif callable(getattr(value, "get_config", None)):  # Keras's schedules
            yield self.of(value.get_config())
        else:
            raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__}{self._place}")


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not assigned yet
        return None


def _global_names(code: CodeType) -> set[str]:
    """Return the names that a function's code, and functions made in it, read from their module."""
    names = {
        each.argval for each in dis.get_instructions(code) if each.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    return names.union(*(_global_names(each) for each in code.co_consts if isinstance(each, CodeType)))


def _is_of_library(value: Any) -> bool:
    """Tell whether a class or function is known by name and version, and made only once."""
    return "<" not in value.__qualname__ and _is_library(value.__module__ or "builtins")


def _is_library(module: str) -> bool:
    """Tell whether a module belongs to Python or to an installed library."""
    top = module.partition(".")[0]
    if top == "__main__":
        return False
    if top in sys.stdlib_module_names:
        return True
    path = getattr(sys.modules.get(module), "__file__", None)
    return bool(path) and not {"site-packages", "dist-packages"}.isdisjoint(Path(str(path)).parts)


def _version(module: str) -> str:
    return str(getattr(sys.modules.get(module.partition(".")[0]), "__version__", ""))
