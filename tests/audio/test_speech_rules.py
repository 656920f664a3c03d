import math

import pytest

from voicelstm.audio._speech_rules import SPEECH_RULES as RULES


def test_what_is_short_is_no_pause():
    assert RULES.short < RULES.pause


def test_speech_ends_at_less_than_it_begins_at_and_takes_less_behind_silence():
    assert RULES.ends_after_silence < RULES.begins_after_silence < RULES.begins
    assert RULES.ends_after_silence < RULES.ends < RULES.begins


@pytest.mark.parametrize(
    ("power", "decibels"),
    [("similar", -10), ("near", -15), ("word", -25), ("faint", -35), ("faintest", -45), ("rises", 2)],
)
def test_powers_are_those_that_the_comments_have_in_decibels(power, decibels):
    assert 10 * math.log10(getattr(RULES, power)) == pytest.approx(decibels)
