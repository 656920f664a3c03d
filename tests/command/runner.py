"""The command, run in this process, and as a process of its own."""

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


def small_detector_as_trained():
    params = {"classifier__units": (6,), "classifier__max_steps": 3, "features__n_mfcc": 8}
    return make_detector("dynamics", random_state=0, **params)
