import json
import warnings
from functools import cache

import numpy as np
import pandas as pd
import pytest
import soundfile
from joblib import parallel_config

from voicelstm import audit
from voicelstm.datasets import make_voices
from voicelstm.datasets._audit_variables import rate_variables
from voicelstm.exceptions import AudioError, AudioWarning, AuditWarning
from voicelstm.metrics import equal_error_rate

RATE = 8000


def noises(n_clips, random_state=0, n_samples=400):
    random = np.random.default_rng(random_state)
    return [(0.1 * random.standard_normal(n_samples), RATE) for _ in range(n_clips)]


LABELS = np.array(["human", "synthetic"] * 20)


@pytest.fixture(scope="module")
def on_corpus(corpus_dir, manifest):
    """Audit a subset, once: its rows, the report, and what was warned."""

    @cache
    def audited(subset):
        rows = [row for row in manifest if row["subset"] == subset]
        groups = {name: [row[name] for row in rows] for name in ("speaker", "family")}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            report = audit(
                [corpus_dir / row["path"] for row in rows],
                [row["label"] for row in rows],
                groups,
                n_jobs=2,
                n_resamples=1000,
                random_state=0,
            )
        return rows, report, [each for each in caught if each.category is AuditWarning]

    return audited


def test_auc_counts_pairs_of_synthetic_over_human():
    lengths = [100, 300, 200, 200]  # of four pairs: 300 > 100, 200 > 100, 300 > 200, and 200 = 200
    recordings = [(np.ones(n) / 2, RATE) for n in lengths]
    with pytest.warns(AuditWarning):  # two of them are equal, too
        report = audit(recordings, ["human", "synthetic", "human", "synthetic"], n_resamples=10)
    assert report["duration"].auc == 3.5 / 4


def test_auc_agrees_with_scikit_learn():
    from sklearn.metrics import roc_auc_score

    report = audit(noises(40), LABELS, n_resamples=10, random_state=0)
    for name, values in report.measurements.items():
        assert report[name].auc == pytest.approx(roc_auc_score(LABELS == "synthetic", values))


def test_a_shortcut_is_warned_of_by_name():
    recordings = [
        (samples if label == "human" else 0.1 * samples, rate)
        for (samples, rate), label in zip(noises(40), LABELS, strict=True)
    ]
    with pytest.warns(AuditWarning, match="level alone tells the classes apart: AUC 0.00"):
        report = audit(recordings, LABELS, n_resamples=100, random_state=0)
    assert {each.name for each in report.shortcuts} == {"level", "peak", "dc"}
    assert report["level"].synthetic == pytest.approx(report["level"].human - 20, abs=0.5)


@pytest.mark.parametrize("labels", [np.where(LABELS == "human", 1, 0), np.where(LABELS == "human", "a", "b")])
def test_other_labels_give_the_same_report(labels):
    given = {"n_resamples": 100, "random_state": 0}
    human_label = 1 if labels.dtype.kind == "i" else "a"
    assert audit(noises(40), labels, human_label=human_label, **given) == audit(noises(40), LABELS, **given)


def test_intervals_are_wider_where_speakers_are_drawn_and_some_of_them_are_loud():
    speaker = np.array([f"{index % 10}" for index in range(40)])
    loud = np.isin(speaker, ["1", "3", "5"])  # three of the five synthetic voices
    recordings = [
        (samples * (3 if each else 1), rate) for (samples, rate), each in zip(noises(40), loud, strict=True)
    ]
    with pytest.warns(AuditWarning, match="level alone"):
        by_clip = audit(recordings, LABELS, n_resamples=300, random_state=0)["level"]
    with pytest.warns(AuditWarning, match="Too few speakers or clips to tell"):
        by_speaker = audit(recordings, LABELS, speaker, n_resamples=300, random_state=0)["level"]
    assert by_clip.auc == by_speaker.auc
    assert by_speaker.high - by_speaker.low > by_clip.high - by_clip.low
    # Three loud voices of ten may be on one side by chance: once in six times.
    assert by_clip.is_shortcut
    assert not by_speaker.is_shortcut


