import warnings

import numpy as np
import pytest
from sklearn.utils import get_tags

from voicelstm import CepstralDynamics, MFCCTransformer, SequenceStore, load, save
from voicelstm.exceptions import ModelFileError
from voicelstm.features._dynamics import checked_lags
from voicelstm.sequences import AugmentedSequences


def measured(dynamics, clip):
    """What lies below the tanh: the logarithms that the class documents."""
    side = dynamics.transform([clip])[0][:, : len(dynamics.centre_)].astype(np.float64)
    assert (np.abs(side) < 1).all()  # else rounding has hidden the value
    return np.arctanh(side) * dynamics.scale_ + dynamics.centre_


@pytest.fixture(scope="module")
def noises():
    generator = np.random.default_rng(0)
    return [generator.normal(size=(n, 3)) * (1, 10, 0.1) for n in (250, 130, 400)]


def test_numbers_are_those_of_a_hand_calculation():
    # Less its mean of 2 the clip is -2, 0, 1, 1; its variance is 6 / 4.
    clip = np.array([[0.0], [2.0], [3.0], [3.0]])
    variance = 6 / 4
    other = np.array([[0.0], [5.0], [1.0], [2.0], [9.0]])
    dynamics = CepstralDynamics(lags=(1, 3), window_frames=3, step_frames=1).fit([clip, other])
    differences = [
        [(4 + 1) / 2 / variance, (1 + 0 + 4) / 3 / variance],  # frames 1, 2; and 1, 2, 3
        [2.0, 9 / variance],  # none has a frame three before it; frame 3 has
    ]
    expected = np.log(1e-3 + np.array([[5 / 3, 2 / 3], *differences]).T)
    np.testing.assert_allclose(measured(dynamics, clip), expected, rtol=1e-5)


def test_the_second_half_is_the_square_of_the_first(noises):
    for clip in CepstralDynamics().fit_transform(noises):
        np.testing.assert_allclose(clip[:, 15:], clip[:, :15] ** 2, rtol=1e-6)
        assert clip.dtype == np.float32


def test_what_is_usual_is_the_mean_over_all_windows_of_fit(noises):
    dynamics = CepstralDynamics(lags=(1, 2)).fit(noises)
    windows = np.concatenate([measured(dynamics, clip) for clip in noises])
    np.testing.assert_allclose(windows.mean(axis=0), dynamics.centre_, atol=1e-5)
    np.testing.assert_allclose(windows.std(axis=0), dynamics.scale_, rtol=1e-4)


def test_an_offset_changes_nothing_and_a_gain_only_how_far(noises):
    dynamics = CepstralDynamics(lags=(1, 4)).fit(noises)
    before = measured(dynamics, noises[0])
    np.testing.assert_allclose(measured(dynamics, noises[0] + (5, -100, 0.01)), before, atol=1e-5)
    louder = measured(dynamics, noises[0] * 1.1)
    np.testing.assert_allclose(louder[:, 3:], before[:, 3:], atol=1e-5)
    shift = np.log((np.exp(before[:, :3]) - 1e-3) * 1.21 + 1e-3) - before[:, :3]
    np.testing.assert_allclose(louder[:, :3] - before[:, :3], shift, atol=1e-5)


def test_time_reversed_clips_move_as_far_and_as_fast():
    clip = np.cumsum(np.random.default_rng(1).normal(size=(300, 2)), axis=0)
    dynamics = CepstralDynamics(window_frames=300).fit([clip, clip[:150] ** 2])
    np.testing.assert_allclose(measured(dynamics, clip[::-1]), measured(dynamics, clip), rtol=1e-5)


def test_unrelated_frames_differ_by_twice_their_variance():
    noise = np.random.default_rng(2).normal(size=(50_000, 1))
    dynamics = CepstralDynamics(window_frames=50_000).fit([noise, noise[:1000]])
    np.testing.assert_allclose(np.exp(measured(dynamics, noise)[0, 1:]), 2, rtol=0.03)


def test_windows_cover_every_frame_and_the_last_ends_with_the_clip():
    dynamics = CepstralDynamics(window_frames=5, step_frames=2)
    assert dynamics.spans(8).tolist() == [[0, 5], [2, 7], [3, 8]]
    assert dynamics.spans(5).tolist() == [[0, 5]]
    assert dynamics.spans(2).tolist() == [[0, 2]]
    assert dynamics.spans(0).shape == (0, 2)
    far_apart = CepstralDynamics(window_frames=2, step_frames=5).spans(8)
    assert far_apart.tolist() == [[0, 2], [5, 7], [6, 8]]


