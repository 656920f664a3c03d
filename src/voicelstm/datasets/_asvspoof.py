"""The ASVspoof challenges of 2019, 2021 and 2024: their protocols and keys, as they lie after unpacking."""

import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voicelstm.datasets._problems import Problems
from voicelstm.datasets._protocol import (
    LABELS,
    Layout,
    check_choice,
    load_clips,
    named_words,
    read_lines,
    with_partition,
    words,
)
from voicelstm.datasets._records import Records

__all__ = ["load_asvspoof5", "load_asvspoof2019", "load_asvspoof2021"]

_COLUMNS_2019 = {
    "LA": ("speaker", "clip", "", "system", "key"),
    "PA": ("speaker", "clip", "environment", "system", "key"),
}
_COLUMNS_2021 = {
    "LA": ("speaker", "clip", "codec", "transmission", "system", "key", "trim", "subset"),
    "DF": (
        "speaker", "clip", "codec", "source", "system", "key", "trim", "subset", "vocoder", "task",
        "team", "gender_pair", "language",
    ),
    "PA": (
        "speaker", "clip", "asv_room", "asv_microphone", "asv_distance", "attacker_room",
        "attacker_microphone", "replay_device", "attacker_distance", "key", "trim", "subset",
    ),
}  # fmt: skip
_COLUMNS_5 = (
    "speaker", "clip", "gender", "codec", "codec_quality", "original", "attack_tag", "system", "key", ""
)  # fmt: skip


