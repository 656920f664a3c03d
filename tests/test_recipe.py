"""The published recipe, exactly: its graph, its training, its features, its shape."""

import importlib.util
import itertools
import os
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from python_speech_features import mfcc
from scipy.io import wavfile

from voicelstm import LSTMVoiceClassifier, MFCCTransformer, load
from voicelstm.audio import read_audio
from voicelstm.datasets import load_csv
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network
from voicelstm.network._pool import acquire_network

EXAMPLE = Path(__file__).parents[1] / "examples" / "original_recipe.py"
GRAPH = Path(__file__).with_name("recipe_graph.py")
RATE = 22050


def recipe_network():
    recipe = LSTMVoiceClassifier.original()
    architecture = Architecture(13, 1, recipe.units, pooling=recipe.pooling)
    return architecture, Compilation(loss=recipe.loss, optimizer=recipe.optimizer), recipe


@pytest.mark.nightly
def test_the_recipes_own_graph_gives_the_same_outputs_and_learns_the_same(tmp_path):
    architecture, compilation, recipe = recipe_network()
    generator = np.random.default_rng(0)
    weights = initial_weights(architecture, generator, recipe.head_initializer)
    # Outputs of fresh weights hardly differ between clips; larger kernels make a difference visible.
    weights["head/kernel"] *= 10
    batches = generator.random((3, 20, 200, 13), dtype=np.float32)
    targets = generator.integers(0, 2, (3, 20)).astype(np.float32)
    np.savez(tmp_path / "in.npz", batches=batches, targets=targets, **weights)
    subprocess.run(
        [sys.executable, GRAPH, tmp_path / "in.npz", tmp_path / "out.npz"],
        env={**os.environ, "TF_USE_LEGACY_KERAS": "1"},
        check=True,
        capture_output=True,
    )
    theirs = np.load(tmp_path / "out.npz")

    lengths, ones = np.full(20, 200, dtype=np.int32), np.ones(20, dtype=np.float32)
    with acquire_network(architecture, compilation) as network:
        network.reset(weights, seed=0, learning_rate=recipe.learning_rate)
        inputs = {"sequences": batches[0], "lengths": lengths}
        outputs = 1 / (1 + np.exp(-network.model.predict_on_batch(inputs)[:, 0]))
        losses = []
        for batch, target in zip(batches, targets, strict=True):
            losses.append(network.train_step(batch, lengths, target[:, None], ones)["loss"])
        learnt = network.weights()
        probability = 1 / (
            1 + np.exp(-network.model.predict_on_batch({"sequences": batches[-1], "lengths": lengths}))
        )
    losses.append(np.mean((probability[:, 0] - targets[-1]) ** 2))
    assert np.ptp(outputs) > 0.01
    np.testing.assert_allclose(outputs, theirs["outputs"], atol=1e-5)
    np.testing.assert_allclose(losses, [*theirs["losses"], theirs["loss_after"]], atol=1e-6)
    for name, values in learnt.items():
        np.testing.assert_allclose(values, theirs[name], atol=1e-5)


@pytest.fixture(scope="module")
def recipe_folder(manifest, corpus_dir, tmp_path_factory):
    """22 stereo 16-bit WAVs of over 50 s at 22,050 Hz, two of them with a broken data-chunk header."""
    folder = tmp_path_factory.mktemp("recipe")
    labels = []
    speech = {"human": [], "synthetic": []}
    for row in manifest:
        if row["subset"] == "speech":
            speech[row["label"]].append(corpus_dir / row["path"])
    for number in range(22):
        label = number % 2
        of_class = speech["human" if label else "synthetic"][number::7]
        channels = []
        for first in (0, 1):
            pieces, length = [], 0
            for path in of_class[first:] + of_class[:first]:
                pieces.append(read_audio(path, sample_rate=RATE)[0])
                length += len(pieces[-1])
                if length > 51 * RATE:
                    break
            channels.append(np.concatenate(pieces)[: 51 * RATE])
        n_samples = min(map(len, channels))
        pcm = np.stack([channel[:n_samples] for channel in channels], axis=1) * 20000
        wavfile.write(folder / f"clip{number + 1}.wav", RATE, pcm.astype(np.int16))
        labels.append(label)
    for name, claimed in (("clip3.wav", 0), ("clip8.wav", 0xFFFFFFFF)):
        content = bytearray((folder / name).read_bytes())
        size = content.index(b"data") + 4
        content[size : size + 4] = struct.pack("<I", claimed)
        (folder / name).write_bytes(content)
    (folder / "labels.csv").write_text("\n".join(map(str, labels)))
    return folder


