import numpy as np
import pytest

from tests.detector.evaluations import told
from voicelstm.detector import MEASURES
from voicelstm.detector._resampling import resampled_measures
from voicelstm.metrics import bootstrap_interval, percentile_interval


@pytest.fixture
def clips():
    """Scores for human with ties, ratios of which two are infinite and one of these wrong, and decisions."""
    random = np.random.default_rng(0)
    human = np.arange(120) < 50
    score = np.round(random.normal(np.where(human, 1, -1), 1.5), 1)
    ratio = score + 0.3
    ratio[[0, 100]] = np.inf
    speaker = random.permutation(np.r_[np.arange(6).repeat(10), np.arange(6, 26).repeat(3)])
    return human, {"score": score, "ratio": ratio, "accepted": score >= 0.1}, speaker


@pytest.mark.parametrize("costs", [{}, {"synthetic_prior": 0.3, "cost_false_alarm": 2.0}])
@pytest.mark.parametrize("by_speaker", [False, True])
@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_counted_clips_measure_what_repeated_clips_do(clips, costs, by_speaker, confidence):
    human, responses, speaker = clips
    groups = speaker if by_speaker else None
    found = resampled_measures(human, responses, groups, costs, 60, seed=3)
    assert found.keys() == MEASURES.keys()
    for name, definition in MEASURES.items():
        known = {} if definition.of == "accepted" else {"human_label": 1, "pos_label": 1}
        expected = bootstrap_interval(
            definition.metric,
            human.astype(int),
            responses[definition.of],
            groups=groups,
            n_resamples=60,
            confidence=confidence,
            random_state=3,
            **known,
            **(costs if definition.takes_costs else {}),
        )
        np.testing.assert_allclose(percentile_interval(found[name], confidence), expected, rtol=1e-9)
    assert np.isinf(found["cllr"]).any()
    assert not np.isnan(found["cllr"]).any()


@pytest.mark.nightly
def test_of_twenty_thousand_clips_of_two_hundred_speakers_each_system_has_a_row():
    random = np.random.default_rng(0)
    speaker = np.repeat(np.arange(200), 100)
    y = np.where(speaker < 100, "human", "synthetic")
    scores = random.normal(np.where(y == "human", 1, -1), 1)
    groups = {"speaker": speaker, "system": np.where(y == "human", "-", speaker % 6)}
    report = told(scores, y, groups, n_resamples=1000)
    assert [row.group for row in report.rows] == ["all"] + 6 * ["system"]
