"""A batch of sequences: its forms, checks, statistics, segments; the folder for one larger than memory."""

from voicelstm.sequences._batches import check_ragged, is_ragged, stack
from voicelstm.sequences._checking import SequenceReadingMixin as SequenceReadingMixin
from voicelstm.sequences._checking import checked_clips as checked_clips
from voicelstm.sequences._clip import Clip
from voicelstm.sequences._segments import SegmentBatches, Segments, cut
from voicelstm.sequences._statistics import FrameStatistics
from voicelstm.sequences._store import SequenceStore
from voicelstm.sequences._store_writer import SequenceWriter as SequenceWriter

__all__ = [
    "Clip",
    "FrameStatistics",
    "SegmentBatches",
    "Segments",
    "SequenceStore",
    "check_ragged",
    "cut",
    "is_ragged",
    "stack",
]
