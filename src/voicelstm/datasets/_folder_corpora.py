"""Public corpora whose folders are the only list of what is in them."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voicelstm.datasets._files import is_file
from voicelstm.datasets._gathered import Gathered, sub_folders
from voicelstm.datasets._problems import Problems, shortened
from voicelstm.datasets._protocol import check_choice
from voicelstm.datasets._table import read_text

__all__ = ["load_dfadd", "load_fake_or_real", "load_librisevoc", "load_wavefake"]

_WAVEFAKE = (
    "WaveFake is laid out as one folder for each vocoder, such as generated_audio/ljspeech_melgan/*.wav; "
    "path is generated_audio, or the folder above it. The human side is a download of its own: "
    "LJSpeech-1.1/wavs or jsut_ver1.1/basic5000/wav."
)
_SPEAKERS = ("ljspeech", "jsut")
_PARTITIONS = ("training", "validation", "testing")
_VCTK_NAME = re.compile("[^_]+_[^_]+(_mic[0-9])?")  # its version 0.92 has two microphones


def load_wavefake(
    path: str | os.PathLike[str],
    *,
    human: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    return_X_y: bool = False,
) -> Any:
    """Load WaveFake, speech that vocoders made anew, from a local copy.

    It is had at https://zenodo.org/records/5642694, with its licence beside it. Nothing is downloaded.

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
        If a folder is missing or has no audio, or links make one file appear twice. The message says how the
        corpus is laid out.

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
    sides = [Path(folder) for folder in ([human] if isinstance(human, str | os.PathLike) else human)]
    held = [folder.resolve() for folder in sides]
    systems = [
        folder
        for folder in sub_folders(root, "*", problems, _WAVEFAKE)
        if not any(side.is_relative_to(folder.resolve()) for side in held)
    ]
    gathered = Gathered("system", "speaker", "utterance")
    for folder in (*sides, *systems):
        is_human = folder in sides
        speaker = _speaker(str(folder.resolve()) if is_human else folder.name, folder.name)
        for file in gathered.files(folder, problems, _WAVEFAKE, recursive=True):
            system = "human" if is_human else folder.name
            gathered.add(file, is_human, system, speaker, _without_ending(Path(file).stem))
    title = f"WaveFake: {root}, with human recordings of {', '.join(map(str, sides))}."
    return gathered.as_corpus(problems, title, return_X_y=return_X_y)


def _without_ending(name: str) -> str:
    """Return the name of a recording that vocoders made anew."""
    return name.removesuffix("_gen").removesuffix("_generated")


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

    It is had at https://bil.eecs.yorku.ca/datasets/, where its terms stand. Nothing is downloaded.

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
        If a folder is missing or has no audio, or links make one file appear twice. The message says how the
        corpus is laid out.
    ValueError
        If `version` or `partition` is none of those above.

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
    laid_out = (
        f"Fake-or-Real is laid out as {name}/training/real/*.wav and {name}/training/fake/*.wav, with "
        f"validation and testing likewise; path is {name}, or the folder above it."
    )
    problems = Problems(str(root))
    home = _version_folder(root, name)
    if home is None:
        there = (
            shortened(sorted(entry.name for entry in root.iterdir())) if root.is_dir() else "no such folder"
        )
        problems.add(f"No folder of the version {version!r}", f"{root.absolute()}: {there}", laid_out)
        raise problems.error()

    gathered = Gathered("partition")
    for part in _PARTITIONS if partition is None else (partition,):
        for folder in ("real", "fake"):
            for file in gathered.files(home / part / folder, problems, laid_out):
                gathered.add(file, folder == "real", part)
    title = f"Fake-or-Real, version {version}, {partition or 'all partitions'}: {home}."
    return gathered.as_corpus(problems, title, return_X_y=return_X_y)


