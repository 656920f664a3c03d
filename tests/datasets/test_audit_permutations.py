import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

from voicelstm import audit
from voicelstm.datasets._audit_permutations import permutation_test

# Of the variance of each number, the part that clips of one speaker do not share.
OWN = np.array([1, 0.1, 0.5, 0.02, 1, 0.3, 0.9, 0.7, 0, 0.2, 0.6, 0.05])[:, None]


def drawn(random, speaker):
    """Twelve numbers of each clip that have nothing to do with labels."""
    of_speakers = random.standard_normal((len(OWN), speaker.max() + 1))[:, speaker]
    return np.sqrt(OWN) * random.standard_normal(of_speakers.shape) + np.sqrt(1 - OWN) * of_speakers


def of_clips(random):
    return np.arange(40), random.permutation(np.repeat([True, False], 20))


def of_speakers(random):
    speaker = np.repeat(np.arange(24), random.integers(1, 12, 24))
    return speaker, random.permutation(np.repeat([True, False], 12))[speaker]


def of_speakers_in_both_classes(random):
    speaker = np.repeat(np.arange(24), random.integers(1, 12, 24))
    share = random.choice([0, 0.5, 0.5, 0.8, 1], 24)
    return speaker, random.uniform(size=len(speaker)) < share[speaker]


def of_few_speakers(random):
    speaker = np.repeat(np.arange(8), 10)
    return speaker, random.permutation(np.repeat([True, False], 4))[speaker]


DESIGNS = [of_clips, of_speakers, of_speakers_in_both_classes, of_few_speakers]


def n_false_alarms(design, n_corpora):
    found = 0
    for seed in range(n_corpora):
        random = np.random.default_rng(seed)
        speaker, human = design(random)
        family = permutation_test(drawn(random, speaker), human, speaker, np.random.RandomState(seed))
        found += bool((family.p_value <= 0.05).any())
    return found


def check_rate(n_found, n_corpora):
    # Of 25 corpora it was 7 when each number was tested for itself.
    assert binomtest(n_found, n_corpora, 0.05, alternative="greater").pvalue > 0.001, n_found


@pytest.mark.parametrize("design", DESIGNS)
def test_at_most_one_corpus_in_twenty_has_a_shortcut_by_chance(design):
    check_rate(n_false_alarms(design, 40), 40)


@pytest.mark.nightly
@pytest.mark.parametrize("design", DESIGNS)
def test_at_most_one_corpus_in_twenty_has_a_shortcut_by_chance_of_many(design):
    check_rate(n_false_alarms(design, 500), 500)


@pytest.mark.nightly
@pytest.mark.parametrize("by_speaker", [False, True])
@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.AuditWarning")
def test_at_most_one_audit_in_twenty_of_random_labels_finds_a_shortcut(by_speaker):
    found = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        speaker, human = (of_speakers if by_speaker else of_clips)(random)
        level, length = random.uniform(0.02, 0.3, 40), random.integers(300, 900, 40)
        recordings = [
            (
                np.concatenate(
                    [np.zeros(random.integers(200)), level[i] * random.standard_normal(length[i])]
                ),
                8000,
            )
            for i in speaker
        ]
        labels, groups = np.where(human, "human", "synthetic"), speaker if by_speaker else None
        found += bool(audit(recordings, labels, groups, n_resamples=2, random_state=seed).shortcuts)
    check_rate(found, 200)


@pytest.mark.parametrize("design", DESIGNS[:3])
def test_a_number_that_tells_the_classes_apart_is_found_beside_eleven_that_do_not(design):
    for seed in range(5):
        random = np.random.default_rng(seed)
        speaker, human = design(random)
        values = drawn(random, speaker)
        values[0, human] += 4
        family = permutation_test(values, human, speaker, np.random.RandomState(seed))
        assert family.p_value[0] < 0.01
        assert roc_auc_score(human, values[0]) > family.detectable[0]


def test_a_strong_number_does_not_hide_a_weaker_one():
    random = np.random.default_rng(0)
    human = np.repeat([True, False], 50)
    values = random.standard_normal((2, 100))
    values[1] += 0.45 * human
    alone = permutation_test(values[1:], human, None, np.random.RandomState(0)).p_value[0]
    values[0] += 10 * human
    beside = permutation_test(values, human, None, np.random.RandomState(0)).p_value
    assert beside[0] < 0.001
    assert beside[1] == pytest.approx(alone, abs=0.01)


def test_p_values_of_one_number_are_those_of_the_exact_test():
    from scipy.stats import mannwhitneyu

    random = np.random.default_rng(0)
    human = np.repeat([True, False], [7, 8])
    for shift in (0, 0.5, 1, 2):
        values = random.standard_normal((1, 15)) + shift * human
        expected = mannwhitneyu(values[0, human], values[0, ~human], method="exact").pvalue
        found = permutation_test(values, human, None, np.random.RandomState(0)).p_value[0]
        assert found == pytest.approx(expected, abs=0.04)


def test_ties_and_infinities_and_numbers_that_are_all_equal_are_ranked():
    human = np.repeat([True, False], 20)
    values = np.array([np.where(human, -np.inf, 1.0), np.ones(40), np.arange(40) % 2])
    family = permutation_test(values, human, None, np.random.RandomState(0))
    assert family.p_value[0] < 0.001
    np.testing.assert_array_equal(family.p_value[1:], 1)
    assert np.isfinite(family.detectable).all()
