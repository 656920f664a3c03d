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


def descent(X, y, weight=None, **changes):
    """Sum of the gradients of one epoch, of all weights: how far plain descent goes, over its step size."""
    # Steps are so small that all batches see the same network, and what is left of that cancels.
    settings = {"max_epochs": 1, "optimizer": "sgd", "dropout": 0.0, "standardize": False, "dtype": "float64"}
    step = 1e-7
    near, far = (
        small(**(settings | changes | {"learning_rate": rate})).fit(X, y, sample_weight=weight)
        for rate in (step, 2 * step)
    )
    return difference(near, far) / step


def difference(first, second):
    """Differences between the weights of two fitted networks, in one row."""
    pairs = zip(first._fitted.weights.values(), second._fitted.weights.values(), strict=True)
    return np.concatenate([(one - other).ravel() for one, other in pairs])
