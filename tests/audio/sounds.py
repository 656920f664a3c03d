"""Sounds in which nobody speaks, at 16 kHz and a peak of 0.5."""

import numpy as np

RATE = 16000
_KEYS = [(697, 1209), (697, 1336), (770, 1477), (852, 1209), (941, 1336), (852, 1477)]
_SCALE = 2 ** (np.array([0, 4, 7, 12, 16, 19, 24]) / 12)


def _tone(frequency, duration, harmonics=1, decay=0.0):
    time = np.arange(int(duration * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in range(1, harmonics + 1))
    rise = np.minimum(1, np.minimum(time, time[::-1]) / 0.01)
    return wave * rise * np.exp(-decay * time)


def _silence(duration):
    return np.zeros(int(duration * RATE))


def _noises(random, n):
    white = random.normal(size=n)
    spectrum, bins = np.fft.rfft(white), np.maximum(np.arange(n // 2 + 1), 1)
    frequency = np.fft.rfftfreq(n, 1 / RATE)
    low = random.uniform(100, 3000)
    band = (frequency > low) & (frequency < low * random.uniform(1.2, 3))
    time = np.arange(n) / RATE
    return {
        "white noise": white,
        "pink noise": np.fft.irfft(spectrum / np.sqrt(bins), n),
        "brown noise": np.fft.irfft(spectrum / bins, n),
        "noise of a band": np.fft.irfft(spectrum * band, n),
        "swelling noise": white * (1 + np.sin(2 * np.pi * random.uniform(1, 8) * time)),
        "clicks": np.where(random.uniform(size=n) < 20 / n, 1.0, 1e-4 * white),
    }


def _lines(random, duration, n):
    keys = [
        np.concatenate(
            [sum(_tone(f, 0.1) for f in _KEYS[random.integers(6)]), _silence(random.uniform(0.05, 0.3))]
        )
        for _ in range(40)
    ]
    time = np.arange(n) / RATE
    hum = sum(np.sin(2 * np.pi * 50 * k * time) * random.uniform(0.1, 1) for k in (1, 2, 3, 5, 7))
    return {
        "tone": _tone(random.uniform(80, 4000), duration),
        "buzz": _tone(random.uniform(50, 400), duration, random.integers(5, 20)),
        "hum": hum + 0.02 * random.normal(size=n),
        "DTMF": np.concatenate(keys)[:n],
        "ringing": np.concatenate([_tone(440, 2) + _tone(480, 2), _silence(2)] * 3)[:n],
        "busy": np.concatenate([_tone(425, 0.5), _silence(0.5)] * 8)[:n],
        "beep": np.concatenate([_tone(random.uniform(300, 2000), 0.2), _silence(duration)])[:n],
        "sweep": np.sin(2 * np.pi * (200 * time + 1400 / duration * time**2)),
    }


def _music(random, duration, n):
    root, harmonics, decay = random.uniform(130, 520), int(random.integers(1, 9)), random.uniform(0, 6)
    of_note = random.uniform(0.1, 0.4)
    notes = [_tone(root * _SCALE[random.integers(7)], of_note, harmonics, decay) for _ in range(60)]
    arpeggio = np.concatenate(notes)[:n]
    chords = [
        sum(_tone(root * 2 ** (shift / 12) * step, 0.6, harmonics, decay) for step in _SCALE[:3])
        for shift in random.integers(-5, 6, size=12)
    ]
    melody = [_tone(root * 2 ** (1 + step / 12), 0.3, 3, 4) for step in random.integers(0, 12, size=24)]
    phase = np.cumsum(root * (1 + 0.03 * np.sin(2 * np.pi * 5.5 * np.arange(n) / RATE))) / RATE
    return {
        "chord": sum(_tone(root * step, duration, harmonics, 0.3 * decay) for step in _SCALE[:3]),
        "arpeggio": arpeggio,
        "arpeggio in noise": arpeggio + 0.03 * random.normal(size=len(arpeggio)),
        "hold music": np.concatenate(chords)[:n] + 0.3 * np.concatenate(melody)[:n],
        "vibrato": sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 8)),
    }


def not_speech(random):
    """Draw one sound of each kind, of 2 to 6 s; arrays by names."""
    duration = random.uniform(2, 6)
    n = int(duration * RATE)
    found = _noises(random, n) | _lines(random, duration, n) | _music(random, duration, n)
    found = {name: 0.5 * sound / np.abs(sound).max() for name, sound in found.items()}
    faint = 1e-3 * random.normal(size=n)
    return found | {"faint noise": faint, "silence": np.zeros(n)}
