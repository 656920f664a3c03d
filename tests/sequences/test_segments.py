import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelstm.sequences import FrameStatistics, SegmentBatches, cut


def batches_of(clips, segment_frames=None, n_rows=4, statistics=None, dtype=np.float32, **options):
    return SegmentBatches(clips, segment_frames, n_rows, statistics, dtype, **options)


def test_clips_shorter_than_a_segment_are_repeated_where_that_is_asked_for():
    clips = [np.arange(n, dtype=float)[:, None] for n in (2, 5, 7, 0)]
    statistics = FrameStatistics(1.0, np.array([1.0]), np.array([4.0]))  # mean 1, deviation 2
    batches = batches_of(clips, segment_frames=5, repeat_short=True, statistics=statistics)
    batch, lengths = batches.take(np.arange(4))
    frames = [[0, 1, 0, 1, 0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [2, 3, 4, 5, 6]]
    np.testing.assert_array_equal(2 * batch[:, :, 0] + 1, frames)
    assert lengths.tolist() == [5] * 4
    # Frames of the clips, not of their repetitions.
    assert batches.segments.stop.tolist() == [2, 5, 5, 7]
    batch, _ = batches.take(np.array([0]), np.array([1]))
    np.testing.assert_array_equal(2 * batch[0, :, 0] + 1, [1, 0, 1, 0, 1])
    starts = [batches.random_starts(np.arange(4), np.random.default_rng(seed)) for seed in range(40)]
    assert [set(of_each.tolist()) for of_each in np.transpose(starts)] == [{0, 1}, {0}, {0, 1, 2}, {0, 1, 2}]
    nearly = batches_of([np.ones((4, 1))], segment_frames=5, repeat_short=True)
    starts = [nearly.random_starts(np.array([0]), np.random.default_rng(seed))[0] for seed in range(40)]
    assert set(starts) == {0, 1, 2, 3}
    assert nearly.scale.tolist() == [1]  # without statistics


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(1, 20))
def test_segments_cover_each_clip_and_each_frame_is_counted_once(lengths, segment_frames):
    segments = cut(lengths, segment_frames)
    for clip, length in enumerate(lengths):
        mine = segments.clip == clip
        covered = np.zeros(length, dtype=int)
        shares = []
        for start, stop, share in zip(
            segments.start[mine], segments.stop[mine], segments.share[mine], strict=True
        ):
            assert stop - start == min(segment_frames, length)
            shares.append((covered[start:stop] == 0).sum() / length)
            assert share == pytest.approx(shares[-1])
            covered[start:stop] += 1
        assert (covered > 0).all()
        assert mine.sum() == segments.per_clip[clip] == -(-length // segment_frames)
        if length:
            assert segments.stop[mine][-1] == length
            assert sum(shares) == pytest.approx(1)


def test_overlapping_segments_begin_at_every_hop_that_leaves_them_room_and_one_ends_with_the_clip():
    segments = cut([700, 600, 90, 0, 301], 300, 150)
    assert segments.start.tolist() == [0, 150, 300, 400, 0, 150, 300, 0, 0, 1]
    assert segments.stop.tolist() == [300, 450, 600, 700, 300, 450, 600, 90, 300, 301]
    assert segments.per_clip.tolist() == [4, 3, 1, 0, 2]
    np.testing.assert_allclose(segments.share, [1 / 4] * 4 + [1 / 3] * 3 + [1] + [1 / 2] * 2)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(1, 20), st.data())
def test_overlapping_segments_hold_every_frame_and_count_the_same(lengths, segment_frames, data):
    hop = data.draw(st.integers(1, segment_frames))
    segments = cut(lengths, segment_frames, hop)
    for clip, length in enumerate(lengths):
        mine = segments.clip == clip
        start, stop = segments.start[mine], segments.stop[mine]
        assert set(stop - start) <= {min(segment_frames, length)}
        heard = {frame for first, after in zip(start, stop, strict=True) for frame in range(first, after)}
        assert heard == set(range(length))
        assert (start[:-1] % hop == 0).all()
        assert (np.diff(start) > 0).all()
        assert (np.diff(start) <= hop).all()
        assert segments.per_clip[clip] == len(start)
        np.testing.assert_allclose(segments.share[mine], 1 / max(len(start), 1))


