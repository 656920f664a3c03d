"""Public corpora that list their clips in words between blanks, without a header."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import Layout, check_choice, load_clips, words
from voicelstm.datasets._records import Records

__all__ = ["load_add2023", "load_codecfake", "load_decro"]

_CODECFAKE_TESTS = ("C1", "C2", "C3", "C4", "C5", "C6", "C7", "A1", "A2", "A3")
_CODEC = re.compile(r"^[FL][0-9]{2}_")


def load_codecfake(
    path: str | os.PathLike[str],
    partition: str = "train",
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load Codecfake, speech that neural codecs made anew, from a local copy.

    It is had at Zenodo, in the records that https://github.com/xieyuankun/Codecfake lists, under CC BY-NC-ND
    4.0. Nothing is downloaded. CodecFake and CodecFake+ are other corpora.

    Parameters
    ----------
    path : str or path-like
        The folder that the archives were unpacked to, or the one above it, ``Codecfake``::

            label/train.txt            a line for each clip: F01_SSB13650058.wav fake 1
            train/*.wav                dev likewise; C1 to C7 and A1 to A3 here or in test/
    partition : {"train", "dev", "C1", ..., "C7", "A1", "A2", "A3"}, default="train"
        C1 to C6 are tests with the codecs of "train", C7 with one that is not in it, A1 to A3 with audio
        language models.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"system": ["human", "F01"]}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the list's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "real", "synthetic" for "fake".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"system"``: "human", or "F01" and so
          on, by the number in the list; ``"utterance"``: the file's name without the system before it, the
          same for a recording and for its copies, which belong on one side of a split. The corpus does not
          say who speaks.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the list or audio files are missing, lines have other columns or labels or name a clip twice, no
        clip is left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    See Also
    --------
    voicelstm.datasets.read_scores : Scores of Codecfake's detectors.

    References
    ----------
    .. [1] Y. Xie et al., "The Codecfake dataset and countermeasures for the universally detection of deepfake
       audio", 2024. https://arxiv.org/abs/2405.04880

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_codecfake
    >>> labels = '''SSB13650058.wav real 0
    ... F01_SSB13650058.wav fake 1
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "label/dev.txt": labels,
    ...         "dev/SSB13650058.wav": "",
    ...         "dev/F01_SSB13650058.wav": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_codecfake(folder, "dev")
    >>> corpus.groups["system"].tolist()
    ['human', 'F01']
    >>> corpus.groups["utterance"].tolist()
    ['SSB13650058', 'SSB13650058']
    """
    check_choice("partition", partition, ("train", "dev", *_CODECFAKE_TESTS))
    laid_out = (
        f"Codecfake is laid out as label/{partition}.txt, with lines such as F01_SSB13650058.wav fake 1, and "
        f"{'test/' if partition in _CODECFAKE_TESTS else ''}{partition}/*.wav; path is the folder that holds "
        "both, or the one above it."
    )
    homes = ("", "Codecfake/")
    return load_clips(
        Path(path),
        Layout(
            [f"{home}label/{partition}.txt" for home in homes],
            [f"{home}{above}{partition}" for home in homes for above in ("", "test/")],
            laid_out,
        ),
        _codecfake,
        title=f"Codecfake {partition}",
        labels={"real": "human", "fake": "synthetic"},
        where=where,
        return_X_y=return_X_y,
    )


def _codecfake(path: Path, problems: Problems) -> Records:
    records = words("clip", "key", "system")(path, problems)
    numbers = records.columns["system"]
    return records.adding(
        system=[f"F{number:0>2}" if number.isdecimal() else number for number in numbers],
        utterance=[_CODEC.sub("", Path(clip).stem) for clip in records.columns["clip"]],
    )


