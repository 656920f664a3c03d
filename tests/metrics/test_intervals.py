import numpy as np
import pytest

from tests.metrics.clips import NAMES, SCORES, both
from voicelstm.metrics import bootstrap_interval, cllr, equal_error_rate


def mean_score(y_true, y_score):
    return float(np.mean(y_score))


def test_the_interval_of_a_mean_is_as_wide_as_theory_says():
    random = np.random.default_rng(0)
    values = random.normal(size=400)
    y = np.tile([0, 1], 200)
    low, high = bootstrap_interval(mean_score, y, values, random_state=0, n_resamples=2000)
    standard_error = values.std() / np.sqrt(400)
    assert (high - low) / standard_error == pytest.approx(2 * 1.96, rel=0.1)
    assert (high + low) / 2 == pytest.approx(values.mean(), abs=0.2 * standard_error)
    # Every clip four times says nothing new about speakers, and an interval by clips is half as wide.
    four_times = np.repeat(y, 4), np.repeat(values, 4)
    groups = np.repeat([f"speaker {number}" for number in range(400)], 4)
    by_group = bootstrap_interval(mean_score, *four_times, groups=groups, random_state=0, n_resamples=2000)
    assert by_group[1] - by_group[0] == pytest.approx(high - low, rel=0.1)
    by_clip = bootstrap_interval(mean_score, *four_times, random_state=0, n_resamples=2000)
    assert by_clip[1] - by_clip[0] == pytest.approx((high - low) / 2, rel=0.1)
    narrow = bootstrap_interval(mean_score, y, values, confidence=0.5, random_state=0, n_resamples=2000)
    assert (narrow[1] - narrow[0]) / standard_error == pytest.approx(2 * 0.674, rel=0.1)


def test_the_interval_covers_the_true_value_about_as_often_as_it_says():
    # Both classes lie one deviation off zero: the equal error rate is that of a normal beyond 1, 15.87 %.
    random = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        y, scores = both(random.normal(1, 1, 150), random.normal(-1, 1, 150))
        low, high = bootstrap_interval(equal_error_rate, y, scores, n_resamples=200, random_state=seed)
        covered += low <= 0.158655 <= high
    assert 50 <= covered <= 60


def test_groups_are_drawn_whole_and_no_class_is_lost():
    # Two speakers are heard in both classes, one in human clips only, two in synthetic ones only.
    group = np.array(["a", "b", "a", "a", "b", "c", "c", "c", "d", "e"])
    y = np.array([1, 1, 0, 0, 0, 1, 1, 1, 0, 0])
    seen = set()

    def check(y_true, y_score, sample_weight):
        clip = y_score.astype(int)
        assert (y_true == y[clip]).all()
        assert (sample_weight == 10 * clip + 1).all()
        times = np.bincount(clip, minlength=len(y))
        per_group = {name: set(times[group == name]) for name in "abcde"}
        assert all(len(counts) == 1 for counts in per_group.values())
        drawn = {name: counts.pop() for name, counts in per_group.items()}
        assert drawn["a"] + drawn["b"] == 2
        assert drawn["c"] == 1
        assert drawn["d"] + drawn["e"] == 2
        seen.add(tuple(drawn.values()))
        return 0.0

    weight = 10 * np.arange(10) + 1
    bootstrap_interval(
        check, y, np.arange(10.0), groups=group, sample_weight=weight, n_resamples=200, random_state=0
    )
    assert len(seen) == 9


@pytest.mark.parametrize("groups", [None, [7, 7, 1, 5, 2, 3, 3, 4]])
def test_a_clip_of_weight_zero_is_never_drawn(groups):
    y = np.repeat(["human", "synthetic"], 4)
    seen = set()

    def note(y_true, y_score, sample_weight):
        assert (y_true == y[y_score.astype(int)]).all()
        seen.update(y_score.astype(int).tolist())
        return 0.0

    weight = [0, 0, 0.5, 2, 1, 0.5, 0, 1]
    bootstrap_interval(
        note, y, np.arange(8.0), groups=groups, sample_weight=weight, n_resamples=50, random_state=0
    )
    assert seen == {2, 3, 4, 5, 7}


def test_without_groups_each_class_keeps_its_size():
    y = np.array([1, 1, 1, 0, 0])
    sizes = set()
    bootstrap_interval(
        lambda labels, scores: sizes.add((labels == 1).sum()) or 0.0, y, np.arange(5.0), n_resamples=50
    )
    assert sizes == {3}


def test_intervals_repeat_with_the_random_state_alone():
    state = np.random.get_state()[1].copy()
    arguments = equal_error_rate, NAMES, SCORES
    options = {"pos_label": "human", "n_resamples": 50}
    first = bootstrap_interval(*arguments, random_state=3, **options)
    assert first == bootstrap_interval(*arguments, random_state=3, **options)
    assert first == bootstrap_interval(*arguments, random_state=np.random.RandomState(3), **options)
    bootstrap_interval(*arguments, **options)
    assert (np.random.get_state()[1] == state).all()


def test_an_infinite_metric_gives_an_infinite_bound_instead_of_none():
    y, scores = both([np.inf, 1, 1], [np.inf, -1, -1])
    low, high = bootstrap_interval(cllr, y, scores, random_state=0)
    assert 0 < low < high == np.inf


def test_a_thousand_resamples_are_drawn_unless_another_number_is_asked_for():
    values = []

    def count(y_true, y_score):
        values.append(len(values))
        return 0.0

    bootstrap_interval(count, NAMES, SCORES)
    assert len(values) == 1000
    bootstrap_interval(count, NAMES, SCORES, n_resamples=1)
    assert len(values) == 1001


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_resamples": 0}, "n_resamples=0"),
        ({"confidence": 95}, "confidence=95"),
        ({"confidence": 1}, "confidence=1"),
        ({"confidence": 0}, "confidence=0"),
        ({"groups": list("aaaaabcdef")}, "All clips of 'human' are in one group"),
        ({"groups": list("abc")}, "groups has 3 values"),
        ({"groups": [None, *"abcdefghi"]}, "groups must be of one kind"),
    ],
)
def test_intervals_that_cannot_be_had(options, words):
    with pytest.raises(ValueError, match=words):
        bootstrap_interval(equal_error_rate, NAMES, SCORES, pos_label="human", **options)
