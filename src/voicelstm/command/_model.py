"""The detector that is named on the command line."""

from pathlib import Path
from typing import Any

from voicelstm.command._session import busy

__all__ = ["front_end_and_rest"]


def front_end_and_rest(path: Path) -> tuple[Any, Any]:
    """Load a detector; return its MFCCTransformer, and the classifier of features behind it."""
    try:
        with busy("Loading"):
            from voicelstm import load
            from voicelstm.detector import features_and_rest

            return features_and_rest(load(path))
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from None
