"""The command itself: its sub-commands, and what becomes of their errors."""

import gc
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from voicelstm._base import __version__
from voicelstm.command._audit import audit
from voicelstm.command._detect import detect
from voicelstm.command._evaluate import evaluate
from voicelstm.command._exit_codes import EXIT_CODES, ExitCode
from voicelstm.command._export import export
from voicelstm.command._features import features
from voicelstm.command._info import info
from voicelstm.command._late_imports import put_off_imports
from voicelstm.command._listen import listen
from voicelstm.command._session import Session, say, verbose_option
from voicelstm.command._train import train
from voicelstm.command._wording import in_options
from voicelstm.exceptions import VoiceLSTMError

__all__ = ["command_line", "main"]

_log = logging.getLogger(__name__)

_HELP = """\
Tell human speech from synthetic speech.

\b
Ask about recordings; or train a detector on yours, and ask that one:
  voicelstm detect call.wav
  voicelstm train labels.csv --groups speaker -o detector.voicelstm
  voicelstm detect -m detector.voicelstm calls/

Labels are a CSV with the columns path and label, or a folder with one sub-folder per class. On a terminal
results are tables; in a pipe they are plain lines, and --json or --csv makes them what programs read.
"""


class ClosedPipe(Exception):  # noqa: N818  # no error: who reads has seen enough
    """Nobody reads standard output any more; click would take a BrokenPipeError for a failure."""


class CommandLine(click.Group):
    """Sub-commands in the order of their use, with exit codes of their own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return their names as they were added, where click sorts them."""
        return list(self.commands)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Read the arguments, and write help where they ask for it."""
        with _told_of_closed_pipes():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command."""
        with _told_of_closed_pipes():
            return super().invoke(ctx)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run, and end the process with a code of :class:`ExitCode`."""
        if hasattr(sys.stdout, "reconfigure"):
            sys.stdout.reconfigure(errors="surrogateescape")  # names of files may be in any encoding
        code = self._exit_code(*args, **{**extra, "prog_name": "voicelstm"})
        if standalone_mode:
            sys.exit(code)
        return code

    def _exit_code(self, *args: Any, **extra: Any) -> int:
        session = extra.setdefault("obj", Session())
        try:
            code: Any = super().main(*args, **{**extra, "standalone_mode": False})
            sys.stdout.flush()
        except click.ClickException as error:
            error.show()
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            say("interrupted")
            return ExitCode.INTERRUPTED
        except (ClosedPipe, BrokenPipeError):
            _stop_writing()
            return ExitCode.CLOSED_PIPE
        except (VoiceLSTMError, OSError, ValueError) as error:
            if session.verbose > 1:
                _log.debug("where it happened", exc_info=True)
            say(f"error: {in_options(str(error))}")
            return ExitCode.REFUSED
        except Exception:  # noqa: BLE001  # whatever is left is a bug, and is shown whole
            click.echo(traceback.format_exc(), err=True)
            say("error: this is a bug of voicelstm, please report the lines above.")
            return ExitCode.BUG
        return int(code or ExitCode.FINE)


@click.group(
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=_HELP,
    epilog=EXIT_CODES,
)
@click.version_option(__version__, message="%(prog)s %(version)s")
def command_line() -> None:
    """Do nothing but what the sub-commands do."""


command_line.params.append(verbose_option())
for each in (train, detect, listen, evaluate, audit, features, info, export):
    command_line.add_command(each)


def main() -> None:
    """Run the command in a process of its own."""
    _open_what_is_closed()
    put_off_imports()
    try:
        command_line.main(obj=Session(owns_process=True))
    finally:
        gc.freeze()  # else the interpreter's end looks for garbage among all that the libraries have made


@contextmanager
def _told_of_closed_pipes() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise ClosedPipe from None


def _open_what_is_closed() -> None:
    """Let standard streams that whoever started the process closed (``2>&-``) lead to nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # Not closed here: the stream is the process's own from now on.
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115


def _stop_writing() -> None:
    """Let what is still to be written go nowhere, so that the interpreter's end finds no closed pipe."""
    try:
        number = sys.stdout.fileno()
    except (AttributeError, OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
