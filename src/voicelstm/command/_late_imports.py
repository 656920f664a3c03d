"""Libraries that others load at their start, and that an answer has no use for, loaded when they are used.

scikit-learn loads scipy.stats for three functions, which takes as long as all else of an answer about a short
recording, other parts of SciPy for fits, and pandas, wherever that is installed, for data frames, which the
command has none of.
"""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from threading import RLock
from types import ModuleType
from typing import Any

__all__ = ["put_off_imports"]

# Packages, and what others import of them by name, functions and a class, which alone must not load them.
_LATE: dict[str, tuple[str, ...]] = {
    "scipy.integrate": ("trapezoid",),
    "scipy.interpolate": ("BSpline",),
    "scipy.ndimage": (),
    "scipy.optimize": (
        *("isotonic_regression", "linear_sum_assignment", "linprog", "minimize", "minimize_scalar"),
    ),
    "scipy.spatial": (),
    "scipy.stats": ("gmean", "rankdata", "spearmanr"),
}
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
            return ModuleSpec(name, _Refusal())
        spec = PathFinder.find_spec(name, path, target) if name in _LATE else None
        if spec is not None and spec.loader is not None:
            spec.loader = _LateLoader(spec.loader)
        return spec


class _Refusal(Loader):
    """Refuses a module when it is imported; whether there is one may be asked, as torch does."""

    def exec_module(self, module: ModuleType) -> None:
        """Raise the error of a module that is not installed."""
        name = module.__name__
        raise ModuleNotFoundError(f"{name} is not loaded by the command voicelstm.", name=name)


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
            return _LateName(self, name)
        part = f"{self.__name__}.{name}"
        if PathFinder.find_spec(part, self.__path__) is not None:
            return import_module(part)  # which is a module of its own
        return _attribute(self, name)


class _LateName:
    """A function or a class of a module, which is loaded when something is done with it."""

    def __init__(self, module: ModuleType, name: str) -> None:
        self._module = module
        self.__name__ = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return _attribute(self._module, self.__name__)(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(_attribute(self._module, self.__name__), name)


def _attribute(module: ModuleType, name: str) -> Any:
    """Return what a module has when it is loaded."""
    with _loading:
        loader = module.__spec__ and module.__spec__.loader
        if type(module) is _LateModule and isinstance(loader, _LateLoader):
            loader.load(module, name)
    return getattr(module, name)