@pytest.mark.filterwarnings("ignore:Too few:voicelstm.exceptions.AuditWarning")
def test_intervals_draw_clips_where_a_class_has_fewer_than_five_speakers():
    four = [f"{index % 8}" for index in range(40)]  # even ones are human, odd ones synthetic
    five = [f"{index % 10}" for index in range(40)]
    assert audit(noises(40), LABELS, four, n_resamples=10, random_state=1).drawn == "clip"
    assert audit(noises(40), LABELS, five, n_resamples=10, random_state=1).drawn == "speaker"


def test_equal_recordings_are_named_whatever_their_format(tmp_path):
    recordings = noises(40)
    samples = np.random.default_rng(1).integers(-3000, 3000, 400).astype(np.int16)
    soundfile.write(tmp_path / "a.wav", samples, RATE)
    soundfile.write(tmp_path / "b.flac", samples, RATE)
    recordings[0], recordings[7], recordings[9] = tmp_path / "a.wav", tmp_path / "b.flac", recordings[5]
    recordings[20] = recordings[21] = (np.zeros(400, np.int16), RATE)  # silence is no copy of other silence
    with pytest.warns(AuditWarning, match=r"different classes: .*a\.wav = .*b\.flac\."):
        report = audit(recordings, LABELS, n_resamples=10, random_state=0)
    assert [each.positions for each in report.duplicates] == [[0, 7], [5, 9]]
    assert [each.across_classes for each in report.duplicates] == [True, False]
    assert report.duplicates[1].names == ["[5]", "[9]"]


def test_leaks_between_splits_are_warned_of():
    recordings = noises(40)
    recordings[38] = recordings[0]
    splits = ["train"] * 30 + ["test"] * 10
    speaker = [f"speaker-{index // 5}" for index in range(40)]  # the sixth ends with the training split
    with pytest.warns(AuditWarning, match=r"different splits: \[0\] = \[38\]"):
        report = audit(recordings, LABELS, speaker, splits=splits, n_resamples=10, random_state=0)
    assert report.groups[0].splits == []
    speaker[30] = "speaker-5"
    with pytest.warns(AuditWarning, match="Speakers stand in more than one split: speaker-5"):
        audit(recordings, LABELS, speaker, splits=splits, n_resamples=10, random_state=0)


def test_a_shared_speaker_is_counted_but_no_finding():
    speaker = [f"speaker-{index}" for index in range(40)]
    speaker[1] = "speaker-0"
    report = audit(noises(40), LABELS, pd.DataFrame({"speaker": speaker}), n_resamples=10, random_state=0)
    (shared,) = report.groups
    assert (shared.column, shared.n_values, shared.classes) == ("speaker", 39, ["speaker-0"])
    assert report.findings == []


def test_simulated_voices_are_a_clean_corpus():
    voices = make_voices(200, random_state=1)
    report = audit(voices.recordings, voices.target, voices.groups, n_resamples=300, random_state=0)
    assert report.findings == []


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_warnings_of_recordings_come_in_their_order_to_who_asked(backend):
    def unscaled(i):
        samples = (np.arange(400 + i) % 100 * 4096).astype(np.uint64 if i % 3 else np.int64)
        return samples + np.uint64(2**63) if i % 3 else samples, RATE

    with parallel_config(backend=backend, n_jobs=2), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        audit([unscaled(i) for i in range(12)], LABELS[:12], n_resamples=2, random_state=0)
    own = [each for each in caught if each.category is AudioWarning]
    types = [str(each.message).split()[3] for each in own]
    assert types == ["uint64" if i % 3 else "int64" for i in range(12)]
    assert {each.filename for each in own} == {__file__}


@pytest.mark.filterwarnings("ignore::voicelstm.exceptions.AuditWarning")
@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_relative_paths_are_those_of_the_callers_folder_after_it_has_changed(backend, tmp_path, monkeypatch):
    names = [f"{i}.wav" for i in range(8)]
    for n_samples in (400, 500):
        folder = tmp_path / str(n_samples)
        folder.mkdir()
        monkeypatch.chdir(folder)
        for name, (samples, rate) in zip(names, noises(8, n_samples=n_samples), strict=True):
            soundfile.write(name, samples, rate)
        with parallel_config(backend=backend, n_jobs=2):
            report = audit(names, LABELS[:8], n_resamples=2, random_state=0)
            with pytest.raises(AudioError, match=r"\n  \[1\] missing.wav: no such file"):
                audit([names[0], "missing.wav"], LABELS[:2])
        assert set(report.measurements["duration"]) == {n_samples / RATE}
        assert set(report.measurements["bit_depth"]) == {16}


