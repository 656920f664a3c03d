"""Score files, as the ASVspoof challenges' tools read and write them."""

import math
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

from voicelstm._base import write_whole
from voicelstm.datasets._problems import Problems
from voicelstm.datasets._table import read_text

__all__ = ["read_scores", "write_scores"]

_HEADER = "filename\tcm-score"
_SASV_HEADER = "spk\tfilename\tcm-score\tasv-score\tsasv-score"
_FORMATS = ("asvspoof5", "asvspoof2021", "asvspoof2019")
_READ_ONLY = ("asvspoof5_sasv", "codecfake")
_KEYS = {"human": "bonafide", "synthetic": "spoof", "bonafide": "bonafide", "spoof": "spoof"}
_LABELS = {"bonafide": "human", "human": "human", "spoof": "synthetic"}
_MORE_LABELS = {**_LABELS, "real": "human", "genuine": "human", "fake": "synthetic", "synthetic": "synthetic"}
_LINE = {
    "asvspoof5": "FILENAME, a tab, SCORE",
    "asvspoof5_sasv": "SPEAKER, FILENAME and three scores, with tabs in between",
    "asvspoof2021": "UTTERANCE SCORE",
    "asvspoof2019": "UTTERANCE ATTACK KEY SCORE",
    "codecfake": "UTTERANCE SCORE KEY",
}
#: Where the words of a line stand.
_COLUMNS = {
    "asvspoof5": ("utterance", "score"),
    "asvspoof5_sasv": ("speaker", "utterance", "score", "asv_score", "sasv_score"),
    "asvspoof2021": ("utterance", "score"),
    "asvspoof2019": ("utterance", "system", "key", "score"),
    "codecfake": ("utterance", "score", "key"),
}
#: What pandas, with which the challenges' tools read score files, takes for a missing value.
_MISSING = frozenset(
    {
        "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
        "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    }
)  # fmt: skip


class _Row(NamedTuple):
    line: int
    utterance: str
    score: str
    system: str = ""
    key: str = ""
    speaker: str = ""
    asv_score: str = "0"
    sasv_score: str = "0"


def write_scores(
    path: str | os.PathLike[str],
    utterances: Iterable[str],
    scores: ArrayLike,
    *,
    target: Sequence[str] | np.ndarray | None = None,
    system: Sequence[str] | np.ndarray | None = None,
    format: str = "asvspoof5",  # noqa: A002 - the word that every reader of score files looks for
) -> None:
    r"""Write scores in a format of the ASVspoof challenges.

    **In these files a higher score means more human**; in this library, more synthetic. Give the library's
    scores, log-odds of synthetic, such as those of :func:`~voicelstm.detect`: the file has them with the
    other sign, and :func:`read_scores` turns them round again.

    Parameters
    ----------
    path : str or path-like
        The file. It is replaced only when the new one is complete.
    utterances : iterable of str of length n
        Names of the clips as the challenge has them, without folder and extension:
        ``[Path(file).stem for file in corpus.recordings]``. Each may stand once. "NA", "nan" and the like are
        refused: pandas, with which the challenges' tools read, takes them for missing values.
    scores : array-like of shape (n,)
        Finite log-odds of synthetic; the file gets the same numbers with the other sign.
    target : sequence of str of length n, default=None
        "human" or "synthetic" ("bonafide" or "spoof"). "asvspoof2019" needs it; the other formats have no
        place for it.
    system : sequence of str of length n, default=None
        The attacks: the group "system" of the corpus's loader. "asvspoof2019" needs it; the other formats
        have no place for it. A human clip's is written as "-".
    format : {"asvspoof5", "asvspoof2021", "asvspoof2019"}, default="asvspoof5"
        - "asvspoof5": a header, ``filename`` and ``cm-score``; tabs in between.
        - "asvspoof2021": ``UTTERANCE SCORE``, blanks in between, no header.
        - "asvspoof2019": ``UTTERANCE ATTACK KEY SCORE``, blanks in between, no header; AASIST writes it too.

    Raises
    ------
    ValueError
        Where lengths differ, scores are not finite, names stand twice or would break a line, a label is
        unknown, or the format lacks something or has no place for it. The file is left as it was.

    See Also
    --------
    read_scores : Read them again.

    Notes
    -----
    The order is kept. Numbers are written with as many digits as it takes to read the same float64 again. A
    `decision_function` speaks for ``classes_[1]``, which of the labels "real" and "fake" is "real".

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import write_scores
    >>> with TemporaryDirectory() as folder:
    ...     write_scores(Path(folder, "scores.txt"), ["LA_E_9332881"], [5.8546], format="asvspoof2021")
    ...     Path(folder, "scores.txt").read_text()
    'LA_E_9332881 -5.8546\n'
    """
    _check_format(format, _FORMATS)
    names = [str(name) for name in utterances]
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(names),):
        raise ValueError(f"{len(names)} utterances need scores of shape ({len(names)},), not {values.shape}.")
    _check_names(names, format)
    for position in np.flatnonzero(~np.isfinite(values))[:1]:
        n_bad = int((~np.isfinite(values)).sum())
        raise ValueError(
            f"{n_bad} of {len(names)} scores are no finite number, the first of them {values[position]} at "
            f"position {position} ({names[position]}): leave out clips that could not be scored."
        )
    numbers = [repr(float(value)) for value in _turned(values)]
    if format == "asvspoof2019":
        attacks, keys = _attacks_and_keys(names, target, system)
        lines = [" ".join(words) for words in zip(names, attacks, keys, numbers, strict=True)]
    else:
        if target is not None or system is not None:
            raise ValueError(f"format={format!r} has no place for target or system; 'asvspoof2019' has.")
        between = "\t" if format == "asvspoof5" else " "
        lines = [f"{name}{between}{number}" for name, number in zip(names, numbers, strict=True)]
    if format == "asvspoof5":
        lines.insert(0, _HEADER)
    write_whole(Path(path), "".join(f"{line}\n" for line in lines).encode())


