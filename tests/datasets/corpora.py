"""Corpora of empty files, and what loaders say of them."""

from pathlib import Path

import pytest

from voicelstm.exceptions import DatasetError


def plant(root, *names, texts=None):
    """Make empty files, and files with the given texts."""
    for name, text in {**dict.fromkeys(names, ""), **(texts or {})}.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def flac(folder, *utterances):
    return [f"{folder}/{utterance}.flac" for utterance in utterances]


def groups(corpus):
    return {name: values.tolist() for name, values in corpus.groups.items()}


def stems(corpus):
    return [Path(path).stem for path in corpus.recordings]


def refusal(load, *args, **kwargs):
    with pytest.raises(DatasetError) as caught:
        load(*args, **kwargs)
    return str(caught.value)
