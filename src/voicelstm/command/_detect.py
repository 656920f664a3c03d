"""``voicelstm detect``."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._corpus import list_failures
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._human import human_label_for, human_option
from voicelstm.command._meaning import meaning_of_answers, meaning_of_segments, operating_point_of
from voicelstm.command._model import Model, model_option
from voicelstm.command._output import Column, Form, Listing, new_console, output_options, write_notes
from voicelstm.command._recordings import (
    Named,
    channel_option,
    files_from_option,
    ignore_option,
    jobs_option,
    list_left_out,
    named_recordings,
)
from voicelstm.command._session import Session, Task, busy
from voicelstm.command._wording import in_options
from voicelstm.exceptions import AudioWarning

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["detect"]

# A bar of so many characters to either side of the middle stands for so many log-odds.
_BAR, _FULL = 8, 4.0

_EXAMPLES = """\
\b
Examples:
  voicelstm detect call.wav
  voicelstm detect calls/ --csv > calls.csv
  voicelstm detect call.wav --prior 0.01
  voicelstm detect call.wav --timeline
  voicelstm detect call.wav --channel each
  voicelstm detect call.wav --operating-point "1 in 100"
  voicelstm detect -m detector.voicelstm call.wav
  curl -s https://example.org/a.ogg | voicelstm detect -
  find calls -type f -newer last | voicelstm detect --files-from -
  voicelstm detect calls/ | sort -rg -t $'\\t' -k 4 | head

\b
Without -m a detector that comes with the package answers. voicelstm info says
how often it errs, and the operating points that it has.
In a pipe a line has the recording, its label, the label's probability and the
score, with tabs between. The score is the log-odds of synthetic: above 0 more
probably synthetic, below 0 more probably human, whatever the labels' names.
--threshold is one, too; a recording with exactly that score is synthetic. Of
a calibrated detector segments have no label: their scores are not calibrated.
Of --channel each a line has the channel's number behind the recording.
With --prior the posterior, the probability of synthetic if that share of your
recordings is synthetic, stands behind the score.
Recordings that cannot be read or have less than 0.15 s of speech are listed
at the end, on standard error, and so are files in folders that are none,
unless --ignore is for them; the exit code is then 1.
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@click.argument("recordings", nargs=-1, metavar="[FILE|FOLDER|-]...")
@model_option
@click.option(
    "--threshold",
    type=float,
    help="Log-odds of synthetic from which a recording is synthetic.  [default: the detector's own]",
)
@click.option(
    "--operating-point",
    metavar="NAME",
    help='Threshold by its name on the detector\'s card, such as "1 in 100": that share of human recordings'
    " was called synthetic there.",
)
@click.option(
    "--prior",
    type=float,
    help="Share of synthetic recordings among yours, such as 0.01: adds what an answer then means. For a"
    " calibrated detector.",
)
@channel_option("the detector's own", each=True)
@click.option("--timeline", is_flag=True, help="Scores over the seconds of each recording.")
@human_option
@files_from_option
@ignore_option
@jobs_option
@output_options()
@click.pass_obj
def detect(
    session: Session,
    recordings: tuple[str, ...],
    model: Model,
    threshold: float | None,
    operating_point: str | None,
    prior: float | None,
    channel: int | str | None,
    timeline: bool,
    human: str | None,
    files_from: str | None,
    ignore: tuple[str, ...],
    jobs: int,
    form: Form,
) -> ExitCode:
    """Say which recordings are human and which are synthetic.

    Of a FOLDER all files with sound are heard, whatever their
    names, those in its sub-folders too; - is one recording from standard input.
    """
    if threshold is not None and operating_point is not None:
        raise click.UsageError("--threshold and --operating-point exclude each other.")
    with named_recordings(recordings, files_from, ignore) as named:
        detector = model.load()
        import numpy as np

        import voicelstm
        from voicelstm.metrics import segment_threshold

        _let_read_at_once(detector, jobs)
        classes = np.asarray(getattr(detector, "classes_", [])).tolist()
        human_label = human_label_for(detector, str(model), human) if classes else None
        try:
            answers = voicelstm.detect(
                detector,
                named.paths,
                threshold=threshold,
                operating_point=operating_point,
                prior=prior,
                timeline=timeline,
                channel=channel,
                human_label=human_label,
            )
        except TypeError as error:
            raise ValueError(f"{model}: {error}") from None
        except ValueError as error:
            raise click.UsageError(in_options(str(error))) from None
        if timeline and len(classes) != 2 and form is not Form.JSON:
            raise click.UsageError(
                f"--timeline of {len(classes)} classes is for --json: it has no one score."
            )
        point = operating_point_of(detector, operating_point)
        failures = list(named.empty)
        starts = None
        if timeline and len(classes) == 2:
            starts = segment_threshold(
                detector, threshold if point is None else point["threshold"], human_label
            )
        console = new_console() if form is Form.TABLE else None
        segment_label = _segment_label(classes, human_label, starts)
        several = channel == "each"
        with_posterior = prior is not None
        listing = _listing(
            form, classes, human_label, timeline, several, segment_label, with_posterior, named, console
        )
        counts: dict[Any, int] = dict.fromkeys(classes, 0)
        warnings.simplefilter("ignore", AudioWarning)  # which answers have
        with _progress(len(named.paths), console, session) as advance:
            position = -1
            for answer in answers:
                if not answer.channel:  # the first of a recording
                    position += 1
                    advance()
                name = _name(answer, named.names[position])
                if answer.error is not None:
                    failures.append(named.explain(position, answer.error))
                    if form in (Form.JSON, Form.CSV):
                        listing.write(name | {"error": failures[-1]} | _warnings(answer, form))
                    continue
                counts[answer.label] += 1
                for record in _records(answer, name, timeline, form, segment_label, with_posterior):
                    listing.write(record)
        if console is not None and len(named.paths) > 1:
            console.print("\n " + _summary(counts, len(failures), "channel" if several else "recording"))
        if console is not None and any(counts.values()):
            if timeline:
                labelled = starts is not None
                write_notes(console, meaning_of_segments(model, point, labelled=labelled))
            else:
                decides = threshold is not None or point is not None
                write_notes(console, meaning_of_answers(model, point, prior, decided_by_threshold=decides))
        n_answers = sum(counts.values()) + len(failures)
        list_failures(failures, n_answers, "channel" if several else "recording")
        list_left_out(named.left_out)
    return ExitCode.SOME_FAILED if failures or named.left_out else ExitCode.FINE