def samples_of(path):
    """The 16-bit samples, whatever the header claims; the header is 44 bytes long."""
    return np.frombuffer(path.read_bytes()[44:], dtype=np.int16).reshape(-1, 2)


def test_the_recipe_runs_at_its_own_shape(recipe_folder, monkeypatch):
    corpus = load_csv(recipe_folder / "labels.csv", order="natural")
    assert [Path(path).name for path in corpus.recordings] == [f"clip{n + 1}.wav" for n in range(22)]
    assert corpus.target.tolist() == [0, 1] * 11

    X = MFCCTransformer.original(channel="interleaved").fit_transform(corpus.recordings)
    averaged = MFCCTransformer.original().fit_transform(corpus.recordings)
    assert X.shape == averaged.shape == (22, 5000, 13)
    for position in (0, 2, 7, 21):
        signal = samples_of(Path(corpus.recordings[position]))
        for found, taken in ((X, signal), (averaged, signal.mean(axis=1))):
            expected = mfcc(taken, samplerate=RATE, nfft=2048)[:5000]
            low, high = expected.min(axis=0), expected.max(axis=0)
            np.testing.assert_allclose(found[position], (expected - low) / (high - low), atol=1e-9)

    batches = []
    step = Network.train_step
    monkeypatch.setattr(
        Network, "train_step", lambda self, batch, *rest: batches.append(batch) or step(self, batch, *rest)
    )
    classifier = LSTMVoiceClassifier.original(max_steps=2, random_state=0).fit(X, corpus.target)
    assert [batch.shape for batch in batches] == [(20, 5000, 13)] * 2
    np.testing.assert_allclose(batches[0], X[:20], atol=1e-6)
    np.testing.assert_allclose(batches[1], X[[20, 21, *range(18)]], atol=1e-6)
    probabilities = classifier.predict_proba(X[:2])
    assert ((probabilities > 0) & (probabilities < 1)).all()


def test_soundfile_reads_what_scipy_reads(recipe_folder):
    path = recipe_folder / "clip1.wav"
    rate, pcm = wavfile.read(path)
    samples, found = read_audio(path)
    assert found == rate == soundfile.info(path).samplerate
    np.testing.assert_array_equal(samples, pcm.mean(axis=1) / 32768)


def example():
    specification = importlib.util.spec_from_file_location("original_recipe", EXAMPLE)
    module = importlib.util.module_from_spec(specification)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("matplotlib.use", lambda backend: None)  # which stays for other tests
        specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("n_clips", [60, 100, 160, 250])
def test_the_example_tests_the_next_100_clips_with_each_iteration(n_clips):
    report = example().Report(None, [], np.zeros(n_clips), np.arange(n_clips)[::-1], [], None)
    in_turn = itertools.cycle(range(n_clips)[::-1])
    for report.iteration in range(1, 31):
        expected = list(itertools.islice(in_turn, 100))
        assert report.tested().tolist() == expected[:n_clips]


@pytest.mark.nightly
def test_the_example_keeps_whole_classifiers_on_its_way(tmp_path):
    generator = np.random.default_rng(0)
    for number in range(1, 31):
        pcm = generator.integers(0, 256, (8000, 2)) // (1 + number % 2 * 9)
        wavfile.write(tmp_path / f"{number}.wav", 8000, pcm.astype(np.uint8))
    (tmp_path / "labels.csv").write_text("".join(f"{number % 2:.1f}\n" for number in range(1, 31)))
    options = ["--order", "natural", "--channel", "interleaved", "--iterations", "110"]
    done = subprocess.run(
        [
            sys.executable,
            EXAMPLE,
            "--labels",
            tmp_path / "labels.csv",
            "--output",
            tmp_path / "out",
            *options,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    assert "iteration 110: loss" in done.stdout
    assert (tmp_path / "out" / "loss_curve.png").stat().st_size > 1000
    after_100, at_the_end = (
        load(tmp_path / "out" / f"{name}.voicelstm") for name in ("checkpoint-0100", "recipe")
    )
    clips = [tmp_path / f"{number}.wav" for number in range(1, 31)]
    probabilities = after_100.predict_proba(clips)
    assert np.isfinite(probabilities).all()
    assert not np.array_equal(probabilities, at_the_end.predict_proba(clips))
    assert after_100[0].get_params() == at_the_end[0].get_params()
    # 24 clips to train on: two steps are an epoch.
    assert (after_100[1].n_iter_, at_the_end[1].n_iter_) == (50, 55)
