import shutil
import subprocess
import sys
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from unittest.mock import patch

import keras
import numpy as np
import pytest

from voicelstm import LSTMVoiceClassifier, SpecAugment
from voicelstm.exceptions import ModelFileWarning
from voicelstm.network import _training
from voicelstm.network._checkpoint import Checkpoint, Progress


class StepSize(keras.callbacks.Callback):
    """Sets the step size."""

    def __init__(self, value, *_):
        super().__init__()
        self.value = value

    def on_epoch_begin(self, epoch, logs=None):
        self.model.optimizer.learning_rate = self.value


def clips_of(n_clips, seed=0):
    generator = np.random.default_rng(seed)
    target = np.arange(n_clips) % 2
    return [generator.normal(c, 3.0, size=(10 + 7 * i % 40, 3)) for i, c in enumerate(target)], target


X, Y = clips_of(22)
EARLY = {
    "early_stopping": True,
    "validation_fraction": 0.3,
    "patience": 3,
    "max_epochs": 30,
    "learning_rate": 0.05,  # with which the best of 9 epochs is the sixth
}
AUGMENT = SpecAugment(frequency_mask=(1, 2), time_mask=(1, 4))
STEPS = {"max_steps": 16, "shuffle": True}


def small(folder=None, **changes):
    settings = {"units": (5,), "max_epochs": 6, "batch_size": 8, "learning_rate": 0.02, "dropout": 0.3}
    return LSTMVoiceClassifier(**(settings | {"random_state": 0, "checkpoint": folder} | changes))


class InterruptionError(Exception):
    pass


def interruption_in(epoch):
    """Make a callback that raises after the second batch of an epoch, counted from 0."""

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

        def on_train_batch_end(self, batch, logs=None):
            if self.epoch == epoch and batch == 1:
                raise InterruptionError

    return Interrupt


@contextmanager
def seen_by(callback):
    """Let a Keras callback see fits that know nothing of it, since their own would make them others."""

    def with_another(network, made, *args):
        return keras_callbacks(network, [*made, callback()], *args)

    keras_callbacks = _training._keras_callbacks
    with patch.object(_training, "_keras_callbacks", with_another):
        yield


def interrupted(classifier, epoch, *data):
    with pytest.raises(InterruptionError), seen_by(interruption_in(epoch)):
        classifier.fit(*(data or (X, Y)))
    return classifier


def recorder(epochs):
    class Record(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)

    return Record


def epochs_run(classifier, *data):
    epochs = []
    with seen_by(recorder(epochs)):
        classifier.fit(*(data or (X, Y)))
    return epochs


