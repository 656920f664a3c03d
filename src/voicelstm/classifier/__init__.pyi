from ._classifier import LSTMVoiceClassifier as LSTMVoiceClassifier
