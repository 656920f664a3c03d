"""Public corpora that list their clips in a table with a header."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicelstm.datasets._protocol import Layout, header_table, load_clips
from voicelstm.datasets._table import Format

__all__ = ["load_in_the_wild"]

_CSV = Format(delimiter=",")


def load_in_the_wild(
    path: str | os.PathLike[str],
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load In-the-Wild, clips of public figures from the net, from a local copy.

    It is had at https://huggingface.co/datasets/mueller91/In-The-Wild, under CC BY-SA 4.0. Nothing is
    downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder ``release_in_the_wild``, or the one above it. In it lie ``meta.csv`` and the recordings.
    where : dict of str to object, default=None
        Which rows to keep, as for :func:`load_csv`, by group: ``{"speaker": "Alec Guinness"}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" where the label is "bona-fide", "synthetic"
          where it is "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``: a name. Speakers
          stand in both classes. The corpus does not say which systems made the synthetic clips.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the table or recordings are missing, rows have another label or stand twice, or there is only one
        class. The message has the lines and says how the corpus is laid out.

    References
    ----------
    .. [1] N. M. Müller et al., "Does audio deepfake detection generalize?", Interspeech 2022.
       https://arxiv.org/abs/2203.16263

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_in_the_wild
    >>> table = '''file,speaker,label
    ... 0.wav,Alec Guinness,spoof
    ... 4.wav,Christopher Hitchens,bona-fide
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("0.wav", "4.wav"):
    ...         Path(folder, name).touch()
    ...     _ = Path(folder, "meta.csv").write_text(table)
    ...     corpus = load_in_the_wild(folder)
    >>> corpus.target.tolist()
    ['synthetic', 'human']
    """
    home = "release_in_the_wild"
    laid_out = (
        f"In-the-Wild is laid out as {home}/meta.csv, with the header file,speaker,label, and {home}/*.wav "
        "beside it; path is that folder, or the one above it."
    )
    return load_clips(
        Path(path),
        Layout(("meta.csv", f"{home}/meta.csv"), (".", home), laid_out),
        header_table({"file": "utterance", "speaker": "speaker", "label": "key"}, _CSV),
        title="In-the-Wild",
        where=where,
        labels={"bona-fide": "human", "bonafide": "human", "spoof": "synthetic"},
        return_X_y=return_X_y,
    )
