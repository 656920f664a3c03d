"""Libraries that others load at their start, and that an answer has no use for, loaded when they are used.

scikit-learn loads scipy.stats for three functions, which takes as long as all else of an answer about a short
recording, and pandas, wherever that is installed, for data frames, which the command has none of.
"""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any

__all__ = ["put_off_imports"]

# Modules, and those of their functions that others import by name, which alone must not load the module.
_LATE = {"scipy.stats": ("gmean", "rankdata", "spearmanr")}
_NOT_FOUND = ("pandas",)

# Held while a module is loaded, so that no other thread sees half of it.
_loading = RLock()


def put_off_imports() -> None:
    """Put off the imports of this process; what was imported before stays."""
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find what is loaded late, and refuse what others can do without."""
        if name in _NOT_FOUND:
            raise ModuleNotFoundError(f"{name} is not looked for by the command voicelstm.", name=name)
        spec = PathFinder.find_spec(name, path, target) if name in _LATE else None
        if spec is not None and spec.loader is not None:
            spec.loader = _LateLoader(spec.loader)
        return spec


class _LateLoader(Loader):
    """Leaves a module empty until something is used that it does not have yet."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._is_loading = False

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the empty module."""
        return _LateModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it empty."""

    def load(self, module: ModuleType, name: str) -> None:
        """Fill the module, which asks itself for what it does not have while it is filled."""
        if self._is_loading:
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r} yet")
        self._is_loading = True
        try:
            self._loader.exec_module(module)
        finally:
            self._is_loading = False
        module.__class__ = ModuleType


class _LateModule(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # the import system asks for these
            raise AttributeError(name)
        if name in _LATE[self.__name__]:
            return _late_function(self, name)
        return _attribute(self, name)


def _late_function(module: ModuleType, name: str) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        return _attribute(module, name)(*args, **kwargs)

    function.__name__ = function.__qualname__ = name
    return function


def _attribute(module: ModuleType, name: str) -> Any:
    """Return what a module has when it is loaded."""
    with _loading:
        loader = module.__spec__ and module.__spec__.loader
        if type(module) is _LateModule and isinstance(loader, _LateLoader):
            loader.load(module, name)
    return getattr(module, name)
