"""The library's sentences in the command's words: options in the place of Python's parameters."""

import re
import shlex
from ast import literal_eval
from collections.abc import Callable
from typing import Any

__all__ = ["about", "in_options"]

#: Parts of the library's sentences that name parameters, and the command's. ``{}`` is a value. A parameter's
#: name alone would be found in names of files and columns, too.
SENTENCES = {
    "none that is channel={}:": "none that is --channel {}:",
    "or choose channel={}.": "or choose --channel {}.",
    "choose one, channel={} or channel={}.": "choose one, --channel {} or --channel {}.",
    "choose one, such as channel={}.": "choose one, such as --channel {}.",
    "s, more than max_duration={} s; cut it, or raise max_duration.": (
        "s, more than the {} s that the detector takes; cut it into parts, or train one with"
        " --set features.max_duration=None."
    ),
    "Check audio_dir.": "Check --audio-dir.",
    "; audio_dir changes that.": "; --audio-dir changes that.",
    "; audio_dir names another folder.": "; --audio-dir names another folder.",
    "path_column={} reads it.": "--path-column {} reads it.",
    "label_column={} reads it.": "--label-column {} reads it.",
    "path_column={} and label_column={} read it.": "--path-column {} and --label-column {} read it.",
    "Where quotes are part of the text, set quoting=False.": (
        "Where quotes are part of the text, double them, and put quotes around the cell."
    ),
    "`where` without columns": "--where without columns",
    "leave `where` out": "leave --where out",
    "`order` without a bare list": "--order without a bare list",
    "leave `order` out": "leave --order out",
    "Say which is meant: order={} or order={}.": "Say which is meant: --order {} or --order {}.",
    "No row matches where={}": "No row matches {where}",
    "set ignore to patterns of": "give --ignore patterns of",
    'and no rows: by=[{}] asks for them': "and no rows: --by {} asks for them",
    "human_label must say which": "--human must say which",
    "human_label={} contradicts": "--human {} contradicts",
    "human_label={} is none of": "--human {} is none of",
    "human_label={} is for two classes": "--human {} is for two classes",
    "Leave human_label None": "Leave --human out",
    "again with one human_label.": "again with one --human.",
    "and that human_label is the human class": "and that --human is the human class",
    "threshold is NaN, which": "--threshold is NaN, which",
    "operating_point={}: this detector": "--operating-point {}: this detector",
    "window_s={}: expected": "--window {}: expected",
    "hop_s={}: expected more than 0 s and at most window_s={}, else": (
        "--hop {}: expected more than 0 s and at most --window {}, else"
    ),
    "smoothing_s={}: expected": "--smoothing {}: expected",
    "prior={}: expected": "--prior {}: expected",
    "prior is that of one of two classes": "--prior is that of one of two classes",
    "prior is for a calibrated detector": "--prior is for a calibrated detector",
    "Lower learning_rate, set clip_norm, or": (
        "Lower --set classifier.learning_rate, --set classifier.clip_norm, or"
    ),
    "Lower learning_rate, or set clip_norm.": (
        "Lower --set classifier.learning_rate, or --set classifier.clip_norm."
    ),
    "cannot be divided into n_parts={}.": "cannot be divided into {} parts.",
    "a detector of recordings, or set features=True.": "a detector of recordings, or give --features.",
    # What the command divides, it divides in one way.
    "Divide the speakers otherwise (n_parts, random_state), or put": "Put",
}  # fmt: skip
_VALUE = r"""(\{[^\n]*\}|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|[\w.+-]*\w)"""


def in_options(text: str) -> str:
    """Write options where the library's text names parameters.

    >>> in_options('choose one, channel="left" or channel="right".')
    'choose one, --channel left or --channel right.'
    >>> in_options("my channel=left audio_dir: no such file")
    'my channel=left audio_dir: no such file'
    """
    for pattern, replaced in _RULES:
        text = pattern.sub(replaced, text)
    return text


def about(name: str, text: str, shown: str | None = None) -> str:
    """Write options in what is said about a recording, whose name stays, or becomes what is `shown`."""
    if not text.startswith(name):
        return in_options(text)
    return (name if shown is None else shown) + in_options(text.removeprefix(name))


def _written(sentence: str) -> Callable[[re.Match[str]], str]:
    """Return what writes a sentence with the values of another one, as a shell takes them."""

    def write(match: re.Match[str]) -> str:
        values = [_python_value(each) for each in match.groups()]
        if "{where}" in sentence:
            return sentence.format(where=_rows(values[0])) if isinstance(values[0], dict) else match[0]
        return sentence.format(*(shlex.quote(str(value)) for value in values))

    return write


def _python_value(text: str) -> Any:
    try:
        return literal_eval(text)
    except (SyntaxError, ValueError):
        return text


def _rows(where: dict[str, list[str]]) -> str:
    """Write the rows to keep, lists of values by column, as options."""
    return " ".join(
        shlex.join(["--where", f"{column}={value}"]) for column, values in where.items() for value in values
    )


_RULES = [
    (
        re.compile(r"(?<![\w-])" * part[0].isalpha() + re.escape(part).replace(r"\{\}", _VALUE)),
        _written(sentence),
    )
    for part, sentence in SENTENCES.items()
]
