"""The verdict of ``voicelstm listen`` on the sound so far, and the line in which it stands."""

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from voicelstm.detector import DetectorStream, StreamEvent

__all__ = ["MovingLine", "Verdict"]

_HEIGHTS = "▁▂▃▄▅▆▇█"
_FULL = 2.5  # log-odds from which a score has the full height, or none
_NO_SPEECH = "·"
_MOST_SHOWN = 60  # scores


class Verdict:
    """Mean of the scores of all windows so far, and what the detector's threshold makes of it."""

    def __init__(self) -> None:
        self._stream: DetectorStream | None = None  # which knows classes and threshold
        self._total = 0.0
        self.n_windows = self.n_synthetic = 0
        self.seconds = 0.0

    def add(self, event: "StreamEvent", stream: "DetectorStream") -> None:
        """Count a window of a stream."""
        self._stream = stream
        self.seconds = event.stop_s
        if event.score is not None:
            self._total += event.score
            self.n_windows += 1
            self.n_synthetic += self.is_synthetic(event.score)

    @property
    def score(self) -> float | None:
        """Mean of the scores, None before the first."""
        return self._total / self.n_windows if self.n_windows else None

    @property
    def label(self) -> Any:
        """Class that the mean is decided for, None before there is one."""
        if self.score is None or self._stream is None:
            return None
        is_synthetic = self.is_synthetic(self.score)
        return self._stream.synthetic_label if is_synthetic else self._stream.human_label

    def is_synthetic(self, score: float) -> bool:
        """Tell what a score is decided for."""
        return self._stream is not None and score >= self._stream.threshold

    @property
    def style(self) -> str:
        """How the verdict looks on a terminal."""
        return "" if self.score is None else style_of(self, self.score)

    def record(self) -> dict[str, Any]:
        """Return the verdict as a line of JSON has it."""
        return {
            "verdict": self.label,
            "score": self.score,
            "windows": self.n_windows,
            "synthetic_windows": self.n_synthetic,
            "duration_s": self.seconds,
        }

    def sentence(self) -> str:
        """Return the verdict in words."""
        if self.score is None:
            return f"No speech in {self.seconds:.1f} s: there is no voice to judge."
        windows = "1 window" if self.n_windows == 1 else f"{self.n_windows} windows"
        return (
            f"{self.label}: mean score {self.score:+.2f}; of {windows} with speech in {self.seconds:.1f} s,"
            f" {self.n_synthetic} {'is' if self.n_synthetic == 1 else 'are'} synthetic."
        )


class MovingLine:
    """The line of a terminal that says how it stands, written anew with each window; a context manager."""

    def __init__(self, console: "Console") -> None:
        from rich.live import Live

        self._console = console
        self._events: deque[StreamEvent] = deque(maxlen=_MOST_SHOWN)
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> "MovingLine":
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def tell(self, words: str) -> None:
        """Write words in the place of the line."""
        from rich.text import Text

        self._live.update(Text(f" {words}", "dim", no_wrap=True, overflow="ellipsis"), refresh=True)

    def show(self, event: "StreamEvent", verdict: Verdict) -> None:
        """Write how it stands behind a window."""
        self._events.append(event)
        self._live.update(self._line(event, verdict), refresh=True)

    def _line(self, event: "StreamEvent", verdict: Verdict) -> "Text":
        from rich.text import Text

        line = Text(" ", no_wrap=True, overflow="ellipsis")
        minutes, seconds = divmod(int(event.stop_s), 60)
        line.append(f"{minutes // 60}:{minutes % 60:02}:{seconds:02}  ", "dim")
        shown = "  no speech" if event.score is None else f"score {event.score:+5.1f}"
        line.append(f"{shown}  ", "dim" if event.score is None else style_of(verdict, event.score))
        so_far = "so far: nothing to judge"
        if verdict.score is not None:
            so_far = f"so far: {verdict.label} ({verdict.score:+.1f})"
        left = self._console.width - line.cell_len - len(so_far) - 3
        for each in list(self._events)[-max(0, left) :] if left > 0 else []:
            line.append(*_column(each, verdict))
        line.append("  ")
        line.append(so_far, "bold" if verdict.score is None else style_of(verdict, verdict.score))
        return line


def _column(event: "StreamEvent", verdict: Verdict) -> tuple[str, str]:
    """Draw a score as a column, higher where it speaks for synthetic, and its colour."""
    if event.score is None:
        return _NO_SPEECH, "dim"
    height = round((event.score + _FULL) / (2 * _FULL) * (len(_HEIGHTS) - 1))
    return _HEIGHTS[min(max(height, 0), len(_HEIGHTS) - 1)], style_of(verdict, event.score)


def style_of(verdict: Verdict, score: float) -> str:
    return "bold magenta" if verdict.is_synthetic(score) else "green"
