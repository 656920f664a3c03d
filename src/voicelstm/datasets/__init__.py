"""Labelled recordings: a table of labels, a folder per class, public corpora, simulated voices.

Nothing here decodes audio: loaders return paths, and what they return goes straight into
:class:`~voicelstm.MFCCTransformer`.
"""

from voicelstm.datasets._asvspoof import load_asvspoof5, load_asvspoof2019, load_asvspoof2021
from voicelstm.datasets._digits import fetch_free_spoken_digits
from voicelstm.datasets._folder import load_folder
from voicelstm.datasets._labels import load_csv
from voicelstm.datasets._public_corpora import load_fake_or_real, load_in_the_wild, load_wavefake
from voicelstm.datasets._voices import make_voices
from voicelstm.datasets._weights import balanced_weights

__all__ = [
    "balanced_weights",
    "fetch_free_spoken_digits",
    "load_asvspoof5",
    "load_asvspoof2019",
    "load_asvspoof2021",
    "load_csv",
    "load_fake_or_real",
    "load_folder",
    "load_in_the_wild",
    "load_wavefake",
    "make_voices",
]
