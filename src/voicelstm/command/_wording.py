"""The library's sentences in the command's words: options in the place of Python's parameters."""

import re
from collections.abc import Callable

__all__ = ["in_options"]

# As a whole word, and no part of a path, a quotation or an option.
_ALONE = r"(?<![\w./\\'\"-]){}(?![\w/\\'\"]|\.\w)"
_QUOTES = "'\""
_VALUE = r"=(?P<value>\"[^\"\n]*\"|'[^'\n]*'|[\w.+-]*[\w])"

#: Parameters of the library, and the options that set them.
OPTIONS = {
    "audio_dir": "--audio-dir",
    "cache_dir": "--cache",
    "channel": "--channel",
    "clip_norm": "--set classifier.clip_norm",
    "human_label": "--human",
    "ignore": "--ignore",
    "label_column": "--label-column",
    "learning_rate": "--set classifier.learning_rate",
    "n_jobs": "--jobs",
    "path_column": "--path-column",
    "random_state": "--seed",
    "where": "--where",
}
#: Those that are words of English, too: only with a value they are parameters.
_WORDS = {"channel", "ignore", "where"}


def in_options(text: str) -> str:
    """Write options where the library's text names parameters.

    >>> in_options('choose channel="left", or leave human_label None: audio_dir changes that.')
    'choose --channel left, or leave --human out: --audio-dir changes that.'
    >>> in_options("human_label/audio_dir.wav: no such file")
    'human_label/audio_dir.wav: no such file'
    """
    for pattern, replaced in _RULES:
        text = pattern.sub(replaced, text)
    return text


def _with_value(option: str) -> Callable[[re.Match[str]], str]:
    def written(match: re.Match[str]) -> str:
        value = match["value"]
        value = value.strip(value[0]) if value[0] in _QUOTES else value
        return f"{option}={value}" if option.startswith("--set") else f"{option} {value}"

    return written


def _rows(match: re.Match[str]) -> str:
    """Write the rows to keep, a dict of lists, as options."""
    pairs = re.findall(r"'([^']*)': \[([^\]]*)\]", match["rows"])
    return " ".join(
        f"--where {column}={value}" for column, values in pairs for value in re.findall("'([^']*)'", values)
    )


_RULES: list[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]] = [
    (re.compile(r"(?<!\w)where=\{(?P<rows>[^}\n]*)\}"), _rows),
    (re.compile("`where`"), "--where"),
    (re.compile(r"(?<!\w)by=\[(?P<value>\"[^\"\n]*\")\]"), _with_value("--by")),
    (re.compile(r"(?m)(^|: )threshold (?=is NaN)"), r"\1--threshold "),
    (
        re.compile(r"more than max_duration=(\S+) s; cut it, or raise max_duration"),
        r"more than the \1 s of the detector's features.max_duration; cut it, or train with a larger one",
    ),
    (re.compile("set ignore to patterns"), "give --ignore patterns"),
    # What the command divides, it divides in one way.
    (re.compile(r"Divide the (clips|speakers) otherwise \(\w+, random_state\), or put"), "Put"),
]
for _name, _option in OPTIONS.items():
    _RULES.append((re.compile(_ALONE.format(_name) + " None"), f"{_option} out"))
    _RULES.append((re.compile(rf"(?<![\w./\\'\"-]){_name}{_VALUE}"), _with_value(_option)))
    if _name not in _WORDS:
        _RULES.append((re.compile(_ALONE.format(_name)), _option))
