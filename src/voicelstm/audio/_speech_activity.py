"""Where in a recording somebody speaks, be it a human or a machine."""

from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import NamedTuple, Self

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy.fft import rfft

from voicelstm._base import check_stopped
from voicelstm.audio._level import peak_of
from voicelstm.audio._speech_rules import SPEECH_RULES
from voicelstm.audio._stored_samples import SampleSource
from voicelstm.audio._voice_detector import CHUNK, RATE, SpeechState, speech_probability

__all__ = ["speech_frames", "speech_level"]

_SPECTRA_AT_ONCE = 64  # so that they stay in the cache
_SAMPLES_AT_ONCE = 2**21
_LAID_OUT = 2**20  # samples of frames, which overlap


def speech_frames(
    samples: SampleSource, sample_rate: int, starts: NDArray[np.intp], frame_length: int
) -> NDArray[np.bool_]:
    """Tell which frames of a recording are speech, of the shape of `starts`, in samples.

    A frame is speech if there is a voice in the 32 ms around its middle, and if both its halves are at most
    35 dB below the loudest quarter of a second; and so are the frames of an interruption of 0.1 s at most.
    The loudest is that of the recording, or of a pause of the louder talker in which a quieter one speaks.
    """
    peak = float(peak_of(samples))
    if peak == 0:
        return np.zeros(len(starts), dtype=bool)
    # Divided first, so that the squares of tiny and of huge samples are neither zero nor infinite.
    chunks, loud = _speech_chunks(samples, sample_rate, peak)
    if not chunks.any():
        return np.zeros(len(starts), dtype=bool)
    loud *= peak**2
    middle = np.clip(starts + frame_length // 2, 0, len(samples) - 1)
    chunk = np.minimum(middle * RATE // (sample_rate * CHUNK), len(chunks) - 1)
    # A frame that reaches far into silence is the edge of a pause, and no voice has such an edge.
    half = -(-frame_length // 2)
    halves = [_frame_powers(samples, starts + shift, half) for shift in (0, frame_length - half)]
    spoken = chunks[chunk] & (np.minimum(*halves) > SPEECH_RULES.faint * loud[chunk])
    is_closure = np.diff(starts[spoken]) <= SPEECH_RULES.longest_closure * sample_rate
    # Before the first and behind the last that is spoken there is none.
    spoken |= np.pad(is_closure, 1)[np.cumsum(spoken)]
    return spoken


def speech_level(samples: SampleSource, starts: NDArray[np.intp], frame_length: int) -> float:
    """Return the root mean square of a recording's frames, one at least."""
    return float(np.sqrt(_frame_powers(samples, starts, frame_length).mean()))


def _frame_powers(samples: SampleSource, starts: NDArray[np.intp], frame_length: int) -> NDArray[np.float64]:
    """Return the mean square of the samples that there are in each frame; frames ascend."""
    powers = np.zeros(len(starts))
    first = 0
    while first < len(starts):
        check_stopped()
        # Those that begin before a good deal of samples is over, be there few of them or many.
        begin = int(starts[first])
        stop = min(
            first + max(1, _LAID_OUT // frame_length), int(np.searchsorted(starts, begin + _SAMPLES_AT_ONCE))
        )
        size = int(starts[stop - 1]) + frame_length - begin
        inner = slice(max(0, -begin), max(0, min(size, len(samples) - begin)))
        squares = np.zeros(size)
        if inner.stop > inner.start:
            squares[inner] = samples[begin + inner.start : begin + inner.stop]
        np.square(squares, out=squares)
        at = starts[first:stop]
        frames = np.lib.stride_tricks.sliding_window_view(squares, frame_length)[at - begin]
        n_there = np.minimum(at + frame_length, len(samples)) - np.maximum(at, 0)
        powers[first:stop] = frames.sum(axis=1) / np.maximum(n_there, 1)
        first = stop
    return powers


def _speech_chunks(
    samples: SampleSource, sample_rate: int, peak: float = 1.0
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Tell which chunks of 32 ms are speech, and the power of the loud ones where each of them is.

    Samples are divided by the peak, and so are powers by its square.
    """
    heard = _Heard.of(samples, sample_rate, peak)
    powers = _chunk_powers(heard)
    spoken, loudest = _at_its_own_level(heard, powers)
    loud = np.full(len(powers), loudest)
    # On a telephone one talker may be far louder than the other, who is heard where the first is silent.
    for first, stop in _pauses(spoken & (powers > SPEECH_RULES.near * loudest)):
        if not _may_hold_speech(powers[first:stop], SPEECH_RULES.faintest * loudest):
            continue
        found, own = _at_its_own_level(heard.part(first, stop), powers[first:stop])
        if found.any() and own >= SPEECH_RULES.faintest * loudest:
            spoken[first:stop] |= found
            loud[first:stop] = min(own, loudest)
    return spoken, loud


@dataclass(frozen=True)
class _Heard:
    """Chunks of samples at the voice detector's rate, divided by their peak as they are asked for."""

    source: SampleSource
    peak: float
    first: int
    stop: int

    @classmethod
    def of(cls, samples: SampleSource, sample_rate: int, peak: float) -> Self:
        """Return all chunks of a recording, the last one with zeros behind the samples."""
        if sample_rate != RATE:
            samples, peak = _resampled(samples, sample_rate, peak), 1.0
        return cls(samples, peak, 0, -(-len(samples) // CHUNK))

    def __len__(self) -> int:
        return self.stop - self.first

    def part(self, first: int, stop: int) -> Self:
        """Return some neighbouring chunks."""
        return replace(self, first=self.first + first, stop=self.first + stop)

    def samples(self, positions: NDArray[np.intp]) -> NDArray[np.float32]:
        """Return the samples of chunks, whose positions ascend, one chunk behind the other."""
        found = np.zeros(len(positions) * CHUNK, dtype=np.float32)
        edges = [0, *(np.flatnonzero(np.diff(positions) > 1) + 1).tolist(), len(positions)]
        for begin, end in pairwise(edges):
            if begin == end:
                continue
            start = (self.first + int(positions[begin])) * CHUNK
            piece = self.source[start : start + (end - begin) * CHUNK]
            if self.peak != 1:
                piece = piece / piece.dtype.type(self.peak)
            found[begin * CHUNK : begin * CHUNK + len(piece)] = piece
        return found


def _resampled(samples: SampleSource, sample_rate: int, peak: float) -> NDArray[np.float32]:
    """Return samples divided by their peak, at the voice detector's rate."""
    stream = soxr.ResampleStream(sample_rate, RATE, 1, dtype=samples.dtype)
    found = np.zeros(len(samples) * RATE // sample_rate + CHUNK, dtype=np.float32)
    n_found = 0
    for start in range(0, len(samples), _SAMPLES_AT_ONCE):
        check_stopped()
        piece = samples[start : start + _SAMPLES_AT_ONCE] / samples.dtype.type(peak)
        piece = stream.resample_chunk(piece, last=start + _SAMPLES_AT_ONCE >= len(samples))
        found[n_found : n_found + len(piece)] = piece
        n_found += len(piece)
    return found[:n_found]


def _chunk_powers(heard: _Heard) -> NDArray[np.float64]:
    """Return the mean square of each chunk, some at a time: squares in double precision take much memory."""
    powers = np.empty(len(heard))
    for first in range(0, len(powers), SPEECH_RULES.chunks_at_once):
        some = np.arange(first, min(first + SPEECH_RULES.chunks_at_once, len(powers)))
        chunks = heard.samples(some).reshape(-1, CHUNK)
        powers[some] = np.square(chunks, dtype=np.float64).mean(axis=1)
    return powers


def _pauses(speaks: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return beginning and end of each run of a second and more in which nobody speaks, if somebody does."""
    if not speaks.any():
        return []
    edges = np.concatenate([[-1], np.flatnonzero(speaks), [len(speaks)]])
    return [
        (before + 1, after)
        for before, after in pairwise(edges.tolist())
        if after - before > SPEECH_RULES.pause
    ]


def _may_hold_speech(powers: NDArray[np.float64], faintest: float) -> bool:
    """Tell whether some chunks of a pause are loud enough, and rise above the others, as noise does not."""
    noise = np.quantile(powers, SPEECH_RULES.quietest)
    return bool(powers.max() >= faintest and _loudest(powers) > SPEECH_RULES.rises * noise)


def _at_its_own_level(heard: "_Heard", powers: NDArray[np.float64]) -> tuple[NDArray[np.bool_], float]:
    """Tell which chunks are speech, and the power that the loudest quarter of a second exceeds."""
    candidates = powers > 0
    spoken, loud = np.zeros(len(powers), dtype=bool), _loudest(powers[candidates])
    # A burst of noise may be louder than any voice: what is no speech does not decide how loud speech is.
    for _ in range(SPEECH_RULES.attempts):
        if loud == 0:
            break
        spoken = _voiced(heard, powers, loud)
        if spoken.any():
            own = _loudest(powers[spoken])
            if own >= SPEECH_RULES.similar * loud:
                break
            loud = own
        else:
            candidates &= powers < SPEECH_RULES.similar * loud
            if candidates.sum() < SPEECH_RULES.loud_chunks:
                break
            loud = _loudest(powers[candidates])
    return spoken, loud


def _loudest(powers: NDArray[np.float64]) -> float:
    """Return the power that the loudest quarter of a second exceeds, or a quarter of what is shorter."""
    ascending = np.sort(powers)
    n = min(SPEECH_RULES.loud_chunks, -(-len(ascending) // 4))
    return float(ascending[-n]) if n else 0.0


def _voiced(heard: "_Heard", powers: NDArray[np.float64], loud: float) -> NDArray[np.bool_]:
    """Tell which chunks are speech that is as loud as this."""
    check_stopped()
    sounds = powers > SPEECH_RULES.faint * loud
    kept = _without_long_silence(sounds)
    chosen = _Chosen(heard, np.flatnonzero(kept), np.float32(SPEECH_RULES.level / np.sqrt(loud)))
    sounds = sounds[kept]
    voiced = _hysteresis(_probability(chosen), SPEECH_RULES.begins, SPEECH_RULES.ends)
    is_short = len(powers) <= SPEECH_RULES.short
    if is_short:
        state = SpeechState.after_silence(SPEECH_RULES.silence)
        probability, _ = speech_probability(chosen.samples(0, len(sounds)), state)
        voiced |= _hysteresis(probability, SPEECH_RULES.begins_after_silence, SPEECH_RULES.ends_after_silence)
    word = powers[kept] > SPEECH_RULES.word * loud
    voiced[:-1] |= voiced[1:].copy()  # it is heard when it has begun
    begins = word & (_chunks_since(~sounds) <= SPEECH_RULES.late)
    for _ in range(SPEECH_RULES.late):
        voiced[:-1] |= voiced[1:] & begins[:-1]
    if is_short:
        voiced = _whole_words(voiced, word)
    found = np.zeros(len(powers), dtype=bool)
    found[kept] = voiced & sounds & ~_steady(chosen, sounds)
    return found


class _Chosen(NamedTuple):
    """Some chunks of a recording, one behind the other with a gain, which are not held all at once."""

    heard: "_Heard"
    positions: NDArray[np.intp]
    gain: np.float32

    def samples(self, first: int, stop: int) -> NDArray[np.float32]:
        """Return the samples of the chosen chunks from the first on."""
        return self.heard.samples(self.positions[first:stop]) * self.gain


def _probability(chosen: _Chosen) -> NDArray[np.float32]:
    found, state = [np.empty(0, dtype=np.float32)], None
    for first in range(0, len(chosen.positions), SPEECH_RULES.chunks_at_once):
        probability, state = speech_probability(
            chosen.samples(first, first + SPEECH_RULES.chunks_at_once), state
        )
        found.append(probability)
    return np.concatenate(found)


def _without_long_silence(sounds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which chunks sound, or are among the first of the silence after one that does."""
    kept: NDArray[np.bool_] = _chunks_since(sounds) <= SPEECH_RULES.heard_of_silence
    return kept


def _chunks_since(here: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Count from the last chunk that is one of these, which is 0, or from the beginning."""
    last = np.concatenate([[-1], np.flatnonzero(here)])[np.cumsum(here)]
    return np.arange(len(here)) - last


def _hysteresis(probability: NDArray[np.float32], begins: float, ends: float) -> NDArray[np.bool_]:
    """Tell which chunks are speech: from one that reaches `begins` on, before one that is below `ends`."""
    begun = probability >= begins
    decides = begun | ~(probability >= ends)
    # In between it stays as the last chunk that decides has it.
    return np.concatenate([[False], begun[decides]])[np.cumsum(decides)]


def _whole_words(voiced: NDArray[np.bool_], loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Add the runs of loud chunks that speech touches."""
    run = np.cumsum(np.diff(loud, prepend=False) != 0)
    return voiced | (loud & np.isin(run, run[voiced & loud]))


def _steady(chosen: _Chosen, sounds: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which chunks have many around them whose spectrum is that of the chunk before."""
    changes = np.empty(len(sounds))
    for first in range(0, len(sounds), SPEECH_RULES.chunks_at_once):
        check_stopped()
        piece = chosen.samples(max(first - 1, 0), first + SPEECH_RULES.chunks_at_once)
        piece = piece if first else np.pad(piece, (CHUNK, 0))
        changes[first : first + SPEECH_RULES.chunks_at_once] = _changes(piece)
    around = np.ones(2 * SPEECH_RULES.neighbours + 1)
    inner = slice(SPEECH_RULES.neighbours, SPEECH_RULES.neighbours + len(sounds))
    n_steady = np.convolve((changes < SPEECH_RULES.steady_db) & sounds, around)[inner]
    n_sounding = np.convolve(sounds, around)[inner]
    steady: NDArray[np.bool_] = n_steady > np.maximum(
        SPEECH_RULES.steady_chunks, SPEECH_RULES.steady_share * n_sounding
    )
    return steady


def _changes(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return how far each chunk's spectrum, but for its level, is from that before, in dB."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, 2 * CHUNK)[::CHUNK]
    found = np.full(len(frames), np.inf)
    for first in range(1, len(frames), _SPECTRA_AT_ONCE):
        stop = first + _SPECTRA_AT_ONCE
        found[first:stop] = _spectral_changes(frames[first - 1 : stop])
    return found


@cache
def _hann() -> NDArray[np.float32]:
    return np.hanning(2 * CHUNK + 1)[:-1].astype(np.float32)


def _spectral_changes(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far the spectrum of each frame but the first is from that before."""
    spectrum = np.abs(rfft(frames * _hann(), axis=1))[:, SPEECH_RULES.lowest_bin :] + 1e-7
    level = 20 * np.log10(spectrum)
    top = level.max(axis=1, keepdims=True)
    strong = level > top - SPEECH_RULES.strong_db
    weight = np.where(strong[1:] | strong[:-1], np.maximum(spectrum[1:], spectrum[:-1]), 0)
    weight /= weight.sum(axis=1, keepdims=True)
    change = np.diff(level, axis=0)
    change -= (weight * change).sum(axis=1, keepdims=True)
    found: NDArray[np.float32] = np.sqrt((weight * np.square(change)).sum(axis=1))
    return found
