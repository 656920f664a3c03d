"""Numbers that tell speech from other sounds."""

from typing import NamedTuple

__all__ = ["SPEECH_RULES", "SpeechRules"]


class SpeechRules(NamedTuple):
    """Powers as ratios, times in chunks of 32 ms unless it says otherwise."""

    # Level that the loudest quarter of a second exceeds. A click has two chunks at most.
    loud_chunks: int = 8
    similar: float = 0.1  # power relative to it, -10 dB
    attempts: int = 3
    level: float = 0.1  # that the voice detector hears it at
    faint: float = 10**-3.5  # power relative to it, -35 dB, below which nothing is speech
    # A second and more without speech that is at most 15 dB below the loudest may be another talker's turn.
    # What is 45 dB below is crosstalk, if it is anything, and what hardly rises above the quietest fifth is
    # noise.
    pause: int = 32  # more than `short`
    near: float = 10**-1.5
    faintest: float = 10**-4.5
    quietest: float = 0.2
    rises: float = 10**0.2
    longest_closure: float = 0.1  # in s; a shorter interruption, as before a plosive, is part of the speech
    # The voice detector hears no more of a silence, or it would forget the voice before.
    heard_of_silence: int = 4
    word: float = 10**-2.5  # above which a chunk belongs to the same word as its neighbour
    late: int = 3  # chunks behind silence that belong to the word that the voice detector hears then
    # Probability from which speech begins, and below which it ends.
    begins: float = 0.5
    ends: float = 0.35
    # In less than a second the detector has hardly settled: it is asked again behind silence, where it takes
    # less for speech.
    short: int = 31
    begins_after_silence: float = 0.35
    ends_after_silence: float = 0.2
    silence: int = 16
    # Tones and chords keep their spectrum. Of speech in the development corpora at most 7 % of the chunks do,
    # of arpeggios 20 % and more.
    steady_db: float = 1.0
    steady_share: float = 0.12
    steady_chunks: int = 3
    strong_db: float = 20.0  # below the strongest bin of a spectrum
    lowest_bin: int = 4  # 62 Hz
    neighbours: int = 16  # on either side, half a second
    # That are heard in one go; the first of them counts as moving, compared with nothing: one in two minutes.
    chunks_at_once: int = 4096


SPEECH_RULES = SpeechRules()
