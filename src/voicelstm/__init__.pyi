from . import audio as audio
from . import datasets as datasets
from . import detector as detector
from . import display as display
from . import exceptions as exceptions
from . import features as features
from . import metrics as metrics
from . import sequences as sequences
from .audio import Augmenter as Augmenter
from .classifier import LSTMVoiceClassifier as LSTMVoiceClassifier
from .datasets import audit as audit
from .detector import calibrate as calibrate
from .detector import detect as detect
from .detector import evaluate as evaluate
from .detector import fine_tune as fine_tune
from .detector import load_pretrained as load_pretrained
from .detector import make_detector as make_detector
from .detector import score_timeline as score_timeline
from .detector import tune_threshold as tune_threshold
from .features import CepstralDynamics as CepstralDynamics
from .features import ClipStatistics as ClipStatistics
from .features import MFCCTransformer as MFCCTransformer
from .model_files import load as load
from .model_files import save as save
from .sequences import SequenceStore as SequenceStore
from .sequences import SpecAugment as SpecAugment

__version__: str
