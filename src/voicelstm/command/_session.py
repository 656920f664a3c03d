"""One run of the command: what of the libraries below reaches standard error."""

import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Timer
from typing import Any

import click

from voicelstm.command._output import new_console, printable
from voicelstm.command._wording import in_options
from voicelstm.exceptions import VoiceLSTMWarning

__all__ = ["Session", "Task", "arguments_of", "busy", "say"]

_ARGUMENTS = "voicelstm.arguments"
_SOON = 1.0  # in s; what takes no longer is not announced
_NOISY = ("absl", "h5py", "jax", "keras", "numba", "tensorflow")


def say(text: str) -> None:
    """Tell the person something, on standard error."""
    text = printable(text, keep="\n")
    click.echo(f"voicelstm: {text}", err=True)


@dataclass
class Session:
    """Settings of a whole run."""

    owns_process: bool = False  # the environment may be set
    verbose: int = 0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Show what was asked for of logs and warnings, and nothing else."""
        if self.owns_process and self.verbose < 2:
            _silence_native_code()
        with ExitStack() as stack:
            stack.enter_context(self._logging())
            stack.enter_context(warnings.catch_warnings())
            if self.verbose < 2:
                warnings.simplefilter("ignore")
            warnings.simplefilter("always", VoiceLSTMWarning)
            warnings.showwarning = _show_warning
            yield

    @contextmanager
    def _logging(self) -> Iterator[None]:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s", "%H:%M:%S"))
        own = logging.getLogger("voicelstm")
        before = own.level
        if self.verbose:
            own.addHandler(handler)
            own.setLevel(logging.INFO if self.verbose == 1 else logging.DEBUG)
        if self.owns_process and self.verbose < 2:
            for name in _NOISY:
                logging.getLogger(name).setLevel(logging.ERROR)
        try:
            yield
        finally:
            own.removeHandler(handler)
            own.setLevel(before)


@contextmanager
def busy(what: str) -> Iterator[Callable[[], None]]:
    """Say on a terminal what takes over a second, until it is done or what is yielded is called."""
    context = click.get_current_context(silent=True)
    session = None if context is None else context.find_object(Session)
    if not sys.stderr.isatty() or (session is not None and session.verbose):
        yield lambda: None
        return
    from rich.live import Live
    from rich.spinner import Spinner

    # Warnings stand above it; what goes to standard output is none of its business.
    status = Live(
        Spinner("dots", what), console=new_console(stderr=True), transient=True, redirect_stdout=False
    )
    timer = Timer(_SOON, status.start)
    timer.daemon = True

    def stop() -> None:
        timer.cancel()
        timer.join()
        status.stop()

    timer.start()
    try:
        yield stop
    finally:
        stop()


class Task(click.Command):
    """A sub-command; it has ``-v`` as the command itself has it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(verbose_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep the arguments as they were given, for errors that give them back."""
        ctx.meta[_ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run it in its session."""
        with ctx.ensure_object(Session).running():
            return super().invoke(ctx)


def arguments_of(ctx: click.Context) -> tuple[str, ...]:
    """Return the words that a sub-command was given, as they were given."""
    return ctx.meta[_ARGUMENTS]


def verbose_option() -> click.Option:
    """Make the option ``-v``, which counts for the whole run wherever it stands."""

    def count(ctx: click.Context, _: click.Parameter, times: int) -> None:
        ctx.ensure_object(Session).verbose += times

    return click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=count,
        help="Say what is being done; -vv in detail, with what the libraries say.",
    )


def _silence_native_code() -> None:
    """Send to nowhere what TensorFlow and decoders write past Python, straight to standard error.

    TensorFlow's own switch comes too late for the lines that it writes while it is loaded.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        number = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return
    if number != 2:
        return
    # Kept open for as long as the process lives, as standard error is; a Path cannot open a descriptor.
    own = open(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")  # noqa: PTH123, SIM115
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    sys.stderr = own


def _show_warning(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
    say(f"warning: {in_options(str(message))}")
