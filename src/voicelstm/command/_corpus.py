"""Labelled recordings, as train, evaluate and audit take them, and their features."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from voicelstm.command._assignments import rows_to_keep
from voicelstm.command._human import label_of_text
from voicelstm.command._output import printable
from voicelstm.command._recordings import ignore_option, jobs_option
from voicelstm.command._session import busy, say
from voicelstm.command._wording import about
from voicelstm.exceptions import AudioWarning

__all__ = ["Corpus", "Features", "corpus_options", "list_failures", "read_features"]

_FEWEST = 3  # recordings of a class; fewer are a mistake in the labels, or nothing to learn from

_OPTIONS = (
    click.argument("labels", type=click.Path(exists=True, path_type=Path)),
    click.option(
        "--where",
        multiple=True,
        metavar="COLUMN=VALUE",
        help="Rows of the CSV to keep; may be repeated.",
    ),
    click.option("--path-column", default="path", show_default=True, help="Column of the recordings' paths."),
    click.option("--label-column", default="label", show_default=True, help="Column of the labels."),
    click.option(
        "--audio-dir",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Where relative paths start.  [default: the CSV's folder]",
    ),
    click.option(
        "--order",
        type=click.Choice(["natural", "name"]),
        help="Order of the files that a list of labels without paths belongs to: 2.wav before 10.wav, or by"
        " name, as Windows lists a folder.  [default: natural]",
    ),
    ignore_option,
    jobs_option,
)


@dataclass
class Corpus:
    """Labelled recordings as the command line names them; the fields are parameters of ``load_csv``."""

    labels: Path
    where: dict[str, list[str]]
    path_column: str
    label_column: str
    audio_dir: Path | None
    jobs: int
    ignore: tuple[str, ...] = ()
    order: str | None = None
    left_out: list[str] = field(default_factory=list)  # of a folder, once it is loaded

    def load(self) -> Any:
        """Load labels and paths, as the library's loaders return them."""
        with busy("Loading"):
            return self._loaded()

    def _loaded(self) -> Any:
        import warnings

        from voicelstm.datasets import load_csv, load_folder

        if not self.labels.is_dir():
            return load_csv(
                self.labels,
                audio_dir=self.audio_dir,
                path_column=self.path_column,
                label_column=self.label_column,
                where=self.where,
                order=self.order,
            )
        if self.where or self.audio_dir or self.order:
            raise click.UsageError("--where, --audio-dir and --order are for a CSV; a folder has no columns.")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AudioWarning)  # of what is listed at the end
            bunch = load_folder(self.labels, ignore=self.ignore)
        self.left_out = bunch.left_out
        return bunch

    def check_two_classes(self, target: Any, which: str = "recordings") -> None:
        """Refuse labels that are not of two classes, and say where they stand; `which` have them."""
        import numpy as np

        labels = np.unique(target).tolist()
        if len(labels) == 1:
            raise ValueError(
                f"{self.labels}: all {which} have the label {labels[0]}{self._in_column}. Human and synthetic"
                " ones are needed."
            )
        if len(labels) > 2:
            raise ValueError(
                f"{self.labels} has the labels {', '.join(map(str, labels))}{self._in_column}: two are"
                f" needed, one for human and one for synthetic recordings.{self._keep}"
            )

    def check_enough(self, target: Any, which: str = "recordings") -> None:
        """Refuse to train on a class that has hardly any recordings, `which` are counted."""
        import numpy as np

        few = [
            f"{count} of {label}"
            for label, count in zip(*np.unique(target, return_counts=True), strict=True)
            if count < _FEWEST
        ]
        if few:
            raise ValueError(
                f"{self.labels}: too few {which} to train on{self._in_column}: {', '.join(few)}. Each class"
                f" needs {_FEWEST} at least, and hundreds if the detector shall be worth something. Add more,"
                " or, if a label is misspelt, write it as the others."
            )

    def check_classes(self, target: Any, classes: list[Any], detector: str) -> None:
        """Refuse labels that are not those of a detector of two classes."""
        import numpy as np

        known = " and ".join(map(str, classes))
        if len(classes) != 2:
            raise ValueError(f"{detector} has the classes {known}; only detectors of two can be measured.")
        self.check_two_classes(target)
        labels = np.unique(target).tolist()
        if set(labels) != set(classes):
            raise ValueError(
                f"{self.labels} has the labels {' and '.join(map(str, labels))}{self._in_column}; those of"
                f" {detector} are {known}. Write the same labels, or choose another detector."
            )

    def in_classes_of(self, target: Any, detector: Any, name: str, human: str | None) -> Any:
        """Return labels as a detector of two classes has them; other words for these are its classes."""
        import numpy as np

        from voicelstm.metrics import human_label_of, recognised_human_label

        classes, labels = detector.classes_.tolist(), np.unique(target).tolist()
        if len(classes) == len(labels) == 2 and set(classes) != set(labels):
            try:
                human_class = human_label_of(detector)
            except ValueError:
                human_class = None
            named = human if human is not None and human in map(str, labels) else None
            known = recognised_human_label(labels) if named is None else label_of_text(named, labels)
            if human_class is not None and known is not None:
                synthetic_class, other = (
                    next(each for each in pair if each != one)
                    for pair, one in ((classes, human_class), (labels, known))
                )
                say(f"{known} and {other} are taken for {human_class} and {synthetic_class} of {name}")
                return np.where(target == known, human_class, synthetic_class)
        self.check_classes(target, classes, name)
        return target

    @property
    def _in_column(self) -> str:
        return "" if self.labels.is_dir() else f" in the column {self.label_column}"

    @property
    def _keep(self) -> str:
        return "" if self.labels.is_dir() else " --where keeps a part of the rows."