def read_scores(
    path: str | os.PathLike[str],
    *,
    utterances: Iterable[str] | None = None,
    format: str | None = None,  # noqa: A002 - as above
) -> Any:
    """Read a score file of the ASVspoof challenges.

    Parameters
    ----------
    path : str or path-like
        The file.
    utterances : iterable of str, default=None
        Give back these clips in this order, so that the scores stand beside a corpus's labels:
        ``[Path(file).stem for file in corpus.recordings]``, or of Codecfake's files, whose names end in
        ``.wav``, ``[Path(file).name for file in corpus.recordings]``. Every one must be in the file; others
        in the file are passed over. None is all in the file's order, whatever it is.
    format : str, default=None
        One of those of :func:`write_scores`, or of these. None goes by the first line: a header, or how many
        words it has.

        - "asvspoof5_sasv": a header, ``spk``, ``filename``, ``cm-score``, ``asv-score`` and ``sasv-score``,
          in any order; tabs in between. Track 2 of ASVspoof 5.
        - "codecfake": ``UTTERANCE SCORE KEY``, blanks in between, no header.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``utterances`` : ndarray of str of shape (n,).
        - ``scores`` : float64 ndarray of shape (n,). **Higher means more synthetic**, as everywhere in this
          library: these are the numbers of the file with the other sign, since in the challenges' files
          higher means more human. The scores of another system need not be log-odds.
        - ``format`` : str.
        - ``target`` : ndarray of str of shape (n,), from "asvspoof2019" and "codecfake". "human" if the key
          is "bonafide" or "human", of "codecfake" also "real" or "genuine"; "synthetic" if it is "spoof", of
          "codecfake" also "fake" or "synthetic".
        - ``system`` : ndarray of str of shape (n,), from "asvspoof2019". "human" or the attack.
        - ``speaker``, ``asv_scores``, ``sasv_scores`` : ndarrays of shape (n,), from "asvspoof5_sasv". The
          speaker that the clip claims to be, and the scores of accepting it, as the file has them. A clip may
          stand once for each speaker.

    Raises
    ------
    DatasetError
        If the file is missing, empty or a key instead of scores; a line has other columns, a score that is no
        finite number, a key that is unknown, or a name such as "NA", which stands for a missing value; a clip
        stands twice, is missing, or is asked for and has several scores. The message has the lines.
    ValueError
        If `format` is none of those above.

    See Also
    --------
    write_scores : Write them.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from voicelstm.datasets import read_scores
    >>> text = '''LA_E_2834763 A11 spoof -1.5
    ... LA_E_5849185 - bonafide 2.25
    ... '''
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "scores.txt").write_text(text)
    ...     scores = read_scores(Path(folder, "scores.txt"))
    >>> scores.format, scores.scores.tolist(), scores.target.tolist()
    ('asvspoof2019', [1.5, -2.25], ['synthetic', 'human'])
    """
    if format is not None:
        _check_format(format, (*_FORMATS, *_READ_ONLY))
    source = Path(path)
    problems = Problems(str(source))
    text = read_text(source, problems)
    lines = [(number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip()]
    if not lines:
        problems.add("No lines", "the file is empty", "Each clip needs a line.")
    problems.raise_any()
    chosen = format or _recognised(lines[0][1], problems)
    rows = _rows(lines, chosen, problems)
    values = [_number(row, row.score, problems) for row in rows]
    for row in rows:
        _number(row, row.asv_score, problems)
        _number(row, row.sasv_score, problems)
    _note_repeated(rows, problems)
    problems.raise_any()

    order = range(len(rows)) if utterances is None else _positions(rows, values, utterances, problems)
    problems.raise_any()
    kept = [rows[at] for at in order]
    scores = Bunch(
        utterances=np.array([row.utterance for row in kept], dtype=str),
        scores=_turned(np.array([values[at] for at in order], dtype=np.float64)),
        format=chosen,
    )
    if chosen in ("asvspoof2019", "codecfake"):
        scores.target = np.array([_MORE_LABELS[row.key] for row in kept], dtype=str)
    if chosen == "asvspoof2019":
        systems = zip(scores.target, (row.system for row in kept), strict=True)
        scores.system = np.array(
            ["human" if label == "human" else system for label, system in systems], dtype=str
        )
    if chosen == "asvspoof5_sasv":
        scores.speaker = np.array([row.speaker for row in kept], dtype=str)
        scores.asv_scores = np.array([float(row.asv_score) for row in kept])
        scores.sasv_scores = np.array([float(row.sasv_score) for row in kept])
    return scores


def _turned(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return scores with the other sign; 0 has none."""
    return 0.0 - scores


def _check_format(kind: str, formats: Sequence[str]) -> None:
    if kind not in formats:
        raise ValueError(f"format={kind!r} is none of {', '.join(map(repr, formats))}.")


def _check_names(names: list[str], kind: str) -> None:
    # tabs and line ends would break a line of any format; blanks only where they are the separator
    breaks: Callable[[str], bool] = (
        (lambda name: name.splitlines() != [name] or "\t" in name or name != name.strip())
        if kind == "asvspoof5"
        else (lambda name: name.split() != [name])
    )
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        if breaks(name):
            raise ValueError(
                f"The name {name!r} at position {position} cannot stand in a line {_LINE[kind]}."
            )
        if name in _MISSING:
            raise ValueError(
                f"The name {name!r} at position {position} would be read as a missing value by pandas, with"
                " which the challenges' tools read: give the clip's name, or leave it out."
            )
        if name in first:
            raise ValueError(f"The name {name!r} stands at positions {first[name]} and {position}.")
        first[name] = position


def _attacks_and_keys(
    names: list[str],
    target: Sequence[str] | np.ndarray | None,
    system: Sequence[str] | np.ndarray | None,
) -> tuple[list[str], list[str]]:
    if target is None or system is None:
        raise ValueError(f"format='asvspoof2019' writes {_LINE['asvspoof2019']}: give target and system.")
    labels, attacks = [str(label) for label in target], [str(attack) for attack in system]
    if not len(names) == len(labels) == len(attacks):
        raise ValueError(f"{len(names)} utterances, {len(labels)} targets and {len(attacks)} systems.")
    for position, label in enumerate(labels):
        if label not in _KEYS:
            raise ValueError(f"target[{position}] is {label!r}: expected 'human' or 'synthetic'.")
    keys = [_KEYS[label] for label in labels]
    attacks = ["-" if key == "bonafide" else attack for key, attack in zip(keys, attacks, strict=True)]
    for position, attack in enumerate(attacks):
        if attack.split() != [attack]:
            raise ValueError(f"system[{position}] is {attack!r}: it must be one word.")
    return attacks, keys


def _recognised(first: str, problems: Problems) -> str:
    words = first.split()
    if words == ["filename", "cm-label"]:
        problems.add("This is a key", repr(first), "It has the labels; the scores are in another file.")
    elif set(words) == set(_SASV_HEADER.split()):
        return "asvspoof5_sasv"
    elif words[:2] == ["filename", "cm-score"]:
        return "asvspoof5"
    elif len(words) in (2, 3, 4):
        return {2: "asvspoof2021", 3: "codecfake", 4: "asvspoof2019"}[len(words)]
    else:
        known = "; ".join(f"{name}: {line}" for name, line in _LINE.items())
        problems.add(
            "No known format", f"the first line: {first[:80]!r}", f"{known}, below a header in asvspoof5."
        )
    raise problems.error()


def _rows(lines: list[tuple[int, str]], kind: str, problems: Problems) -> list[_Row]:
    columns, labels = _COLUMNS[kind], _LABELS if kind == "asvspoof2019" else _MORE_LABELS
    headers = {"asvspoof5": _HEADER, "asvspoof5_sasv": _SASV_HEADER}
    if kind in headers:
        (number, header), *lines = lines
        expected = headers[kind].split("\t")
        found = header.rstrip().split("\t")
        if sorted(found) != sorted(expected):
            problems.add("Another header", f"line {number}: {header[:80]!r}", f"Expected {headers[kind]!r}.")
            problems.raise_any()
        columns = tuple(columns[expected.index(name)] for name in found)
        if not lines:
            problems.add("No scores", "there is nothing below the header", "Each clip needs a line.")
    rows = []
    for number, line in lines:
        words = line.rstrip("\r\n").split("\t") if kind in headers else line.split()
        if len(words) != len(columns):
            problems.add(
                "Lines with other columns", f"line {number}: {line[:80]!r}", f"Expected {_LINE[kind]}."
            )
            continue
        row = _Row(number, **dict(zip(columns, words, strict=True)))
        if "key" in columns and row.key not in labels:
            remedy = f"Expected one of {', '.join(map(repr, labels))}."
            problems.add("Lines without a key", f"line {number}: {row.key!r}", remedy)
        if row.utterance in _MISSING or not row.utterance:
            remedy = "That is how pandas writes a missing value, and reads it: write the clip's own name."
            problems.add("Lines without the name of a clip", f"line {number}: {row.utterance!r}", remedy)
        rows.append(row)
    return rows


def _number(row: _Row, score: str, problems: Problems) -> float:
    try:
        value = float(score)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        place = f"line {row.line}: {row.utterance}: {score!r}"
        problems.add("Scores that are no finite number", place, "Score these clips again, or leave them out.")
    return value


def _note_repeated(rows: list[_Row], problems: Problems) -> None:
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        line = first.setdefault((row.speaker, row.utterance), row.line)
        if line != row.line:
            place = f"line {line} = line {row.line}: {row.speaker} {row.utterance}".replace(":  ", ": ")
            problems.add("The same clip more than once", place, "Keep one line of each.")


def _positions(
    rows: list[_Row], values: list[float], utterances: Iterable[str], problems: Problems
) -> list[int]:
    position: dict[str, int] = {}
    several: dict[str, int] = {}
    for at, row in enumerate(rows):
        first = position.setdefault(row.utterance, at)
        if values[first] != values[at]:
            several.setdefault(row.utterance, at)
    asked = [str(name) for name in utterances]
    for name in asked:
        if name not in position:
            problems.add(
                "Clips without a score",
                name,
                f"The file has {len(rows)} clips, such as {rows[0].utterance}.",
            )
        elif name in several:
            place = f"line {rows[position[name]].line} and line {rows[several[name]].line}: {name}"
            problems.add("Clips with several scores", place, "Leave utterances None, and choose among them.")
    return [position[name] for name in asked if name in position]
