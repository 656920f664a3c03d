import re
from types import SimpleNamespace

import pytest

from tests.command.runner import Screen
from voicelstm.command._verdict import MovingLine, Verdict
from voicelstm.detector import StreamEvent

STREAM = SimpleNamespace(human_label="person", synthetic_label="machine", threshold=0.5)


def verdict_of(*scores):
    verdict = Verdict()
    for number, score in enumerate(scores):
        verdict.add(StreamEvent(number, number + 4.0, score, None, None, 1.0), STREAM)
    return verdict


def test_the_verdict_is_that_of_the_mean_of_all_scores():
    verdict = verdict_of(1.0, None, 0.0, 0.8)
    assert verdict.score == pytest.approx(0.6)
    assert verdict.record() == {
        "verdict": "machine",
        "score": pytest.approx(0.6),
        "windows": 3,
        "synthetic_windows": 2,
        "duration_s": 7.0,
    }
    expected = "machine: mean score +0.60; of 3 windows with speech in 7.0 s, 2 are synthetic."
    assert verdict.sentence() == expected
    assert verdict_of(0.4999).label == "person"
    assert verdict_of(0.5).label == "machine"


def test_without_speech_there_is_none():
    for verdict in (Verdict(), verdict_of(None, None)):
        assert verdict.label is verdict.score is None
        assert verdict.record()["verdict"] is None
    assert verdict.sentence() == "No speech in 5.0 s: there is no voice to judge."


def lines(columns, *scores):
    """The last line that stands on a terminal after so many windows, and its colours."""
    from rich.console import Console

    screen = Screen()
    console = Console(file=screen, width=columns, force_terminal=True, color_system="standard")
    verdict = Verdict()
    with MovingLine(console) as line:
        for number, score in enumerate(scores):
            event = StreamEvent(number / 2, number / 2 + 4.0, score, None, None, 1.0)
            verdict.add(event, STREAM)
            line.show(event, verdict)
        written = screen.getvalue()
    last = written.rpartition("\r")[2]
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", last).rstrip(), last


def test_the_line_has_time_score_scores_before_and_the_verdict():
    shown, coloured = lines(80, -9.0, None, 0.0, 9.0)
    assert shown == " 0:00:05  score  +9.0  ▁·▅█  so far: person (+0.0)"
    assert "\x1b[32m▁" in coloured  # green
    assert "\x1b[1;35m█" in coloured  # magenta
    assert lines(80, None)[0] == " 0:00:04    no speech  ·  so far: nothing to judge"
    assert lines(80, *[0.0] * 7300)[0].startswith(" 1:00:53  ")


def test_the_line_fits_a_terminal_of_any_width():
    for columns in (20, 50, 80, 200):
        shown, _ = lines(columns, *[3.0] * 100)
        assert len(shown) <= columns
    assert shown.count("█") == 60
