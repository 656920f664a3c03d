"""One safe file for a fitted estimator; it knows classes by a closed table of names, never by import."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
