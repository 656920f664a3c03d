"""Channels that no detector here is trained on: a mobile phone's codec, a tape, a loudspeaker in a room."""

import io

import av
import numpy as np
import soxr
from scipy.signal import butter, iirpeak, oaconvolve, sosfilt, tf2sos

from voicelstm.audio._distortions import add_noise

AMR_RATES = (4750, 5150, 5900, 6700, 7400, 7950, 10200, 12200)  # in bit/s, all modes of 3GPP TS 26.071
_PACKET = 1600


def amr(samples, rate, random):
    """AMR narrowband, by OpenCORE's coder within PyAV, at one of its eight rates."""
    spoken = samples if rate == 8000 else soxr.resample(samples, rate, 8000)
    pcm = np.round(spoken / np.abs(spoken).max() * 16000).astype(np.int16)
    file = io.BytesIO()
    with av.open(file, "w", format="amr") as container:
        stream = container.add_stream("libopencore_amrnb", rate=8000)
        stream.layout, stream.bit_rate = "mono", int(random.choice(AMR_RATES))
        for start in range(0, len(pcm), _PACKET):
            frame = av.AudioFrame.from_ndarray(
                pcm[None, start : start + _PACKET], format="s16", layout="mono"
            )
            frame.sample_rate, frame.pts = 8000, start
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    file.seek(0)
    with av.open(file) as container:
        resampler = av.AudioResampler(format="flt", layout="mono")
        heard = [
            part.to_ndarray()[0] for frame in container.decode(audio=0) for part in resampler.resample(frame)
        ]
    return np.concatenate(heard), 8000


def wow_and_flutter(samples, rate, random):
    """A speed that rises and falls by 0.5 to 1 %, 0.5 to 6 times a second; cubics at four times the rate."""
    depth, frequency, phase = (
        random.uniform(0.005, 0.01),
        random.uniform(0.5, 6),
        random.uniform(0, 2 * np.pi),
    )
    time = np.arange(len(samples)) / rate
    place = 4 * np.cumsum(1 + depth * np.sin(2 * np.pi * frequency * time + phase))
    dense = soxr.resample(samples, rate, 4 * rate, quality="VHQ")
    place = place[place < len(dense) - 1]
    first, between = place.astype(int), place % 1
    a, b, c, d = (np.pad(dense, 2)[first + shift] for shift in (1, 2, 3, 4))
    curve = 2 * a - 5 * b + 4 * c - d + between * (3 * (b - c) + d - a)
    return (b + 0.5 * between * (c - a + between * curve)).astype(np.float32), rate


def loudspeaker(samples, rate, random):
    """A small loudspeaker, overdriven a little, three of whose resonances stand out, recorded in a room."""
    sound = samples / np.abs(samples).max()
    sound = sosfilt(butter(2, random.uniform(150, 300), "highpass", fs=rate, output="sos"), sound)
    highest = min(random.uniform(5000, 7000), 0.47 * rate)
    sound = sosfilt(butter(4, highest, "lowpass", fs=rate, output="sos"), sound)
    for _ in range(3):
        centre = np.exp(random.uniform(np.log(400), np.log(min(4500, 0.4 * rate))))
        resonance = tf2sos(*iirpeak(centre, random.uniform(2, 8), fs=rate))
        sound = sound + (10 ** (random.uniform(3, 9) / 20) - 1) * sosfilt(resonance, sound)
    drive = random.uniform(1, 2.5)
    sound = np.tanh(drive * sound / np.abs(sound).max() + 0.1) - np.tanh(0.1)
    return add_noise(
        oaconvolve(sound, _room(rate, random))[: len(samples)].astype(np.float32),
        rate,
        random.uniform(25, 35),
        random.uniform(0.5, 1.5),
        random,
    ), rate


def _room(rate, random):
    """Draw an impulse response: direct sound, six reflections, and a tail of 0.25 to 0.7 s."""
    reverberation_time, direct_to_reverberant = random.uniform(0.25, 0.7), random.uniform(-2, 8)
    time = np.arange(int(reverberation_time * rate)) / rate
    response = random.standard_normal(len(time)) * 10 ** (-3 * time / reverberation_time)
    response[: int(0.002 * rate)] = 0
    for _ in range(6):
        response[int(random.uniform(0.002, 0.03) * rate)] += random.uniform(-8, 8)
    response *= np.sqrt(10 ** (-direct_to_reverberant / 10) / np.sum(response**2))
    response[0] = 1
    return response


UNSEEN = {"AMR": amr, "wow and flutter": wow_and_flutter, "loudspeaker": loudspeaker}
