from ._classifier import LSTMVoiceClassifier as LSTMVoiceClassifier
from ._fitting import check_training as check_training
