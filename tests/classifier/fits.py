import numpy as np

from voicelstm import LSTMVoiceClassifier


def clips_of(n_clips, n_classes=2, seed=0, n_features=3):
    """Noise whose mean tells the class; lengths differ."""
    generator = np.random.default_rng(seed)
    target = np.arange(n_clips) % n_classes
    clips = [generator.normal(c, 1.0, size=(10 + 7 * i % 40, n_features)) for i, c in enumerate(target)]
    return clips, target


def small(**changes):
    settings = {"units": (6,), "max_epochs": 12, "batch_size": 8, "learning_rate": 0.02, "random_state": 0}
    return LSTMVoiceClassifier(**(settings | changes))