def test_a_hop_of_a_segments_length_tiles():
    tiled, found = cut([12, 7, 0, 3], 4), cut([12, 7, 0, 3], 4, 4)
    for name in ("clip", "start", "stop", "per_clip"):
        np.testing.assert_array_equal(getattr(found, name), getattr(tiled, name))
    np.testing.assert_allclose(found.share[:3], tiled.share[:3])


@pytest.mark.parametrize(
    ("hop", "segment_frames", "words"),
    [(5, 4, "from 1 to segment_frames=4"), (0, 4, "from 1 to"), (2, None, "segment_frames=None a clip is")],
)
def test_a_hop_that_would_leave_out_frames_is_refused(hop, segment_frames, words):
    with pytest.raises(ValueError, match=words):
        cut([9], segment_frames, hop)


def test_without_a_segment_length_clips_stay_whole():
    segments = cut([7, 0, 5000], None)
    assert segments.start.tolist() == [0, 0]
    assert segments.stop.tolist() == [7, 5000]
    assert segments.per_clip.tolist() == [1, 0, 1]


def test_empty_clips_have_no_segments_and_give_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cut([0, 0], None).per_clip.tolist() == cut([0, 0], 3).per_clip.tolist() == [0, 0]


def test_batches_are_standardised_before_they_are_padded_with_zeros():
    clips = [np.array([[1.0], [3.0]]), np.array([[5.0]])]
    statistics = FrameStatistics.nothing_yet(1).updated(clips[:1], [1.0])  # mean 2, deviation 1
    batch, lengths = batches_of(clips, statistics=statistics).take(np.array([0, 1]))
    assert batch[:, :, 0].tolist() == [[-1, 1], [3, 0], [0, 0], [0, 0]]
    assert lengths.tolist() == [2, 1, 0, 0]


def test_a_segment_from_within_a_clip_is_laid_at_the_beginning_of_its_row():
    clip = np.array([[0.0], [4.0], [0.0], [4.0], [2.0]])
    statistics = FrameStatistics.nothing_yet(1).updated([clip[:4]], [1.0])  # mean 2, deviation 2
    batch, lengths = batches_of([clip], segment_frames=3, n_rows=2, statistics=statistics).take(np.array([1]))
    assert batch[:, :, 0].tolist() == [[-1, 1, 0], [0, 0, 0]]
    assert lengths.tolist() == [3, 0]


def test_batch_shapes_are_few():
    clips = [np.zeros((n, 2)) for n in range(1, 400)]
    batches = batches_of(clips, segment_frames=300, n_rows=32, frames_step=64)
    shapes = {batches.take(chosen)[0].shape for chosen in batches.by_length()}
    assert shapes == {(32, frames, 2) for frames in (64, 128, 192, 256, 300)}


def test_batches_have_multiples_of_sixteen_frames_but_for_the_longest():
    batches = batches_of([np.zeros((n, 1)) for n in (1, 16, 17, 40)])
    assert [batches.take(np.array([clip]))[0].shape[1] for clip in range(4)] == [16, 16, 32, 40]


def test_fewer_segments_than_rows_need_fewer_rows():
    # A power of two that holds all segments, at least four, and never more than before.
    for n_segments, n_rows, shrunk in [
        (1, 32, 4),
        (4, 32, 4),
        (5, 32, 8),
        (8, 32, 8),
        (9, 32, 16),
        (40, 48, 48),
        (1, 2, 2),
    ]:
        batches = batches_of([np.zeros((3, 1))] * n_segments, n_rows=n_rows)
        batches.shrink()
        assert batches.n_rows == shrunk


def test_batches_by_length_hold_every_segment_once():
    batches = batches_of([np.zeros((n, 2)) for n in (9, 3, 700, 5, 5)], segment_frames=100, n_rows=3)
    assert sorted(np.concatenate(list(batches.by_length()))) == list(range(11))


