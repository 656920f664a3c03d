"""Public corpora that list their clips in a table with a header."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import Layout, check_choice, header_table, load_clips, with_partition
from voicelstm.datasets._records import Records
from voicelstm.datasets._table import Format

__all__ = [
    "load_deepfake_eval_2024",
    "load_fakeavceleb",
    "load_famous_figures",
    "load_in_the_wild",
    "load_spoofceleb",
]

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
        header_table({"file": "clip", "speaker": "speaker", "label": "key"}, _CSV),
        title="In-the-Wild",
        where=where,
        labels={"bona-fide": "human", "bonafide": "human", "spoof": "synthetic"},
        return_X_y=return_X_y,
    )


def load_spoofceleb(
    path: str | os.PathLike[str],
    partition: str = "train",
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load SpoofCeleb, speech of VoxCeleb1's speakers and of systems trained on it, from a local copy.

    It is had at https://huggingface.co/datasets/jungjee/spoofceleb, under CC BY 4.0. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder ``spoofceleb`` that the archives make, or the one above it. In it::

            metadata/train.csv                       with the header file,speaker,attack
            flac/train/a00/id10318/YYsxcZ5saac-00002-006.flac
    partition : {"train", "development", "evaluation"}, default="train"
        Part of the corpus. "train" has 2.5 million clips.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"system": ["human", "a06"]}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for the attack "a00", "synthetic" for others.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``, "human"
          or the attack.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the table or recordings are missing, columns are others, rows have another attack than there are or
        than their folder, or stand twice, or there is only one class. The message has the lines and says how
        the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    References
    ----------
    .. [1] J. Jung et al., "SpoofCeleb: speech deepfake detection and SASV in the wild", 2024.
       https://arxiv.org/abs/2409.17285

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_spoofceleb
    >>> table = '''file,speaker,attack
    ... a00/id10318/YYsxcZ5saac-00002-006.flac,id10318,a00
    ... a06/id10318/YYsxcZ5saac-00002-006.flac,id10318,a06
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("a00", "a06"):
    ...         file = Path(folder, "flac/development", name, "id10318/YYsxcZ5saac-00002-006.flac")
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     Path(folder, "metadata").mkdir()
    ...     _ = Path(folder, "metadata/development.csv").write_text(table)
    ...     corpus = load_spoofceleb(folder, "development")
    >>> corpus.groups["system"].tolist()
    ['human', 'a06']
    """
    check_choice("partition", partition, ("train", "development", "evaluation"))
    homes = ("", "spoofceleb/")
    laid_out = (
        f"SpoofCeleb is laid out as spoofceleb/metadata/{partition}.csv, with the header file,speaker,attack,"
        f" and spoofceleb/flac/{partition}/FILE; path is the folder spoofceleb, or the one above it."
    )
    return load_clips(
        Path(path),
        Layout(
            [f"{home}metadata/{partition}.csv" for home in homes],
            [f"{home}flac/{partition}" for home in homes],
            laid_out,
        ),
        _spoofceleb,
        title=f"SpoofCeleb {partition}",
        labels={f"a{number:02}": "synthetic" if number else "human" for number in range(100)},
        where=where,
        key_is_folder=True,
        return_X_y=return_X_y,
    )


def _spoofceleb(path: Path, problems: Problems) -> Records:
    records = header_table({"file": "clip", "speaker": "speaker", "attack": "key"}, _CSV)(path, problems)
    return records.adding(system=records.columns["key"])


