import io

import pytest
from rich.console import Console

from voicelstm.command._card import card_report

RATE = {
    "group": "channel",
    "value": "telephone",
    "n_human": 30,
    "n_synthetic": 40,
    "human_called_synthetic": 0.2,
    "human_called_synthetic_interval": [0.104, 0.306],
    "synthetic_called_human": 0.005,
    "synthetic_called_human_interval": None,
    "equal_error_rate": 0.12,
}
CARD = {
    "name": "mine",
    "date": "2026-11-29",
    "summary": "A detector of telephone calls.",
    "intended_use": "To try it out.",
    "limits": ["It was never outdoors.", "It is slow."],
    "operating_points": [
        {
            "name": "1 in 20",
            "threshold": 1.5,
            "human_called_synthetic": 0.05,
            "synthetic_called_human": 0.615,
            "of_channels": [
                {"value": "as they are", "human_called_synthetic": 0.021, "synthetic_called_human": 0.6},
                {"value": "Opus", "human_called_synthetic": 0.14, "synthetic_called_human": 0.63},
            ],
        }
    ],
    "rates": [RATE, {"group": "language", "value": "en", "n_human": 3}],
    "training": [
        {"source": "a phone", "licence": "CC0", "n_human": 3, "n_synthetic": 4},
        {"source": "a phone", "licence": "MIT", "n_human": 1000},
        {"source": "a robot", "n_synthetic": 5},
    ],
}


SHA256 = "0123456789abcdef" * 4


def written(card, **options):
    """Lines of a report on a terminal of 80 columns, blanks made one."""
    console = Console(file=io.StringIO(), width=80, markup=False, highlight=False)
    for part in card_report(card, SHA256, **options):
        console.print(part)
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines), default=0) <= 80
    return [" ".join(line.split()) for line in lines if line.strip()]


def test_a_card_is_read_from_top_to_bottom():
    lines = written(CARD)
    assert lines[:7] == [
        "name mine",
        "date 2026-11-29",
        f"sha256 {SHA256}",
        "summary A detector of telephone calls.",
        "trained on 1,003 human and 9 synthetic recordings of 2 sources",
        "use To try it out.",
        "Errors at a score of 0, in per cent, in brackets 95 % intervals:",
    ]
    assert "telephone 30 20 (10–31) 40 0.5 12" in lines
    assert "1 in 20 +1.50 5.0 % 2.1–14 % 62 %" in lines or "1 in 20 +1.50 5.0 % 2.1–14 % 61 %" in lines
    assert lines[-4:-1] == ["Limits:", "- It was never outdoors.", "- It is slow."]
    assert lines[-1] == "--json has more: rates by language; each source with its licence."


def test_what_deceives_it_stands_below_the_channels():
    replayed = RATE | {"group": "adversity", "value": "loudspeaker and room"}
    for rates in ([replayed, *CARD["rates"]], [*CARD["rates"], replayed]):
        lines = written(CARD | {"rates": rates})
        (position,) = [position for position, line in enumerate(lines) if line.startswith("telephone ")]
        assert lines[position + 1].startswith("loudspeaker and room 30 20 ")


def test_a_card_says_what_the_detector_was_adapted_to():
    lines = written({"name": "mine, adapted", "adapted_to": {"n_human": 10, "n_synthetic": 12}})
    assert lines[0] == "name mine, adapted"
    assert lines[-1] == "adapted to 10 human and 12 synthetic recordings"
    assert "adapted" not in " ".join(written({"name": "mine", "adapted_to": "a phone"}))


def test_errors_of_the_packages_detectors_are_those_of_what_they_have_not_heard():
    assert any(
        "of detectors trained alike, without the sources" in line
        for line in written(CARD, of_the_package=True)
    )


@pytest.mark.parametrize("missing", list(CARD))
def test_what_a_card_does_not_say_is_left_out(missing):
    card = {name: value for name, value in CARD.items() if name != missing}
    lines = written(card)
    assert lines != written(CARD)
    assert set(lines) < set(written(CARD)) or missing in ("rates", "training")
    assert written({}) == [f"sha256 {SHA256}"]


def test_numbers_that_are_not_known_are_blank():
    bare = {"group": "channel", "value": "noise"}
    assert "noise" in written({"rates": [bare]})
    odd = bare | {"human_called_synthetic": [0.1], "human_called_synthetic_interval": [0.1], "n_human": None}
    assert written({"rates": [odd]}) == written({"rates": [bare]})
    assert "trained" not in " ".join(written({"training": [{"source": "a", "n_human": "many"}]}))


def test_a_card_cannot_steer_a_terminal():
    card = {"name": "a\x1b[31m", "limits": ["b\x1b]0;c\x07"], "rates": [RATE | {"value": "d\x1b[0m"}]}
    lines = written(card)
    assert "\x1b" not in "".join(lines)
    assert r"name a\x1b[31m" in lines