def _let_read_at_once(detector: Any, jobs: int) -> None:
    """Set the workers of whatever transformers the detector holds."""
    from voicelstm.detector import transformers_of

    for transformer in transformers_of(detector):
        transformer.set_params(n_jobs=jobs)


def _segment_label(classes: list[Any], human_label: Any, starts: float | None) -> Callable[[float], Any]:
    """Return what gives a segment's score its label, an empty one if there is no threshold for it."""
    if starts is None:
        return lambda score: ""
    synthetic = classes[0 if classes[1] == human_label else 1]
    return lambda score: synthetic if score >= starts else human_label


def _listing(
    form: Form,
    classes: list[Any],
    human_label: Any,
    timeline: bool,
    each_channel: bool,
    segment_label: Callable[[float], Any],
    with_posterior: bool,
    named: Named,
    console: "Console | None",
) -> Listing:
    def style(label: Any) -> str:
        if human_label is None or label == "":
            return ""
        return "green" if label == human_label else "bold magenta"

    def decided(score: float) -> str:
        return style(segment_label(score))

    longest = max(map(len, named.names), default=0)
    recording = [Column("recording", "recording")]
    if each_channel:
        recording.append(Column("channel", "channel", 7, str, right=True))
    names = [column.name for column in recording]
    heard_as = Column("label", "heard as", max(8, *(len(str(name)) for name in classes)), style=style)
    remarks = Column("warnings", "", len("cut off: 12.3 of 45.6 s"), style=lambda _: "yellow", whole=True)
    if timeline:
        columns = [
            *recording,
            Column("start_s", "from s", 8, "{:.2f}".format, right=True),
            Column("stop_s", "to s", 8, "{:.2f}".format, right=True),
            Column("score", "score", 8, "{:+.2f}".format, right=True),
            heard_as,
            Column("score", "", 2 * _BAR + 1, _bar, decided, drawn=True),
            remarks,
        ]
        fields = [*names, "start_s", "stop_s", "score", "label", "warnings", "error"]
        return Listing(form, columns, fields, longest, console)
    probability = Column("probability", "probability", 11, "{:.3f}".format, right=True)
    columns = [*recording, heard_as, probability]
    if len(classes) == 2:
        columns.append(Column("score", "score", 8, "{:+.2f}".format, right=True))
    posterior = ["posterior"] if with_posterior else []
    columns += [Column(name, "posterior", 9, "{:.1%}".format, right=True) for name in posterior]
    columns.append(remarks)
    probabilities = [f"probability_{name}" for name in classes]
    fields = [*names, "label", "score", *posterior, *probabilities, "speech_s", "warnings", "error"]
    return Listing(form, columns, fields, longest, console)


