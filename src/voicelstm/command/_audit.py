"""``voicelstm audit``."""

from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._assignments import SEED
from voicelstm.command._corpus import Corpus, corpus_options, list_failures
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._human import human_label_in, human_option
from voicelstm.command._output import Column, Form, Listing, output_options, write_json, write_report
from voicelstm.command._recordings import channel_option, list_left_out
from voicelstm.command._session import Task, busy
from voicelstm.command._wording import about

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["audit"]

_EXAMPLES = """\
\b
Examples:
  voicelstm audit labels.csv
  voicelstm audit labels.csv --splits subset
  voicelstm audit labels.csv --strict --json > audit.json

\b
Where synthetic recordings are shorter, louder or cut closer than human ones,
a detector learns that, scores well, and fails on the next corpus.
"""


@click.command(
    cls=Task, epilog=_EXAMPLES, short_help="Ask whether something but the voice gives labels away."
)
@corpus_options
@click.option(
    "--splits", metavar="COLUMN", help="Column that says where a recording is used, such as train and test."
)
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 4 where something gives the labels away, or recordings are too few to tell.",
)
@channel_option("mean")
@human_option
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of what the intervals draw.")
@output_options()
def audit(
    corpus: Corpus,
    splits: str | None,
    strict: bool,
    channel: int | str | None,
    human: str | None,
    seed: int,
    form: Form,
) -> ExitCode:
    """Ask whether something other than the voice gives the labels away.

    LABELS is a CSV with the columns path and label, or a folder with one sub-folder per class.
    """
    bunch = corpus.load()
    if splits is not None and splits not in bunch.groups:
        raise click.UsageError(
            f"There is no column {splits!r}; there are: {', '.join(bunch.groups) or 'none'}."
        )
    corpus.check_two_classes(bunch.target)
    human_label = human_label_in(bunch.target, corpus.labels, human)
    with busy("Measuring"):
        report, failures = _audited(bunch, splits, human_label, channel, corpus, seed)
    if form is Form.JSON:
        write_json(report.to_dict() | {"findings": report.findings})
    elif form is Form.CSV:
        _write_csv(report)
    else:
        write_report([_table(report), *_sentences(report)])
    list_failures(failures, len(bunch.recordings))
    list_left_out(corpus.left_out)
    if strict and (report.findings or report.cautions):
        return ExitCode.FOUND
    return ExitCode.SOME_FAILED if failures or corpus.left_out else ExitCode.FINE


def _audited(
    bunch: Any, splits: str | None, human_label: Any, channel: int | str | None, corpus: Corpus, seed: int
) -> tuple[Any, list[str]]:
    """Audit what can be read; return what is to be said of the others, too."""
    import warnings

    import numpy as np

    import voicelstm
    from voicelstm.exceptions import AudioError, AuditWarning

    def look(chosen: Any) -> Any:
        groups = {name: values[chosen] for name, values in bunch.groups.items()}
        return voicelstm.audit(
            [bunch.recordings[position] for position in chosen],
            bunch.target[chosen],
            groups,
            splits=None if splits is None else groups[splits],
            human_label=human_label,
            channel="mean" if channel is None else channel,
            n_jobs=corpus.jobs,
            random_state=seed,
        )

    everything = np.arange(len(bunch.recordings))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AuditWarning)  # the report says it
        try:
            return look(everything), []
        except AudioError as error:
            failed = dict(error.failures)
            if not failed or len(failed) == len(everything):
                raise
        read = np.setdiff1d(everything, list(failed))
        corpus.check_two_classes(bunch.target[read], "recordings that could be read")
        return look(read), [about(bunch.recordings[position], reason) for position, reason in failed.items()]


def _write_csv(report: Any) -> None:
    fields = ["name", "unit", "auc", "low", "high", "p_value", "detectable", "human", "synthetic"]
    fields += ["is_shortcut", "is_undecided"]
    listing = Listing(Form.CSV, [Column("name", "name")], fields, 0)
    for each in report.variables:
        listing.write({name: getattr(each, name) for name in fields})


def _table(report: Any) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=f"One number alone, of {report.n_human} human and {report.n_synthetic} synthetic recordings",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
    )
    table.add_column("")
    for title in ("AUC", "95 % interval", "human", "synthetic"):
        table.add_column(title, justify="right")
    table.add_column("unit")
    table.add_column("")
    for each in report.variables:
        mark = Text("too few to tell" if each.is_undecided else "", "yellow")
        if each.is_shortcut:
            mark = Text("shortcut", "bold red")
        table.add_row(
            each.name.replace("_", " "),
            f"{each.auc:.2f}",
            Text(f"{each.low:.2f}–{each.high:.2f}", "dim"),
            _number(each.human),
            _number(each.synthetic),
            each.unit,
            mark,
        )
    return table


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _sentences(report: Any) -> list[Any]:
    from rich.text import Text

    lines = [
        "AUC 0.5 tells nothing; 0 and 1 tell all. Human and synthetic are medians. Intervals draw"
        f" {'whole speakers' if report.drawn == 'speaker' else 'recordings'}."
    ]
    for each in report.groups:
        text = f"{each.column}: {each.n_values} values, {len(each.classes)} of them in both classes"
        lines.append(text + (f", {len(each.splits)} in more than one split" if each.splits else "") + ".")
    if report.duplicates:
        lines.append(f"Sets of equal recordings: {len(report.duplicates)}.")
    found: list[Any] = [Text(line) for line in lines]
    if report.findings:
        found.append(Text("\nFound:", "bold red"))
        found += [Text(f"- {finding}") for finding in report.findings]
    found += [Text(f"\n{caution}", "yellow") for caution in report.cautions]
    if not report.findings and not report.cautions:
        found.append(Text("\nNothing but the voice was found to tell the classes apart.", "green"))
    return found