def test_clip_scores_weigh_segments_by_the_frames_they_add():
    batches = batches_of([np.zeros((25, 1)), np.zeros((0, 1)), np.zeros((5, 1))], segment_frames=10)
    scores = batches.clip_scores(np.array([[1.0], [2.0], [4.0], [7.0]]))
    # The third segment, frames 15 to 25, adds the last five of 25 frames.
    np.testing.assert_allclose(scores[:, 0], [(10 * 1 + 10 * 2 + 5 * 4) / 25, np.nan, 7])
    of_classes = batches.clip_scores(np.array([[1.0, 0, 3], [2, 0, 3], [4, 5, 3], [7, 8, 9]]))
    np.testing.assert_allclose(of_classes, [[2, 1, 3], [np.nan] * 3, [7, 8, 9]])


def padding(batches, positions):
    """Share of the frames of all batches that no segment fills."""
    firsts = range(0, len(positions), batches.n_rows)
    taken = [batches.take(positions[first : first + batches.n_rows])[0] for first in firsts]
    return 1 - batches.lengths.sum() / sum(batch.shape[0] * batch.shape[1] for batch in taken)


SETTINGS = [(300, 32), (400, 32), (1000, 32), (300, 128), (1000, 64), (None, 20)]


@pytest.mark.parametrize(("segment_frames", "n_rows"), SETTINGS)
@pytest.mark.parametrize("frames_step", [16, 32])
def test_on_the_speech_corpus_less_than_a_tenth_of_the_frames_is_padding(
    manifest, segment_frames, n_rows, frames_step
):
    seconds = [float(row["seconds"]) for row in manifest if row["subset"] == "speech"]
    clips = [np.empty((round(100 * duration), 1), "float32") for duration in seconds]
    batches = batches_of(clips, segment_frames, n_rows, frames_step=frames_step)
    generator = np.random.default_rng(0)
    order = generator.permutation(len(batches.segments))
    chosen = batches.bucket_by_length(order, np.zeros_like(order), generator)
    assert sorted(chosen) == list(range(len(order)))
    assert padding(batches, chosen) < 0.1
    # What is not padded anyway stays as it came.
    assert (padding(batches, order) < 0.1) == (chosen.tolist() == order.tolist())


def test_segments_stay_as_they_came_where_a_tenth_or_less_is_padding():
    generator = np.random.default_rng(0)
    for lengths, kept in [((16, 16, 160, 160), True), ((10, 8), True), ((10, 7), False)]:
        batches = batches_of([np.zeros((n, 1)) for n in lengths], n_rows=2, frames_step=1)
        positions, one_class = np.arange(len(lengths)), np.zeros(len(lengths), dtype=int)
        orders = [batches.bucket_by_length(positions, one_class, generator).tolist() for _ in range(10)]
        assert all((order == positions.tolist()) == kept for order in orders)


