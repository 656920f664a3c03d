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
import scipy
import sklearn

from voicelstm._base import __version__, python_value
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.model_files import StoredTensors, Tensors, read_model_file, write_model_file
from voicelstm.network._architecture import Weights

__all__ = ["Checkpoint", "Progress", "fingerprint"]


@dataclass(frozen=True)
class Progress:
    """The state of a training after `n_epochs` complete epochs."""

    variables: Tensors
    n_epochs: int
    history: dict[str, list[float]]
    best_loss: float | None = None  # with early stopping, of the validation
    best_weights: Weights | None = None
    n_stale: int = 0  # epochs since the best


class Checkpoint:
    """The file of one training's progress, named by the training's key, in a folder that may be new."""

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
        """Read the last progress, of these names and shapes; None if there is no file, or a damaged one."""
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
    """Hash everything that decides the result of a training, versions of libraries included."""
    # Keras and its backend are described by the network. scikit-learn and SciPy split, weigh and initialise.
    libraries = (np, scipy, sklearn)
    versions = {"voicelstm": __version__} | {each.__name__: each.__version__ for each in libraries}
    text = json.dumps([versions, python_value(described)], sort_keys=True, default=str)
    digest = hashlib.sha256(text.encode())
    for values in arrays:
        array = np.ascontiguousarray(values)
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
