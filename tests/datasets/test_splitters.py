import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score

from voicelstm.datasets import UnseenSystems

# Six people; each is copied by a vocoder and by one that copies "ann" only; two systems have own voices, one
# of which they share.
PEOPLE = ["ann", "ben", "cat", "dan", "eve", "fay"]
CLIPS = pd.DataFrame(
    [("human", who, "-") for who in PEOPLE for _ in range(2)]
    + [("synthetic", who, "copies") for who in PEOPLE]
    + [("synthetic", "ann", "copies of ann")] * 2
    + [("synthetic", who, "old") for who in ("robot", "alto")]
    + [("synthetic", who, "new") for who in ("alto", "bass")],
    columns=["label", "speaker", "system"],
)
X, Y = np.zeros((len(CLIPS), 1)), CLIPS["label"].to_numpy()
GROUPS = CLIPS[["speaker", "system"]].to_numpy()
SYSTEMS = ["copies", "copies of ann", "new", "old"]


def folds(**parameters):
    """Training and test part of the table, by the system that is left out."""
    splits = UnseenSystems(**parameters).split(X, Y, GROUPS)
    return {
        name: (CLIPS.iloc[train], CLIPS.iloc[test])
        for name, (train, test) in zip(SYSTEMS, splits, strict=True)
    }


def of_class(clips, label):
    return clips[clips.label == label]


@pytest.mark.parametrize("unseen_speakers", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_each_fold_tests_one_system_that_is_not_in_training(unseen_speakers, seed):
    for name, (train, test) in folds(unseen_speakers=unseen_speakers, random_state=seed).items():
        assert set(of_class(test, "synthetic").system) == {name}
        assert name not in set(train.system)
        assert not set(train.index) & set(test.index)
        assert set(train.label) == set(test.label) == {"human", "synthetic"}


@pytest.mark.parametrize("seed", range(5))
def test_unseen_systems_hold_a_third_of_the_people_out_and_nothing_else(seed):
    for name, (train, test) in folds(random_state=seed).items():
        people = set(of_class(test, "human").speaker)
        assert len(people) == 2
        assert set(of_class(train, "human").speaker) == set(PEOPLE) - people
        assert len(of_class(test, "synthetic")) == (CLIPS.system == name).sum()
        assert len(of_class(train, "synthetic")) == ((CLIPS.system != name) & (Y == "synthetic")).sum()


def test_the_people_take_turns():
    tested = [set(of_class(test, "human").speaker) for _, test in folds().values()]
    assert set.union(*tested[:3]) == set(PEOPLE)
    assert tested[3] == tested[0]


@pytest.mark.parametrize("seed", range(5))
def test_unseen_speakers_share_no_voice_between_training_and_test(seed):
    for train, test in folds(unseen_speakers=True, random_state=seed).values():
        assert not set(train.speaker) & set(test.speaker)
        assert len(set(of_class(test, "human").speaker)) == 2


def test_copies_of_people_in_training_are_in_neither_part():
    train, test = folds(unseen_speakers=True)["copies"]
    held_out = set(of_class(test, "human").speaker)
    assert set(of_class(test, "synthetic").speaker) == held_out
    assert len(of_class(train, "human")) == 2 * (6 - len(held_out))


def test_own_voices_of_the_tested_system_leave_the_other_systems():
    train, test = folds(unseen_speakers=True)["new"]
    assert set(of_class(test, "synthetic").speaker) == {"alto", "bass"}
    assert set(train[train.system == "old"].speaker) == {"robot"}


@pytest.mark.parametrize("seed", range(5))
def test_the_only_person_that_a_system_copies_is_held_out_with_it(seed):
    _, test = folds(unseen_speakers=True, random_state=seed)["copies of ann"]
    assert "ann" in set(of_class(test, "human").speaker)
    assert len(of_class(test, "synthetic")) == 2


def test_an_integer_divides_alike_at_every_call_and_another_one_otherwise():
    def divided(seed):
        return [test.index.tolist() for _, test in folds(random_state=seed).values()]

    assert divided(0) == divided(0)
    assert any(divided(0) != divided(seed) for seed in range(1, 4))


def test_the_global_random_state_does_not_move():
    before = np.random.get_state()[1].copy()
    folds(random_state=None)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize("column", ["system", "family"])
def test_a_data_frame_names_its_columns_in_any_order(column):
    frame = CLIPS.rename(columns={"system": column})[[column, "speaker", "label"]]
    for (train, test), (train_2, test_2) in zip(
        UnseenSystems().split(X, Y, frame), UnseenSystems().split(X, Y, GROUPS), strict=True
    ):
        assert train.tolist() == train_2.tolist()
        assert test.tolist() == test_2.tolist()


def test_families_go_before_systems():
    frame = CLIPS.assign(family=CLIPS.system.replace({"copies of ann": "copies"}))
    assert UnseenSystems().get_n_splits(X, Y, frame) == 3


def test_numbers_as_labels_make_the_same_folds():
    numbers = (Y == "human").astype(int)
    ours = [test.tolist() for _, test in UnseenSystems(human_label=1).split(X, numbers, GROUPS)]
    assert ours == [test.tolist() for _, test in UnseenSystems().split(X, Y, GROUPS)]
    turned = UnseenSystems(human_label=0).split(X, 1 - numbers, GROUPS)
    assert ours == [test.tolist() for _, test in turned]


def test_it_serves_scikit_learn_as_cv():
    random = np.random.default_rng(0)
    values = random.standard_normal((len(Y), 2)) + (Y == "human")[:, None]
    scores = cross_val_score(LogisticRegression(), values, Y, groups=GROUPS, cv=UnseenSystems())
    assert len(scores) == UnseenSystems().get_n_splits(values, Y, GROUPS) == 4
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1.0]}, cv=UnseenSystems(unseen_speakers=True))
    assert search.fit(values, Y, groups=GROUPS).n_splits_ == 4


