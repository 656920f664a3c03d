"""What can go wrong, by name."""

from collections.abc import Sequence

__all__ = [
    "AudioError",
    "AudioWarning",
    "AuditWarning",
    "DatasetError",
    "DatasetWarning",
    "HeldOutWarning",
    "ModelFileError",
    "ModelFileWarning",
    "ScoreWarning",
    "SequenceWarning",
    "StoreError",
    "TrainingError",
    "VoiceLSTMError",
    "VoiceLSTMWarning",
]


class VoiceLSTMError(Exception):
    """Base class of this library's errors."""


class AudioError(VoiceLSTMError, ValueError):
    """A recording cannot be turned into samples.

    Parameters
    ----------
    message : str
        The whole text.
    failures : sequence of (int, str), default=()
        Position and reason of every recording that failed, where several were asked for.

    Attributes
    ----------
    failures : list of (int, str)
        As given.
    """

    def __init__(self, message: str, failures: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.failures = list(failures)


class DatasetError(VoiceLSTMError, ValueError):
    """A corpus on disk is not what its labels say."""


class ModelFileError(VoiceLSTMError, ValueError):
    """A model file is damaged, is not a model file, or asks for something that cannot be."""


class StoreError(VoiceLSTMError, ValueError):
    """A folder of stored sequences is damaged, incomplete or made with other parameters."""


class TrainingError(VoiceLSTMError, ValueError):
    """A network cannot learn: its loss is no number."""


class VoiceLSTMWarning(UserWarning):
    """Base class of this library's warnings."""


class AudioWarning(VoiceLSTMWarning):
    """A recording was read, or left out, in a way that its owner should know of.

    Parameters
    ----------
    message : str
        The whole text.
    failures : sequence of (int, str), default=()
        Position and reason of every recording that was left out.

    Attributes
    ----------
    failures : list of (int, str)
        As given.
    """

    def __init__(self, message: str, failures: Sequence[tuple[int, str]] = ()) -> None:
        super().__init__(message)
        self.failures = list(failures)


class DatasetWarning(VoiceLSTMWarning):
    """A corpus on disk can be read in more than one way."""


class SequenceWarning(VoiceLSTMWarning):
    """A sequence was left out of training, or lies in a folder beside those that were asked for."""


class ModelFileWarning(VoiceLSTMWarning):
    """A parameter cannot be kept in a model file."""


class ScoreWarning(VoiceLSTMWarning):
    """Scores may mean something else than they are taken for."""


class AuditWarning(VoiceLSTMWarning):
    """Something other than the voice gives labels away."""


class HeldOutWarning(VoiceLSTMWarning):
    """Recordings that should be new to a detector were in its training."""
