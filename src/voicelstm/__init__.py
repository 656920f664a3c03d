"""Tell human speech from synthetic speech.

The public names are imported when they are first used (:pep:`562`), so that ``import voicelstm`` loads
neither TensorFlow nor librosa.
"""

import logging

import lazy_loader

from voicelstm._base import __version__ as __version__

logging.getLogger(__name__).addHandler(logging.NullHandler())  # silent until its user wants to hear it

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]
