"""Public corpora of clips of which only parts are synthetic."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import LABELS, Clips, Layout, check_choice, find_clips, read_lines, words
from voicelstm.datasets._records import Records
from voicelstm.datasets._segments import joined_segments, read_segment_labels, worded_segments

__all__ = ["load_llama_partialspoof", "load_partialspoof"]

_RESOLUTIONS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)


def load_partialspoof(
    path: str | os.PathLike[str],
    partition: str = "train",
    *,
    segments: float | None = None,
    where: Mapping[str, object] | None = None,
    protocol: str | os.PathLike[str] | None = None,
    audio_dir: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load PartialSpoof, clips of ASVspoof 2019 with synthetic parts put in, from a local copy.

    It is had at https://zenodo.org/records/5766198 (version 1.2), under CC BY 4.0. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder ``database`` that the archives make, or the one above it. In it::

            protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.train.trl.txt
            train/con_wav/CON_T_0000000.wav                  dev and eval likewise
            segment_labels/train_seglab_0.16.npy             needed for `segments` alone
    partition : {"train", "dev", "eval"}, default="train"
        The parts of ASVspoof 2019 LA that the clips were made of.
    segments : {0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64} or None, default=None
        Read which parts of each clip are synthetic, to so many seconds.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group.
    protocol, audio_dir : str or path-like, default=None
        Protocol and folder of the audio, if they lie elsewhere.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the protocol's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "bonafide", "synthetic" for "spoof": any
          part of the clip is.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``, "human"
          or what the protocol has in its fourth column.
        - ``segments`` : list of structured arrays with the fields ``start_s``, ``stop_s`` and ``label``
          ("human" or "synthetic"), if `segments` is given. Neighbours of one label are joined.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the protocol, audio files or labels of segments are missing, lines are bad or name a clip twice, no
        clip is left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `partition` or `segments` is none of those above, or `segments` is given with `return_X_y`.

    Notes
    -----
    The files of segments are pickled dicts of arrays. They are read without making an array, or any other
    object, as the pickle asks: only words and whole numbers are taken, and a file with others is refused.

    References
    ----------
    .. [1] L. Zhang et al., "The PartialSpoof database and countermeasures for the detection of short fake
       speech segments embedded in an utterance", IEEE/ACM TASLP 31, 2023.
       https://doi.org/10.1109/TASLP.2022.3233236

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from voicelstm.datasets import load_partialspoof
    >>> protocol = '''LA_0079 LA_T_1138215 - - bonafide
    ... LA_0079 CON_T_0000000 - CON spoof
    ... '''
    >>> labels = {"LA_T_1138215": np.array(["1", "1"]), "CON_T_0000000": np.array(["1", "0", "0"])}
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.train.trl.txt": protocol,
    ...         "train/con_wav/LA_T_1138215.wav": "",
    ...         "train/con_wav/CON_T_0000000.wav": "",
    ...         "segment_labels/README": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     np.save(Path(folder, "segment_labels/train_seglab_0.16.npy"), labels)
    ...     corpus = load_partialspoof(folder, "train", segments=0.16)
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    >>> corpus.segments[1].tolist()
    [(0.0, 0.16, 'human'), (0.16, 0.48, 'synthetic')]
    """
    check_choice("partition", partition, ("train", "dev", "eval"))
    check_choice("segments", segments, (*_RESOLUTIONS, None))
    if segments is not None and return_X_y:
        raise ValueError("return_X_y=True leaves the segments out: leave return_X_y or segments out.")
    root = Path(path)
    homes = ("", "database/")
    listed = f"protocols/PartialSpoof_LA_cm_protocols/PartialSpoof.LA.cm.{partition}.trl.txt"
    laid_out = (
        f"PartialSpoof is laid out as database/{listed} and database/{partition}/con_wav/*.wav; path is the "
        "folder database, or the one above it; protocol and audio_dir name other places."
    )
    clips = find_clips(
        root,
        Layout(
            [f"{home}{listed}" for home in homes],
            [f"{home}{partition}/con_wav" for home in homes],
            laid_out,
            ".wav",
        ),
        words("speaker", "clip", "", "system", "key"),
        title=f"PartialSpoof {partition}",
        where=where,
        protocol=protocol,
        audio_dir=audio_dir,
    )
    bunch = clips.as_corpus(return_X_y=return_X_y)
    if segments is not None:
        name = f"segment_labels/{partition}_seglab_{segments}.npy"
        bunch["segments"] = _segments_of(clips, [root / f"{home}{name}" for home in homes], segments)
    return bunch


def _segments_of(clips: Clips, places: list[Path], seconds: float) -> list[Any]:
    """Return the segments of every clip from the first of some files that is there."""
    source = next((place for place in places if place.is_file()), None)
    problems = Problems(str(source or places[0]))
    if source is None:
        remedy = "Unpack database_segment_labels_v1.2.tar.gz beside the audio, or leave segments None."
        problems.add("There is no such file", " or ".join(map(str, places)), remedy)
        raise problems.error()
    labels = read_segment_labels(source, problems)
    names = clips.records.columns["clip"]
    for name in names:
        if name not in labels:
            problems.add("Clips without labels of segments", name, "Fetch the file of this partition.")
        elif not set(labels[name]) <= {"0", "1"}:
            problems.add("Segments with another label", name, "Expected '1' for bona fide and '0' for spoof.")
    problems.raise_any()
    return [joined_segments(labels[name], seconds) for name in names]