def first_epoch(classifier, *data):
    """Begin a fit, and leave it at its first epoch, before anything is trained."""
    begun = []

    class Leave(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            begun.append(epoch)
            raise InterruptionError

    with pytest.raises(InterruptionError), seen_by(Leave):
        classifier.fit(*data)
    return begun[0]


def assert_equal_fits(found, wanted):
    assert found.history_ == wanted.history_
    assert found.n_iter_ == wanted.n_iter_
    for name, values in wanted._fitted.weights.items():
        np.testing.assert_array_equal(found._fitted.weights[name], values)


@pytest.fixture(scope="module")
def left_in_epoch_3(tmp_path_factory):
    """The checkpoint of a fit that was interrupted, which no test may change."""
    folder = tmp_path_factory.mktemp("interrupted")
    interrupted(small(folder), 3)
    (path,) = folder.iterdir()
    return path


@pytest.fixture(scope="module")
def uninterrupted_fit():
    return small().fit(X, Y)


@pytest.mark.parametrize(
    ("changes", "epoch"),
    [
        ({}, 0),
        ({}, 5),
        ({"clip_norm": 0.5, "weight_decay": 0.01, "bidirectional": True, "pooling": "attention"}, 3),
        pytest.param({"dtype": "mixed_float16", "units": (5, 4)}, 2, marks=pytest.mark.nightly),
        (EARLY, 7),
        (STEPS, 4),
        ({**STEPS, "learning_rate_schedule": "one_cycle"}, 4),
        ({"random_crops": True, "segment_frames": 12, "sampling": "weights", "augment": AUGMENT}, 3),
        ({"optimizer": lambda: keras.optimizers.SGD(0.1, momentum=0.9)}, 3),
    ],
)
def test_a_fit_goes_on_where_it_was_interrupted_and_ends_the_same(changes, epoch, tmp_path):
    uninterrupted = small(**changes).fit(X, Y)
    interrupted(small(tmp_path, **changes), epoch)
    again = small(tmp_path, **changes)
    assert epochs_run(again) == list(range(epoch, uninterrupted.n_iter_))
    assert_equal_fits(again, uninterrupted)
    assert list(tmp_path.iterdir()) == []


def test_it_may_be_interrupted_again_and_again(tmp_path):
    classifier = small(str(tmp_path / "a" / "b"), **EARLY)
    for epoch in (1, 3, 7):
        interrupted(classifier, epoch)
    uninterrupted = small(**EARLY).fit(X, Y)
    assert uninterrupted.n_iter_ < EARLY["max_epochs"]
    assert_equal_fits(classifier.fit(X, Y), uninterrupted)


def test_a_fit_that_goes_on_from_another_is_resumed_too(tmp_path):
    uninterrupted = small(warm_start=True).fit(X, Y).fit(X[:14], Y[:14])
    classifier = small(tmp_path, warm_start=True).fit(X, Y)
    interrupted(classifier, 3, X[:14], Y[:14])
    assert epochs_run(classifier, X[:14], Y[:14]) == [3, 4, 5]
    assert_equal_fits(classifier, uninterrupted)


KILLED = """
import os, signal, sys
import keras
sys.path.insert(0, sys.argv[1])
from tests.network.test_checkpoint import EARLY, X, Y, seen_by, small

class Kill(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 3:
            os.kill(os.getpid(), signal.SIGKILL)

with seen_by(Kill):
    small(sys.argv[2], **EARLY).fit(X, Y)
"""


@pytest.mark.nightly
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_process_that_was_killed_is_gone_on_from_by_another(tmp_path):
    arguments = [str(Path(__file__).parents[2]), str(tmp_path)]
    process = subprocess.run([sys.executable, "-c", KILLED, *arguments], capture_output=True)
    assert process.returncode == -9, process.stderr.decode()
    uninterrupted = small(**EARLY).fit(X, Y)
    again = small(tmp_path, **EARLY)
    assert epochs_run(again) == list(range(3, uninterrupted.n_iter_))
    assert_equal_fits(again, uninterrupted)


@pytest.mark.parametrize(
    ("changes", "data"),
    [
        ({"max_epochs": 7}, (X, Y)),
        ({"dropout": 0.2}, (X, Y)),
        ({"batch_size": 7}, (X, Y)),
        ({"learning_rate": 0.021}, (X, Y)),
        ({"learning_rate_schedule": "one_cycle"}, (X, Y)),
        ({"sampling": "weights"}, (X, Y)),
        ({"random_crops": True}, (X, Y)),
        ({"repeat_short_clips": True}, (X, Y)),
        ({"augment": AUGMENT}, (X, Y)),
        ({"learning_rate": lambda epoch: 0.02}, (X, Y)),
        ({"random_state": 1}, (X, Y)),
        ({"random_state": None}, (X, Y)),
        ({"class_weight": {0: 2.0, 1: 1.0}}, (X, Y)),
        ({"optimizer": lambda: keras.optimizers.Adam(0.02, beta_1=0.8)}, (X, Y)),
        ({"callbacks": partial(StepSize, 0.1)}, (X, Y)),
        ({}, ([*X[:-1], X[-1] + 1e-3], Y)),
        ({}, ([*X[:-1], X[-1][:-1]], Y)),
        ({}, (X, 1 - Y)),
        ({}, (X, Y, np.linspace(1, 2, len(X)))),
    ],
)
def test_another_training_does_not_go_on_from_it(changes, data, left_in_epoch_3, tmp_path):
    shutil.copy(left_in_epoch_3, tmp_path)
    assert first_epoch(small(tmp_path), X, Y) == 3
    assert first_epoch(small(tmp_path, **changes), *data) == 0


def test_a_schedule_is_known_by_its_step_sizes(tmp_path):
    def falling(first):
        return lambda epoch: first / (1 + epoch)

    interrupted(small(tmp_path, learning_rate=falling(0.02)), 3)
    assert first_epoch(small(tmp_path, learning_rate=falling(0.03)), X, Y) == 0
    assert first_epoch(small(tmp_path, learning_rate=falling(0.02)), X, Y) == 3


@pytest.mark.parametrize("library", ["voicelstm", "numpy", "scipy", "sklearn", "keras", "the backend"])
def test_another_version_does_not_go_on_from_it(library, left_in_epoch_3, tmp_path, monkeypatch):
    shutil.copy(left_in_epoch_3, tmp_path)
    if library == "voicelstm":
        monkeypatch.setattr("voicelstm.network._checkpoint.__version__", "0.0")
    else:
        module = import_module(keras.backend.backend() if library == "the backend" else library)
        monkeypatch.setattr(module, "__version__", module.__version__.partition(".")[0] + ".99.0")
    assert first_epoch(small(tmp_path), X, Y) == 0


def test_callbacks_that_do_something_else_make_another_training(tmp_path):
    def rate(value):
        return partial(StepSize, value)

    interrupted(small(tmp_path, callbacks=rate(0.02)), 3)
    assert first_epoch(small(tmp_path), X, Y) == 0
    assert first_epoch(small(tmp_path, callbacks=rate(0.1)), X, Y) == 0
    shown = [keras.callbacks.History, rate(0.02), partial(keras.callbacks.CSVLogger, tmp_path / "log.csv")]
    again = small(tmp_path, callbacks=shown)
    assert epochs_run(again) == [3, 4, 5]
    assert_equal_fits(again, small(callbacks=rate(0.02)).fit(X, Y))


def test_a_fit_whose_callbacks_cannot_be_compared_says_that_it_keeps_no_checkpoint(tmp_path):
    values = (value for value in [0.02])
    classifier = small(tmp_path, max_epochs=1, callbacks=lambda: StepSize(0.02, values))
    with pytest.warns(ModelFileWarning, match=r"writes no checkpoint.*holds a builtins.generator") as caught:
        interrupted(classifier, 0)
    (warning,) = (each for each in caught if each.category is ModelFileWarning)
    assert Path(warning.filename) == Path(__file__)
    assert list(tmp_path.iterdir()) == []


def test_another_training_leaves_it_as_it_was(left_in_epoch_3, tmp_path):
    unfinished = Path(shutil.copy(left_in_epoch_3, tmp_path))
    small(tmp_path, max_epochs=7).fit(X, Y)
    assert list(tmp_path.iterdir()) == [unfinished]
    assert unfinished.read_bytes() == left_in_epoch_3.read_bytes()


def test_what_only_shows_or_only_predicts_makes_no_other_training(left_in_epoch_3, tmp_path, capsys):
    shutil.copy(left_in_epoch_3, tmp_path)
    assert epochs_run(small(tmp_path, verbose=2, segment_hop=7)) == [3, 4, 5]
    assert "Epoch 4/6" in capsys.readouterr().out


def test_partial_fit_takes_no_notice(tmp_path):
    small(tmp_path / "never").partial_fit(X, Y, classes=[0, 1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("damage", ["cut short", "one bit", "empty", "not a checkpoint", "other tensors"])
def test_a_damaged_checkpoint_is_a_warning_and_training_begins_anew(
    damage, left_in_epoch_3, uninterrupted_fit, tmp_path
):
    path = Path(shutil.copy(left_in_epoch_3, tmp_path))
    classifier = small(tmp_path)
    content = path.read_bytes()
    if damage == "one bit":
        path.write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
    elif damage == "not a checkpoint":
        small(random_state=3, max_epochs=1).fit(X, Y).save(path)
    elif damage == "other tensors":
        Checkpoint(tmp_path, path.stem).write(Progress({"x": np.zeros(2)}, 3, {}))
    else:
        path.write_bytes(content[: len(content) // 2 if damage == "cut short" else 0])
    with pytest.warns(ModelFileWarning, match="training begins anew") as caught:
        classifier.fit(X, Y)
    (warning,) = (w for w in caught if w.category is ModelFileWarning)
    assert Path(warning.filename) == Path(__file__)
    assert_equal_fits(classifier, uninterrupted_fit)


def test_a_file_where_the_folder_should_be_leaves_the_old_model(tmp_path):
    classifier = small().fit(X, Y)
    before = classifier.predict_proba(X)
    file = tmp_path / "file"
    file.write_text("mine")
    for folder in (file, file / "below"):
        with pytest.raises(OSError, match="file"):
            classifier.set_params(checkpoint=folder).fit(X[:10], Y[:10])
    assert file.read_text() == "mine"
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_a_folder_that_vanishes_or_is_full_leaves_the_old_model(tmp_path, monkeypatch):
    classifier = small().fit(X, Y)
    before = classifier.predict_proba(X)
    folder = tmp_path / "folder"

    class Vanish(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            folder.rmdir()

    with pytest.raises(FileNotFoundError, match="does not exist"):
        classifier.set_params(checkpoint=folder, callbacks=Vanish).fit(X[:10], Y[:10])

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        classifier.set_params(callbacks=None).fit(X[:10], Y[:10])
    assert list(folder.iterdir()) == []
    np.testing.assert_array_equal(classifier.predict_proba(X), before)


def test_a_checkpoint_gives_back_what_it_was_given(tmp_path):
    checkpoint = Checkpoint(tmp_path, "key")
    weights = {"head/bias": np.array([0.1], "float32")}
    variables = {"optimizer/0": np.array([7], "int64")}
    assert checkpoint.read(variables, weights) is None
    history = {"loss": [0.1 + 0.2, 1 / 3], "val_loss": [float("inf"), 1e-300]}
    written = Progress(variables, 2, history, 1e-300, weights, 0)
    checkpoint.write(written)
    assert checkpoint.read(variables, weights) == written
    checkpoint.remove()
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_another_type_is_refused():
    with pytest.raises(ValueError, match="'checkpoint' parameter"):
        small(3).fit(X, Y)
