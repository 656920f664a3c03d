import shlex

import pytest

from tests.command.runner import run
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode


def answered(*arguments):
    """The command that an answer gives, as a shell divides it; it stands on a line of its own."""
    out, err = run(*arguments, code=ExitCode.USAGE)
    assert out == ""
    return shlex.split(err.splitlines()[-1])


@pytest.mark.parametrize(
    ("asked", "now"),
    [
        (
            ["my labels.csv", "--model", "dynamics", "-o", "d"],
            ["my labels.csv", "--kind", "dynamics", "-o", "d"],
        ),
        (["--model=convolutions", "x.csv", "-o", "d"], ["--kind=convolutions", "x.csv", "-o", "d"]),
    ],
)
def test_the_kind_that_was_named_model_is_answered_with_the_command_that_works(asked, now):
    found = answered("train", *asked)
    assert found == ["voicelstm", "train", *now]
    # Files need not be there; an option that is unknown would be an error.
    command_line.commands["train"].make_context("train", found[2:], resilient_parsing=True)


def test_train_says_that_it_makes_a_new_detector_if_it_is_given_one():
    _, err = run("train", "labels.csv", "--model", "d.voicelstm", "-o", "d", code=ExitCode.USAGE)
    assert "--model d.voicelstm: train makes a new detector, and --kind chooses of which kind" in err


def test_help_shows_no_former_option():
    out, _ = run("train", "--help")
    assert "--kind" in out
    assert "--model" not in out