def _bar(score: float) -> str:
    """Draw a score: to the right of the middle it speaks for synthetic."""
    length = min(_BAR, round(abs(score) * _BAR / _FULL))
    if score < 0:
        return " " * (_BAR - length) + "█" * length + "│"
    return " " * _BAR + "│" + "█" * length


def _records(
    answer: Any,
    name: dict[str, Any],
    timeline: bool,
    form: Form,
    segment_label: Callable[[float], Any],
    with_posterior: bool,
) -> Iterator[dict[str, Any]]:
    own = name | {"label": answer.label, "score": answer.score}
    if with_posterior:
        own["posterior"] = answer.posterior
    remarks = "; ".join(answer.warnings)
    if timeline and form is not Form.JSON:
        for start, stop, score in answer.timeline.tolist():
            yield name | {
                "start_s": start,
                "stop_s": stop,
                "score": score,
                "label": segment_label(score),
                "warnings": remarks,
            }
            if form is Form.TABLE:
                remarks = ""  # once is enough for people
    elif form is Form.JSON:
        over_time = {}
        if timeline:
            names = answer.timeline.dtype.names
            over_time = {"timeline": [dict(zip(names, row, strict=True)) for row in answer.timeline.tolist()]}
        heard = {"speech_s": answer.speech, "warnings": list(answer.warnings)}
        yield own | {"probabilities": answer.probabilities} | heard | over_time
    else:
        each = {f"probability_{name}": value for name, value in answer.probabilities.items()}
        probability = {"probability": answer.probabilities.get(answer.label, float("nan"))}
        yield own | each | probability | {"speech_s": answer.speech, "warnings": remarks}


def _warnings(answer: Any, form: Form) -> dict[str, Any]:
    """Return what a recording that failed is warned of, if anything."""
    if not answer.warnings:
        return {}
    return {"warnings": list(answer.warnings) if form is Form.JSON else "; ".join(answer.warnings)}


def _name(answer: Any, shown: str) -> dict[str, Any]:
    return {"recording": shown} if answer.channel is None else {"recording": shown, "channel": answer.channel}


def _summary(counts: dict[Any, int], n_failed: int, what: str) -> str:
    parts = [f"{count} {label}" for label, count in counts.items()]
    if n_failed:
        parts.append(f"{n_failed} failed")
    n_answers = sum(counts.values()) + n_failed
    return f"{n_answers} {what}{'s' * (n_answers != 1)}: " + ", ".join(parts)


@contextmanager
def _progress(total: int, console: "Console | None", session: Session) -> Iterator[Any]:
    """Show how far it is, on the terminal that the table is on, else on standard error's."""
    if total < 2:
        with busy("Listening") as stop:
            yield stop
        return
    shown = console or new_console(stderr=True)
    if not shown.is_terminal or session.verbose:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Listening"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=shown, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
