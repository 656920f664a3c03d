"""``voicelstm train``."""

import logging
from pathlib import Path
from typing import Any

import click

from voicelstm.command._assignments import SEED, assign
from voicelstm.command._corpus import Corpus, corpus_options, list_failures, read_features
from voicelstm.command._cross_validation import CrossValidation, Plan, check_column, cross_validated, weights
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._former_usage import answer_kind_named_model
from voicelstm.command._human import human_label_in, human_option
from voicelstm.command._model import DEFAULT, Model, is_given
from voicelstm.command._output import Form, output_options, write_json, write_report
from voicelstm.command._recordings import channel_option, list_left_out
from voicelstm.command._session import Task, busy

__all__ = ["train"]

_log = logging.getLogger(__name__)

_EXAMPLES = """\
\b
Examples:
  voicelstm train labels.csv -o detector.voicelstm
  voicelstm train labels.csv --groups speaker -o detector.voicelstm
  voicelstm train labels.csv --groups speaker --unseen system -o new.voicelstm
  voicelstm train labels.csv --balance system -o detector.voicelstm
  voicelstm train recordings/ -o detector.voicelstm
  voicelstm train labels.csv --human 1 -o detector.voicelstm
  voicelstm train labels.csv --where subset=train -o detector.voicelstm
  voicelstm train labels.csv --kind dynamics -o quick.voicelstm
  voicelstm train labels.csv --set classifier.max_steps=3000 -o long.voicelstm
  voicelstm train ten.csv --from-pretrained --groups speaker -o mine.voicelstm

\b
The detector is that of voicelstm.make_detector: of the kind convolutions,
which takes minutes to an hour, or of the kind dynamics, which takes seconds
and is worth less on other recordings. --verbose tells what it is at. The
steps are features and classifier; dynamics has one more, dynamics, between
them. --set changes their parameters: to what Python writes so (0.5, None,
True), to words (mean), or to several of them with commas.
With --from-pretrained the detector of the package is adapted to your channel
by some ten recordings of each class, in seconds; --groups then keeps those of
one speaker together where it is calibrated.
The file is written when all is done: a run that fails or is interrupted
leaves the old one. Recordings that cannot be read, and files in a folder that
are none, are left out and listed at the end, and the exit code is then 1;
--ignore is for what is meant to be left out.
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="File for the detector.",
)
@click.option(
    "--kind",
    type=click.Choice(["convolutions", "dynamics"]),
    default="convolutions",
    show_default=True,
    help="The first to decide about recordings, the second for a quick look.",
)
@click.option(
    "--from-pretrained",
    is_flag=True,
    help=f"Adapt {DEFAULT}, the detector of the package, rather than train one from nothing.",
)
@click.option("--model", hidden=True, is_eager=True, expose_value=False, callback=answer_kind_named_model)
@click.option(
    "--groups",
    metavar="COLUMN",
    help="Also measure how good it is, by cross-validation in which no value of this column, such as speaker,"
    " is in both training and test. With --from-pretrained: cross-validate the adaptation so.",
)
@click.option(
    "--unseen",
    metavar="COLUMN",
    help="With --groups speaker: leave out one value of this column, such as system, at a time as well.",
)
@click.option(
    "--folds", type=click.IntRange(2), default=5, show_default=True, help="Of the cross-validation."
)
@click.option(
    "--balance",
    metavar="COLUMN",
    help="Let the values of this column, such as system, count the same within their class, however many"
    " recordings each has.",
)
@channel_option("mean")
@click.option("--set", "assignments", multiple=True, metavar="STEP.PARAMETER=VALUE", help="May be repeated.")
@click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Of what is drawn. Equal seeds, equal detectors."
)
@human_option
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which features are kept: less memory, and the next run begins with training.",
)
@corpus_options
@output_options(rows=False)
@click.pass_context
def train(
    ctx: click.Context,
    corpus: Corpus,
    output: Path,
    kind: str,
    from_pretrained: bool,
    groups: str | None,
    unseen: str | None,
    folds: int,
    balance: str | None,
    channel: int | str | None,
    assignments: tuple[str, ...],
    seed: int,
    human: str | None,
    cache: Path | None,
    form: Form,
) -> ExitCode:
    """Train a detector on labelled recordings.

    LABELS is a CSV with the columns path and label, or a folder with one sub-folder per class.
    """
    if unseen is not None and groups in (None, unseen):
        raise click.UsageError(f"--unseen {unseen} needs --groups, another column: that of the speakers.")
    _check_output(output)
    if from_pretrained:
        return _adapt(ctx, corpus, output, groups, channel, human, form)
    from sklearn.pipeline import Pipeline

    from voicelstm import make_detector, save
    from voicelstm.features import distinct_fingerprints

    # What balances values within their classes balances the classes, too.
    changes = {} if balance is None else {"classifier__class_weight": None}
    detector = make_detector(kind, random_state=seed, **changes)
    detector = assign(detector, assignments, features__channel=channel)
    bunch = corpus.load()
    corpus.check_enough(bunch.target)
    human_label = _human_label(detector["classifier"], bunch.target, corpus.labels, human)
    if balance is not None:
        check_column(bunch.groups, balance, "--balance")
    plan = None if groups is None else Plan(groups, unseen, folds)
    # Before anything is read, so that a plan that cannot be is refused at once.
    n_folds = 0 if plan is None else len(plan.folds(bunch.target, bunch.groups, human_label))
    features = read_features(detector["features"], bunch, corpus.jobs, cache, to_train=True)
    corpus.check_enough(features.target, "recordings that could be read")
    of_features = detector[1:]
    measured = None
    if plan is not None:
        with _told(f"Cross-validation, training {n_folds} times{_how_long(of_features[-1])}"):
            measured = cross_validated(of_features, features, plan, human_label, balance)
    with _told(f"Training{_how_long(of_features[-1])}"):
        of_features.fit(features.X, features.target, **weights(features, balance))
    detector["features"].fit(bunch.recordings)
    detector["features"].fingerprints_ = distinct_fingerprints(features.fingerprints)
    save(Pipeline([("features", detector["features"]), *of_features.steps]), output)
    told = _measured(bunch, human_label, folds, measured)
    _report(output, features.target, measured, told, form)
    list_failures(features.failures, len(bunch.recordings))
    list_left_out(corpus.left_out)
    return ExitCode.SOME_FAILED if features.failures or corpus.left_out else ExitCode.FINE


# Of a training from nothing.
_FOR_TRAINING = ("kind", "unseen", "folds", "balance", "assignments", "seed", "cache")


def _adapt(
    ctx: click.Context,
    corpus: Corpus,
    output: Path,
    groups: str | None,
    channel: int | str | None,
    human: str | None,
    form: Form,
) -> ExitCode:
    """Adapt the detector of the package."""
    options = {each.name: each.opts[-1] for each in ctx.command.params}
    for name in _FOR_TRAINING:
        if is_given(ctx, name):
            raise click.UsageError(
                f"--from-pretrained adapts a detector that is trained already: leave {options[name]} out."
            )
    from voicelstm import fine_tune, save
    from voicelstm.detector import transformers_of

    detector = Model(DEFAULT).load()
    bunch = corpus.load()
    corpus.check_two_classes(bunch.target)
    corpus.check_enough(bunch.target)
    bunch.target = corpus.in_classes_of(bunch.target, detector, DEFAULT, human)
    if groups is not None:
        check_column(bunch.groups, groups, "--groups")
    changes = {"n_jobs": corpus.jobs} | ({"channel": channel} if is_given(ctx, "channel") else {})
    transformers = transformers_of(detector)
    for transformer in transformers:
        transformer.set_params(**changes)
    features = read_features(transformers[0], bunch, corpus.jobs, None, to_train=False)
    corpus.check_enough(features.target, "recordings that could be read")
    of_groups = None if groups is None else features.groups[groups]
    with _told("Adapting"):
        adapted = fine_tune(detector, features.recordings, features.target, groups=of_groups)
    save(adapted, output)
    quality = [
        _what_was_learnt(adapted.card_["adapted_to"]),
        "How good it is on other recordings was not measured: voicelstm evaluate does that. On systems that"
        " made none of these it may err more often than before.",
    ]
    if groups is None:
        speaker = "speaker" if "speaker" in bunch.groups else "COLUMN"
        quality.append(
            "Each recording was taken for a speaker of its own. If some are of one speaker, it is too sure of"
            f" itself: --groups {speaker} keeps these together."
        )
    _report(output, features.target, None, quality, form, f"Adapted {DEFAULT} to")
    list_failures(features.failures, len(bunch.recordings))
    list_left_out(corpus.left_out)
    return ExitCode.SOME_FAILED if features.failures or corpus.left_out else ExitCode.FINE


def _what_was_learnt(adapted_to: dict[str, Any]) -> str:
    before, after = adapted_to["cllr_before"], adapted_to["cllr_in_cross_validation"]
    done = (
        "Its last layer was trained further, and its scores were calibrated"
        if adapted_to["last_layer_moved"]
        else "Its last layer stayed as it was, since training did not help; its scores were calibrated"
    )
    return (
        f"{done}. Cllr of these recordings (0: it knows all, 1: nothing): {before:.2f} before, {after:.2f}"
        " after, in cross-validation."
    )


def _human_label(classifier: Any, target: Any, labels: Path, human: str | None) -> Any:
    """Tell the classifier its human class where its spelling does not; return it, or None of more classes."""
    import numpy as np

    if human is None and classifier.human_label is not None:  # by --set
        human = str(classifier.human_label)
    human_label = human_label_in(target, labels, human)
    if human is not None:
        if len(np.unique(target)) != 2:
            raise click.UsageError(f"--human {human} is for two classes; {labels} has others.")
        classifier.set_params(human_label=human_label)
    return human_label


def _check_output(output: Path) -> None:
    """Refuse, before anything is read, a folder that cannot be written to, and the name of something else."""
    from tempfile import TemporaryFile

    if not output.absolute().parent.is_dir():
        raise click.UsageError(f"The folder {output.parent} does not exist.")
    try:
        TemporaryFile(dir=output.absolute().parent).close()
    except OSError as error:
        raise click.UsageError(
            f"{output} cannot be written: {error.strerror}. Name a file in another folder."
        ) from None
    if not output.exists():
        return
    from voicelstm.exceptions import ModelFileError
    from voicelstm.model_files import read_model_file

    try:
        read_model_file(output)
    except ModelFileError:
        raise click.UsageError(
            f"{output} is there already, and is no detector: choose another name, or delete it."
        ) from None


def _told(what: str) -> Any:
    _log.info(what)
    return busy(what)


def _how_long(classifier: Any) -> str:
    """Say what is to be waited for, and how to be faster, where convolutions make that long."""
    if classifier.convolutions is None or classifier.max_steps is None:
        return ""
    return (
        f": {classifier.max_steps} batches of {classifier.batch_size} segments. --set classifier.max_steps"
        " makes that shorter, --kind dynamics takes seconds"
    )


def _measured(bunch: Any, human_label: Any, n_folds: int, measured: CrossValidation | None) -> list[Any]:
    """Say how good the detector is, or how to measure it: by columns that `train` takes."""
    if measured is not None:
        return [measured.table(), measured.caution(bunch.target, bunch.groups, human_label)]
    columns = [
        name
        for name in bunch.groups
        if Plan(name, None, n_folds).is_possible(bunch.target, bunch.groups, human_label)
    ]
    if not columns:
        return ["How good it is was not measured: voicelstm evaluate on other recordings does that."]
    first = "speaker" if "speaker" in columns else columns[0]
    others = f" Columns to group by: {', '.join(columns)}." if len(columns) > 1 else ""
    return [
        f"How good it is was not measured: --groups {first} does that, or voicelstm evaluate on other"
        f" recordings.{others}"
    ]


def _report(
    output: Path,
    target: Any,
    measured: CrossValidation | None,
    quality: list[Any],
    form: Form,
    done: str = "Trained on",
) -> None:
    import numpy as np

    labels, counts = np.unique(target, return_counts=True)
    n_per_class = {str(label): int(count) for label, count in zip(labels, counts, strict=True)}
    if form is Form.JSON:
        write_json(
            {
                "detector": str(output),
                "recordings": n_per_class,
                "cross_validation": None if measured is None else measured.to_dict(),
            }
        )
        return
    told: list[Any] = [
        f"{done} {len(target)} recordings: "
        + ", ".join(f"{n} {label}" for label, n in n_per_class.items())
        + "."
    ]
    told += quality
    told.append(f"The detector is in {output}.")
    write_report(told)