def test_every_recording_that_fails_is_named(tmp_path):
    recordings = noises(40)
    recordings[3], recordings[11] = tmp_path / "gone.wav", np.zeros(5)
    with pytest.raises(AudioError, match=r"2 of 40 recordings failed") as raised:
        audit(recordings, LABELS)
    assert [position for position, _ in raised.value.failures] == [3, 11]
    assert "gone.wav: no such file" in str(raised.value)


@pytest.mark.parametrize(
    ("recordings", "y", "groups", "text"),
    [
        ("a.wav", LABELS, None, "pass \\[path\\]"),
        (noises(3), LABELS, None, "y has 40 labels for 3 recordings"),
        (noises(40), ["human"] * 40, None, "one class only"),
        (noises(40), LABELS, ["a"], "'speaker' has shape"),
        (noises(40), LABELS, {"speaker": [None] * 40}, "'speaker' must hold values of one kind"),
    ],
)
def test_what_does_not_fit_is_an_error(recordings, y, groups, text):
    with pytest.raises(ValueError, match=text):
        audit(recordings, y, groups)


def test_a_report_is_json_also_where_numbers_are_infinite():
    recordings = [(np.zeros(100), RATE) if index % 2 == 0 else each for index, each in enumerate(noises(40))]
    with pytest.warns(AuditWarning):
        report = audit(recordings, LABELS, n_resamples=10, random_state=0)
    told = json.loads(report.to_json())
    level = next(each for each in told["variables"] if each["name"] == "level")
    assert level["human"] is None
    assert level["is_shortcut"]
    assert told["findings"] == report.findings
    assert "level" in str(report)


@pytest.mark.parametrize("n_clips", [2, 4, 6, 8])
def test_of_few_clips_nothing_is_told(n_clips):
    # The synthetic ones are louder, without an exception.
    recordings = [
        (samples * (1 + i % 2), rate) for i, (samples, rate) in enumerate(noises(n_clips, random_state=1))
    ]
    with pytest.warns(AuditWarning, match="^Too few clips to tell whether"):
        report = audit(recordings, LABELS[:n_clips], n_resamples=2, random_state=0)
    assert report["level"].auc == 1
    assert report.findings == []
    assert report["level"].is_undecided
    assert "level" in [each.name for each in report.undecided]
    assert "too few to tell" in str(report)
    assert report.to_dict()["cautions"] == report.cautions
    assert next(each for each in report.to_dict()["variables"] if each["name"] == "level")["is_undecided"]


def test_what_is_the_same_in_two_files_may_differ_in_others():
    samples = noises(1)[0][0]
    with pytest.warns(AuditWarning, match="Too few clips to tell whether a number gives the classes away"):
        report = audit([(samples, RATE), (-samples, RATE)], LABELS[:2], n_resamples=2, random_state=0)
    assert len(report.undecided) == len(report.variables)


def test_of_one_voice_against_another_nothing_is_told_by_any_number_of_clips():
    recordings = [(samples * (1 + i % 2), rate) for i, (samples, rate) in enumerate(noises(40))]
    with pytest.warns(AuditWarning, match="^Too few speakers or clips to tell whether"):
        report = audit(recordings, LABELS, LABELS, n_resamples=2, random_state=0)
    assert report["level"].auc == 1
    assert report.shortcuts == []


def test_the_same_seed_gives_the_same_report_and_the_global_state_does_not_move():
    before = np.random.get_state()[1].copy()
    first = audit(noises(40), LABELS, n_resamples=50, random_state=3)
    assert first == audit(noises(40), LABELS, n_resamples=50, random_state=3, n_jobs=2)
    audit(noises(40), LABELS, n_resamples=5)
    assert (np.random.get_state()[1] == before).all()


