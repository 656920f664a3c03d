"""Simulated voices, for trying things out without data."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from voicelstm.datasets._corpus import corpus
from voicelstm.datasets._source_filter import TRAITS, Speaker, draw_speaker, simulate

__all__ = ["make_voices"]

# Each system lacks two of the traits that change a spectrum most, and one other.
_LACKING = (
    ("articulation", "breath", "jitter"),
    ("articulation", "room", "shimmer"),
    ("breath", "room", "drift"),
    ("articulation", "breath", "shimmer"),
    ("articulation", "room", "drift"),
    ("breath", "room", "jitter"),
)
_SPEAKERS, _CLIPS = 0, 1  # two families of generators


def make_voices(
    n_samples: int = 200,
    *,
    sample_rate: int = 16000,
    n_speakers: int = 20,
    min_duration: float = 0.6,
    max_duration: float = 1.6,
    random_state: int | np.random.RandomState | None = None,
    return_X_y: bool = False,
) -> Any:
    """Simulate "human" and "synthetic" recordings, for tests, examples and a first run without data.

    **A score on them says nothing about real voices.** Both classes come out of the same formula. The "human"
    class has six traits of natural speech; each of six "synthetic" systems lacks three of them. Nothing else
    differs: words, speakers, pitch, level, duration, the silences before and after and the floor of noise are
    drawn alike for both, so that no such number alone tells the classes apart.

    Parameters
    ----------
    n_samples : int, default=200
        How many recordings, 2 or more. Human and synthetic take turns.
    sample_rate : int, default=16000
        In Hz, 4000 or more.
    n_speakers : int, default=20
        How many speakers. Each speaks in both classes, so that who speaks does not tell the class.
    min_duration, max_duration : float, default=0.6 and 1.6
        Duration of a recording in s, drawn evenly between the two. 0.1 or more.
    random_state : int, RandomState instance or None, default=None
        Pass an int for the same recordings at every call. Recording i is then the same whatever `n_samples`
        is.
    return_X_y : bool, default=False
        Return ``(recordings, target)`` instead of a Bunch.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        - ``recordings`` : list of pairs ``(samples, sample_rate)``; samples are float32 within ±1, of shape
          (n,).
        - ``target`` : ndarray of shape (n_samples,). "human" or "synthetic".
        - ``groups`` : dict of str to ndarray of shape (n_samples,). ``"speaker"``, and ``"system"``, which is
          "human" or the name of the system, "synthetic-0" to "synthetic-5".
        - ``DESCR`` : str.

    Raises
    ------
    ValueError
        Where a number is too small, or `max_duration` is below `min_duration`.

    See Also
    --------
    load_csv : Real recordings, with labels in a table.
    load_folder : Real recordings, in one folder per class.

    Notes
    -----
    A glottal source [1]_ [2]_ and noise go through five formants that follow random vowels [3]_. The traits:

    ============== ====================================== ============================
    trait          human                                  a system that lacks it
    ============== ====================================== ============================
    drift          pitch falls and wanders                one pitch per syllable
    jitter         periods vary by a few percent          all periods alike
    shimmer        loudness varies from period to period  all periods alike
    breath         noise while the glottis is open        none
    articulation   formants glide, and waver              formants jump
    room           a reverberant tail [4]_                dry
    ============== ====================================== ============================

    A logistic regression on the means and deviations of 20 MFCC and their deltas finds the class of about
    nine recordings in ten, for speakers that it has not heard.

    References
    ----------
    .. [1] A. E. Rosenberg, "Effect of glottal pulse shape on the quality of natural vowels", J. Acoust. Soc.
       Am. 49, 1971: the cubic flow of an open glottis.
    .. [2] G. Fant, J. Liljencrants and Q. Lin, "A four-parameter model of glottal flow", STL-QPSR 4, 1985:
       the exponential return.
    .. [3] G. E. Peterson and H. L. Barney, "Control methods used in a study of the vowels", J. Acoust. Soc.
       Am. 24, 1952.
    .. [4] J.-D. Polack, "La transmission de l'énergie sonore dans les salles", thesis, Université du Maine,
       1988: exponentially decaying noise as a room's response.

    Examples
    --------
    >>> from voicelstm.datasets import make_voices
    >>> voices = make_voices(4, random_state=0)
    >>> voices.target.tolist()
    ['human', 'synthetic', 'human', 'synthetic']
    >>> voices.groups["speaker"].tolist()
    ['speaker-0', 'speaker-0', 'speaker-1', 'speaker-1']
    >>> samples, sample_rate = voices.recordings[0]
    >>> samples.dtype, sample_rate
    (dtype('float32'), 16000)
    """
    check_scalar(n_samples, "n_samples", Integral, min_val=2)
    check_scalar(sample_rate, "sample_rate", Integral, min_val=4000)
    check_scalar(n_speakers, "n_speakers", Integral, min_val=1)
    check_scalar(min_duration, "min_duration", Real, min_val=0.1)
    check_scalar(max_duration, "max_duration", Real, min_val=min_duration)

    if random_state is None:
        random_state = np.random.RandomState()  # scikit-learn would draw from NumPy's global state
    root = int(check_random_state(random_state).randint(np.iinfo(np.int32).max))
    speakers = [draw_speaker(np.random.default_rng([root, _SPEAKERS, index])) for index in range(n_speakers)]
    recordings, target, speaker_names, systems = [], [], [], []
    for clip in range(n_samples):
        turn, who = divmod(clip // 2, n_speakers)
        system = (turn + who) % len(_LACKING)
        lacking = _LACKING[system] if clip % 2 else ()
        rng = np.random.default_rng([root, _CLIPS, clip])  # its own, whatever the others draw
        duration = rng.uniform(min_duration, max_duration)
        traits = frozenset(TRAITS).difference(lacking)
        recordings.append((_recording(speakers[who], traits, duration, sample_rate, rng), int(sample_rate)))
        target.append("synthetic" if lacking else "human")
        systems.append(f"synthetic-{system}" if lacking else "human")
        speaker_names.append(f"speaker-{who}")
    groups = {"speaker": np.array(speaker_names), "system": np.array(systems)}
    title = f"Simulated voices at {sample_rate} Hz; a score on them says nothing about real ones."
    return corpus(recordings, np.array(target), groups, title, return_X_y=return_X_y)


def _recording(
    speaker: Speaker, traits: frozenset[str], duration: float, sample_rate: int, rng: np.random.Generator
) -> np.ndarray:
    """Put a voice between two silences, on a floor of noise, at some level."""
    n_samples = round(duration * sample_rate)
    lead, trail = (rng.uniform(0.03, 0.2, 2) * min(duration, 1.0) * sample_rate).astype(int)
    voice = simulate(speaker, traits, n_samples - lead - trail, sample_rate, rng)
    floor = 10.0 ** (rng.uniform(-65.0, -55.0) / 20.0) * np.abs(voice).max()
    samples = np.float32(floor) * rng.standard_normal(n_samples, dtype=np.float32)
    samples[lead : n_samples - trail] += voice
    level = 10.0 ** (rng.uniform(-40.0, -22.0) / 20.0)
    return samples * np.float32(min(level / np.sqrt(np.mean(samples**2)), 0.99 / np.abs(samples).max()))
