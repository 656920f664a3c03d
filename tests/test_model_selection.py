import numpy as np
import pytest
import sklearn
from joblib.externals.loky import get_reusable_executor
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.metrics import brier_score_loss, get_scorer, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    HalvingGridSearchCV,
    StratifiedGroupKFold,
    StratifiedKFold,
    TunedThresholdClassifierCV,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
)
from sklearn.pipeline import Pipeline

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, SequenceStore

RATE = 8000
LEARNS, STANDS = 0.05, 1e-7  # learning rates


def tones(n_clips, seed=0, lengths=(800, 1000, 1200)):
    """Noise with a tone at 1 kHz in "human" clips and at 3 kHz in "synthetic" ones."""
    generator = np.random.default_rng(seed)
    target = np.array(["human", "synthetic"])[np.arange(n_clips) % 2]
    recordings = []
    for clip, label in enumerate(target):
        time = np.arange(lengths[clip // 2 % len(lengths)]) / RATE
        tone = np.sin(2 * np.pi * {"human": 1000, "synthetic": 3000}[label] * time)
        recordings.append(0.1 * generator.standard_normal(len(time)) + 0.1 * tone)
    return recordings, target


def overlapping(n_clips, share=0.5, seed=0):
    """Sequences of unequal length whose mean is drawn from one of two normal distributions that overlap."""
    generator = np.random.default_rng(seed)
    target = (np.arange(n_clips) < share * n_clips).astype(int)
    clips = np.empty(n_clips, dtype=object)
    for clip, label in enumerate(target):
        mean = generator.normal(label, 0.7)
        clips[clip] = generator.normal(mean, 0.5, size=((8, 12)[clip % 2], 2))
    return clips, target


def front_end(**changes):
    spectrum = {"sample_rate": RATE, "n_fft": 512, "preemphasis": 0.0}
    return MFCCTransformer(
        **(spectrum | {"n_filters": 10, "n_mfcc": 6, "energy": False, "deltas": 0} | changes)
    )


def small(**changes):
    settings = {"units": (4,), "max_epochs": 8, "batch_size": 16, "learning_rate": LEARNS, "dropout": 0.0}
    return LSTMVoiceClassifier(**(settings | {"random_state": 0} | changes))


def detector(**changes):
    return Pipeline([("features", front_end()), ("classifier", small(**changes))])


@pytest.fixture(scope="module")
def recordings():
    return tones(36)


@pytest.fixture(scope="module")
def sequences(recordings):
    """Ragged cepstra of the tones, as an object array."""
    return front_end().transform(recordings[0]), recordings[1]


def test_labels_that_clips_explain_score_high_and_shuffled_ones_do_not(sequences):
    X, y = sequences
    score, of_shuffled, p_value = permutation_test_score(
        small(), X, y, cv=2, n_permutations=9, random_state=0
    )
    assert score > 0.95
    assert 0.3 < of_shuffled.mean() < 0.7
    assert p_value == 1 / 10


def test_cross_validation_returns_the_classifier_of_each_fold(sequences):
    X, y = sequences
    classifier = small()
    result = cross_validate(classifier, X, y, cv=3, return_estimator=True, return_indices=True)
    for fold, fitted in enumerate(result["estimator"]):
        train, test = result["indices"]["train"][fold], result["indices"]["test"][fold]
        assert result["test_score"][fold] == np.mean(fitted.predict(X[test]) == y[test])
        alone = clone(classifier).fit(X[train], y[train])
        np.testing.assert_array_equal(fitted.decision_function(X), alone.decision_function(X))
    first, second, _ = (fitted.decision_function(X) for fitted in result["estimator"])
    assert (first != second).any()
    with pytest.raises(NotFittedError):
        classifier.predict(X)


@pytest.mark.parametrize("form", ["3-D array", "object array", "list", "store"])
def test_every_form_of_sequences_can_be_split(form, tmp_path):
    signals, y = tones(24, lengths=(1000,))
    transformer = front_end()
    X = transformer.transform(signals)
    assert X.ndim == 3
    expected = []  # of folds that are cut by hand
    for train, test in StratifiedKFold(3).split(y, y):
        probability = small().fit(X[train], y[train]).predict_proba(X[test])
        expected.append(
            np.log(probability[np.arange(len(test)), (y[test] == "synthetic").astype(int)]).mean()
        )
    if form == "object array":
        batch = np.empty(len(X), dtype=object)
        batch[:] = list(X)
    else:
        batch = {"3-D array": lambda: X, "list": lambda: list(X)}.get(
            form, lambda: transformer.transform(signals, out=tmp_path / "store")
        )()
    assert isinstance(batch, SequenceStore) == (form == "store")
    scores = cross_val_score(small(), batch, y, cv=3, scoring="neg_log_loss")
    np.testing.assert_allclose(scores, expected, rtol=1e-6)
    assert scores.min() > np.log(0.5)
    search = GridSearchCV(small(), {"learning_rate": [STANDS, LEARNS]}, cv=2, scoring="neg_log_loss")
    assert search.fit(batch, y).best_params_ == {"learning_rate": LEARNS}


def test_a_grid_search_finds_the_settings_of_every_step_that_tell_tones_apart(recordings):
    X, y = recordings
    # Below 500 Hz there is nothing but noise.
    grid = {"features__fmax": [500.0, 4000.0], "classifier__learning_rate": [STANDS, LEARNS]}
    search = GridSearchCV(detector(), grid, cv=2, scoring=["accuracy", "neg_log_loss"], refit="neg_log_loss")
    search.fit(X, y)
    assert search.best_params_ == {"features__fmax": 4000.0, "classifier__learning_rate": LEARNS}
    table = search.cv_results_
    deaf = np.array([params["features__fmax"] == 500.0 for params in table["params"]])
    assert table["mean_test_accuracy"][deaf].max() < 0.8
    assert table["mean_test_accuracy"].max() > 0.95
    unheard, truth = tones(12, seed=1)
    assert search.score(unheard, truth) > np.log(0.5)
    assert search.best_estimator_.score(unheard, truth) > 0.9


def test_a_halving_search_gives_more_clips_to_fewer_settings(sequences):
    X, y = sequences
    grid = {"learning_rate": [STANDS, 10 * STANDS, LEARNS]}
    options = {"min_resources": 12, "factor": 3, "cv": 2, "scoring": "neg_log_loss", "random_state": 0}
    search = HalvingGridSearchCV(small(), grid, **options).fit(X, y)
    assert (search.n_candidates_, search.n_resources_) == ([3, 1], [12, 36])
    assert search.best_params_ == {"learning_rate": LEARNS}
    assert search.best_estimator_.score(X, y) > 0.95


@pytest.mark.parametrize("splitter", [GroupKFold, StratifiedGroupKFold])
def test_splits_by_speaker_show_what_was_learnt_of_speakers_only(splitter):
    generator = np.random.default_rng(0)
    speaker = np.repeat(np.arange(8), 4)
    y = speaker % 2  # told by who speaks, and by nothing that speakers share
    X = [4 * np.eye(8)[who] + generator.normal(size=(6 + 4 * (i % 2), 8)) for i, who in enumerate(speaker)]
    mixed = cross_val_score(small(max_epochs=15), X, y, cv=StratifiedKFold(4, shuffle=True, random_state=0))
    options = {"groups": speaker, "cv": splitter(4), "return_indices": True}
    apart = cross_validate(small(max_epochs=15), X, y, **options)
    for train, test in zip(apart["indices"]["train"], apart["indices"]["test"], strict=True):
        assert set(speaker[train]).isdisjoint(speaker[test])
    assert sorted(np.concatenate(apart["indices"]["test"])) == list(range(32))
    assert mixed.mean() > 0.9
    assert apart["test_score"].mean() < 0.75


@pytest.mark.parametrize("incremental", [False, True])
def test_a_learning_curve_rises_with_the_number_of_clips(incremental, recordings):
    X, y = front_end().transform(recordings[0]), recordings[1]
    options = {"train_sizes": [4, 24], "cv": 3, "scoring": "neg_log_loss", "shuffle": True, "random_state": 3}
    sizes, train, test = learning_curve(
        small(batch_size=4, max_epochs=3), X, y, exploit_incremental_learning=incremental, **options
    )
    assert sizes.tolist() == [4, 24]
    assert train.shape == test.shape == (2, 3)
    assert test[1].mean() > test[0].mean() + 0.1
    assert test[1].min() > np.log(0.5)


def test_calibration_undoes_the_bias_of_class_weights():
    X, y = overlapping(80)
    unseen, truth = overlapping(80, seed=1)
    biased = small(class_weight={0: 1.0, 1: 30.0})
    calibrated = CalibratedClassifierCV(biased, cv=2).fit(X, y)
    losses = [
        brier_score_loss(truth, fitted.predict_proba(unseen)[:, 1])
        for fitted in (calibrated, clone(biased).fit(X, y))
    ]
    assert losses[0] < 0.25 < losses[1]  # 0.25 is the loss of even odds


def test_soft_votes_are_the_mean_of_the_members_probabilities(sequences):
    X, y = sequences
    members = [(f"seed {seed}", small(random_state=seed, max_epochs=2)) for seed in range(2)]
    vote = VotingClassifier(members, voting="soft", weights=[3, 1]).fit(list(X), y)
    alone = [clone(member).fit(X, y).predict_proba(X) for _, member in members]
    assert np.abs(alone[0] - alone[1]).mean() > 0.01
    mean = (3 * alone[0] + alone[1]) / 4
    np.testing.assert_allclose(vote.predict_proba(list(X)), mean, rtol=1e-6)
    assert vote.predict(list(X)).tolist() == np.where(mean[:, 1] > 0.5, "synthetic", "human").tolist()


def test_a_tuned_threshold_changes_decisions_where_one_error_costs_more():
    def saved(truth, decision):
        return -np.mean(np.where(truth == 1, 20 * (decision == 0), decision == 1))

    X, y = overlapping(60, share=0.25)
    unseen, truth = overlapping(60, share=0.25, seed=1)
    base = small().fit(X, y)
    tuned = TunedThresholdClassifierCV(small(), scoring=make_scorer(saved), cv=3).fit(X, y)
    assert tuned.best_threshold_ < 0.3
    decisions = tuned.predict(unseen)
    probability = tuned.predict_proba(unseen)[:, 1]
    np.testing.assert_array_equal(probability, base.predict_proba(unseen)[:, 1])
    np.testing.assert_array_equal(decisions, probability >= tuned.best_threshold_)
    assert decisions.sum() > base.predict(unseen).sum()
    assert saved(truth, decisions) > saved(truth, base.predict(unseen))


def test_two_processes_give_the_scores_of_one(recordings):
    # Log-losses, since accuracies would hide small differences.
    drawing = {"dropout": 0.3, "max_epochs": 3}  # so that order, dropout and first weights are all drawn
    tables = []
    try:
        for n_jobs in (1, 2):
            search = GridSearchCV(
                detector(**drawing),
                {"features__fmax": [2000.0, 4000.0]},
                cv=3,
                scoring="neg_log_loss",
                n_jobs=n_jobs,
                refit=False,
            ).fit(*recordings)
            tables.append([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
    finally:
        get_reusable_executor().shutdown(wait=True)  # each worker holds TensorFlow
    assert len(np.unique(tables[0])) == 6
    np.testing.assert_array_equal(tables[0], tables[1])


@pytest.fixture(scope="module")
def poisoned(recordings):
    """Two in three labels of the first 24 clips are wrong; these clips have the weight 0."""
    X, truth = recordings
    wrong = (np.arange(36) < 24) & (np.arange(36) // 2 % 3 > 0)
    y = np.where(wrong, np.where(truth == "human", "synthetic", "human"), truth)
    return X, y, np.where(wrong, 0.0, 1.0)


def test_weights_are_routed_through_a_pipeline_to_each_fold(poisoned):
    X, y, weight = poisoned
    train, test = np.arange(24), np.arange(24, 36)
    sound = train[weight[train] > 0]
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = detector()
        pipeline["classifier"].set_fit_request(sample_weight=True)
        options = {"scoring": get_scorer("accuracy").set_score_request(sample_weight=True)}
        results = {
            name: cross_validate(
                pipeline, X, y, cv=[(chosen, test)], params=params, return_estimator=True, **options
            )
            for name, chosen, params in (
                ("weighted", train, {"sample_weight": weight}),
                ("left out", sound, None),
                ("poisoned", train, None),
            )
        }
    assert results["poisoned"]["test_score"] < 0.2
    assert results["weighted"]["test_score"] > 0.9
    weighted, left_out = (results[name]["estimator"][0] for name in ("weighted", "left out"))
    np.testing.assert_array_equal(weighted.decision_function(X), left_out.decision_function(X))


def test_a_grid_search_routes_weights_to_fits_and_to_scores_and_groups_to_splits(poisoned):
    X, y, weight = poisoned
    speaker = np.arange(36) // 6
    sound = np.flatnonzero(weight)
    grid = {"classifier__learning_rate": [STANDS, LEARNS]}
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline = detector()
        pipeline["classifier"].set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(pipeline, grid, cv=GroupKFold(3))
        weighted = clone(search).fit(X, y, sample_weight=weight, groups=speaker)
        folds = [
            [np.flatnonzero(np.isin(sound, part)) for part in fold]
            for fold in GroupKFold(3).split(X, y, speaker)
        ]
        left_out = search.set_params(cv=folds).fit([X[clip] for clip in sound], y[sound])
    for name in ("split0_test_score", "split1_test_score", "split2_test_score"):
        np.testing.assert_array_equal(weighted.cv_results_[name], left_out.cv_results_[name])
    assert weighted.best_params_ == {"classifier__learning_rate": LEARNS}
    assert weighted.best_score_ > 0.95
    np.testing.assert_array_equal(weighted.decision_function(X), left_out.decision_function(X))


def test_a_pipeline_that_does_not_ask_for_weights_refuses_them(poisoned):
    X, y, weight = poisoned
    with (
        sklearn.config_context(enable_metadata_routing=True),
        pytest.raises(ValueError, match=r"sample_weight.*set_fit_request"),
    ):
        cross_validate(detector(), X, y, cv=2, params={"sample_weight": weight})
