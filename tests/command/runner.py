"""The command, run in this process, also on a terminal, and as a process of its own."""

import io
import re
import sys

from click.testing import CliRunner

from voicelstm import make_detector
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode

SMALL = {"classifier.units": "6", "classifier.max_steps": "3", "features.n_mfcc": "8"}
SET = ["--kind", "dynamics"]
SET += [text for name, value in SMALL.items() for text in ("--set", f"{name}={value}")]
COMMAND = [sys.executable, "-m", "voicelstm"]


def run(*arguments, code=ExitCode.FINE, given=None):
    """Run the command, and return what it wrote to standard output and to standard error."""
    done = CliRunner().invoke(command_line, [str(each) for each in arguments], input=given)
    assert done.exit_code == code, f"{done.exit_code}\n{done.output}"
    return done.stdout, done.stderr


class Screen(io.StringIO):
    """What takes itself for a terminal."""

    def isatty(self):
        return True


def shown_on_terminal(monkeypatch, *arguments, columns=80, code=ExitCode.FINE):
    """Run the command on a terminal, and return the lines that stand there in the end, without colours."""
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setenv("COLUMNS", str(columns))
    assert command_line.main([str(each) for each in arguments], standalone_mode=False) == code
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    # A carriage return begins a line again, as progress does.
    return [line.rpartition("\r")[2].rstrip() for line in text.split("\n")]


def small_detector_as_trained():
    params = {"classifier__units": (6,), "classifier__max_steps": 3, "features__n_mfcc": 8}
    return make_detector("dynamics", random_state=0, **params)
