"""One recording in, mono samples out, and what rooms, devices and lines do to it."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = ["Augmenter", "active_region", "read_audio", "set_level"]


def __dir__() -> list[str]:
    return __all__