def _version_folder(root: Path, name: str) -> Path | None:
    """Find the folder that holds the partitions, without taking one version for another."""
    candidates = [root / name, *sorted((root / name).glob("for-*"))]
    if root.name.startswith(name) or not root.name.startswith("for-"):
        candidates += [root, *sorted(root.glob(f"{name}*"))]
    return next((one for one in candidates if any((one / part).is_dir() for part in _PARTITIONS)), None)


def load_dfadd(
    path: str | os.PathLike[str],
    partition: str | None = "train",
    *,
    return_X_y: bool = False,
) -> Any:
    """Load DFADD, speech of VCTK's speakers and of diffusion and flow matching, from a local copy.

    It is had at https://huggingface.co/datasets/isjwdu/DFADD (its ZIP files), under the MIT licence. Nothing
    is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that the archives were unpacked to. In it::

            DATASET_VCTK_BONAFIDE/train/p227_001.wav
            DATASET_GradTTS/train/p227_001_GradTTS.flac        other systems, valid and test likewise
    partition : {"train", "valid", "test"} or None, default="train"
        None is all three.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, partition by partition, folders and files in natural order.
        - ``target`` : ndarray of shape (n_recordings,). "human" for the folder ``DATASET_VCTK_BONAFIDE``,
          "synthetic" for others.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"`` and ``"utterance"``: the
          first part, and the first two parts, of the file's name; ``"system"``: "human", or the folder's name
          without ``DATASET_``; ``"partition"``.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If a folder is missing or has no audio, there is only one class, a file's name is that of a human clip
        in the folder of a system or the reverse, or links make one file appear twice. The message says how
        the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    References
    ----------
    .. [1] J. Du et al., "DFADD: the diffusion and flow-matching based audio deepfake dataset", SLT 2024.
       https://arxiv.org/abs/2409.08731

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_dfadd
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("VCTK_BONAFIDE/test/p227_001.wav", "GradTTS/test/p227_001_GradTTS.flac"):
    ...         file = Path(folder, f"DATASET_{name}")
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     corpus = load_dfadd(folder, "test")
    >>> corpus.groups["system"].tolist()
    ['GradTTS', 'human']
    """
    parts = ("train", "valid", "test")
    check_choice("partition", partition, (*parts, None))
    root = Path(path)
    laid_out = (
        "DFADD is laid out as DATASET_VCTK_BONAFIDE/train/*.wav and, for each system, a folder such as "
        "DATASET_GradTTS/train/*.flac, with valid and test likewise; path is the folder that holds these."
    )
    named = (
        "Names of human clips are as p227_001 or p227_001_mic1, those of synthetic clips end in the system's."
    )
    problems = Problems(str(root))
    folders = sub_folders(root, "DATASET_*", problems, laid_out)
    gathered = Gathered("speaker", "system", "utterance", "partition")
    for part in parts if partition is None else (partition,):
        for folder in folders:
            is_human = "BONAFIDE" in folder.name
            system = "human" if is_human else folder.name.removeprefix("DATASET_")
            home = "human clips" if is_human else "a system"
            for file in gathered.files(folder / part, problems, laid_out):
                words = Path(file).stem.split("_")
                if is_human != bool(_VCTK_NAME.fullmatch(Path(file).stem)):
                    kind = f"{'Synthetic' if is_human else 'Human'} clips in the folder of {home}"
                    problems.add(kind, file, f"{named} Move these files out. {laid_out}")
                gathered.add(file, is_human, words[0], system, "_".join(words[:2]), part)
    return gathered.as_corpus(problems, f"DFADD, {partition or 'all parts'}: {root}.", return_X_y=return_X_y)


