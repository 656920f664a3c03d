from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.utils import Bunch

from tests.command.runner import SET, run
from voicelstm import Augmenter, MFCCTransformer
from voicelstm.command._corpus import Corpus, corpus_options, list_failures, read_features
from voicelstm.command._exit_codes import ExitCode
from voicelstm.exceptions import AudioError, AudioWarning


@pytest.fixture
def labels(tmp_path):
    """A CSV whose recordings are in another folder."""
    (tmp_path / "audio").mkdir()
    for name in "abcd":
        (tmp_path / "audio" / f"{name}.wav").touch()
    path = tmp_path / "labels.csv"
    path.write_text(
        "file,class,codec\na.wav,human,mp3\nb.wav,synthetic,ogg\nc.wav,human,flac\nd.wav,human,ogg\n"
    )
    return path


@pytest.fixture
def recordings():
    """Noise, between what cannot be read, and samples whose scale is a guess."""
    noise = np.random.default_rng(0).normal(0, 0.1, (3, 3200))
    return Bunch(
        recordings=["missing.wav", noise[0], (1000 * noise[1]).astype(np.int64), np.zeros(0), noise[2]],
        target=np.array(["human", "human", "synthetic", "synthetic", "human"]),
        groups={"speaker": np.array(["a", "b", "c", "d", "e"])},
    )


def test_options_become_the_corpus_that_a_command_is_given(labels):
    given = []

    @click.command()
    @corpus_options
    @click.option("--other", type=int)
    def command(corpus, other):
        found = asdict(corpus)
        assert found.pop("left_out") == []
        given.append((found, other))

    defaults = {"where": {}, "path_column": "path", "label_column": "label", "audio_dir": None, "jobs": -1}
    defaults |= {"ignore": (), "order": None}
    CliRunner().invoke(command, [str(labels)], catch_exceptions=False)
    asked = f"{labels} --where codec=mp3 --where codec=ogg --path-column file --label-column class -j 2"
    asked += f" --order name --ignore *.txt --audio-dir {labels.parent} --other 3"
    CliRunner().invoke(command, asked.split(), catch_exceptions=False)
    assert given[0] == ({"labels": labels, **defaults}, None)
    assert given[1] == (
        {
            "labels": labels,
            "where": {"codec": ["mp3", "ogg"]},
            "path_column": "file",
            "label_column": "class",
            "audio_dir": labels.parent,
            "ignore": ("*.txt",),
            "order": "name",
            "jobs": 2,
        },
        3,
    )


def test_a_list_without_paths_has_the_order_that_is_chosen(tmp_path):
    for name in ("1.wav", "2.wav", "10.wav"):
        (tmp_path / name).touch()
    (tmp_path / "labels.csv").write_text("1\n0\n0\n")
    found = Corpus(tmp_path / "labels.csv", {}, "path", "label", None, 1, order="name").load()
    assert [Path(path).name for path in found.recordings] == ["1.wav", "10.wav", "2.wav"]
    with pytest.raises(click.UsageError, match="--order are for a CSV"):
        Corpus(tmp_path, {}, "path", "label", None, 1, order="name").load()


def test_rows_and_columns_of_a_csv_are_chosen(labels):
    corpus = Corpus(labels, {"codec": ["mp3", "ogg"]}, "file", "class", labels.parent / "audio", 1).load()
    assert [Path(path).name for path in corpus.recordings] == ["a.wav", "b.wav", "d.wav"]
    assert corpus.target.tolist() == ["human", "synthetic", "human"]
    assert corpus.groups["codec"].tolist() == ["mp3", "ogg", "ogg"]


