import logging
import re
import warnings

import pytest

from tests.command.runner import SET, run
from voicelstm.command._session import Session, say
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
