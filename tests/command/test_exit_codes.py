from tests.command.runner import run
from voicelstm.command._exit_codes import EXIT_CODES, ExitCode


def test_help_names_every_exit_code():
    out, _ = run("--help")
    assert {int(line.split()[0]) for line in out.split("Exit codes:")[1].splitlines() if line.strip()} == set(
        ExitCode
    )
    assert "Exit codes:" in EXIT_CODES