def load_llama_partialspoof(
    path: str | os.PathLike[str],
    partition: str | None = "a",
    *,
    where: Mapping[str, object] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load LlamaPartialSpoof, read speech with parts spoken anew in other words, from a local copy.

    It is had at https://zenodo.org/records/14214149, under CC BY 4.0. Nothing is downloaded. Its authors mean
    it for tests, not for training.

    Parameters
    ----------
    path : str or path-like
        The folder that the archives were unpacked to::

            label_R01TTS.0.a.txt       a line for each clip: its name, duration and key, and its segments
            R01TTS.0.a/*.wav           b likewise
    partition : {"a", "b"} or None, default="a"
        "a" has the human clips, the wholly synthetic ones, and partly synthetic ones whose parts are faded
        into each other; "b" has partly synthetic ones whose parts are cut or added. None is both.
    where : dict of str to object, default=None
        Which clips to keep, as for :func:`load_csv`, by group: ``{"extent": ["human", "full"]}``.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the lists' order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" for "bonafide", "synthetic" for "spoof": any
          part of the clip is.
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``: the second part of the
          name, LibriTTS' number; ``"extent"``: "human", or "full" or "partial", as much of the clip as is
          synthetic.
        - ``segments`` : list of structured arrays with the fields ``start_s``, ``stop_s`` and ``label``
          ("human" or "synthetic").
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If a list or audio files are missing, lines are bad or name a clip twice, no clip is left, or only one
        class, as in "b" alone. The message has the lines and says how the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    References
    ----------
    .. [1] H.-T. Luong et al., "LlamaPartialSpoof: an LLM-driven fake speech dataset simulating disinformation
       generation", ICASSP 2025. https://arxiv.org/abs/2409.14743

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_llama_partialspoof
    >>> labels = '''dev-clean_84_121550_000007_000000 2.50 bonafide 0.00-2.50-bonafide
    ... dev01_84_121550_000007_000000_partial 2.25 spoof 0.00-1.00-bonafide 1.00-2.25-spoof
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "label_R01TTS.0.a.txt").write_text(labels)
    ...     Path(folder, "R01TTS.0.a").mkdir()
    ...     for line in labels.splitlines():
    ...         Path(folder, "R01TTS.0.a", f"{line.split()[0]}.wav").touch()
    ...     corpus = load_llama_partialspoof(folder)
    >>> corpus.groups["extent"].tolist()
    ['human', 'partial']
    >>> corpus.segments[1].tolist()
    [(0.0, 1.0, 'human'), (1.0, 2.25, 'synthetic')]
    """
    check_choice("partition", partition, ("a", "b", None))
    parts = ("a", "b") if partition is None else (partition,)
    laid_out = (
        f"LlamaPartialSpoof is laid out as label_R01TTS.0.{parts[0]}.txt and R01TTS.0.{parts[0]}/*.wav "
        "beside it; path is the folder that holds both."
    )
    clips = find_clips(
        Path(path),
        Layout((f"label_R01TTS.0.{parts[0]}.txt",), [f"R01TTS.0.{each}" for each in parts], laid_out, ".wav"),
        partial(_llama, parts=parts),
        title=f"LlamaPartialSpoof {' and '.join(parts)}",
        where=where,
    )
    segments = clips.records.columns.pop("segments")
    bunch = clips.as_corpus(return_X_y=return_X_y)
    if not return_X_y:
        bunch["segments"] = [worded_segments(text.split(), LABELS) for text in segments]
    return bunch


def _llama(path: Path, problems: Problems, *, parts: tuple[str, ...]) -> Records:
    """Read the list of one part, and that of the other beside it if both are asked for."""
    columns: dict[str, list[str]] = {name: [] for name in ("clip", "key", "speaker", "extent", "segments")}
    lines: list[int] = []
    for each in parts:
        for number, cells in read_lines(path.with_name(f"label_R01TTS.0.{each}.txt"), problems):
            try:
                segments = worded_segments(cells[3:], LABELS)
                name, key, speaker = cells[0], cells[2], cells[0].split("_")[1]
            except (ValueError, IndexError):
                remedy = (
                    "Expected a name with the speaker as its second part, DURATION KEY START-STOP-KEY ..."
                )
                problems.add("Bad lines", f"line {number} of part {each}: {' '.join(cells)[:80]!r}", remedy)
                continue
            synthetic = segments["label"] == "synthetic"
            extent = "human" if key == "bonafide" else "full" if synthetic.all() else "partial"
            row = (name, key, speaker, extent, " ".join(cells[3:]))
            for column, cell in zip(columns.values(), row, strict=True):
                column.append(cell)
            lines.append(number)
    return Records(columns, lines)
