"""Pictures of recordings, training, scores and errors, in scikit-learn's Display pattern.

Each class is made by one of its methods ``from_...``, which compute and draw; it keeps what it drew as
attributes that end in an underscore, and draws once more where `plot` is called. All take an `ax`; None makes
a figure. They need matplotlib, ``pip install "voicelstm[plot]"``, and import it when they draw. They change
no setting of matplotlib, show nothing and write nothing: a notebook shows the figure, and
``display.figure_.savefig`` writes it.
"""

from voicelstm.display._cepstra import CepstraDisplay
from voicelstm.display._detection_error import DetectionErrorDisplay
from voicelstm.display._reliability import ReliabilityDisplay
from voicelstm.display._score_distribution import ScoreDistributionDisplay
from voicelstm.display._score_timeline import ScoreTimelineDisplay
from voicelstm.display._training_curve import TrainingCurveDisplay

__all__ = [
    "CepstraDisplay",
    "DetectionErrorDisplay",
    "ReliabilityDisplay",
    "ScoreDistributionDisplay",
    "ScoreTimelineDisplay",
    "TrainingCurveDisplay",
]
