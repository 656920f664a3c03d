"""What `detection.py` sends the recordings of a test through: codecs, rooms, and what products do to voices.

What is drawn for a recording depends on its number alone, so that all sides hear the same.
"""

import numpy as np
import soxr
from webrtc_noise_gain import AudioProcessor

from voicelstm.audio._codecs import coded
from voicelstm.audio._distortions import add_noise, reverberate

TELEPHONE = 8000  # Hz
_PROCESSED = 16000  # Hz, the rate of WebRTC's processing
_CHUNK = _PROCESSED // 100
_STRONGEST = 0.99
_SIXTEEN_BITS = 32767


def _at_rate(samples, rate, new_rate):
    return samples if rate == new_rate else soxr.resample(samples, rate, new_rate)


def strong_mp3(samples, rate, random):
    """MP3 of some 22 kbit/s."""
    return coded(samples, rate, "mp3", _STRONGEST), rate


def opus(samples, rate, random):
    """Opus of 12 to 16 kbit/s."""
    return coded(samples, rate, "opus", random.uniform(0.96, 0.976)), rate


def telephone(samples, rate, random):
    """GSM or mu-law at 8 kHz."""
    codec = random.choice(["gsm", "mu-law"])
    return coded(_at_rate(samples, rate, TELEPHONE), TELEPHONE, codec, 0.0), TELEPHONE


def vorbis(samples, rate, random):
    """Vorbis of 28 to 47 kbit/s, the codec that no training hears."""
    return coded(samples, rate, "vorbis", random.uniform(0.5, _STRONGEST)), rate


def noise(samples, rate, random):
    """White to brown noise, 15 to 25 dB below the recording."""
    return add_noise(samples, rate, random.uniform(15, 25), random.uniform(0, 2), random), rate


def reverberation(samples, rate, random):
    """A made-up room."""
    return reverberate(samples, rate, random.uniform(0.2, 0.8), random.uniform(0, 15), random), rate


def noise_suppression(samples, rate, random):
    """WebRTC's noise suppression, at its strongest."""
    return _by_webrtc(samples, rate, 0.5, auto_gain=0, noise_suppression=4)


def automatic_gain(samples, rate, random):
    """WebRTC's automatic gain on a quiet recording, with its lightest noise suppression."""
    return _by_webrtc(samples, rate, 0.05, auto_gain=9, noise_suppression=1)


def lost_packets(samples, rate, random, share=0.05):
    """Lose packets of 20 ms in bursts, and conceal them by the last pitch period, which fades.

    The concealment is that of ITU-T G.711 Appendix I in outline: 5 to 15 ms are repeated, fade by 20 % every
    10 ms, and give way to what follows within a quarter of a packet.
    """
    received, packet = samples.copy(), rate // 50
    shortest, longest = rate // 200, rate // 66
    was_lost = False
    for start in range(3 * longest, len(samples) - 2 * packet, packet):
        is_lost = random.random() < (0.5 if was_lost else share)
        if is_lost and not was_lost:
            period, position = _last_period(received[start - 3 * longest : start], shortest, longest), 0
        if is_lost:
            places = position + np.arange(packet + packet // 4)
            gains = np.maximum(0, 1 - 0.2 * np.maximum(0, places / rate / 0.01 - 1)).astype(samples.dtype)
            concealed = gains * period[places % len(period)]
            received[start : start + packet] = concealed[:packet]
            after = slice(start + packet, start + len(places))
            fading_in = np.linspace(0, 1, packet // 4, dtype=samples.dtype)
            received[after] = fading_in * samples[after] + (1 - fading_in) * concealed[packet:]
            position += packet
        was_lost = is_lost
    return received, rate


def _last_period(past, shortest, longest):
    """Return the end of what was heard, as long as it resembles what lies before it most."""
    last = past[-longest:]

    def similarity(lag):
        before = past[-longest - lag : -lag]
        return np.dot(last, before) / (np.linalg.norm(before) + 1e-12)

    return past[-max(range(shortest, longest + 1), key=similarity) :].copy()


def _by_webrtc(samples, rate, peak, **settings):
    processor = AudioProcessor(**settings)
    heard = _at_rate(samples, rate, _PROCESSED)
    heard = heard * (peak / max(np.abs(heard).max(), 1e-12))
    chunks = np.pad(heard, (0, -len(heard) % _CHUNK)).reshape(-1, _CHUNK)
    chunks = np.round(chunks * _SIXTEEN_BITS).astype(np.int16)
    processed = b"".join(processor.Process10ms(chunk.tobytes()).audio for chunk in chunks)
    return (np.frombuffer(processed, np.int16) / _SIXTEEN_BITS).astype(np.float32), _PROCESSED


CHANNELS = {
    "strong MP3": strong_mp3,
    "Opus": opus,
    "telephone": telephone,
    "Vorbis": vorbis,
    "noise": noise,
    "reverberation": reverberation,
}
# Of human speech alone: it stays human.
PROCESSES = {
    "noise suppression": noise_suppression,
    "automatic gain": automatic_gain,
    "lost packets": lost_packets,
}
