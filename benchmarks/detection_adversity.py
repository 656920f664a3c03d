"""What somebody does to a recording who wants to deceive, or plays it again, and what `pretrained.py` tests.

What is drawn for a recording depends on its number alone, so that all detectors hear the same.
"""

import librosa
import numpy as np
import soxr

from voicelstm.audio._distortions import add_noise, cut_band, reverberate

ONE_DECIBEL = np.log(10) / 10  # of an energy, in the natural logarithms that features are
_CHORDS = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))  # I, vi, IV, V, in semitones
_PARTIALS = 6
_CHORD_SECONDS = 0.5


def replay(samples, rate, random):
    """Play it by a small loudspeaker in a room, and record it again."""
    played = cut_band(cut_band(samples, rate, random.uniform(150, 300), "highpass"), rate, 6500, "lowpass")
    loud = played / max(np.abs(played).max(), 1e-9)
    played = np.tanh(random.uniform(0.5, 1.5) * loud).astype(samples.dtype)
    heard = reverberate(played, rate, random.uniform(0.2, 0.6), random.uniform(0, 10), random)
    heard = add_noise(heard, rate, random.uniform(20, 35), random.uniform(0.5, 1.5), random)
    return heard * (np.abs(samples).max() / max(np.abs(heard).max(), 1e-9)), rate


def speed(samples, rate, random):
    """Play it up to a tenth faster or slower, and so higher or lower."""
    factor = random.uniform(0.05, 0.1) * random.choice([-1, 1])
    return soxr.resample(samples, rate * (1 + factor), rate).astype(samples.dtype), rate


def pitch(samples, rate, random):
    """Raise or lower the voice by one to two semitones; the duration stays."""
    semitones = random.uniform(1, 2) * random.choice([-1, 1])
    return librosa.effects.pitch_shift(samples, sr=rate, n_steps=semitones).astype(samples.dtype), rate


def music(samples, rate, random):
    """Add chords, 10 to 20 dB below."""
    chord_length = round(_CHORD_SECONDS * rate)
    time = np.arange(chord_length) / rate
    root = random.uniform(110, 220)
    bar = []
    for chord in _CHORDS:
        tones = [
            np.sin(2 * np.pi * root * 2 ** (semitones / 12) * partial * time) / partial**1.5
            for semitones in chord
            for partial in range(1, _PARTIALS + 1)
            if root * 2 ** (semitones / 12) * partial < 0.45 * rate
        ]
        bar.append(np.sum(tones, axis=0) * np.exp(-3 * time))
    added = np.resize(np.concatenate(bar), len(samples))
    gain = np.sqrt(np.mean(samples**2) / np.mean(added**2) / 10 ** (random.uniform(10, 20) / 10))
    return samples + (gain * added).astype(samples.dtype), rate


ADVERSITY = {
    "loudspeaker and room": replay,
    "speed": speed,
    "pitch": pitch,
    "music": music,
}


def attacked(detector, sequences, is_human, change=ONE_DECIBEL):
    """Move each energy by as much towards the other class as the network's gradient says (FGSM).

    I. Goodfellow et al., "Explaining and harnessing adversarial examples", ICLR 2015. It needs the network
    itself, and nothing says that a sound has these energies: the worst case, not a recording.
    """
    import tensorflow as tf  # not for those who make the recordings, in processes of their own

    model, statistics = detector.network_, detector._fitted.statistics
    moved = []
    for sequence, human in zip(sequences, is_human, strict=True):
        inputs = tf.constant(((sequence - statistics.mean) / statistics.deviation())[None], tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            logit = model({"sequences": inputs, "lengths": tf.constant([len(sequence)])})
        gradient = tape.gradient(logit, inputs).numpy()[0]
        moved.append(sequence + (change if human else -change) * np.sign(gradient).astype(sequence.dtype))
    return moved
