import io
import logging
import os
import re
import select
import sys
import time
import warnings

import click
import pytest

from tests.command.runner import SET, run
from voicelstm.command import _session
from voicelstm.command._command_line import command_line
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._session import Session, busy, say
from voicelstm.exceptions import AudioWarning


def test_verbose_shows_the_librarys_log_wherever_it_stands(voice_folder, tmp_path):
    arguments = ("train", voice_folder / "labels.csv", "-o", tmp_path / "d", *SET)
    for chosen in (("-v", *arguments), (*arguments, "-v")):
        _, err = run(*chosen)
        assert re.search(r"voicelstm\.network\._training: epoch 1 of \d+: .*loss", err)
        assert f"wrote {tmp_path / 'd'}" in err
    assert run(*arguments)[1] == ""


@pytest.mark.parametrize(
    ("verbose", "said"),
    [
        (0, ["voicelstm: warning: ours"]),
        (1, ["voicelstm: warning: ours", "voicelstm.anything: step"]),
        (2, ["voicelstm: warning: ours", "voicelstm: warning: theirs", "voicelstm.anything: step", "detail"]),
    ],
)
def test_what_is_said_of_warnings_and_logs_is_what_was_asked_for(verbose, said, capsys):
    log = logging.getLogger("voicelstm.anything")
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with Session(verbose=verbose).running():
            for _ in range(2):
                warnings.warn("ours", AudioWarning, stacklevel=1)
            warnings.warn("theirs", UserWarning, stacklevel=1)
            log.info("step")
            log.debug("detail")
            logging.getLogger("elsewhere").info("theirs")
    out, err = capsys.readouterr()
    assert out == ""
    assert all(text in err for text in said)
    assert err.count("ours") == 2  # of two recordings, say
    assert err.count("\n") == len(said) + 1


def test_after_a_run_logs_and_warnings_are_as_they_were():
    own = logging.getLogger("voicelstm")
    before = own.level, list(own.handlers), list(warnings.filters), warnings.showwarning
    with pytest.raises(ZeroDivisionError), Session(verbose=2).running():
        _ = 1 // 0
    assert (own.level, own.handlers, warnings.filters, warnings.showwarning) == before


def test_what_is_said_may_have_lines_and_steers_no_terminal(capsys):
    say("two\nlines\x1b[31m\r")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "voicelstm: two\nlines\\x1b[31m\\r\n")


class Terminal:
    """A terminal, and what was written to its `stream`."""

    def __init__(self):
        pty = pytest.importorskip("pty")
        self._ours, theirs = pty.openpty()
        self.stream = os.fdopen(theirs, "w")

    def shown(self):
        self.stream.flush()
        return os.read(self._ours, 2**16).decode() if select.select([self._ours], [], [], 0.1)[0] else ""

    def close(self):
        self.stream.close()
        os.close(self._ours)


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal()
    yield terminal
    terminal.close()


def test_what_takes_over_a_second_is_announced_on_a_terminal(terminal, monkeypatch, capsys):
    monkeypatch.setattr(_session, "_SOON", 0.1)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    with busy("Loading"):
        time.sleep(1)
        print("a result")
        assert "Loading" in terminal.shown()
    assert "\x1b[2K" in terminal.shown()  # which takes it away
    time.sleep(0.5)
    assert terminal.shown() == ""
    assert capsys.readouterr().out == "a result\n"


def test_what_is_quick_or_over_is_not_announced(terminal, monkeypatch):
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    with busy("Loading"):
        pass
    monkeypatch.setattr(_session, "_SOON", 0.1)
    with busy("Listening") as stop:
        stop()
        time.sleep(0.5)
    assert terminal.shown() == ""


def test_nothing_is_announced_where_nobody_looks_on_or_logs_are_shown(terminal, monkeypatch):
    monkeypatch.setattr(_session, "_SOON", 0.01)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    with click.Context(click.Command("detect"), obj=Session(verbose=1)), busy("Loading"):
        time.sleep(0.2)
    assert terminal.shown() == ""
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with busy("Loading"):
        time.sleep(0.2)
    assert sys.stderr.getvalue() == ""


def test_detect_announces_what_takes_long_even_of_one_recording(
    terminal, detector_file, voices, monkeypatch, capsys
):
    monkeypatch.setattr(_session, "_SOON", 0.0)
    monkeypatch.setattr(sys, "stderr", terminal.stream)
    code = command_line.main(["detect", "-m", str(detector_file), voices[0]], standalone_mode=False)
    assert code == ExitCode.FINE
    shown = terminal.shown()
    assert "Loading" in shown
    assert "Listening" in shown
    assert capsys.readouterr().out.startswith(voices[0])