def test_short_constant_and_empty_clips_give_finite_numbers(noises):
    dynamics = CepstralDynamics().fit(noises)
    clips = [noises[0][:1], np.full((60, 3), 7.0), np.zeros((0, 3)), noises[1]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        one, constant, empty, last = dynamics.transform(clips)
    assert np.isfinite(one).all()
    assert one.shape == constant.shape == (1, 30)
    # Differences of 0 are the least there can be.
    assert (constant[:, 3:15] < -0.99).all()
    assert empty.shape == (0, 30)
    np.testing.assert_array_equal(last, dynamics.transform([noises[1]])[0])
    with pytest.raises(ValueError, match="All clips of X are empty"):
        CepstralDynamics().fit([np.zeros((0, 3))] * 2)


def test_sequences_may_lie_on_disk(tmp_path):
    samples = [np.random.default_rng(seed).normal(0, 0.1, 12_000 + 4000 * seed) for seed in range(3)]
    transformer = MFCCTransformer(n_mfcc=5, n_filters=20, deltas=0)
    store = transformer.transform(samples, out=tmp_path / "features")
    assert isinstance(store, SequenceStore)
    for stored, direct in zip(
        CepstralDynamics().fit_transform(store),
        CepstralDynamics().fit_transform(transformer.transform(samples)),
        strict=True,
    ):
        np.testing.assert_array_equal(stored, direct)


@pytest.mark.parametrize("lags", [(), (0,), (1, 1), (1.5,), ("1",), (True, 2), {1, 2}])
def test_lags_that_are_none_are_refused(lags):
    with pytest.raises(ValueError, match=r"lags=.* must be one or more whole numbers"):
        checked_lags(lags)


def test_parameters_and_tags_are_the_documented_ones():
    assert CepstralDynamics().get_params() == {"lags": (1, 2, 4, 8), "window_frames": 100, "step_frames": 50}
    assert get_tags(CepstralDynamics()).input_tags.three_d_array


def test_windows_and_steps_have_at_least_one_frame(noises):
    for name in ("window_frames", "step_frames"):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* must be an int in the range \\[1, inf"):
            CepstralDynamics(**{name: 0}).fit(noises)
    described = CepstralDynamics(window_frames=1, step_frames=1).fit(noises).transform(noises)
    assert [len(clip) for clip in described] == [len(clip) for clip in noises]


@pytest.mark.parametrize("change", [{"lags": (1, 2, 4, 9)}, {"window_frames": 50}, {"step_frames": 25}])
def test_what_was_learnt_is_not_used_with_other_parameters(change, noises, tmp_path):
    dynamics = CepstralDynamics().fit(noises).set_params(**change)
    with pytest.raises(
        ValueError, match=r"are not those of the last fit, lags=\(1, 2, 4, 8\).*call fit again"
    ):
        dynamics.transform(noises)
    with pytest.raises(ValueError, match="call fit again"):
        save(dynamics, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_a_fit_that_fails_leaves_what_was_learnt(noises):
    dynamics = CepstralDynamics().fit(noises)
    before = dynamics.transform(noises)
    for bad in ([noises[0][:, :2], np.full((5, 2), np.nan)], [np.zeros((0, 2))], np.full((4, 30), np.inf)):
        with pytest.raises(ValueError, match=r"NaN|finite|infinity|empty"):
            dynamics.fit(bad)
    for ours, theirs in zip(dynamics.transform(noises), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_other_sequences_are_refused_by_their_position(noises):
    dynamics = CepstralDynamics().fit(noises)
    with pytest.raises(ValueError, match=r"X\[0\] has 2 features per frame, but 3 were expected"):
        dynamics.transform([noises[0][:, :2]])
    with pytest.raises(ValueError, match=r"X\[1\] contains NaN"):
        CepstralDynamics().fit([noises[0], np.full((5, 3), np.nan)])
    with pytest.raises(ValueError, match=r"X\[1\] has values as large as 1e\+160"):
        CepstralDynamics().fit([noises[0], np.array([[1e160, 0, 0], [-1e160, 0, 0]])])
    largest = CepstralDynamics().fit([noises[0], np.array([[1e70, 0, 0], [-1e70, 0, 0]])])
    assert np.isfinite(largest.centre_).all()


@pytest.mark.parametrize("lags", [(2, 3), range(1, 5), np.array([1, 7])])
def test_a_file_keeps_what_is_usual(lags, noises, tmp_path):
    dynamics = CepstralDynamics(lags=lags, window_frames=40).fit(noises)
    save(dynamics, tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert loaded.get_params() == {"lags": tuple(lags), "window_frames": 40, "step_frames": 50}
    for ours, theirs in zip(loaded.transform(noises), dynamics.transform(noises), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    dynamics.scale_ = dynamics.scale_ * 0
    save(dynamics, tmp_path / "m")
    with pytest.raises(ModelFileError, match="scale of the dynamics"):
        load(tmp_path / "m")


def test_fit_transform_measures_each_clip_once_and_gives_what_fit_and_transform_give(noises, monkeypatch):
    X = [noises[0], np.zeros((0, 3)), *noises[1:]]
    expected = CepstralDynamics().fit(X).transform(X)
    lengths, measure = [], CepstralDynamics._measured

    def counted(self, clip, lags, position):
        lengths.append(len(clip))
        return measure(self, clip, lags, position)

    monkeypatch.setattr(CepstralDynamics, "_measured", counted)
    found = CepstralDynamics().fit_transform(X)
    assert lengths == [len(clip) for clip in noises]
    for clip, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(clip, other)


def test_copies_are_described_beside_their_recordings_and_teach_what_is_usual(noises):
    louder, slower = ([clip * 3 for clip in noises], [np.repeat(clip, 2, axis=0) for clip in noises])
    X = AugmentedSequences(noises, [louder, slower])
    dynamics = CepstralDynamics()
    found = dynamics.fit_transform(X)
    usual = CepstralDynamics().fit([*noises, *louder, *slower])
    np.testing.assert_allclose(dynamics.centre_, usual.centre_)
    np.testing.assert_allclose(dynamics.scale_, usual.scale_)
    np.testing.assert_array_equal(CepstralDynamics().fit(X).centre_, dynamics.centre_)
    for described in (found, dynamics.transform(X)):
        assert type(described) is AugmentedSequences
        versions = [described.plain, *described.copies]
        for version, clips in zip(versions, [noises, louder, slower], strict=True):
            for ours, clip in zip(version, clips, strict=True):
                np.testing.assert_array_equal(ours, dynamics.transform([clip])[0])
    spoilt = [louder[0], np.full((9, 3), np.nan), louder[2]]
    for method in (dynamics.transform, CepstralDynamics().fit):
        with pytest.raises(ValueError, match=r"^Of copies\[1\] of X: Input X\[1\] contains NaN"):
            method(AugmentedSequences(noises, [slower, spoilt]))
