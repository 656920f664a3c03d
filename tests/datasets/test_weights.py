import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import cross_validate
from sklearn.pipeline import Pipeline

from voicelstm import ClipStatistics, MFCCTransformer
from voicelstm.datasets import balanced_weights, make_voices

# Class h: family "n" with speakers 1 (three clips) and 2 (one). Class s: family "a" with speaker 1 (two
# clips); family "b" with speakers 1, 3 (one clip each) and 4 (two).
Y = ["h", "h", "h", "h", "s", "s", "s", "s", "s", "s"]
FAMILY = ["n", "n", "n", "n", "a", "a", "b", "b", "b", "b"]
SPEAKER = [1, 1, 1, 2, 1, 1, 1, 3, 4, 4]


def test_classes_alone_share_alike():
    np.testing.assert_allclose(balanced_weights(Y), [10 / 8] * 4 + [10 / 12] * 6)
    assert balanced_weights([1, 1]).tolist() == [1, 1]


@pytest.mark.parametrize(
    "groups",
    [
        {"family": FAMILY, "speaker": SPEAKER},
        pd.DataFrame({"family": FAMILY, "speaker": SPEAKER}),
        np.column_stack([FAMILY, SPEAKER]),
    ],
    ids=["dict", "frame", "array"],
)
def test_families_share_a_class_and_speakers_a_family(groups):
    # Each class 5; of s, each family 2.5; of h's family each speaker 2.5, of b each speaker 2.5 / 3.
    expected = [2.5 / 3] * 3 + [2.5] + [1.25] * 2 + [2.5 / 3] * 2 + [2.5 / 6] * 2
    weights = balanced_weights(Y, groups)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    assert weights.mean() == pytest.approx(1)


def test_one_array_of_groups_is_the_speaker_and_speakers_of_two_classes_are_apart():
    # Speaker 1 is in both classes: of h it has a half (2.5, three clips), of s a third (5 / 3, three clips).
    expected = [2.5 / 3] * 3 + [2.5] + [5 / 9] * 3 + [5 / 3] + [5 / 6] * 2
    np.testing.assert_allclose(balanced_weights(Y, SPEAKER), expected, rtol=1e-12)


def test_groups_of_another_length_are_refused_by_name():
    with pytest.raises(ValueError, match="'family' has shape"):
        balanced_weights(Y, {"family": FAMILY[1:]})
    with pytest.raises(ValueError, match="y is empty"):
        balanced_weights([])


def test_weights_reach_the_classifier_of_a_pipeline_and_those_of_a_cross_validation():
    voices = make_voices(24, random_state=0)
    X, y = voices.recordings, np.asarray(voices.target)
    weights = balanced_weights(y, {"system": voices.groups["system"]}) * np.linspace(0.2, 3, 24)
    pipeline = Pipeline(
        [
            ("features", MFCCTransformer(deltas=0)),
            ("table", ClipStatistics()),
            ("classifier", LogisticRegression(C=1e-3)),
        ]
    )
    table = ClipStatistics().fit_transform(MFCCTransformer(deltas=0).transform(X))

    def by_hand(chosen):
        return LogisticRegression(C=1e-3).fit(table[chosen], y[chosen], sample_weight=weights[chosen]).coef_

    pipeline.fit(X, y, classifier__sample_weight=weights)
    np.testing.assert_allclose(pipeline["classifier"].coef_, by_hand(np.arange(24)), rtol=1e-6)
    folds = [(np.arange(16), np.arange(16, 24)), (np.arange(8, 24), np.arange(8))]
    with sklearn.config_context(enable_metadata_routing=True):
        pipeline["classifier"].set_fit_request(sample_weight=True)
        fitted = cross_validate(
            pipeline,
            X,
            y,
            cv=folds,
            params={"sample_weight": weights},
            return_estimator=True,
            scoring=get_scorer("neg_log_loss").set_score_request(sample_weight=False),
        )["estimator"]
    for fold, (train, _) in zip(fitted, folds, strict=True):
        np.testing.assert_allclose(fold["classifier"].coef_, by_hand(train), rtol=1e-6)
