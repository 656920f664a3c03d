"""Where somebody speaks, as nodes of a graph: `voicelstm.audio._speech_activity`, step by step.

Samples have the voice detector's rate. Of a function that the library has as well, the reasons stand there.
"""

from collections.abc import Sequence

import numpy as np

from voicelstm.audio import SPEECH_RULES as RULES
from voicelstm.audio import VOICE_DETECTOR_SIZES as SIZES
from voicelstm.detector.onnx._graph import Graph, Value
from voicelstm.detector.onnx._voice_detector import initial_states, magnitudes, speech_probability

__all__ = ["speech_frames", "speech_level"]

_SAMPLES_AT_ONCE = 2**20


def speech_frames(graph: Graph, samples: Value, peak: Value, starts: Value, frame_length: int) -> Value:
    """Tell which frames of samples (n_samples,) are speech, (n_frames,); frames ascend."""
    chunks = _chunks(graph, samples)
    heard = chunks, graph.where(peak > 0, peak, 1)
    spoken_chunks, loud = _speech_chunks(graph, *heard)
    loud = loud * (peak.cast(np.float64) * peak.cast(np.float64))
    middle = graph.maximum(graph.minimum(starts + frame_length // 2, samples.size(0) - 1), 0)
    chunk = middle // SIZES.chunk
    half = -(-frame_length // 2)
    halves = _frame_powers(graph, samples, starts, [0, frame_length - half], half)
    spoken = spoken_chunks.take(chunk) & (halves.reduce("Min", 1) > loud.take(chunk) * RULES.faint)
    places = _those(starts, spoken)
    is_closure = places.slice(0, 1) - places.slice(0, 0, -1) <= int(RULES.longest_closure * SIZES.rate)
    no = graph.constant([False], bool)
    return spoken | graph.concatenate([no, is_closure, no], 0).take(_cumulated(spoken))


def speech_level(graph: Graph, samples: Value, starts: Value, frame_length: int) -> Value:
    """Return the root mean square of frames of samples, one at least."""
    return graph.op("Sqrt", _frame_powers(graph, samples, starts, [0], frame_length).reduce("Mean"))


def _frame_powers(graph: Graph, samples: Value, starts: Value, shifts: Sequence[int], length: int) -> Value:
    """Return the mean square of the samples that there are so far behind starts, (n_frames, n_shifts)."""
    n_samples = samples.size(0)
    begins, stops = (
        graph.maximum(graph.minimum(starts.reshape(-1, 1) + graph.constant(places, np.int64), n_samples), 0)
        for places in (np.array(shifts), np.array(shifts) + length)
    )

    def turn(n_done: Value, first: Value, powers: Value) -> tuple[Value, list[Value]]:
        """Take frames that begin within some samples."""
        following = first + _SAMPLES_AT_ONCE
        until = _count(starts < following)
        begin, stop = (each.slice(0, n_done, until) for each in (begins, stops))
        last = graph.concatenate([first.reshape(1), stop.reshape(-1)], 0).reduce("Max")
        zero = graph.constant([0], np.float32)
        wide = graph.concatenate([samples.slice(0, first, last), zero], 0).cast(np.float64)
        sums = graph.op("CumSum", wide * wide, graph.constant(0, np.int64), exclusive=1)
        n_there = graph.maximum(stop - begin, 1).cast(np.float64)
        found = (sums.take(stop - first) - sums.take(begin - first)) / n_there
        return following <= n_samples, [until, following, graph.concatenate([powers, found], 0)]

    state = [graph.constant(0, np.int64), graph.constant(0, np.int64)]
    nothing = graph.constant(np.empty((0, len(shifts))), np.float64)
    return graph.repeat(graph.constant(True, bool), [*state, nothing], turn)[2]


def _chunks(graph: Graph, samples: Value) -> Value:
    """Return chunks of samples, behind one of zeros and the last with zeros behind, (1 + n, chunk)."""
    n_samples = samples.size(0)
    n_chunks = (graph.maximum(n_samples, 1) + (SIZES.chunk - 1)) // SIZES.chunk
    behind = n_chunks * SIZES.chunk - n_samples
    return graph.op("Pad", samples, graph.numbers([SIZES.chunk, behind])).reshape(-1, SIZES.chunk)


def _speech_chunks(graph: Graph, chunks: Value, peak: Value) -> list[Value]:
    """Tell which chunks are speech, and the power of the loud ones where each of them is.

    The first part that is heard is the recording, the others are its pauses.
    """
    powers = _chunk_powers(graph, chunks, peak)
    n_chunks = powers.size(0)

    def turn(part: Value, parts: Value, loudest: Value, spoken: Value, loud: Value) -> tuple[Value, list]:
        first, stop = (parts.take(part).take(place) for place in (0, 1))
        of_part = powers.slice(0, first, stop)
        is_whole = graph.op("Equal", part, 0)
        found, own = graph.choose(
            is_whole | _may_hold_speech(graph, of_part, loudest * RULES.faintest),
            lambda: _at_its_own_level(graph, chunks, peak, first, of_part),
            lambda: [_nowhere(of_part), graph.constant(0, np.float64)],
        )
        level = graph.where(is_whole, own, graph.minimum(own, loudest))

        def marked() -> list[Value]:
            both = (
                spoken.slice(0, first, stop) | found,
                graph.op("Expand", level, graph.numbers([stop - first])),
            )
            return [
                graph.concatenate([whole.slice(0, 0, first), of_part, whole.slice(0, stop, n_chunks)], 0)
                for whole, of_part in zip((spoken, loud), both, strict=True)
            ]

        is_heard = (_count(found) > 0) & (own >= loudest * RULES.faintest)
        spoken, loud = graph.choose(is_heard, marked, lambda: [spoken, loud])
        loudest, parts = graph.choose(
            is_whole,
            lambda: [
                own,
                graph.concatenate([parts, _pauses(graph, spoken & (powers > own * RULES.near))], 0),
            ],
            lambda: [loudest, parts],
        )
        part = part + 1
        return part < parts.size(0), [part, parts, loudest, spoken, loud]

    whole = graph.numbers([0, n_chunks]).reshape(1, 2)
    nowhere = _nowhere(powers)
    state = [graph.constant(0, np.int64), whole, graph.constant(0, np.float64)]
    return graph.repeat(graph.constant(True, bool), [*state, nowhere, nowhere.cast(np.float64)], turn)[3:]


def _chunk_powers(graph: Graph, chunks: Value, peak: Value) -> Value:
    """Return the mean square of each chunk but the first, some at a time."""

    def turn(first: Value, powers: Value) -> tuple[Value, list[Value]]:
        following = first + RULES.chunks_at_once
        some = (chunks.slice(0, first, following) / peak).cast(np.float64)
        found = (some * some).reduce("Mean", 1)
        return following < chunks.size(0), [following, graph.concatenate([powers, found], 0)]

    state = [graph.constant(1, np.int64), graph.constant([], np.float64)]
    return graph.repeat(graph.constant(True, bool), state, turn)[1]


def _pauses(graph: Graph, speaks: Value) -> Value:
    """Return beginning and end of each run of a second and more in which nobody speaks, if somebody does."""
    places = _places(speaks)
    before = graph.concatenate([graph.constant([-1], np.int64), places], 0)
    after = graph.concatenate([places, graph.numbers([speaks.size(0)])], 0)
    rows = graph.concatenate([(before + 1).reshape(-1, 1), after.reshape(-1, 1)], 1)
    return _those(rows, (after - before > RULES.pause) & (places.size(0) > 0))


def _may_hold_speech(graph: Graph, powers: Value, faintest: Value) -> Value:
    """Tell whether some chunks of a pause are loud enough, and rise above the others, as noise does not."""
    n = powers.size(0)
    ascending, _ = graph.ops("TopK", powers, n.reshape(1), largest=0, n_outputs=2)
    at = (n - 1).cast(np.float64) * RULES.quietest
    below = graph.op("Floor", at).cast(np.int64)
    one, other = ascending.take(below), ascending.take(graph.minimum(below + 1, n - 1))
    noise = one + (other - one) * (at - below.cast(np.float64))
    return (powers.reduce("Max") >= faintest) & (_loudest(graph, powers) > noise * RULES.rises)


def _at_its_own_level(
    graph: Graph, chunks: Value, peak: Value, first: Value, powers: Value
) -> Sequence[Value]:
    """Tell which chunks are speech, and the power that the loudest quarter of a second exceeds."""

    def turn(attempt: Value, candidates: Value, spoken: Value, loud: Value) -> tuple[Value, list[Value]]:
        spoken = _voiced(graph, chunks, peak, first, powers, loud)
        own, similar = _loudest(graph, _those(powers, spoken)), loud * RULES.similar
        is_spoken = own > 0
        candidates = candidates & (is_spoken | (powers < similar))
        is_enough = _count(candidates) >= RULES.loud_chunks
        again = (is_spoken & (own < similar)) | (~is_spoken & is_enough)
        other = graph.where(is_spoken, own, _loudest(graph, _those(powers, candidates)))
        attempt = attempt + 1
        loud = graph.where(again, other, loud)
        return again & (attempt < RULES.attempts), [attempt, candidates, spoken, loud]

    candidates = powers > 0
    loud = _loudest(graph, _those(powers, candidates))
    state = [graph.constant(0, np.int64), candidates, _nowhere(powers), loud]
    return graph.repeat(loud > 0, state, turn)[2:]


def _loudest(graph: Graph, powers: Value) -> Value:
    """Return the power that the loudest quarter of a second exceeds, or a quarter of what is shorter."""
    n = graph.minimum((powers.size(0) + 3) // 4, RULES.loud_chunks)
    # The zero is found only if there are no powers.
    powers = graph.concatenate([powers, graph.constant([0], np.float64)], 0)
    found, _ = graph.ops("TopK", powers, graph.maximum(n, 1).reshape(1), n_outputs=2)
    return found.reduce("Min")


def _voiced(graph: Graph, chunks: Value, peak: Value, first: Value, powers: Value, loud: Value) -> Value:
    """Tell which chunks from a first one on are speech that is as loud as this."""
    sounds = powers > loud * RULES.faint
    kept = _places(_chunks_since(graph, sounds) <= RULES.heard_of_silence)
    gain = (graph.constant(RULES.level, np.float64) / graph.op("Sqrt", loud)).cast(np.float32)
    is_short = powers.size(0) <= RULES.short
    probability, changes = _heard(graph, chunks, kept + (first + 1), peak, gain, is_short)
    sounds, word = sounds.take(kept), powers.take(kept) > loud * RULES.word
    voiced = _hysteresis(graph, probability.slice(1, 0, 1), RULES.begins, RULES.ends)
    # Of no column if it is not short.
    after_silence = probability.slice(1, 1)
    (voiced,) = graph.choose(
        is_short,
        lambda: [
            voiced | _hysteresis(graph, after_silence, RULES.begins_after_silence, RULES.ends_after_silence)
        ],
        lambda: [voiced],
    )
    voiced = voiced | _following(graph, voiced)
    begins = word & (_chunks_since(graph, ~sounds) <= RULES.late)
    for _ in range(RULES.late):
        voiced = voiced | (_following(graph, voiced) & begins)
    (voiced,) = graph.choose(is_short, lambda: [_whole_words(graph, voiced, word)], lambda: [voiced])
    found = voiced & sounds & ~_steady(graph, changes, sounds)
    return graph.op("ScatterElements", _nowhere(powers), kept, found)


def _heard(
    graph: Graph, chunks: Value, places: Value, peak: Value, gain: Value, is_short: Value
) -> list[Value]:
    """Return probabilities of speech (of a short part behind silence, too), and changes of the spectrum."""
    before = graph.concatenate([graph.constant([0], np.int64), places.slice(0, 0, -1)], 0)

    def turn(
        first: Value, hidden: Value, cell: Value, probability: Value, changes: Value
    ) -> tuple[Value, list[Value]]:
        following = first + RULES.chunks_at_once
        pairs = graph.concatenate(
            [chunks.take(each.slice(0, first, following)) for each in (before, places)], 1
        )
        pairs = pairs / peak * gain
        found, hidden, cell = speech_probability(
            graph, pairs.slice(1, SIZES.chunk - SIZES.context), hidden, cell
        )
        probability = graph.concatenate([probability, found], 0)
        changes = graph.concatenate([changes, _changes(graph, pairs)], 0)
        return following < places.size(0), [following, hidden, cell, probability, changes]

    n_hearings = is_short.cast(np.int64) + 1
    states = [each.slice(1, 0, n_hearings) for each in initial_states(graph, RULES.silence)]
    nothing = graph.constant([], np.float32)
    state = [graph.constant(0, np.int64), *states, nothing.reshape(0, n_hearings), nothing]
    return graph.repeat(graph.constant(True, bool), state, turn)[3:]


def _chunks_since(graph: Graph, here: Value) -> Value:
    """Count from the last chunk that is one of these, which is 0, or from the beginning."""
    last = graph.concatenate([graph.constant([-1], np.int64), _places(here)], 0).take(_cumulated(here))
    return graph.arange(here.size(0)) - last


def _hysteresis(graph: Graph, probability: Value, begins: float, ends: float) -> Value:
    """Tell which chunks are speech: from one that reaches `begins` on, before one that is below `ends`."""
    probability = probability.reshape(-1)
    begun = probability >= begins
    decides = begun | ~(probability >= ends)
    states = graph.concatenate([graph.constant([False], bool), _those(begun, decides)], 0)
    return states.take(_cumulated(decides))


def _whole_words(graph: Graph, voiced: Value, loud: Value) -> Value:
    """Add the runs of loud chunks that speech touches."""
    before = graph.concatenate([graph.constant([False], bool), loud.slice(0, 0, -1)], 0)
    run = _cumulated((loud | before) & ~(loud & before))
    touched = graph.op("Equal", run.reshape(-1, 1), _those(run, voiced & loud).reshape(1, -1))
    return voiced | (loud & (touched.cast(np.int64).reduce("Sum", 1) > 0))


def _steady(graph: Graph, changes: Value, sounds: Value) -> Value:
    """Tell which chunks have many around them whose spectrum is that of the chunk before."""
    rows = [
        each.cast(np.float32).reshape(1, 1, -1) for each in ((changes < RULES.steady_db) & sounds, sounds)
    ]
    around = graph.op(
        "Conv",
        graph.concatenate(rows, 0),
        graph.constant(np.ones((1, 1, 2 * RULES.neighbours + 1)), np.float32),
        pads=[RULES.neighbours, RULES.neighbours],
    )
    n_steady, n_sounding = (around.slice(0, row, row + 1).reshape(-1) for row in (0, 1))
    return n_steady > graph.maximum(n_sounding * RULES.steady_share, RULES.steady_chunks)


def _changes(graph: Graph, pairs: Value) -> Value:
    """Return how far each chunk's spectrum, but for its level, is from that before, in dB."""
    values, transform = magnitudes(graph, pairs, 2 * SIZES.chunk)
    counts = transform.is_first & (transform.bins >= RULES.lowest_bin)
    # What does not count is no more than an empty bin.
    spectrum = values * graph.constant(counts, np.float32) + 1e-7
    level = graph.op("Log", spectrum) * (20 / np.log(10))
    strong = level > level.reduce("Max", 1, keepdims=True) - RULES.strong_db
    before, now = (0, -1), (1, None)
    largest = graph.maximum(spectrum.slice(0, *before), spectrum.slice(0, *now))
    weight = largest * (strong.slice(0, *before) | strong.slice(0, *now)).cast(np.float32)
    weight = weight / weight.reduce("Sum", 1, keepdims=True)
    change = level.slice(0, *now) - level.slice(0, *before)
    change = change - (weight * change).reduce("Sum", 1, keepdims=True)
    found = graph.op("Sqrt", (weight * change * change).reduce("Sum", 1))
    return graph.concatenate([graph.constant([np.inf], np.float32), found], 0)


def _following(graph: Graph, here: Value) -> Value:
    """Return what the chunk behind each is, and False of the last."""
    return graph.concatenate([here.slice(0, 1), graph.constant([False], bool)], 0)


def _those(values: Value, here: Value) -> Value:
    return values.graph.op("Compress", values, here, axis=0)


def _places(here: Value) -> Value:
    return here.graph.op("NonZero", here).reshape(-1)


def _count(here: Value) -> Value:
    return here.cast(np.int64).reduce("Sum")


def _cumulated(here: Value) -> Value:
    return here.graph.op("CumSum", here.cast(np.int64), here.graph.constant(0, np.int64))


def _nowhere(values: Value) -> Value:
    graph = values.graph
    return graph.op("Expand", graph.constant(False, bool), graph.numbers([values.size(0)]))
