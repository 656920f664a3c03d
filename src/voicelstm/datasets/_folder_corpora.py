"""Public corpora whose folders are the only list of what is in them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm.datasets._corpus import corpus
from voicelstm.datasets._files import audio_files, note_duplicates
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._protocol import check_choice

__all__ = ["load_fake_or_real", "load_wavefake"]

_WAVEFAKE = (
    "WaveFake is laid out as one folder for each vocoder, such as generated_audio/ljspeech_melgan/*.wav; "
    "path is generated_audio, or the folder above it. The human side is a download of its own: "
    "LJSpeech-1.1/wavs or jsut_ver1.1/basic5000/wav."
)
_SPEAKERS = ("ljspeech", "jsut")
_FAKE_OR_REAL_LABELS = {"real": "human", "fake": "synthetic"}
_PARTITIONS = ("training", "validation", "testing")


def load_wavefake(
    path: str | os.PathLike[str],
    *,
    human: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    return_X_y: bool = False,
) -> Any:
    """Load WaveFake, speech that vocoders made anew, from a local copy.

    Parameters
    ----------
    path : str or path-like
        The folder ``generated_audio``, or the one above it. Each of its sub-folders is a system, all that is
        audio in it counts, however deep: ``ljspeech_melgan/LJ008-0217_gen.wav``. Delete or move those that
        are not wanted; one that holds `human` is passed over.
    human : str or path-like, or a sequence of them
        The recordings that the vocoders were fed with, which WaveFake does not hold: the folders of
        LJSpeech (``LJSpeech-1.1/wavs``), of JSUT (``jsut_ver1.1/basic5000/wav``), or of both.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, human ones first, each folder in natural order.
        - ``target`` : ndarray of shape (n_recordings,). "human" or "synthetic".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"system"``: "human" or the name of
          the folder; ``"speaker"``: "ljspeech" or "jsut", whichever the folder's path has in it, else the
          folder's name; ``"utterance"``: the file's name without ``_gen`` or ``_generated``, the same for
          a recording and for its copies, which belong on one side of a split.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        Where a folder is missing or has no audio, or links make one file appear twice. The message says how
        the corpus is laid out.

    Notes
    -----
    The corpus has one or two speakers: nothing that is measured on it says how other voices would fare.

    References
    ----------
    .. [1] J. Frank and L. Schönherr, "WaveFake: a data set to facilitate audio deepfake detection", NeurIPS
       2021, datasets and benchmarks. https://zenodo.org/records/5642694

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_wavefake
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("LJSpeech-1.1/wavs/LJ008-0217.wav", "wavefake/ljspeech_melgan/LJ008-0217_gen.wav"):
    ...         Path(folder, name).parent.mkdir(parents=True)
    ...         Path(folder, name).touch()
    ...     corpus = load_wavefake(Path(folder, "wavefake"), human=Path(folder, "LJSpeech-1.1"))
    >>> corpus.groups["system"].tolist()
    ['human', 'ljspeech_melgan']
    >>> corpus.groups["utterance"].tolist()
    ['LJ008-0217', 'LJ008-0217']
    """
    root = Path(path) / "generated_audio"
    root = root if root.is_dir() else Path(path)
    problems = Problems(str(root))
    given = [human] if isinstance(human, str | os.PathLike) else list(human)
    sides = [Path(folder) for folder in given]
    for folder in (root, *sides):
        if not folder.is_dir():
            problems.add("There is no such folder", str(folder.absolute()), _WAVEFAKE)
    problems.raise_any()

    held = [folder.resolve() for folder in sides]
    systems = [
        entry
        for entry in sorted(root.iterdir())
        if entry.is_dir()
        and not entry.name.startswith(".")
        and not any(folder.is_relative_to(entry.resolve()) for folder in held)
    ]
    if not systems:
        problems.add("No folders of vocoders", str(root.absolute()), _WAVEFAKE)
    recordings: list[str] = []
    rows: list[tuple[str, str, str]] = []
    for folder in (*sides, *systems):
        files = audio_files(folder, recursive=True)
        if not files:
            problems.add("Folders without audio", str(folder), _WAVEFAKE)
        system = "human" if folder in sides else folder.name
        speaker = _speaker(folder.name if folder in systems else str(folder.resolve()), folder.name)
        for file in files:
            recordings.append(str(file))
            rows.append((system, speaker, re.sub(r"_gen(erated)?$", "", file.stem)))
    note_duplicates(problems, ((Path(file), file) for file in recordings))
    problems.raise_any()

    columns = [np.array(values, dtype=str) for values in zip(*rows, strict=True)]
    groups = dict(zip(("system", "speaker", "utterance"), columns, strict=True))
    target = np.where(groups["system"] == "human", "human", "synthetic")
    title = f"WaveFake: {root}, with human recordings of {', '.join(map(str, sides))}."
    return corpus(recordings, target, groups, title, return_X_y=return_X_y)


def _speaker(name: str, otherwise: str) -> str:
    return next((speaker for speaker in _SPEAKERS if speaker in name.lower()), otherwise)


def load_fake_or_real(
    path: str | os.PathLike[str],
    version: str = "norm",
    partition: str | None = "training",
    *,
    return_X_y: bool = False,
) -> Any:
    """Load Fake-or-Real (FoR) from a local copy.

    Parameters
    ----------
    path : str or path-like
        The folder that holds the versions, or the folder of the version itself. Copies that repeat the
        version's name (``for-norm/for-norm/``, ``for-2sec/for-2seconds/``, ``for-rerec/for-rerecorded/``) are
        read as well.
    version : {"original", "norm", "2sec", "rerec"}, default="norm"
        As published; alike in level, sample rate and classes' sizes; of these the first two seconds; of these
        a recording through a loudspeaker.
    partition : {"training", "validation", "testing"} or None, default="training"
        None is all three.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, partition by partition, human ones first, in natural order.
        - ``target`` : ndarray of shape (n_recordings,). "human" for ``real/``, "synthetic" for ``fake/``.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"partition"``. The corpus says
          neither who speaks nor which systems made the synthetic clips.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        Where a folder is missing or has no audio, or links make one file appear twice. The message says how
        the corpus is laid out.
    ValueError
        Where `version` or `partition` is none of those above.

    References
    ----------
    .. [1] R. Reimao and V. Tzerpos, "FoR: a dataset for synthetic speech detection", SpeD 2019.
       https://bil.eecs.yorku.ca/datasets/

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_fake_or_real
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("fake/file1.wav", "real/file2.wav"):
    ...         file = Path(folder, "for-norm", "testing", name)
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     corpus = load_fake_or_real(folder, "norm", "testing")
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    """
    check_choice("version", version, ("original", "norm", "2sec", "rerec"))
    check_choice("partition", partition, (*_PARTITIONS, None))
    root = Path(path)
    name = f"for-{version}"
    words = (
        f"Fake-or-Real is laid out as {name}/training/real/*.wav and {name}/training/fake/*.wav, with "
        f"validation and testing likewise; path is {name}, or the folder above it."
    )
    problems = Problems(str(root))
    home = _version_folder(root, name)
    if home is None:
        there = (
            shortened(sorted(entry.name for entry in root.iterdir())) if root.is_dir() else "no such folder"
        )
        problems.add(f"No folder of the version {version!r}", f"{root.absolute()}: {there}", words)
        raise problems.error()

    recordings: list[str] = []
    labels: list[str] = []
    partitions: list[str] = []
    for part in _PARTITIONS if partition is None else (partition,):
        for folder, label in _FAKE_OR_REAL_LABELS.items():
            below = home / part / folder
            files = audio_files(below, recursive=False) if below.is_dir() else []
            if not files:
                problems.add("Folders that are missing or without audio", f"{below}{os.sep}", words)
            recordings.extend(map(str, files))
            labels.extend([label] * len(files))
            partitions.extend([part] * len(files))
    note_duplicates(problems, ((Path(file), file) for file in recordings))
    problems.raise_any()
    groups = {"partition": np.array(partitions, dtype=str)}
    title = f"Fake-or-Real, version {version}, {partition or 'all partitions'}: {home}."
    return corpus(recordings, np.array(labels), groups, title, return_X_y=return_X_y)


def _version_folder(root: Path, name: str) -> Path | None:
    """Find the folder that holds the partitions, without taking one version for another."""
    candidates = [root / name, *sorted((root / name).glob("for-*"))]
    if root.name.startswith(name) or not root.name.startswith("for-"):
        candidates += [root, *sorted(root.glob(f"{name}*"))]
    return next((one for one in candidates if any((one / part).is_dir() for part in _PARTITIONS)), None)