def load_decro(
    path: str | os.PathLike[str],
    language: str = "en",
    partition: str = "train",
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load DECRO, the same kinds of synthesis in English and Chinese, from a local copy.

    It is had at https://github.com/petrichorwq/DECRO-dataset, under CC BY 4.0. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that the release was unpacked to::

            ch_dev.txt                 a line for each clip: unknown 20032115 - baidu spoof
            ch_dev/20032115.wav        ch_train, ch_eval, en_train, en_dev and en_eval likewise
    language : {"en", "ch"}, default="en"
        English or Chinese.
    partition : {"train", "dev", "eval"}, default="train"
        Part of the corpus.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"source": ["baidu", "magicdata"]}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the list's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "bonafide", "synthetic" for "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``, "unknown" for many
          synthetic clips; ``"system"``, "human" or what made the clip; ``"source"``, the fourth column as it
          stands: the same, or the corpus that a human clip is from.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the list or audio files are missing, lines have other columns or keys or name a clip twice, no clip
        is left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `language` or `partition` is none of those above.

    References
    ----------
    .. [1] Z. Ba et al., "Transferring audio deepfake detection capability across languages", WWW 2023.
       https://doi.org/10.1145/3543507.3583222

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_decro
    >>> protocol = '''unknown 20032115 - baidu spoof
    ... 5_541 5_541_20170608085725 - magicdata bonafide
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "ch_dev.txt": protocol,
    ...         "ch_dev/20032115.wav": "",
    ...         "ch_dev/5_541_20170608085725.wav": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_decro(folder, "ch", "dev")
    >>> corpus.groups["system"].tolist()
    ['baidu', 'human']
    """
    check_choice("language", language, ("en", "ch"))
    check_choice("partition", partition, ("train", "dev", "eval"))
    name = f"{language}_{partition}"
    laid_out = (
        f"DECRO is laid out as {name}.txt, with lines such as unknown 20032115 - baidu spoof, and "
        f"{name}/*.wav beside it; path is the folder that holds both."
    )
    return load_clips(
        Path(path),
        Layout((f"{name}.txt",), (name,), laid_out, ".wav"),
        _decro,
        title=f"DECRO {language} {partition}",
        where=where,
        return_X_y=return_X_y,
    )


def _decro(path: Path, problems: Problems) -> Records:
    records = words("speaker", "clip", "", "system", "key")(path, problems)
    return records.adding(source=records.columns["system"])


def load_add2023(
    path: str | os.PathLike[str],
    *,
    return_X_y: bool = False,
) -> Any:
    """Load a labelled part of ADD 2023, track 1.2, from a local copy.

    The data of the second audio deepfake detection challenge are had at http://addchallenge.cn/add2023, under
    CC BY-NC-ND 4.0. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder of the part, such as ``Track1.2/testR2``::

            label.txt                                a line for each clip: NAME.wav genuine
            wav/ADD2023_T1.2R2_E_00000003.wav
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the list's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "genuine", "synthetic" for "fake".
        - ``groups`` : dict, empty: the corpus says neither who speaks nor which systems made clips.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the list or audio files are missing, lines have other columns or labels or name a clip twice, or
        there is only one class. The message has the lines and says how the corpus is laid out.

    References
    ----------
    .. [1] J. Yi et al., "ADD 2023: the second audio deepfake detection challenge", 2023.
       https://arxiv.org/abs/2305.13774

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_add2023
    >>> labels = '''ADD2023_T1.2R2_E_3.wav genuine
    ... ADD2023_T1.2R2_E_4.wav fake
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "label.txt": labels,
    ...         "wav/ADD2023_T1.2R2_E_3.wav": "",
    ...         "wav/ADD2023_T1.2R2_E_4.wav": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_add2023(folder)
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    """
    laid_out = (
        "ADD 2023 is laid out as Track1.2/testR2/label.txt, with lines such as ADD2023_T1.2R2_E_00000003.wav "
        "genuine, and Track1.2/testR2/wav/*.wav; path is the folder of label.txt."
    )
    return load_clips(
        Path(path),
        Layout(("label.txt",), ("wav", "."), laid_out),
        words("clip", "key"),
        title="ADD 2023",
        labels={"genuine": "human", "fake": "synthetic"},
        where=None,
        return_X_y=return_X_y,
    )