def load_librisevoc(
    path: str | os.PathLike[str],
    partition: str | None = None,
    *,
    return_X_y: bool = False,
) -> Any:
    """Load LibriSeVoc, read speech that six vocoders made anew, from a local copy.

    It is had from https://github.com/csun22/Synthetic-Voice-Detection-Vocoder-Artifacts, where its terms
    stand. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder ``LibriSeVoc``, or the one above it. In it::

            gt/6147_34605_000006_000009.wav
            wavernn/6147_34605_000006_000009_gen.wav         other vocoders likewise
            test.txt                                         names of files in gt, here or in the folder above
    partition : {"train", "dev", "test"} or None, default=None
        The clips that ``train.txt``, ``dev.txt`` or ``test.txt`` names, which are had at the same place. None
        is all clips.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths, folders and files in natural order.
        - ``target`` : ndarray of shape (n_recordings,). "human" for the folder ``gt``, "synthetic" for
          others.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``: the first part of the
          file's name, LibriTTS' number; ``"system"``: "human" or the folder's name; ``"utterance"``: the
          file's name without ``_gen``, the same for a recording and for its copies, which belong on one side
          of a split.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If a folder or the list of the partition is missing, folders have no audio, the list names clips that
        are not there, a file's name ends in ``_gen`` in ``gt`` or does not elsewhere, or links make one file
        appear twice. The message says how the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    References
    ----------
    .. [1] C. Sun et al., "AI-synthesized voice detection using neural vocoder artifacts", CVPR workshops
       2023. https://arxiv.org/abs/2304.13085

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_librisevoc
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("gt/6147_34605_000006_000009.wav", "wavernn/6147_34605_000006_000009_gen.wav"):
    ...         Path(folder, name).parent.mkdir()
    ...         Path(folder, name).touch()
    ...     corpus = load_librisevoc(folder)
    >>> corpus.groups["system"].tolist()
    ['human', 'wavernn']
    >>> corpus.groups["speaker"].tolist()
    ['6147', '6147']
    """
    check_choice("partition", partition, ("train", "dev", "test", None))
    root = Path(path) / "LibriSeVoc"
    root = root if root.is_dir() else Path(path)
    laid_out = (
        "LibriSeVoc is laid out as gt/*.wav and, for each vocoder, a folder such as wavernn/*_gen.wav; path "
        "is the folder that holds these, or the one above it."
    )
    problems = Problems(str(root))
    if not (root / "gt").is_dir():
        problems.add("There is no such folder", str((root / "gt").absolute()), laid_out)
    folders = sub_folders(root, "*", problems, laid_out)
    wanted = None if partition is None else _names_of(partition, root, problems)
    problems.raise_any()
    gathered = Gathered("speaker", "system", "utterance")
    for folder in folders:
        found = set()
        for file in gathered.files(folder, problems, laid_out):
            utterance = _without_ending(Path(file).stem)
            if wanted is None or utterance in wanted:
                found.add(utterance)
                is_human = folder.name == "gt"
                if is_human == Path(file).stem.endswith("_gen"):
                    kind = "Synthetic clips in gt" if is_human else "Human clips in the folder of a vocoder"
                    remedy = "The names of all clips end in _gen but for those in gt. Move these files out."
                    problems.add(kind, file, f"{remedy} {laid_out}")
                system = "human" if is_human else folder.name
                gathered.add(file, is_human, utterance.split("_")[0], system, utterance)
        for utterance in sorted((wanted or set()) - found):
            remedy = f"{partition}.txt names these. {laid_out}"
            problems.add("Missing files", f"{folder.name}/{utterance}", remedy)
    title = f"LibriSeVoc, {partition or 'all clips'}: {root}."
    return gathered.as_corpus(problems, title, return_X_y=return_X_y)


def _names_of(partition: str, root: Path, problems: Problems) -> set[str]:
    """Return the names of a partition's clips, without extension, from the list in a folder or above it."""
    places = [folder / f"{partition}.txt" for folder in (root, root.parent)]
    listed = next((place for place in places if is_file(place)), None)
    if listed is None:
        remedy = "Put the lists of the authors' repository beside the folders, or leave partition None."
        problems.add("There is no such file", " or ".join(map(str, places)), remedy)
        return set()
    return {Path(name).stem for name in read_text(listed, problems).split()}
