"""``voicelstm detect``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._corpus import list_failures
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._output import Column, Form, Listing, new_console, output_options
from voicelstm.command._recordings import Named, files_from_option, jobs_option, named_recordings
from voicelstm.command._session import Session, Task

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["detect"]

# A bar of so many characters to either side of the middle stands for so many log-odds.
_BAR, _FULL = 8, 4.0

_EXAMPLES = """\
\b
Examples:
  voicelstm detect detector.voicelstm call.wav
  voicelstm detect detector.voicelstm calls/ --csv > calls.csv
  voicelstm detect detector.voicelstm call.wav --timeline
  curl -s https://example.org/a.ogg | voicelstm detect detector.voicelstm -
  find calls -type f -newer last | voicelstm detect d.voicelstm --files-from -
  voicelstm detect detector.voicelstm calls/ | cut -f 1,2 | sort

\b
In a pipe a line has the recording, its label, the label's probability and the
score, with tabs between. The score is in log-odds of the class that is second
by name: above 0 synthetic, below 0 human. Of a calibrated detector it is that
class's probability, and --threshold is one; segments then have no label.
Recordings that cannot be read, hold nothing but zeros or are shorter than
one frame are listed at the end, on standard error; the exit code is then 1.
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@click.argument("detector", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("recordings", nargs=-1, metavar="[FILE|FOLDER|-]...")
@click.option("--threshold", type=float, help="Score from which a recording is of the second class.")
@click.option("--timeline", is_flag=True, help="Scores over the seconds of each recording.")
@files_from_option
@jobs_option
@output_options()
@click.pass_obj
def detect(
    session: Session,
    detector: Path,
    recordings: tuple[str, ...],
    threshold: float | None,
    timeline: bool,
    files_from: str | None,
    jobs: int,
    form: Form,
) -> ExitCode:
    """Say which recordings are human and which are synthetic.

    DETECTOR is what "voicelstm train" wrote. Of a FOLDER all audio files are heard, those in its sub-folders
    too; - is one recording from standard input.
    """
    with named_recordings(recordings, files_from) as named:
        import voicelstm
        from voicelstm.metrics import segment_threshold

        model = voicelstm.load(detector)
        _let_read_at_once(model, jobs)
        try:
            answers = voicelstm.detect(model, named.paths, threshold=threshold, timeline=timeline)
        except TypeError as error:
            raise ValueError(f"{detector}: {error}") from None
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        classes = model.classes_.tolist()
        if timeline and len(classes) != 2 and form is not Form.JSON:
            raise click.UsageError(
                f"--timeline of {len(classes)} classes is for --json: it has no one score."
            )
        failures = list(named.empty)
        starts = segment_threshold(model, threshold) if timeline and len(classes) == 2 else None
        console = new_console() if form is Form.TABLE else None
        listing = _listing(form, classes, timeline, starts, named, console)
        counts: dict[Any, int] = dict.fromkeys(classes, 0)
        with _progress(len(named.paths), console, session) as advance:
            for answer in answers:
                advance()
                if answer.error is not None:
                    failures.append(named.explain(answer.error))
                    if form in (Form.JSON, Form.CSV):
                        listing.write(_failed(answer, named))
                    continue
                counts[answer.label] += 1
                for record in _records(answer, classes, timeline, form, named, starts):
                    listing.write(record)
        if console is not None and len(named.paths) > 1:
            console.print("\n " + _summary(counts, len(failures)))
        list_failures(failures, len(named.paths) + len(named.empty))
    return ExitCode.SOME_FAILED if failures else ExitCode.FINE


def _let_read_at_once(model: Any, jobs: int) -> None:
    """Set the workers of whatever transformers the detector holds."""
    from voicelstm.detector import transformers_of

    for transformer in transformers_of(model):
        transformer.set_params(n_jobs=jobs)


def _listing(
    form: Form,
    classes: list[Any],
    timeline: bool,
    starts: float | None,
    named: Named,
    console: "Console | None",
) -> Listing:
    human = next((label for label in classes if label in ("human", 1)), None)

    def style(label: Any) -> str:
        return "" if human is None else "green" if label == human else "bold magenta"

    def decided(score: float) -> str:
        return "" if starts is None else style(classes[int(score >= starts)])

    longest = max((len(named.name(path)) for path in named.paths), default=0)
    recording = Column("recording", "recording")
    heard_as = Column("label", "heard as", max(8, *(len(str(name)) for name in classes)), style=style)
    if timeline:
        columns = [
            recording,
            Column("start_s", "from s", 8, "{:.2f}".format, right=True),
            Column("stop_s", "to s", 8, "{:.2f}".format, right=True),
            Column("score", "score", 8, "{:+.2f}".format, right=True),
            heard_as,
            Column("score", "", 2 * _BAR + 1, _bar, decided, drawn=True),
        ]
        fields = ["recording", "start_s", "stop_s", "score", "label", "error"]
        return Listing(form, columns, fields, longest, console)
    probability = Column("probability", "probability", 11, "{:.3f}".format, right=True)
    columns = [recording, heard_as, probability]
    if len(classes) == 2:
        columns.append(Column("score", "score", 8, "{:+.2f}".format, right=True))
    fields = ["recording", "label", "score", *(f"probability_{name}" for name in classes), "error"]
    return Listing(form, columns, fields, longest, console)


def _bar(score: float) -> str:
    """Draw a score: to the right of the middle it speaks for the second class."""
    length = min(_BAR, round(abs(score) * _BAR / _FULL))
    if score < 0:
        return " " * (_BAR - length) + "█" * length + "│"
    return " " * _BAR + "│" + "█" * length


def _records(
    answer: Any, classes: list[Any], timeline: bool, form: Form, named: Named, starts: float | None
) -> Iterator[dict[str, Any]]:
    own = {"recording": named.name(answer.recording), "label": answer.label, "score": answer.score}
    if timeline and form is not Form.JSON:
        for start, stop, score in answer.timeline.tolist():
            label = "" if starts is None else classes[int(score >= starts)]
            yield {
                "recording": own["recording"],
                "start_s": start,
                "stop_s": stop,
                "score": score,
                "label": label,
            }
    elif form is Form.JSON:
        over_time = {}
        if timeline:
            names = answer.timeline.dtype.names
            over_time = {"timeline": [dict(zip(names, row, strict=True)) for row in answer.timeline.tolist()]}
        yield own | {"probabilities": answer.probabilities} | over_time
    else:
        each = {f"probability_{name}": value for name, value in answer.probabilities.items()}
        yield own | each | {"probability": answer.probabilities.get(answer.label, float("nan"))}


def _failed(answer: Any, named: Named) -> dict[str, Any]:
    return {"recording": named.name(answer.recording), "error": named.explain(answer.error)}


def _summary(counts: dict[Any, int], n_failed: int) -> str:
    parts = [f"{count} {label}" for label, count in counts.items()]
    if n_failed:
        parts.append(f"{n_failed} failed")
    return f"{sum(counts.values()) + n_failed} recordings: " + ", ".join(parts)


@contextmanager
def _progress(total: int, console: "Console | None", session: Session) -> Iterator[Any]:
    """Show how far it is, on the terminal that the table is on, else on standard error's."""
    shown = console or new_console(stderr=True)
    if total < 2 or not shown.is_terminal or session.verbose:
        yield lambda: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Listening"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns, console=shown, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda: progress.advance(task)
