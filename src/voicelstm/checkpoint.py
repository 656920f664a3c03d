"""The state of a training that may be interrupted, kept in one file."""

import hashlib
import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from voicelstm import __version__
from voicelstm.architecture import Weights
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.model_file import StoredTensors, Tensors, read_model_file, write_model_file
from voicelstm.plain_values import python_value

__all__ = ["Checkpoint", "Progress", "fingerprint"]


@dataclass(frozen=True)
class Progress:
    """How far a training has come.

    Attributes
    ----------
    variables : dict of str to ndarray
        Everything that training changes in the network.
    n_epochs : int
        Epochs that are complete.
    history : dict of str to list of float
        Loss and accuracy of each.
    best_loss : float or None
        With early stopping, the lowest validation loss so far.
    best_weights : dict of str to ndarray or None
        The weights that had it.
    n_stale : int
        Epochs since then.
    """

    variables: Tensors
    n_epochs: int
    history: dict[str, list[float]]
    best_loss: float | None = None
    best_weights: Weights | None = None
    n_stale: int = 0


class Checkpoint:
    """A file for one training's progress.

    Parameters
    ----------
    folder : str or os.PathLike
        Where the file lies; made if it is missing.
    key : str
        What tells this training from all others; the file is named by it.

    Raises
    ------
    OSError
        Where the folder cannot be made.
    """

    def __init__(self, folder: str | os.PathLike[str], key: str) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.path = Path(folder, f"{key}.checkpoint")

    def write(self, progress: Progress) -> None:
        """Replace what was written before, once the new file is complete."""
        described = {
            "class": "Checkpoint",
            "n_epochs": progress.n_epochs,
            "history": list(progress.history),
            # As a text, since JSON has no NaN; repr loses no bit.
            "best_loss": None if progress.best_loss is None else repr(progress.best_loss),
            "n_stale": progress.n_stale,
        }
        tensors = {f"variables/{name}": values for name, values in progress.variables.items()}
        tensors |= {f"best/{name}": values for name, values in (progress.best_weights or {}).items()}
        tensors |= {f"history/{name}": np.array(values) for name, values in progress.history.items()}
        write_model_file(self.path, described, tensors)

    def read(self, variables: Tensors, weights: Weights) -> Progress | None:
        """Read what was written last.

        Parameters
        ----------
        variables, weights : dict of str to ndarray
            The names, shapes and types to expect.

        Returns
        -------
        Progress or None
            None where there is no file, or a damaged one.

        Warns
        -----
        ModelFileWarning
            Where the file is damaged.
        """
        try:
            document, tensors = read_model_file(self.path)
            progress = _progress(document["object"], tensors, variables, weights)
            tensors.check_all_used()
            return progress
        except FileNotFoundError:
            return None
        except (ModelFileError, KeyError, TypeError, ValueError, AttributeError) as error:
            warnings.warn(
                f"The checkpoint {self.path.name} is damaged, and training begins anew: {error}",
                ModelFileWarning,
                stacklevel=9,
            )
            return None

    def remove(self) -> None:
        """Delete the file, if there is one."""
        self.path.unlink(missing_ok=True)


def _progress(
    described: dict[str, Any], tensors: StoredTensors, variables: Tensors, weights: Weights
) -> Progress:
    def stored(prefix: str, expected: Mapping[str, Any]) -> Tensors:
        return {
            name: tensors.read(f"{prefix}/{name}", values.shape, values.dtype)
            for name, values in expected.items()
        }

    if described["class"] != "Checkpoint":
        raise ModelFileError(f"the file holds a {described['class']!r}.")
    best_loss, n_epochs = described["best_loss"], int(described["n_epochs"])
    return Progress(
        variables=stored("variables", variables),
        n_epochs=n_epochs,
        history={
            name: tensors.read(f"history/{name}", (n_epochs,), np.dtype(np.float64), finite=False).tolist()
            for name in described["history"]
        },
        best_loss=None if best_loss is None else float(best_loss),
        best_weights=None if best_loss is None else stored("best", weights),
        n_stale=int(described["n_stale"]),
    )


def fingerprint(described: Mapping[str, Any], arrays: Iterable[Any]) -> str:
    """Hash everything that decides the result of a training.

    Parameters
    ----------
    described : mapping
        Numbers, texts and sequences of them; the versions of this library and of NumPy are added.
    arrays : iterable of ndarray
        Data, labels and weights, in a fixed order; type and shape count too.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.checkpoint import fingerprint
    >>> fingerprint({}, [np.zeros((2, 3))]) == fingerprint({}, [np.zeros((3, 2))])
    False
    """
    versions = {"voicelstm": __version__, "numpy": np.__version__}
    text = json.dumps([versions, python_value(described)], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    for values in arrays:
        array = np.ascontiguousarray(values)
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