def load_asvspoof2019(
    path: str | os.PathLike[str],
    scenario: str = "LA",
    partition: str = "train",
    *,
    where: Mapping[str, object] | None = None,
    protocol: str | os.PathLike[str] | None = None,
    audio_dir: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load ASVspoof 2019 from a local copy.

    It is had at https://doi.org/10.7488/ds/2555, under the licence ODC-By. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that ``LA.zip`` or ``PA.zip`` was unpacked to: ``LA/`` itself or the one above it. In it::

            LA/ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt
            LA/ASVspoof2019_LA_train/flac/LA_T_1138215.flac
    scenario : {"LA", "PA"}, default="LA"
        Logical access: speech synthesis and voice conversion. Physical access: speech that was replayed
        through loudspeakers, which this corpus simulates. **Replayed speech was spoken by a human**, but its
        key is "spoof", so that here it is labelled "synthetic" too.
    partition : {"train", "dev", "eval"}, default="train"
        Systems of "eval" are, but for two, other than those of "train" and "dev". Speakers of the three
        differ.
    where : dict of str to object, default=None
        Which trials to keep: name of a group to the value that it must have, or to several of which it must
        have one, such as ``{"system": ["human", "A01"]}``. The files of others need not be there.
    protocol, audio_dir : str or path-like, default=None
        Protocol and folder of the audio, where they lie elsewhere.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the protocol's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" where the key is "bonafide", "synthetic"
          where it is "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``: "human",
          or "A01" to "A19" (LA), or two letters for distance and quality of the replay (PA); for PA
          ``"environment"``, three letters for room, reverberation and distance.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the protocol or audio files are missing, lines of the protocol are bad or name a clip twice, no
        trial is left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `scenario` or `partition` is none of those above.

    See Also
    --------
    load_asvspoof2021 : The same attacks after telephony and compression.

    References
    ----------
    .. [1] X. Wang et al., "ASVspoof 2019: a large-scale public database of synthesized, converted and
       replayed speech", Computer Speech & Language 64, 2020. https://doi.org/10.7488/ds/2555

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_asvspoof2019
    >>> protocol = '''LA_0079 LA_T_1138215 - - bonafide
    ... LA_0079 LA_T_1004407 - A01 spoof
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "ASVspoof2019_LA_cm_protocols/ASVspoof2019.LA.cm.train.trn.txt": protocol,
    ...         "ASVspoof2019_LA_train/flac/LA_T_1138215.flac": "",
    ...         "ASVspoof2019_LA_train/flac/LA_T_1004407.flac": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_asvspoof2019(folder, "LA", "train")
    >>> corpus.target.tolist()
    ['human', 'synthetic']
    >>> corpus.groups["system"].tolist()
    ['human', 'A01']
    """
    check_choice("scenario", scenario, _COLUMNS_2019)
    check_choice("partition", partition, ("train", "dev", "eval"))
    listed = f"ASVspoof2019.{scenario}.cm.{partition}.{'trn' if partition == 'train' else 'trl'}.txt"
    below = f"ASVspoof2019_{scenario}_cm_protocols/{listed}"
    audio = f"ASVspoof2019_{scenario}_{partition}/flac"
    laid_out = (
        f"ASVspoof 2019 is laid out as {scenario}/{below} and {scenario}/{audio}/*.flac; path is the folder "
        f"{scenario}, or the one above it; protocol and audio_dir name other places."
    )
    return load_clips(
        Path(path),
        Layout((below, f"{scenario}/{below}"), (audio, f"{scenario}/{audio}"), laid_out, ".flac"),
        words(*_COLUMNS_2019[scenario]),
        title=f"ASVspoof 2019 {scenario} {partition}",
        where=where,
        protocol=protocol,
        audio_dir=audio_dir,
        return_X_y=return_X_y,
    )


def load_asvspoof2021(
    path: str | os.PathLike[str],
    track: str = "LA",
    partition: str | None = "eval",
    *,
    where: Mapping[str, object] | None = None,
    protocol: str | os.PathLike[str] | None = None,
    audio_dir: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load the evaluation data of ASVspoof 2021 from a local copy, with its keys.

    The audio is had at https://zenodo.org/records/4837263 (LA), 4834716 (PA) and 4835108 (DF), under the
    licence ODC-By, the keys at https://www.asvspoof.org/index2021.html. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that audio and keys (``LA-keys-full.tar.gz``, ``PA-keys-full.tar.gz``,
        ``DF-keys-full.tar.gz``) were unpacked to::

            ASVspoof2021_LA_eval/flac/LA_E_9332881.flac
            keys/LA/CM/trial_metadata.txt

        The parts of DF and PA may lie in one folder, or each in its own (``ASVspoof2021_DF_eval_part00/``
        ...). Keys are looked for in the folder of the audio too.
    track : {"LA", "DF", "PA"}, default="LA"
        Logical access: speech after telephony. DF: speech after lossy compression. Physical access: speech
        that was replayed in rooms. **Replayed speech was spoken by a human**, but its key is "spoof", so that
        here it is labelled "synthetic" too.
    partition : {"eval", "progress", "hidden"} or None, default="eval"
        The column "subset" of the key. Results are published on "eval". "hidden" has its silence cut off.
        None is all three, of which `where` may choose.
    where : dict of str to object, default=None
        Which trials to keep: name of a group to the value that it must have, or to several of which it must
        have one, such as ``{"codec": ["none", "alaw"]}``. The files of others need not be there.
    protocol, audio_dir : str or path-like, default=None
        The file ``trial_metadata.txt`` and the folder of the audio, where they lie elsewhere.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the key's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" where the key is "bonafide", "synthetic"
          where it is "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``, "human"
          or the attack, such as "A07" or "Task1-team20"; and as the key has them ``"trim"`` ("trim" or
          "notrim") and ``"subset"``. For LA and DF ``"codec"``; for LA ``"transmission"``; for DF
          ``"source"`` ("asvspoof", "vcc2018", "vcc2020"), ``"vocoder"`` ("traditional_vocoder", "bonafide"
          ...) and, of the voice conversion challenges' clips, ``"task"``, ``"team"``, ``"gender_pair"`` and
          ``"language"``, "-" for others. For PA ``"asv_room"``, ``"asv_microphone"``, ``"asv_distance"``,
          ``"attacker_room"``, ``"attacker_microphone"``, ``"replay_device"``, which is also the system, and
          ``"attacker_distance"``.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the key or audio files are missing, lines of the key are bad or name a clip twice, no trial is
        left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `track` or `partition` is none of those above, or `where` asks for another "subset".

    See Also
    --------
    load_asvspoof2019 : What to train on for this evaluation.
    voicelstm.datasets.write_scores : Scores as the challenge's tools read them.

    References
    ----------
    .. [1] X. Liu et al., "ASVspoof 2021: towards spoofed and deepfake speech detection in the wild",
       IEEE/ACM TASLP 31, 2023. https://arxiv.org/abs/2210.02437. The columns are explained in
       ``eval-package/README.md`` of https://github.com/asvspoof-challenge/2021.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_asvspoof2021
    >>> key = '''LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
    ... LA_0020 LA_E_7294490 g722 loc_tx bonafide bonafide notrim eval
    ... LA_0020 LA_E_1000381 g722 loc_tx bonafide bonafide trim hidden
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "keys/LA/CM/trial_metadata.txt": key,
    ...         "ASVspoof2021_LA_eval/flac/LA_E_9332881.flac": "",
    ...         "ASVspoof2021_LA_eval/flac/LA_E_7294490.flac": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_asvspoof2021(folder, "LA")
    >>> corpus.groups["codec"].tolist()
    ['alaw', 'g722']
    """
    check_choice("track", track, _COLUMNS_2021)
    check_choice("partition", partition, ("eval", "progress", "hidden", None))
    home = f"ASVspoof2021_{track}_eval"
    keys = (
        f"keys/{track}/CM/trial_metadata.txt",
        f"{track}-keys-full/keys/{track}/CM/trial_metadata.txt",
        "keys/CM/trial_metadata.txt",  # as the stage-1 keys were packed
        f"{track}-keys-stage-1/keys/CM/trial_metadata.txt",
        "trial_metadata.txt",
    )
    laid_out = (
        f"ASVspoof 2021 is laid out as {home}/flac/*.flac and keys/{track}/CM/trial_metadata.txt (from "
        f"{track}-keys-full.tar.gz, a download of its own); protocol and audio_dir name other places."
    )
    return load_clips(
        Path(path),
        Layout(
            (*keys, *(f"{home}/{key}" for key in keys)),
            (f"{home}/flac", f"{home}_part*/{home}/flac", f"{home}_part*/flac", "flac"),
            laid_out,
            ".flac",
        ),
        {"LA": words(*_COLUMNS_2021["LA"]), "DF": _df, "PA": _pa}[track],
        title=f"ASVspoof 2021 {track} {partition or 'eval, progress and hidden'}",
        where=with_partition(where, "subset", partition),
        protocol=protocol,
        audio_dir=audio_dir,
        return_X_y=return_X_y,
    )


def _df(path: Path, problems: Problems) -> Records:
    """Read a key of DF, whose first release ends before the columns of the VCC's teams."""
    lines = read_lines(path, problems)
    names = _COLUMNS_2021["DF"]
    return named_words(
        lines, names if any(len(cells) == len(names) for _, cells in lines) else names[:9], problems
    )


def _pa(path: Path, problems: Problems) -> Records:
    """Read a key of PA, whose systems are the devices that replayed."""
    records = words(*_COLUMNS_2021["PA"])(path, problems)
    return records.adding(system=records.columns["replay_device"])


def load_asvspoof5(
    path: str | os.PathLike[str],
    partition: str = "train",
    *,
    where: Mapping[str, object] | None = None,
    protocol: str | os.PathLike[str] | None = None,
    audio_dir: str | os.PathLike[str] | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load ASVspoof 5 (2024), track 1, from a local copy.

    It is had at https://zenodo.org/records/14498691, with its licence beside it. Nothing is downloaded.

    Parameters
    ----------
    path : str or path-like
        The folder that the archives were unpacked to::

            flac_T/T_0000000000.flac                 flac_D and flac_E_eval likewise, here or in
                                                     ASVspoof5_train/, ASVspoof5_dev/, ASVspoof5_eval/
            ASVspoof5.train.tsv                      here, or in ASVspoof5_protocols/ or protocols/
    partition : {"train", "dev", "eval"}, default="train"
        Speakers and systems of the three differ. Only "eval" has codecs.
    where : dict of str to object, default=None
        Which trials to keep: name of a group to the value that it must have, or to several of which it must
        have one, such as ``{"codec": "-"}``. The files of others need not be there.
    protocol, audio_dir : str or path-like, default=None
        Protocol and folder of the audio, where they lie elsewhere.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of str. Paths in the protocol's order. None was opened.
        - ``target`` : ndarray of shape (n_recordings,). "human" where the key is "bonafide", "synthetic"
          where it is "spoof".
        - ``groups`` : dict of str to ndarray of shape (n_recordings,). ``"speaker"``; ``"system"``, "human"
          or "A01" to "A32"; where the protocol has them ``"gender"``, ``"codec"`` ("-" for none),
          ``"codec_quality"``, ``"original"`` (the clip of which this is a coded copy: copies of one clip
          belong on one side of a split) and ``"attack_tag"``.
        - ``DESCR`` : str.

    Raises
    ------
    DatasetError
        If the protocol or audio files are missing, lines of the protocol are bad or name a clip twice, no
        trial is left, or only one class. The message has the lines and says how the corpus is laid out.
    ValueError
        If `partition` is none of those above.

    See Also
    --------
    voicelstm.datasets.write_scores : Scores as the challenge's tools read them.

    Notes
    -----
    Releases differ in their columns: the final one has ten, earlier ones five or six, between blanks
    whatever the files' extension says. So the key is the column with the most "bonafide" and "spoof", of
    several such the last; the attack stands before it.

    References
    ----------
    .. [1] X. Wang et al., "ASVspoof 5: design, collection and validation of resources for spoofing, deepfake,
       and adversarial attack detection using crowdsourced speech", 2025. https://arxiv.org/abs/2502.08857

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import load_asvspoof5
    >>> protocol = '''E_1607 E_0009538969 M C05 2 E_0009486171 AC1 A26 spoof -
    ... E_2040 E_0000000034 F - - - - bonafide bonafide -
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     files = {
    ...         "ASVspoof5.eval.track_1.tsv": protocol,
    ...         "flac_E_eval/E_0009538969.flac": "",
    ...         "flac_E_eval/E_0000000034.flac": "",
    ...     }
    ...     for name, text in files.items():
    ...         Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
    ...         _ = Path(folder, name).write_text(text)
    ...     corpus = load_asvspoof5(folder, "eval")
    >>> corpus.target.tolist()
    ['synthetic', 'human']
    >>> corpus.groups["codec"].tolist()
    ['C05', '-']
    """
    letters = {"train": "T", "dev": "D", "eval": "E"}
    check_choice("partition", partition, letters)
    listed = f"ASVspoof5.{partition}.tsv" if partition == "train" else f"ASVspoof5.{partition}.track_1.tsv"
    earlier = f"ASVspoof5.{partition}.metadata.txt"
    flac = f"flac_{letters[partition]}"
    unpacked = ("flac_E_eval", "flac_E") if partition == "eval" else (flac,)
    laid_out = (
        f"ASVspoof 5 is laid out as {listed}, here or in ASVspoof5_protocols/ or protocols/, and "
        f"{unpacked[0]}/*.flac, here or in ASVspoof5_{partition}/; protocol and audio_dir name other places."
    )
    return load_clips(
        Path(path),
        Layout(
            [
                f"{folder}{name}"
                for name in (listed, earlier)
                for folder in ("", "ASVspoof5_protocols/", "protocols/")
            ],
            (
                *unpacked,
                *(f"ASVspoof5_{partition}/{name}" for name in unpacked),
                *(f"{flac}_*/{name}" for name in unpacked),
            ),
            laid_out,
            ".flac",
        ),
        _by_key,
        title=f"ASVspoof 5 {partition}",
        where=where,
        protocol=protocol,
        audio_dir=audio_dir,
        return_X_y=return_X_y,
    )


def _by_key(path: Path, problems: Problems) -> Records:
    """Name the columns by where the key stands: the most keys, and of several such the last."""
    lines = read_lines(path, problems)
    width = Counter(len(cells) for _, cells in lines).most_common(1)[0][0]  # one bad line must not decide
    counts = [sum(len(cells) > at and cells[at] in LABELS for _, cells in lines) for at in range(width)]
    key = max(range(width), key=lambda at: (counts[at], at))
    if key < 3 or not counts[key]:
        problems.add(
            "No key",
            f"no column from the fourth on holds 'bonafide' or 'spoof'; line {lines[0][0]}: {lines[0][1]}",
            f"The final release has {' '.join(name.upper() or 'TMP' for name in _COLUMNS_5)}.",
        )
        problems.raise_any()
    names = [""] * width
    names[0], names[1], names[key - 1], names[key] = "speaker", "clip", "system", "key"
    if width == len(_COLUMNS_5) and key == _COLUMNS_5.index("key"):
        names = list(_COLUMNS_5)
    elif key > 3 and all(len(cells) > 2 and cells[2] in ("F", "M") for _, cells in lines):
        names[2] = "gender"
        if key > 4:
            names[3] = "codec"
    return named_words(lines, names, problems)
