"""``voicelstm listen``."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, nullcontext
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._human import human_label_for, human_option
from voicelstm.command._meaning import meaning_of_segments, operating_point_of
from voicelstm.command._model import Model, is_given, model_option
from voicelstm.command._output import Form, Listing, new_console, output_options, write_notes
from voicelstm.command._recordings import STANDARD_INPUT, channel_option
from voicelstm.command._session import Task, say
from voicelstm.command._sound_sources import RATE, Microphone, StandardInput, stopped_by_interrupt
from voicelstm.command._verdict import MovingLine, Verdict
from voicelstm.command._wording import in_options
from voicelstm.exceptions import AudioError

if TYPE_CHECKING:
    from voicelstm.detector import DetectorStream, StreamEvent

__all__ = ["listen"]

# Those of PcmStream, which the help names without loading NumPy.
_FORMATS = (
    *("S8", "U8", "S16_LE", "S16_BE", "U16_LE", "U16_BE", "S24_LE", "S24_BE", "S24_3LE", "S24_3BE"),
    *("S32_LE", "S32_BE", "FLOAT_LE", "FLOAT_BE", "FLOAT64_LE", "FLOAT64_BE", "MU_LAW", "A_LAW"),
)

_EXAMPLES = """\
\b
Examples:
  voicelstm listen
  arecord -f S16_LE -r 16000 | voicelstm listen -
  ffmpeg -i https://example.org/radio -f wav - | voicelstm listen -
  parec --format=s16le --rate=16000 --channels=1 | voicelstm listen -
  voicelstm listen - --format MU_LAW --rate 8000 < call.ul > scores.jsonl

\b
From the microphone it needs the library sounddevice (the extra "live").
A window of 4 s is scored every 0.5 s, each as voicelstm detect would score it
alone. On a terminal one line says how it stands: time, score of the last
window, the scores before it, higher where they speak for synthetic, and the
verdict so far. In a pipe each window is a line of JSON, and the last line has
the verdict. The score is the log-odds of synthetic; smoothed is a
mean of the scores that forgets within seconds, and decides the label.
The verdict is that of the mean of all windows with speech. The exit code is
0 if that is human, 4 if it is synthetic, and 1 if nobody spoke.
Ctrl-C ends it with the verdict.
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@click.argument("source", required=False, metavar="[-]")
@model_option
@click.option("--device", metavar="NAME|NUMBER", help="Microphone.  [default: the system's]")
@click.option(
    "--format",
    "sample_format",
    type=click.Choice(_FORMATS, case_sensitive=False),
    metavar="FORMAT",
    default="S16_LE",
    show_default=True,
    help=f"Format of raw samples, as arecord calls it: {', '.join(_FORMATS)}.",
)
@click.option(
    "--rate",
    type=click.IntRange(1, 10_000_000),
    help="Sample rate of raw samples or of the microphone, in Hz.  [default: 16000]",
)
@click.option(
    "--channels",
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Channels of raw samples.",
)
@channel_option("mean")
@click.option("--window", type=float, default=4.0, show_default=True, help="Length of a window, in s.")
@click.option("--hop", type=float, default=0.5, show_default=True, help="Time between two windows, in s.")
@click.option(
    "--smoothing", type=float, default=4.0, show_default=True, help="Time constant of smoothed, in s."
)
@click.option(
    "--threshold",
    type=float,
    help="Log-odds of synthetic from which a voice is synthetic.  [default: the detector's own]",
)
@click.option("--operating-point", metavar="NAME", help="Threshold by its name on the detector's card.")
@human_option
@output_options(rows=False)
@click.pass_context
def listen(
    ctx: click.Context,
    source: str | None,
    model: Model,
    device: str | None,
    sample_format: str,
    rate: int | None,
    channels: int,
    channel: int | str | None,
    window: float,
    hop: float,
    smoothing: float,
    threshold: float | None,
    operating_point: str | None,
    human: str | None,
    form: Form,
) -> ExitCode:
    """Say while somebody speaks whether the voice is human or synthetic.

    Without an argument the microphone is heard; - is sound from standard
    input: WAV, or raw samples as --format, --rate and --channels say.
    """
    _check_source(ctx, source)
    if threshold is not None and operating_point is not None:
        raise click.UsageError("--threshold and --operating-point exclude each other.")
    with ExitStack() as stack:
        sign = stack.enter_context(stopped_by_interrupt())
        piped = None
        if source is not None:  # from now on, so that who writes need not wait for the detector
            from voicelstm.audio import PcmStream

            heard_channel = "mean" if channel is None else channel
            raw = PcmStream("standard input", sample_format, rate or RATE, channels, heard_channel)
            piped = StandardInput(raw, sign)
        detector = model.load()
        heard = piped or stack.enter_context(closing(Microphone(device, rate, sign)))
        settings: dict[str, Any] = {
            "window_s": window,
            "hop_s": hop,
            "smoothing_s": smoothing,
            "threshold": threshold,
        }
        settings |= {
            "operating_point": operating_point,
            "human_label": human_label_for(detector, str(model), human),
        }
        verdict, listing = Verdict(), Listing(Form.JSON, (), (), 0)
        console = new_console() if form is Form.TABLE else None
        with MovingLine(console) if console is not None else nullcontext() as line:
            for stream, event in _heard_events(heard, detector, model, settings, line):
                verdict.add(event, stream)
                if line is None:
                    listing.write(_record(event))
                else:
                    line.show(event, verdict)
    if not verdict.seconds and (sign.is_set or heard.error is not None):
        raise heard.error or KeyboardInterrupt  # before there was anything to answer about
    if console is None:
        listing.write(verdict.record())
    else:
        console.print(f" {verdict.sentence()}", style=verdict.style)
        if verdict.score is not None:
            point = operating_point_of(detector, operating_point)
            write_notes(console, meaning_of_segments(model, point, labelled=True))
    return _exit_code(verdict, heard)


