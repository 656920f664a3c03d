"""``voicelstm features``."""

from pathlib import Path
from typing import Any

import click

from voicelstm.command._assignments import assign
from voicelstm.command._corpus import list_failures
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._model import Model, ModelName, front_end_and_rest
from voicelstm.command._output import Column, Form, Listing, new_console, output_options
from voicelstm.command._recordings import (
    channel_option,
    files_from_option,
    ignore_option,
    jobs_option,
    list_left_out,
    named_recordings,
)
from voicelstm.command._session import Task, busy

__all__ = ["features"]

_EXAMPLES = """\
\b
Examples:
  voicelstm features recordings/ -o store
  voicelstm features recordings/ -o store --set n_mfcc=20 --csv > store.csv
  voicelstm features recordings/ -o store --like detector.voicelstm

\b
Read them in Python, without loading them all:
  >>> store = voicelstm.SequenceStore("store")
  >>> store[0].shape       # frames, features
Recordings that fail are empty sequences, of 0 frames. A run that is
interrupted goes on where it stopped.
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@click.argument("recordings", nargs=-1, metavar="[FILE|FOLDER|-]...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the sequences.",
)
@click.option(
    "--like",
    type=ModelName(),
    help="The features of this detector.  [default: those of voicelstm.make_detector]",
)
@channel_option("mean, or the detector's own")
@click.option("--set", "assignments", multiple=True, metavar="PARAMETER=VALUE", help="May be repeated.")
@files_from_option
@ignore_option
@jobs_option
@output_options()
def features(
    recordings: tuple[str, ...],
    output: Path,
    like: Model | None,
    channel: int | str | None,
    assignments: tuple[str, ...],
    files_from: str | None,
    ignore: tuple[str, ...],
    jobs: int,
    form: Form,
) -> ExitCode:
    """Compute the features of recordings into a folder.

    The recordings are listed in the folder's order, with the number of frames of each.
    """
    import sys
    import warnings

    from voicelstm.exceptions import AudioWarning

    transformer = assign(_front_end(like), assignments, channel=channel)
    transformer.set_params(on_error="warn", n_jobs=jobs, verbose=int(sys.stderr.isatty()))
    with named_recordings(recordings, files_from, ignore) as named:
        reasons: dict[int, str] = {}
        store: Any = []
        if named.paths:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", AudioWarning)
                store = transformer.transform(named.paths, out=output)
            for one in caught:
                reasons.update(getattr(one.message, "failures", []))
                if not getattr(one.message, "failures", []):
                    warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)
        console = new_console() if form is Form.TABLE else None
        columns = [
            Column("recording", "recording"),
            Column("frames", "frames", 8, str, right=True),
            Column("seconds", "seconds", 9, "{:.2f}".format, right=True),
        ]
        longest = max(map(len, named.names), default=0)
        listing = Listing(form, columns, ["recording", "frames", "seconds", "error"], longest, console)
        for position, name in enumerate(named.names):
            record: dict[str, Any] = {"recording": name, "frames": len(store[position])}
            if position not in reasons:
                record["seconds"] = store.clip(position).duration
            elif form in (Form.JSON, Form.CSV):
                record["error"] = named.explain(position, reasons[position])
            else:
                record["seconds"] = 0.0  # a line like the others, so that lines count as the folder does
            listing.write(record)
        failures = [*named.empty, *(named.explain(*each) for each in reasons.items())]
        if console is not None and named.paths:
            console.print(f"\n {len(store)} sequences of {store.n_features} features are in {output}.")
        list_failures(failures, len(named.paths) + len(named.empty))
        list_left_out(named.left_out)
    return ExitCode.SOME_FAILED if failures or named.left_out else ExitCode.FINE


def _front_end(like: Model | None) -> Any:
    if like is not None:
        return front_end_and_rest(like)[0]
    with busy("Loading"):
        from voicelstm import make_detector

        return make_detector()["features"]
