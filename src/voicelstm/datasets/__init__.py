"""Corpora: load, weigh, split and audit them; read and write score files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
