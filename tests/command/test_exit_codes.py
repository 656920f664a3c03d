import os
import signal

import click

from tests.command.runner import run
from voicelstm.command._exit_codes import EXIT_CODES, ExitCode


def test_help_names_every_exit_code():
    out, _ = run("--help")
    assert {int(line.split()[0]) for line in out.split("Exit codes:")[1].splitlines() if line.strip()} == set(
        ExitCode
    )
    assert "Exit codes:" in EXIT_CODES


def test_codes_are_those_that_scripts_expect():
    assert click.UsageError.exit_code == ExitCode.USAGE
    # A shell adds 128 to the number of the signal that ended a program.
    assert ExitCode.INTERRUPTED == 128 + signal.SIGINT
    if os.name == "posix":
        assert ExitCode.BUG == os.EX_SOFTWARE
        assert ExitCode.CLOSED_PIPE == 128 + signal.SIGPIPE
