import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from voicelstm.datasets import UnseenSources

# Eve reads for two sources; "copies" has the voices of the people, and each system that speaks has its own.
CLIPS = pd.DataFrame(
    [
        ("human", who, "-", where)
        for where, people in {
            "radio": "ann ben",
            "phone": "cat eve",
            "studio": "dan eve",
            "web": "fay",
        }.items()
        for who in people.split()
    ]
    + [
        ("synthetic", who, "copies", where)
        for who, where in [
            ("ann", "radio"),
            ("cat", "phone"),
            ("dan", "studio"),
            ("fay", "web"),
            ("eve", "phone"),
        ]
    ]
    + [
        ("synthetic", f"{system} {voice}", system, "shop")
        for system in ("old", "new", "best")
        for voice in (1, 2)
    ],
    columns=["label", "speaker", "family", "source"],
)
X, Y = np.zeros((len(CLIPS), 1)), CLIPS["label"].to_numpy()


def folds(clips=CLIPS, **parameters):
    splits = UnseenSources(**({"n_splits": 4} | parameters)).split(np.zeros(len(clips)), clips.label, clips)
    return [(clips.iloc[train], clips.iloc[test]) for train, test in splits]


@pytest.mark.parametrize("seed", range(6))
def test_training_has_no_source_family_or_speaker_that_is_tested(seed):
    for train, test in folds(random_state=seed):
        human, synthetic = test[test.label == "human"], test[test.label == "synthetic"]
        assert not set(train.source) & set(human.source)
        assert not set(train[train.label == "synthetic"].family) & set(synthetic.family)
        assert not set(train.speaker) & set(test.speaker)
        assert set(train.label) == set(test.label) == {"human", "synthetic"}


@pytest.mark.parametrize("seed", range(6))
def test_every_human_clip_and_every_voice_of_a_system_is_tested_once(seed):
    tested = pd.concat([test for _, test in folds(random_state=seed)])
    assert tested.index.is_unique
    of_people = (CLIPS.label == "synthetic") & (CLIPS.family == "copies")
    assert set(CLIPS.index[~of_people]) <= set(tested.index)


def test_a_copy_of_a_person_in_training_is_in_neither_part():
    for train, test in folds():
        copies = CLIPS[CLIPS.family == "copies"]
        if "copies" in set(test.family):
            held_out = set(test[test.label == "human"].speaker)
            assert set(test[test.family == "copies"].speaker) == held_out & set(copies.speaker)
            assert "copies" not in set(train.family)


def test_the_largest_sources_go_to_different_folds_first():
    clips = pd.concat([CLIPS, *[CLIPS[CLIPS.source == "radio"]] * 9, *[CLIPS[CLIPS.source == "web"]] * 9])
    for _, test in folds(clips, n_splits=2):
        assert len({"radio", "web"} & set(test[test.label == "human"].source)) == 1


def test_an_integer_divides_alike_and_another_one_otherwise():
    def divided(seed):
        return [test.index.tolist() for _, test in folds(random_state=seed)]

    assert divided(0) == divided(0)
    assert any(divided(0) != divided(seed) for seed in range(1, 5))


def test_it_serves_scikit_learn_as_cv():
    values = np.random.default_rng(0).standard_normal((len(Y), 2))
    cv = UnseenSources(2)
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_val_score(LogisticRegression(), values, Y, params={"groups": CLIPS}, cv=cv)
    assert len(scores) == cv.get_n_splits() == 2
    assert "n_splits=2" in repr(cv)


@pytest.mark.parametrize(
    ("parameters", "y", "groups", "text"),
    [
        ({}, None, CLIPS, "needs y, and the source"),
        ({}, Y, None, "needs y, and the source"),
        ({}, Y, CLIPS[["speaker", "source"]], '"family" or "system"; it has'),
        ({}, Y, CLIPS[["speaker", "source", "family"]].to_numpy(), "it has"),
        ({}, Y[3:], CLIPS, "y has 15 labels"),
        ({"n_splits": 5}, Y, CLIPS, "4 sources of human clips cannot be divided into n_splits=5"),
        ({"n_splits": 1}, Y, CLIPS, "n_splits == 1"),
        ({}, (Y == "human").astype(int), CLIPS, "human_label must say"),
    ],
)
def test_what_does_not_fit_is_an_error(parameters, y, groups, text):
    with pytest.raises(ValueError, match=text):
        list(UnseenSources(**parameters).split(X, y, groups))


def test_a_fold_without_a_class_is_an_error_that_says_which():
    clips = CLIPS.assign(speaker="one")
    with pytest.raises(ValueError, match="The training part of fold 0 has no human clips"):
        folds(clips)


def test_every_fold_of_both_corpora_is_clean(corpus_dir):
    tables = [pd.read_csv(corpus_dir / name) for name in ("manifest.csv", "wide.csv")]
    clips = pd.concat(tables, ignore_index=True)
    clips = clips[clips.subset != "digits"].reset_index(drop=True)
    for train, test in folds(clips):
        assert not set(train.speaker) & set(test.speaker)
        assert not set(train.source[train.label == "human"]) & set(test.source[test.label == "human"])
        assert min((test.label == "human").sum(), (test.label == "synthetic").sum()) > 100
        assert min((train.label == "human").sum(), (train.label == "synthetic").sum()) > 300
