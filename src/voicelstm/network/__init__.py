"""Padded batches to logits: all of Keras, a kernel for each backend, and inference without them."""

import lazy_loader

__getattr__, _, _ = lazy_loader.attach_stub(__name__, __file__)

#: What users import; `__init__.pyi` also names what other packages take.
__all__ = []


def __dir__() -> list[str]:
    return __all__