def corpus_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add LABELS and what says how to read them; the command gets its parameter `corpus`."""
    from functools import wraps

    @wraps(command)
    def with_corpus(
        *args: Any,
        labels: Path,
        where: tuple[str, ...],
        path_column: str,
        label_column: str,
        audio_dir: Path | None,
        order: str | None,
        ignore: tuple[str, ...],
        jobs: int,
        **kwargs: Any,
    ) -> Any:
        rows = rows_to_keep(where)
        corpus = Corpus(labels, rows, path_column, label_column, audio_dir, jobs, ignore, order)
        return command(*args, corpus=corpus, **kwargs)

    for option in reversed(_OPTIONS):
        with_corpus = option(with_corpus)
    return with_corpus


@dataclass
class Features:
    """Features, labels and groups of the recordings that could be read; the others are in `failures`."""

    X: Any
    recordings: list[Any]
    fingerprints: list[int | None]
    target: Any
    groups: dict[str, Any]
    failures: list[str]


def read_features(transformer: Any, bunch: Any, jobs: int, cache: Path | None, *, to_train: bool) -> Features:
    """Compute the features of a corpus, `jobs` recordings at once; recordings that fail are left out.

    Only recordings to train on are augmented, if the transformer augments.
    """
    import sys
    import warnings

    import numpy as np
    from sklearn.base import clone

    from voicelstm.audio import name_of
    from voicelstm.exceptions import AudioError, AudioWarning
    from voicelstm.features import sequences_and_fingerprints

    reader = clone(transformer).set_params(
        on_error="warn",
        n_jobs=jobs,
        cache_dir=cache or transformer.cache_dir,
        verbose=int(sys.stderr.isatty()),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", AudioWarning)
        if to_train:
            reader.fit(bunch.recordings)
        X, fingerprints = sequences_and_fingerprints(reader, bunch.recordings, augmented=to_train)
    failures = [each for one in caught for each in getattr(one.message, "failures", [])]
    for one in caught:
        if not getattr(one.message, "failures", []):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
    read = np.setdiff1d(np.arange(len(bunch.recordings)), [position for position, _ in failures])
    if not len(read):
        raise AudioError("No recording could be read:\n" + "\n".join(reason for _, reason in failures))
    return Features(
        X=X[read],
        recordings=[bunch.recordings[position] for position in read],
        fingerprints=[fingerprints[position] for position in read],
        target=bunch.target[read],
        groups={name: values[read] for name, values in bunch.groups.items()},
        failures=[about(name_of(bunch.recordings[position]), reason) for position, reason in failures],
    )


def list_failures(failures: list[str], n_recordings: int, what: str = "recording") -> None:
    """List the recordings, or `what` else there is one of, that failed, on standard error."""
    if failures:
        from voicelstm.audio import say_how_many_failed

        failed = say_how_many_failed(len(failures), n_recordings, what)
        say(f"{failed} and {'is' if len(failures) == 1 else 'are'} left out:")
        for reason in failures:
            click.echo(f"  {printable(reason)}", err=True)
