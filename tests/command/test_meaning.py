from pathlib import Path

from voicelstm.command._meaning import meaning_of_answers, meaning_of_segments
from voicelstm.command._model import Model

PACKAGED = Model("general-1")
OWN = Model("d.voicelstm", Path("d.voicelstm"))
POINT = {
    "name": "1 in 8",
    "threshold": 0.25,
    "human_called_synthetic": 0.125,
    "synthetic_called_human": 0.5,
}
EVEN_ODDS = (
    "A probability is that of the label at even odds, as if every other recording were synthetic: --prior"
    " 0.01 says what it means if 1 in 100 is."
)
ERRORS = "How often general-1 errs: voicelstm info."
MEASURED = (
    "1 in 8: synthetic from a score of +0.25. On sources and systems that training left out, 12.5 % of human"
    " recordings were called synthetic, and 50 % of synthetic ones human."
)


def test_a_probability_of_the_packages_detector_is_explained_unless_a_prior_is():
    assert meaning_of_answers(PACKAGED, None, None) == [EVEN_ODDS, ERRORS]
    posterior = "The posterior is the probability of synthetic if 1 recording in 50 is synthetic."
    assert meaning_of_answers(PACKAGED, None, 0.02) == [posterior, ERRORS]
    assert meaning_of_answers(OWN, None, 0.02) == [posterior]
    # Who has a detector of one's own knows what it was calibrated for.
    assert meaning_of_answers(OWN, None, None) == []


def test_a_prior_that_is_no_one_in_so_many_is_a_share():
    (said,) = meaning_of_answers(OWN, None, 0.3)
    assert said.endswith("if 30 % of recordings is synthetic.")


def test_an_operating_point_is_explained_by_what_was_measured_there():
    assert meaning_of_answers(OWN, POINT, None) == [MEASURED]
    assert meaning_of_answers(PACKAGED, POINT, None) == [MEASURED, EVEN_ODDS, ERRORS]


def test_a_mean_of_channels_is_not_taken_for_the_share_of_one():
    shares = {"as they are": 0.05, "Opus": 0.2, "telephone": 0.125}
    of_channels = [{"value": name, "human_called_synthetic": share} for name, share in shares.items()]
    (said,) = meaning_of_answers(OWN, POINT | {"of_channels": of_channels}, None)
    assert (
        "12.5 % of human recordings were called synthetic (a mean of 3 channels, from 5 %, as they are, to"
        " 20 %, Opus), and" in said
    )


def test_names_of_a_card_from_a_file_do_nothing_to_the_terminal():
    names = "as they are", "Opus\x1b[2J"
    of_channels = [
        {"value": name, "human_called_synthetic": share}
        for name, share in zip(names, (0.1, 0.2), strict=True)
    ]
    (said,) = meaning_of_answers(OWN, POINT | {"name": "1 in 8\x07", "of_channels": of_channels}, None)
    assert said.isprintable()


def test_a_threshold_may_decide_for_the_less_probable_label():
    *others, said = meaning_of_answers(OWN, POINT, None, decided_by_threshold=True)
    assert others == [MEASURED]
    assert said == "The threshold decides: a label may be the less probable one at even odds."


def test_segments_that_a_calibration_does_not_reach_are_no_decisions():
    (said, errors) = meaning_of_segments(PACKAGED, POINT, labelled=False)
    assert "they say where, not how sure, and decide nothing" in said
    assert errors == ERRORS
    assert meaning_of_segments(OWN, POINT, labelled=True) == [MEASURED]
    assert meaning_of_segments(OWN, None, labelled=True) == []