# --- the corpus, whose README says what is in it; by day, its digits alone ---

SPEECH = pytest.mark.nightly


@pytest.mark.parametrize(
    ("subset", "duration", "level", "leading_silence"),
    [pytest.param("speech", 0.31, 0.58, 0.57, marks=SPEECH), ("digits", 0.66, 0.69, 0.72)],
)
def test_the_auc_are_those_of_the_corpus(on_corpus, subset, duration, level, leading_silence):
    _, report, _ = on_corpus(subset)
    assert report["duration"].auc == pytest.approx(duration, abs=0.005)
    assert report["level"].auc == pytest.approx(level, abs=0.005)
    assert report["leading_silence"].auc == pytest.approx(leading_silence, abs=0.005)


# The digits have six human speakers, whose durations are those of six synthetic ones once in fifty times: too
# often for one of sixteen numbers. Of clips that are taken for independent, duration is a shortcut, too.
@pytest.mark.parametrize(
    ("subset", "known"),
    [
        pytest.param("speech", {"duration", "spectral_holes"}, marks=SPEECH),
        ("digits", {"level", "leading_silence"}),
    ],
)
def test_the_known_shortcuts_of_the_corpus_are_warned_of(on_corpus, subset, known):
    _, report, caught = on_corpus(subset)
    assert {each.name for each in report.shortcuts} >= known
    assert len(caught) == 1
    assert all(f"{name} alone" in str(caught[0].message) for name in known)


def test_of_a_part_of_the_corpus_the_coding_past_is_found(corpus_dir, manifest):
    """Human speech had been MP3 in audio books."""
    rows = [row for row in manifest if row["subset"] == "speech"]
    rows = [row for row in rows if row["label"] == "human"][::2] + [
        row for row in rows if row["label"] == "synthetic"
    ][::8]
    with pytest.warns(AuditWarning, match="spectral_holes alone tells the classes apart: AUC 0.3"):
        report = audit(
            [corpus_dir / row["path"] for row in rows],
            [row["label"] for row in rows],
            n_jobs=2,
            n_resamples=100,
            random_state=0,
        )
    assert report["spectral_holes"].p_value < 0.01
    (told,) = [each for each in report.findings if each.startswith("Such are the traces of MP3")]
    assert "spectral_holes" in told


def test_the_known_shortcuts_of_clips_that_are_taken_for_independent(on_corpus):
    _, report, _ = on_corpus("digits")
    human = np.repeat([True, False], 100)
    found = rate_variables(report.measurements, human, None, None, 50, np.random.RandomState(0))
    assert {each.name for each in found if each.is_shortcut} >= {"duration", "level", "leading_silence"}


@pytest.mark.parametrize(("subset", "expected"), [pytest.param("speech", 98, marks=SPEECH), ("digits", 0)])
def test_the_speakers_of_both_classes_are_found(on_corpus, subset, expected):
    _, report, _ = on_corpus(subset)
    shared = {each.column: each.classes for each in report.groups}
    assert len(shared["speaker"]) == expected


@pytest.mark.parametrize("subset", [pytest.param("speech", marks=SPEECH), "digits"])
def test_humans_divided_at_random_are_no_finding(subset, corpus_dir, manifest):
    rows = [row for row in manifest if (row["subset"], row["label"]) == (subset, "human")]
    recordings = [corpus_dir / row["path"] for row in rows]
    labels = np.random.default_rng(0).permutation(np.resize(["human", "synthetic"], len(recordings)))
    assert audit(recordings, labels, n_resamples=300, random_state=0, n_jobs=2).findings == []


# The longer clip is rather human in speech, and synthetic in the digits.
@pytest.mark.parametrize(
    ("subset", "longer"), [pytest.param("speech", "human", marks=SPEECH), ("digits", "synthetic")]
)
def test_the_measurements_can_stand_for_a_detector(on_corpus, subset, longer):
    """What a detector has to beat is the error rate of the best single number."""
    rows, report, _ = on_corpus(subset)
    labels = [row["label"] for row in rows]
    assert equal_error_rate(labels, report.measurements["duration"], pos_label=longer) < 0.45