def test_a_folder_has_a_class_in_each_sub_folder_and_no_columns(tmp_path):
    for name in ("human/a.wav", "synthetic/b.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert Corpus(tmp_path, {}, "path", "label", None, 1).load().target.tolist() == ["human", "synthetic"]
    for where, audio_dir in (({"codec": ["mp3"]}, None), ({}, tmp_path)):
        with pytest.raises(click.UsageError, match="a folder has no columns"):
            Corpus(tmp_path, where, "path", "label", audio_dir, 1).load()


def test_what_cannot_be_read_is_left_out_with_its_label_and_groups(recordings):
    transformer = MFCCTransformer(n_mfcc=5)
    with pytest.warns(AudioWarning, match="int64") as caught:
        features = read_features(transformer, recordings, 1, None, to_train=False)
    assert len(caught) == 1  # failures are no warnings here
    expected = transformer.transform([recordings.recordings[i] for i in (1, 4)])
    np.testing.assert_array_equal(features.X[0], expected[0])
    np.testing.assert_array_equal(features.X[2], expected[1])
    assert [id(each) for each in features.recordings] == [id(recordings.recordings[i]) for i in (1, 2, 4)]
    assert features.target.tolist() == ["human", "synthetic", "human"]
    assert features.groups["speaker"].tolist() == ["b", "c", "e"]
    first, second = features.failures
    assert "missing.wav: no such file" in first
    assert "found 0 samples" in second
    assert transformer.get_params() == MFCCTransformer(n_mfcc=5).get_params()


def test_features_are_kept_in_the_folder_that_is_named(recordings, tmp_path):
    bunch = Bunch(recordings=recordings.recordings[1:2], target=recordings.target[1:2], groups={})
    for cache in (tmp_path / "asked", None):
        read_features(MFCCTransformer(cache_dir=tmp_path / "own"), bunch, 1, cache, to_train=True)
    assert any((tmp_path / "asked").iterdir())
    assert any((tmp_path / "own").iterdir())


def test_only_recordings_to_train_on_are_augmented(recordings):
    bunch = Bunch(recordings=recordings.recordings[1:2], target=recordings.target[1:2], groups={})
    loud = MFCCTransformer(augment=Augmenter(noise_snr=(-20, -10)))
    plain = MFCCTransformer().transform(bunch.recordings)
    np.testing.assert_array_equal(read_features(loud, bunch, 1, None, to_train=False).X, plain)
    assert not np.array_equal(read_features(loud, bunch, 1, None, to_train=True).X, plain)


def test_recordings_to_train_on_have_copies_and_those_that_fail_none(recordings):
    missing, first, *_, last = recordings.recordings
    bunch = Bunch(recordings=[first, missing, last], target=np.array(["human", "human", "synth"]), groups={})
    transformer = MFCCTransformer(augment=[Augmenter(), Augmenter(random_state=1)])
    found = read_features(transformer, bunch, 1, None, to_train=True)
    assert [len(each) for each in (found.X, *found.X.copies, found.fingerprints)] == [2, 2, 2, 2]
    expected = clone(transformer).fit_transform([first, last])
    for ours, theirs in zip((found.X, *found.X.copies), (expected, *expected.copies), strict=True):
        for clip, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(clip, other)
    assert len(found.failures) == 1
    plain = read_features(transformer, bunch, 1, None, to_train=False).X
    assert not hasattr(plain, "copies")


def test_without_any_recording_all_reasons_are_said(recordings):
    bunch = Bunch(recordings=["missing.wav", np.zeros(0)], target=recordings.target[:2], groups={})
    with pytest.raises(
        AudioError, match=r"No recording could be read:\n.*missing.wav: no such file.*\n.*found 0 samples"
    ):
        read_features(MFCCTransformer(), bunch, 1, None, to_train=False)


def test_failures_are_counted_and_listed_on_standard_error(capsys):
    list_failures([], 3)
    assert capsys.readouterr() == ("", "")
    list_failures(["a.wav: no such file", "b\n\x1b[31m.wav: empty"], 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "voicelstm: 2 of 3 recordings failed and are left out:",
        "  a.wav: no such file",
        r"  b\n\x1b[31m.wav: empty",
    ]


@pytest.mark.parametrize(("n_synthetic", "said"), [(1, "1 of synthetic"), (2, "2 of synthetic")])
def test_a_class_of_one_or_two_recordings_is_not_trained_on(n_synthetic, said, voice_folder, tmp_path):
    rows = (voice_folder / "labels.csv").read_text().splitlines()
    human = [row for row in rows if ",human," in row]
    synthetic = [row for row in rows if ",synthetic," in row]
    labels = voice_folder / f"few-{n_synthetic}.csv"
    labels.write_text("\n".join([rows[0], *human, *synthetic[:n_synthetic], ""]))
    _, err = run("train", labels, "-o", tmp_path / "d", *SET, code=ExitCode.REFUSED)
    assert f"{labels}: too few recordings to train on in the column label: {said}." in err
    # Of three, one cannot be read.
    broken = "broken/page.wav,synthetic,speaker-0,synthetic-0"
    labels.write_text("\n".join([rows[0], *human[:3], *synthetic[:2], broken, ""]))
    _, err = run("train", labels, "-o", tmp_path / "d", *SET, code=ExitCode.REFUSED)
    assert "too few recordings that could be read to train on in the column label: 2 of synthetic." in err
    assert not (tmp_path / "d").exists()


def test_options_that_read_a_table_are_said(voice_folder):
    text = (voice_folder / "labels.csv").read_text().replace("path,label", "Path,my label", 1)
    labels = voice_folder / "other_header.csv"
    labels.write_text(text)
    _, err = run("audit", labels, "--label-column", "my label", code=ExitCode.REFUSED)
    assert "--path-column Path reads it." in err
    _, err = run("audit", labels, "--path-column", "Path", "--where", "x=y", code=ExitCode.REFUSED)
    assert "'label'" in err
    assert "'x'" in err
