"""Labelled recordings: a table of labels, a folder per class, simulated voices.

Nothing here decodes audio: loaders return paths, and what they return goes straight into
:class:`~voicelstm.MFCCTransformer`.
"""

from voicelstm.datasets._folder import load_folder
from voicelstm.datasets._labels import load_csv
from voicelstm.datasets._voices import make_voices

__all__ = ["load_csv", "load_folder", "make_voices"]