def rows_of(batches, lengths, classes):
    """Lengths and classes of the rows of each full batch, in an order of their own."""
    generator = np.random.default_rng(0)
    order = generator.permutation(len(lengths))
    chosen = batches.bucket_by_length(order, classes[order], generator)
    assert sorted(chosen) == list(range(len(order)))
    full = chosen[: len(chosen) // batches.n_rows * batches.n_rows].reshape(-1, batches.n_rows)
    return lengths[full], classes[full]


def test_a_class_of_short_clips_and_one_of_long_clips_are_in_each_batch_in_proportion():
    lengths, classes = np.repeat([100, 900], [150, 450]), np.repeat([0, 1], [150, 450])
    batches = batches_of([np.empty((n, 1), "float32") for n in lengths], n_rows=32)
    found = rows_of(batches, lengths, classes)[1]
    # A quarter of 32 rows, and one more or less at each edge.
    assert set((found == 0).sum(axis=1)) <= {7, 8, 9}


def test_each_batch_has_clips_of_similar_lengths_within_each_class():
    lengths = np.concatenate([np.arange(10, 210), np.arange(400, 800)])
    classes = np.repeat([2, 5], [200, 400])
    batches = batches_of([np.empty((n, 1), "float32") for n in lengths], n_rows=30, frames_step=1)
    found, of_class = rows_of(batches, lengths, classes)
    for name, size in ((2, 200), (5, 400)):
        spread = [np.ptp(row[c == name]) for row, c in zip(found, of_class, strict=True)]
        assert max(spread) <= size / 20 + 2  # a batch is a twentieth of all


@pytest.mark.parametrize("segment_frames", [1000, None])
def test_on_the_speech_corpus_bucketing_saves_a_third_of_the_padding(manifest, segment_frames):
    rows = [row for row in manifest if row["subset"] == "speech"]
    clips = [np.empty((round(100 * float(row["seconds"])), 1), "float32") for row in rows]
    batches = batches_of(clips, segment_frames, 32)
    synthetic = np.array([row["label"] == "synthetic" for row in rows], dtype=int)[batches.segments.clip]
    generator = np.random.default_rng(0)
    order = generator.permutation(len(batches.segments))
    chosen = batches.bucket_by_length(order, synthetic[order], generator)
    assert padding(batches, chosen) < 2 / 3 * padding(batches, order)
    full = synthetic[chosen[: len(chosen) // 32 * 32].reshape(-1, 32)].mean(axis=1)
    np.testing.assert_allclose(full, synthetic.mean(), rtol=0, atol=2 / 32)


def test_batches_of_similar_lengths_come_in_random_order_and_so_do_the_clips_of_a_length():
    batches = batches_of([np.zeros((n, 1)) for n in [5] * 40 + [500] * 40])
    generator = np.random.default_rng(0)
    one_class = np.zeros(80, dtype=int)
    orders = [batches.bucket_by_length(generator.permutation(80), one_class, generator) for _ in range(2)]
    for order in orders:
        long = (order >= 40).reshape(-1, 4)
        assert (long.all(axis=1) | ~long.any(axis=1)).all()
        assert not (np.diff(long[:, 0].astype(int)) >= 0).all()
    assert {frozenset(batch) for batch in orders[0].reshape(-1, 4)} != {
        frozenset(batch) for batch in orders[1].reshape(-1, 4)
    }


def test_any_clip_may_be_in_the_batch_that_is_not_full():
    batches = batches_of([np.zeros((10 * n, 1)) for n in range(1, 11)])
    generator = np.random.default_rng(0)
    one_class = np.zeros(10, dtype=int)
    seen = {
        int(p)
        for _ in range(60)
        for p in batches.bucket_by_length(generator.permutation(10), one_class, generator)[8:]
    }
    assert seen >= {0, 4, 8}


def test_of_three_classes_every_batch_has_each_in_proportion():
    generator = np.random.default_rng(0)
    # Sixty short clips, thirty of medium length and thirty long ones.
    label = np.repeat([0, 1, 2], [60, 30, 30])
    lengths = generator.integers(np.array([5, 100, 400])[label], np.array([90, 300, 900])[label])
    batches = batches_of([np.zeros((n, 1)) for n in lengths], n_rows=12)
    positions = generator.permutation(120)
    chosen = batches.bucket_by_length(positions, label[positions], generator)
    assert sorted(chosen) == list(range(120))
    for batch in label[chosen].reshape(-1, 12):
        # Six, three and three, where one segment of a class may fall to either side.
        np.testing.assert_allclose(np.bincount(batch, minlength=3), [6, 3, 3], atol=2)


def test_the_one_clip_of_a_class_meets_short_and_long_clips_of_the_other():
    batches = batches_of([np.zeros((10 * n, 1)) for n in range(1, 17)], n_rows=4, frames_step=1)
    classes = np.arange(16) == 7
    generator = np.random.default_rng(0)
    met = set()
    for _ in range(60):
        order = generator.permutation(16)
        (mates,) = [
            row
            for row in batches.bucket_by_length(order, classes[order], generator).reshape(-1, 4)
            if 7 in row
        ]
        met |= set(mates.tolist())
    assert met >= {0, 5, 10, 15}


def test_a_segment_has_the_frames_that_a_batch_has_of_it():
    clips = [np.random.default_rng(n).normal(size=(n, 3)) for n in (4, 25, 10)]
    statistics = FrameStatistics.nothing_yet(3).updated(clips, np.ones(3))
    batches = batches_of(clips, 10, n_rows=8, statistics=statistics, repeat_short=True)
    batch, lengths = batches.take(np.arange(len(batches.segments)))
    for position in range(len(batches.segments)):
        np.testing.assert_array_equal(batches.segment(position), batch[position, : lengths[position]])
