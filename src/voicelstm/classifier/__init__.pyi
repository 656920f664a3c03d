from ._classifier import LSTMVoiceClassifier as LSTMVoiceClassifier
from ._embedding import embeddings as embeddings
from ._embedding import last_layer as last_layer
from ._embedding import with_last_layer as with_last_layer
from ._fitting import check_training as check_training
