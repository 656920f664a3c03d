"""The classes that a model file may name: a closed table. Nothing outside of it is imported for a file."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

__all__ = ["ESTIMATORS", "PARAMETERS", "KnownClass", "known_estimator"]


@dataclass(frozen=True)
class KnownClass:
    """A class, and the module beside it whose functions describe and restore it."""

    name: str
    module: str
    describe_name: str
    restore_name: str
    takes_recordings: bool = False

    def is_class_of(self, value: Any) -> bool:
        """Tell whether a value is of this class; one that derives from it may do anything, and is not."""
        return type(value).__name__ == self.name and type(value) is self._find(self.name)

    def describe(self, *arguments: Any) -> dict[str, Any]:
        """Return what JSON can say of an object of this class."""
        return self._find(self.describe_name)(*arguments)

    def restore(self, *arguments: Any) -> Any:
        """Make an object of this class from its description."""
        return self._find(self.restore_name)(*arguments)

    def _find(self, name: str) -> Any:
        return getattr(import_module(self.module), name)


_FEATURES, _CLASSIFIER = "voicelstm.features._model_files", "voicelstm.classifier._model_files"

#: Estimators by their names in the file, in the order in which data goes through them.
ESTIMATORS = {
    each.name: each
    for each in (
        KnownClass(
            "MFCCTransformer", _FEATURES, "describe_transformer", "restore_transformer", takes_recordings=True
        ),
        KnownClass("CepstralDynamics", _FEATURES, "describe_dynamics", "restore_dynamics"),
        KnownClass("LSTMVoiceClassifier", _CLASSIFIER, "describe_classifier", "restore_classifier"),
    )
}

#: Classes of parameters by their names in the file.
PARAMETERS = {
    "augmenter": KnownClass("Augmenter", _FEATURES, "describe_augmenter", "restore_augmenter"),
    "spec_augment": KnownClass("SpecAugment", _CLASSIFIER, "describe_spec_augment", "restore_spec_augment"),
}


def known_estimator(estimator: Any) -> KnownClass | None:
    """Return the table's entry for an estimator, or None if a file cannot hold it."""
    known = ESTIMATORS.get(type(estimator).__name__)
    return known if known is not None and known.is_class_of(estimator) else None
