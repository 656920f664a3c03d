"""``voicelstm evaluate``."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._assignments import SEED
from voicelstm.command._corpus import Corpus, corpus_options, list_failures, read_features
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._human import human_label_for, human_option
from voicelstm.command._model import Model, front_end_and_rest, model_option
from voicelstm.command._output import (
    Column,
    Form,
    Listing,
    new_console,
    output_options,
    write_json,
    write_report,
)
from voicelstm.command._recordings import channel_option, list_left_out
from voicelstm.command._session import Task, busy

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["evaluate"]

_EXAMPLES = """\
\b
Examples:
  voicelstm evaluate test.csv
  voicelstm evaluate test.csv --by system --by codec
  voicelstm evaluate test.csv -m detector.voicelstm --threshold 1.5 --json

\b
Measure on voices and on synthesis systems that the detector was not trained
on: on those that it knows, every number is too good. Intervals draw whole
speakers where the CSV has a column speaker.
"""

# In characters; a narrower terminal has no room for detection costs.
_WIDE = 112


@click.command(cls=Task, epilog=_EXAMPLES)
@corpus_options
@model_option
@click.option("--by", multiple=True, metavar="COLUMN", help="A row for each value of it; may be repeated.")
@click.option(
    "--threshold",
    type=float,
    help="Log-odds of synthetic from which a recording is synthetic.  [default: the detector's own]",
)
@channel_option("the detector's own")
@human_option
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of what the intervals draw.")
@click.option(
    "--cache",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder in which features are kept: less memory, and the next run does not compute them again.",
)
@output_options()
def evaluate(
    corpus: Corpus,
    model: Model,
    by: tuple[str, ...],
    threshold: float | None,
    channel: int | str | None,
    human: str | None,
    seed: int,
    cache: Path | None,
    form: Form,
) -> ExitCode:
    """Measure a detector on labelled recordings.

    LABELS is a CSV with the columns path and label, or a folder with one sub-folder per class; the labels are
    the detector's, or other words for human and synthetic.
    """
    import voicelstm
    from voicelstm.detector import MEASURES, positions_among, warn_of_training_recordings

    bunch = corpus.load()
    unknown = [name for name in by if name not in bunch.groups]
    if unknown:
        raise click.UsageError(
            f"--by {unknown[0]}: there are the columns {', '.join(bunch.groups) or 'none'}."
        )
    transformer, of_features = front_end_and_rest(model)
    if channel is not None:
        transformer.set_params(channel=channel)
    # Before anything is read, and again of what could be read.
    before = set(bunch.target.tolist())
    bunch.target = corpus.in_classes_of(bunch.target, of_features, str(model), human)
    translated = before != set(bunch.target.tolist())
    human_label = human_label_for(of_features, str(model), None if translated else human)
    features = read_features(transformer, bunch, corpus.jobs, cache, to_train=False)
    corpus.check_two_classes(features.target, "recordings that could be read")
    with busy("Measuring"):
        report = voicelstm.evaluate(
            of_features,
            features.X,
            features.target,
            features.groups,
            by=by,
            threshold=threshold,
            human_label=human_label,
            random_state=seed,
        )
    if hasattr(transformer, "fingerprints_"):
        # The report knows features only, and nothing of the recordings that they are of.
        in_training = positions_among(features.fingerprints, transformer.fingerprints_)
        warn_of_training_recordings(features.recordings, in_training, stacklevel=1)
        report = replace(report, n_in_training=len(in_training))
    if form is Form.JSON:
        write_json(report.to_dict())
    elif form is Form.CSV:
        _write_csv(report)
    else:
        console = new_console()
        is_wide = console.width >= _WIDE
        shown = [name for name, each in MEASURES.items() if is_wide or not each.takes_costs]
        write_report([_table(report, model, shown), *_notes(report, all_shown=is_wide)])
    list_failures(features.failures, len(bunch.recordings))
    list_left_out(corpus.left_out)
    return ExitCode.SOME_FAILED if features.failures or corpus.left_out else ExitCode.FINE


def _write_csv(report: Any) -> None:
    from voicelstm.detector import as_record

    records = [as_record(row) for row in report.rows]
    listing = Listing(Form.CSV, [Column("value", "value")], list(records[0]), 0)
    for record in records:
        listing.write(record)


def _table(report: Any, model: Model, shown: list[str]) -> "Table":
    import math

    from rich import box
    from rich.table import Table
    from rich.text import Text

    from voicelstm.detector import MEASURES

    decided = "" if report.threshold is None else f", synthetic from a score of {report.threshold:g}"
    table = Table(
        title=f"{model} on recordings with labels{decided}",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
    )
    table.add_column("", overflow="fold")
    for title in (
        "human",
        "synth.",
        *(MEASURES[name].title + " %" * MEASURES[name].percent for name in shown),
    ):
        table.add_column(title, justify="right")
    for row in report.rows:
        against = "" if row.against is None else f"\nagainst all {row.against}"
        cells: list[Any] = [
            Text(str(row.value)).append(against, "dim"),
            str(row.n_human),
            str(row.n_synthetic),
        ]
        for name in shown:
            measure, written = getattr(row, name), MEASURES[name].written
            text = Text(written(measure.value))
            if not math.isnan(measure.low):
                text.append(f"\n{written(measure.low)}–{written(measure.high)}", "dim")
            cells.append(text)
        table.add_row(*cells)
        if row is report.overall and len(report.rows) > 1:
            table.add_section()
    return table


def _notes(report: Any, *, all_shown: bool) -> list[str]:
    drawn = {row.drawn for row in report.rows if row.drawn}
    notes = []
    if drawn:
        what = (
            "speakers"
            if drawn == {"speaker"}
            else "recordings"
            if drawn == {"clip"}
            else "speakers where a row has enough of them, else recordings"
        )
        notes.append(f"Below each number its {100 * report.confidence:g} % interval, which draws {what}.")
    notes.append("Miss: human taken for synthetic. False alarm: synthetic taken for human.")
    if report.n_in_training:
        were = "1 recording was" if report.n_in_training == 1 else f"{report.n_in_training} recordings were"
        notes.append(f"{were} in the detector's training: these numbers are too good.")
    if not all_shown:
        notes.append("A wider terminal, --json and --csv have detection costs, too.")
    return notes
