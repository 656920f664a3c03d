"""One recording in, mono samples out, and what rooms, devices and lines do to it."""

from voicelstm.audio._augmenter import Augmenter
from voicelstm.audio._failures import MOST_LISTED as MOST_LISTED
from voicelstm.audio._failures import list_failures as list_failures
from voicelstm.audio._failures import report_failures as report_failures
from voicelstm.audio._failures import report_remarks as report_remarks
from voicelstm.audio._level import active_region, set_level
from voicelstm.audio._reading import name_of as name_of
from voicelstm.audio._reading import read_audio
from voicelstm.audio._reading import read_recording as read_recording

__all__ = ["Augmenter", "active_region", "read_audio", "set_level"]
