"""What the command's exit codes mean."""

from enum import IntEnum

__all__ = ["EXIT_CODES", "ExitCode"]


class ExitCode(IntEnum):
    """How a run ended, for scripts."""

    FINE = 0
    SOME_FAILED = 1
    USAGE = 2
    REFUSED = 3
    FOUND = 4
    BUG = 70
    INTERRUPTED = 130
    CLOSED_PIPE = 141


#: As ``voicelstm --help`` shows them.
EXIT_CODES = """\
\b
Exit codes:
  0    all is done; listen: the voice is human
  1    done, but for recordings that failed (standard error); listen: no speech
  2    wrong usage
  3    nothing done: labels, detector or folder cannot be used
  4    audit --strict: labels given away, or too few to tell; listen: synthetic
  70   a bug of voicelstm; please report it
  130  interrupted by Ctrl-C
  141  nobody reads the output any more, as in "| head"
"""