def _exit_code(verdict: Verdict, heard: StandardInput | Microphone) -> ExitCode:
    """Return the verdict's exit code; tell what may have made it wrong."""
    if verdict.score is None and verdict.seconds and isinstance(heard, StandardInput) and heard.raw_as:
        say(f"no speech: raw samples were read as {heard.raw_as}; is that right?")
    if heard.error is not None:
        raise heard.error
    if verdict.score is None:
        return ExitCode.SOME_FAILED
    return ExitCode.FOUND if verdict.is_synthetic(verdict.score) else ExitCode.FINE


def _check_source(ctx: click.Context, source: str | None) -> None:
    """Refuse what is no source, and options that the other one has."""
    if source not in (None, STANDARD_INPUT):
        raise click.UsageError(
            f"{source}: listen takes - for standard input, or nothing for the microphone; about a recording"
            f" asks: voicelstm detect {shlex.quote(str(source))}"
        )
    others = ("device",) if source else ("sample_format", "channels", "channel")
    for name in others:
        if is_given(ctx, name):
            option = "--format" if name == "sample_format" else f"--{name}"
            where = "the microphone" if source else "sound from standard input, listen -"
            raise click.UsageError(f"{option} is for {where}.")
    if source and sys.stdin.isatty():
        raise click.UsageError(
            "Standard input is a terminal: pipe sound into it, such as arecord -f S16_LE -r 16000 | voicelstm"
            " listen -"
        )


def _heard_events(
    heard: StandardInput | Microphone,
    detector: Any,
    model: Model,
    settings: dict[str, Any],
    line: MovingLine | None,
) -> "Iterator[tuple[DetectorStream, StreamEvent]]":
    """Yield windows as they are heard, with the stream that they are from."""
    # Parameters are looked at before sound comes, at a rate that every detector takes.
    stream = _new_stream(detector, model, heard.sample_rate or RATE, settings)
    if line is not None:
        line.tell(f"Listening: the first answer comes after {stream.window_s:g} s of sound.")
    for block in heard.blocks():
        if block is None:
            if line is not None:
                line.tell("No sound comes; Ctrl-C ends it.")
            continue
        if heard.sample_rate not in (None, stream.sample_rate):
            stream = _new_stream(detector, model, heard.sample_rate, settings)
        for event in stream.push(block):
            yield stream, event
    for event in stream.flush():
        yield stream, event


def _new_stream(detector: Any, model: Model, rate: Any, settings: dict[str, Any]) -> "DetectorStream":
    import voicelstm

    try:
        return voicelstm.detector_stream(detector, rate, **settings)
    except TypeError as error:
        raise ValueError(f"{model}: {error}") from None
    except AudioError:
        raise
    except ValueError as error:
        said = in_options(str(error))
        if said == str(error):  # it names no option that would mend it
            raise ValueError(f"{model}: {said}") from None
        raise click.UsageError(said) from None


def _record(event: "StreamEvent") -> dict[str, Any]:
    return {
        "start_s": event.start_s,
        "stop_s": event.stop_s,
        "score": event.score,
        "smoothed": event.smoothed,
        "label": event.label,
        "speech_s": event.speech,
    }
