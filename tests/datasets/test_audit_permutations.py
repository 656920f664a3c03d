import numpy as np
import pytest
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_auc_score

from voicelstm import audit
from voicelstm.datasets._audit_permutations import permutation_test

# Of the variance of each number, the part that clips of one speaker do not share.
OWN = np.array([1, 0.1, 0.5, 0.02, 1, 0.3, 0.9, 0.7, 0, 0.2, 0.6, 0.05, 0.8, 0.15, 0.4, 1])[:, None]


def drawn(random, speaker):
    """Sixteen numbers of each clip that have nothing to do with labels."""
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


def of_copies(random):
    speaker = np.repeat(np.arange(40), 6)  # one human clip each, and five synthetic ones
    return speaker, random.permuted(np.tile(np.arange(6) == 0, (40, 1)), axis=1).ravel()


def of_one_clip_against_many(random):
    # Permuting speakers as they are, 44 of 100 corpora had a shortcut by chance.
    speaker = np.concatenate([np.arange(10), 10 + np.repeat(np.arange(50), 10)])
    return speaker, speaker < 10


def of_many_clips_against_one(random):
    speaker = np.concatenate([np.arange(8), 8 + np.repeat(np.arange(60), 20)])  # 87 of 100
    return speaker, speaker >= 8


DESIGNS = [
    of_clips,
    of_speakers,
    of_speakers_in_both_classes,
    of_few_speakers,
    of_copies,
    of_one_clip_against_many,
    of_many_clips_against_one,
]


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
def test_a_number_that_tells_the_classes_apart_is_found_beside_others_that_do_not(design):
    for seed in range(5):
        random = np.random.default_rng(seed)
        speaker, human = design(random)
        values = drawn(random, speaker)
        values[0, human] += 4
        family = permutation_test(values, human, speaker, np.random.RandomState(seed))
        assert family.p_value[0] < 0.01
        assert roc_auc_score(human, values[0]) > family.detectable[0]


def n_found(design, shifted, n_corpora):
    """Count the corpora in which the number 5 is significant, and give its AUC and what is detectable."""
    found, areas, detectable = 0, [], []
    for seed in range(n_corpora):
        random = np.random.default_rng(seed)
        speaker, human = design(random)
        values = drawn(random, speaker)
        values[5] += shifted(speaker, human)
        family = permutation_test(values, human, speaker, np.random.RandomState(seed))
        found += family.p_value[5] <= 0.05
        areas.append(roc_auc_score(human, values[5]))
        detectable.append(family.detectable[5])
    return found, np.mean(areas), np.mean(detectable)


def test_what_differs_within_speakers_is_found_where_each_has_clips_of_both_classes():
    # By exchanging shares of speakers and drawing labels by them it was found in 6 of 30.
    shift = np.sqrt(2) * norm.ppf(0.61)
    found, area, detectable = n_found(of_copies, lambda speaker, human: shift * human, 30)
    assert area == pytest.approx(0.61, abs=0.01)
    assert found > 20
    assert 0.55 < detectable < 0.61


def test_what_differs_between_speakers_only_is_found_beside_speakers_of_both_classes():
    def design(random):
        speaker = np.repeat(np.arange(40), 6)
        share = random.permutation(np.repeat([0, 0.5, 1], [15, 10, 15]))
        return speaker, (np.arange(6) < 6 * share[:, None]).ravel()

    def shifted(speaker, human):
        return 1.5 * (np.bincount(speaker, weights=human) / np.bincount(speaker))[speaker]

    found, _, _ = n_found(design, shifted, 20)
    assert found > 15


def test_speakers_whose_shares_differ_little_tell_as_much_as_those_of_equal_shares():
    def design(random):
        speaker, human = of_copies(random)
        kept = np.ones(len(human), bool)
        kept[np.flatnonzero(~human)[::9]] = False  # some have four copies
        return speaker[kept], human[kept]

    _, _, detectable = n_found(design, lambda speaker, human: 0, 3)
    _, _, expected = n_found(of_copies, lambda speaker, human: 0, 3)
    assert detectable == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("n_speakers", [5, 12])
def test_of_few_speakers_with_a_clip_of_each_class_nothing_is_detectable(n_speakers):
    # The greatest slope has two labellings of 2 ** n_speakers.
    speaker = np.repeat(np.arange(n_speakers), 2)
    values = drawn(np.random.default_rng(0), speaker)
    human = np.arange(2 * n_speakers) % 2 == 0
    family = permutation_test(values, human, speaker, np.random.RandomState(0))
    assert (family.detectable == 1).all() == (2 / 2**n_speakers > 0.05)


@pytest.mark.parametrize("n_clips", [8, 40])
def test_of_numbers_that_are_all_equal_so_much_is_detectable_as_of_a_single_one(n_clips):
    human = np.arange(n_clips) % 2 == 0
    family = permutation_test(np.ones((3, n_clips)), human, None, np.random.RandomState(0))
    deviation = np.sqrt((n_clips + 1) / (3 * n_clips**2))  # of the test of Mann and Whitney
    expected = min(0.5 + norm.ppf(0.975) * deviation, 1)
    np.testing.assert_allclose(family.detectable, expected, rtol=1e-4)


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