def test_it_takes_groups_by_metadata_routing():
    random = np.random.default_rng(0)
    values = random.standard_normal((len(Y), 2))
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_val_score(
            LogisticRegression(), values, Y, params={"groups": GROUPS}, cv=UnseenSystems()
        )
    assert len(scores) == 4


def test_its_text_tells_its_parameters():
    assert "n_parts=2" in repr(UnseenSystems(n_parts=2))


@pytest.mark.parametrize(
    ("parameters", "y", "groups", "text"),
    [
        ({}, None, GROUPS, "needs y, and the speaker"),
        ({}, Y, None, "needs y, and the speaker"),
        ({}, Y, GROUPS[:, 0], r"shape \(n_clips, 2\)"),
        ({}, Y, GROUPS[:, [0, 1, 1]], r"shape \(n_clips, 2\)"),
        ({}, Y, CLIPS[["system"]], r"it has \['system'\]"),
        ({}, Y, GROUPS[:5], "has shape"),
        ({}, Y[7:], GROUPS, "y has 17 labels"),
        ({}, Y, np.column_stack([GROUPS[:, 0], ["one"] * len(Y)]), "are of one system"),
        ({"n_parts": 7}, Y, GROUPS, "6 human speakers cannot be divided into n_parts=7"),
        ({"n_parts": 1}, Y, GROUPS, "n_parts == 1"),
        ({"human_label": "bonafide"}, Y, GROUPS, "none of the classes"),
        ({}, np.column_stack([Y == "human", Y != "human"]), GROUPS, "These are one-hot"),
        ({}, np.where(Y == "human", 1, 0), GROUPS, "human_label must say which of the classes"),
        (
            {},
            np.where(np.arange(len(Y)) == 2, "Human", Y),
            GROUPS,
            "y holds labels that differ only in spelling",
        ),
    ],
)
def test_what_does_not_fit_is_an_error(parameters, y, groups, text):
    with pytest.raises(ValueError, match=text):
        list(UnseenSystems(**parameters).split(X, y, groups))


def test_a_fold_without_a_class_is_an_error_that_names_the_system():
    clips = CLIPS[CLIPS.system.isin(["-", "copies of ann"])].assign(
        system=lambda table: table.system.where(table.label == "human", ["a", "b"] * 7)
    )
    cv = UnseenSystems(unseen_speakers=True)  # both systems have one voice, which is held out
    with pytest.raises(ValueError, match="With 'a' left out, training has no synthetic clips"):
        list(cv.split(np.zeros(len(clips)), clips.label, clips[["speaker", "system"]]))


def test_every_fold_of_the_corpus_is_clean(manifest):
    clips = pd.DataFrame(manifest)
    for subset, n_families in (("speech", 15), ("digits", 4)):
        clips_of = clips[clips.subset == subset]
        cv = UnseenSystems(unseen_speakers=True)
        splits = list(cv.split(clips_of, clips_of.label, clips_of[["speaker", "family"]]))
        assert len(splits) == n_families
        for train, test in splits:
            assert not set(clips_of.iloc[train].speaker) & set(clips_of.iloc[test].speaker)
