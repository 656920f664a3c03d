"""The detectors that come with the package, by name."""

from importlib.resources import as_file, files
from importlib.resources.abc import Traversable

from voicelstm.detector._held_out_wrappers import CalibratedDetector
from voicelstm.model_files import load_as

__all__ = ["PRETRAINED", "load_pretrained", "pretrained_content"]

#: Names, and their files; what a name answers never changes.
PRETRAINED = {"general-1": "general_1.voicelstm"}


def load_pretrained(name: str = "general-1") -> CalibratedDetector:
    """Load a detector that comes with the package.

    It answers about a recording at once, without a corpus, a training or a network. Its card says what it was
    trained on, how often it errs and where: read it before you believe an answer.

    Read more in the :ref:`user guide <pretrained>`.

    Parameters
    ----------
    name : str, default="general-1"
        Name of the detector. A name stands for one fitted detector for ever: a better one has another name.

    Returns
    -------
    voicelstm.detector.CalibratedDetector
        The detector, calibrated on what detectors trained alike said of sources and systems that they had
        not heard, so that a score is a log-likelihood ratio: above 0 for synthetic. Its attribute ``card_``
        is a dict, of which ``"rates"`` are error rates by channel, language and more,
        ``"operating_points"`` the thresholds that have names, and ``"training"`` the sources with their
        licences.

    Raises
    ------
    ValueError
        If no detector has this name.

    See Also
    --------
    make_detector : Makes one to be trained on recordings of your own.
    detect : Asks a detector about recordings.
    load : Loads a detector of your own.

    Examples
    --------
    >>> from voicelstm import detect, load_pretrained
    >>> from voicelstm.datasets import make_voices
    >>> detector = load_pretrained()
    >>> detector.classes_.tolist()
    ['human', 'synthetic']
    >>> [point["name"] for point in detector.card_["operating_points"]]
    ['1 in 100', '1 in 20', '1 in 10']
    >>> X, _ = make_voices(4, random_state=0, return_X_y=True)
    >>> for found in detect(detector, X[:1], operating_point="1 in 20", prior=0.01):
    ...     print(found.label in detector.classes_, 0 < found.posterior < 1)
    True True
    """
    if not isinstance(name, str) or name not in PRETRAINED:
        known = " and ".join(map(repr, PRETRAINED))
        raise ValueError(f"name={name!r}: this version of voicelstm has {known}.")
    with as_file(_file_of(name)) as path:
        detector: CalibratedDetector = load_as(CalibratedDetector, path)
    return detector


def pretrained_content(name: str) -> bytes:
    """Return the content of a detector's file."""
    return _file_of(name).read_bytes()


def _file_of(name: str) -> Traversable:
    return files("voicelstm.detector") / "pretrained" / PRETRAINED[name]
