"""The command ``voicelstm``: a file for each sub-command.

Nothing here is imported by the library, and what takes long to import is imported where it is used, so that
``voicelstm --help`` answers at once.
"""

from voicelstm.command._command_line import main

__all__ = ["main"]
