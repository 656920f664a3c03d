"""One safe file for a fitted estimator; it knows classes by a closed table of names, never by import."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = ["load", "save"]


def __dir__() -> list[str]:
    return __all__