def load_deepfake_eval_2024(
    path: str | os.PathLike[str],
    partition: str | None = None,
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the audio of Deepfake-Eval-2024, from social media, from a local copy.

    It is had at https://huggingface.co/datasets/nuriachandra/Deepfake-Eval-2024 upon request, under CC BY-SA
    4.0. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder of the copy, or the one above it, ``Deepfake-Eval-2024``. In it::

            audio-metadata-publish.csv     with the columns Filename, Finetuning Set and Ground Truth
            audio-data/                    wav, mp3 and m4a, and films: mp4, four of them called .dat
    partition : {"train", "test"} or None, default=None
        The column "Finetuning Set", upper and lower case alike. None is both: its authors measure on all.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "Real", "synthetic" for "Fake".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"partition"``, "train" or "test",
          and the table's further columns by their names. The corpus says neither who speaks nor which
          systems made clips.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the table or recordings are missing, columns are others, rows have another label or stand twice, or
        there is only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `partition` is none of those above, or `where` asks for another.

    Notes
    -----
    Recordings last from seconds to many minutes, and a recording of which a part is synthetic is "Fake".

    References
    ----------
    .. [1] N. A. Chandra et al., "Deepfake-Eval-2024: a multi-modal in-the-wild benchmark of deepfakes
       circulated in 2024", 2025. https://arxiv.org/abs/2503.02857

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_deepfake_eval_2024
    >>> table = '''Filename,Finetuning Set,Ground Truth
    ... one.m4a,Train,Real
    ... two.mp4,Test,Fake
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "audio-data").mkdir()
    ...     for name in ("one.m4a", "two.mp4"):
    ...         Path(folder, "audio-data", name).touch()
    ...     _ = Path(folder, "audio-metadata-publish.csv").write_text(table)
    ...     corpus = load_deepfake_eval_2024(folder)
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    >>> corpus.groups["partition"].tolist()
    ['train', 'test']
    """
    check_choice("partition", partition, ("train", "test", None))
    homes = ("", "Deepfake-Eval-2024/")
    table = "audio-metadata-publish.csv"
    laid_out = (
        f"Deepfake-Eval-2024 is laid out as {table}, with the columns Filename, Finetuning Set and Ground "
        "Truth, and audio-data/FILENAME; path is the folder that holds both, or the one above it."
    )
    return load_clips(
        Path(path),
        Layout([f"{home}{table}" for home in homes], [f"{home}audio-data" for home in homes], laid_out),
        _deepfake_eval,
        title=f"Deepfake-Eval-2024 {partition or 'train and test'}",
        labels={"real": "human", "fake": "synthetic"},
        where=with_partition(where, "partition", partition),
        return_X_y=return_X_y,
    )


def _deepfake_eval(path: Path, problems: Problems) -> Records:
    names = {"Filename": "clip", "Finetuning Set": "partition", "Ground Truth": "key"}
    records = header_table(names, _CSV, further=True)(path, problems)
    lower = {name: [cell.lower() for cell in records.columns[name]] for name in ("partition", "key")}
    return records.adding(**lower)


def load_fakeavceleb(
    path: str | os.PathLike[str],
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the sound of FakeAVCeleb, films of celebrities with other faces or voices, from a local copy.

    It is had from its authors upon request: https://github.com/DASH-Lab/FakeAVCeleb, where its terms stand.
    Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that holds ``meta_data.csv``, such as ``FakeAVCeleb_v1.2``, or the one above it::

            meta_data.csv              its last column, which has no name, is the folder of each film
            RealVideo-RealAudio/African/men/id00076/00109.mp4
    where : dict of str to object, default=None
        Which films to keep, as for :func:`load_csv`, by group: ``{"type": ["RealVideo-RealAudio",
        "RealVideo-FakeAudio"]}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths of films in the table's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). The sound's label: "human" if the type ends in
          "-RealAudio", "synthetic" if it ends in "-FakeAudio".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``, the column "source";
          ``"type"``, ``"method"``, ``"category"``, ``"race"`` and ``"gender"`` as the table has them. The
          method says how the picture was made, too, and of a film with its own sound that alone.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the table or films are missing, columns are others, rows have another type than there are or than
        their folder, or name a film twice with two types, or there is only one class. The message has the
        lines and says how the corpus is laid out.

    Notes
    -----
    Version 1.2 has 22 films twice in its table, with two methods. The first row of each counts, and ``DESCR``
    says how many were left out. Films with a false picture and their own sound ("FakeVideo-RealAudio") repeat
    the sound of the true film: keep each speaker on one side of a split.

    References
    ----------
    .. [1] H. Khalid et al., "FakeAVCeleb: a novel audio-video multimodal deepfake dataset", NeurIPS 2021,
       datasets and benchmarks. https://arxiv.org/abs/2108.05080

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_fakeavceleb
    >>> table = '''source,target1,target2,method,category,type,race,gender,path,
    ... id1,-,-,real,A,RealVideo-RealAudio,African,men,1.mp4,FakeAVCeleb/RealVideo-RealAudio/African/men/id1
    ... id1,-,-,rtvc,B,RealVideo-FakeAudio,African,men,1.mp4,FakeAVCeleb/RealVideo-FakeAudio/African/men/id1
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("RealVideo-RealAudio", "RealVideo-FakeAudio"):
    ...         Path(folder, name, "African/men/id1").mkdir(parents=True)
    ...         Path(folder, name, "African/men/id1/1.mp4").touch()
    ...     _ = Path(folder, "meta_data.csv").write_text(table)
    ...     corpus = load_fakeavceleb(folder)
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    """
    homes = ("", "FakeAVCeleb/", "FakeAVCeleb_v1.2/", "FakeAVCeleb_v1.2/FakeAVCeleb/")
    laid_out = (
        "FakeAVCeleb is laid out as meta_data.csv, whose last column, without a name, is a folder such as "
        "FakeAVCeleb/RealVideo-RealAudio/African/men/id00076, and beside it that folder, from its second "
        "part on; path is the folder of meta_data.csv, or the one above it."
    )
    videos = [f"{video}Video-{audio}Audio" for audio in ("Real", "Fake") for video in ("Real", "Fake")]
    return load_clips(
        Path(path),
        Layout([f"{home}meta_data.csv" for home in homes], [home or "." for home in homes], laid_out),
        _fakeavceleb,
        title="FakeAVCeleb",
        labels={each: "human" if each.endswith("-RealAudio") else "synthetic" for each in videos},
        where=where,
        repeated=True,
        key_is_folder=True,
        return_X_y=return_X_y,
    )


def _fakeavceleb(path: Path, problems: Problems) -> Records:
    names = {"source": "speaker", "type": "key", "path": "clip", "": ""}
    names |= {name: name for name in ("method", "category", "race", "gender")}
    records = header_table(names, _CSV)(path, problems)
    columns = dict(records.columns)
    # The folder that the archive made stands before each path, whatever it was renamed to.
    folders = [folder.removeprefix("FakeAVCeleb/").rstrip("/") for folder in columns.pop("")]
    clips = [f"{folder}/{name}" for folder, name in zip(folders, columns["clip"], strict=True)]
    return Records({**columns, "clip": clips, "type": columns["key"]}, records.lines)


def load_famous_figures(
    path: str | os.PathLike[str],
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load Famous Figures, ten public figures and systems that speak in their voices, from a local copy.

    It is had at https://huggingface.co/datasets/issf/famousfigures upon request, where its terms stand.
    Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder ``famousfigures``, or the one above it. In it::

            protocol.txt               tabs; AudioName, Speaker, Source, Label, AudioPath
            Donald_Trump/Bonafide/*.wav
            Donald_Trump/SOURCE/*.wav
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"speaker": "Donald_Trump"}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the protocol's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "bonafide" or "bona-fide", "synthetic"
          for "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``, "human"
          or the source.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the protocol or recordings are missing, columns are others, rows have another label or stand twice,
        or there is only one class. The message has the lines and says how the corpus is laid out.

    Notes
    -----
    Paths in the protocol are those of its authors' disk: of each, the last three parts count. For human clips
    the protocol has "-" in the place of the folder ``Bonafide``.

    References
    ----------
    .. [1] H. Ali et al., "Collecting, curating, and annotating good quality speech deepfake dataset for
       famous figures: process and challenges", 2025. https://arxiv.org/abs/2507.00324

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_famous_figures
    >>> rows = '''AudioName Speaker Source Label AudioPath
    ... 1.wav Donald_Trump - bonafide /data/famousfigures/Donald_Trump/-/1.wav
    ... 2.wav Donald_Trump xtts spoof /data/famousfigures/Donald_Trump/xtts/2.wav
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("Bonafide/1.wav", "xtts/2.wav"):
    ...         file = Path(folder, "Donald_Trump", name)
    ...         file.parent.mkdir(parents=True)
    ...         file.touch()
    ...     _ = Path(folder, "protocol.txt").write_text(rows.replace(" ", chr(9)))
    ...     corpus = load_famous_figures(folder)
    >>> corpus.groups["system"].tolist()
    ['human', 'xtts']
    """
    homes = ("", "famousfigures/")
    laid_out = (
        "Famous Figures is laid out as protocol.txt, with the columns AudioName, Speaker, Source, Label and "
        "AudioPath between tabs, and SPEAKER/SOURCE/*.wav beside it; path is the folder famousfigures, or "
        "the one above it."
    )
    return load_clips(
        Path(path),
        Layout([f"{home}protocol.txt" for home in homes], [home or "." for home in homes], laid_out),
        _famous_figures,
        title="Famous Figures",
        labels={"bonafide": "human", "bona-fide": "human", "spoof": "synthetic"},
        where=where,
        return_X_y=return_X_y,
    )


def _famous_figures(path: Path, problems: Problems) -> Records:
    names = {"Speaker": "speaker", "Source": "system", "Label": "key", "AudioPath": "clip"}
    records = header_table(names, Format(delimiter="\t", quoting=False))(path, problems)
    clips = []
    for written in records.columns["clip"]:
        parts = written.replace("\\", "/").split("/")[-3:]
        clips.append("/".join("Bonafide" if part == "-" else part for part in parts))
    return records.adding(clip=clips, key=[key.lower() for key in records.columns["key"]])
