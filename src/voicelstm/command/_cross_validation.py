"""How good a detector is on groups that its training has not heard."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._corpus import Features

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["CrossValidation", "cross_validated", "folds_by_group"]

_NAMES = {"equal_error_rate": "EER", "balanced_accuracy": "balanced accuracy", "roc_auc": "ROC AUC"}
_SYSTEM_COLUMNS = ("system", "family", "attack", "vocoder")


@dataclass
class CrossValidation:
    """Scores of each fold.

    Attributes
    ----------
    groups : str
        The column whose values no two folds share.
    n_groups : int
        How many there are.
    n_test : list of int
        Recordings of each test fold.
    scores : dict of str to list of float
        By measure, of each fold.
    """

    groups: str
    n_groups: int
    n_test: list[int]
    scores: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, with means."""
        import numpy as np

        return {
            "groups": self.groups,
            "n_groups": self.n_groups,
            "n_test": self.n_test,
            "folds": self.scores,
            "mean": {name: float(np.mean(values)) for name, values in self.scores.items()},
        }

    def table(self) -> "Table":
        """Return it as a table of rich."""
        import numpy as np
        from rich import box
        from rich.table import Table

        table = Table(
            title=f"On recordings whose {self.groups} its training has not heard",
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
        )
        for title in ("fold", "recordings", *(_NAMES[name] for name in self.scores)):
            table.add_column(title, justify="right")
        for fold, n_test in enumerate(self.n_test):
            cells = [_shown(name, values[fold]) for name, values in self.scores.items()]
            table.add_row(str(fold + 1), str(n_test), *cells)
        table.add_section()
        means = []
        for name, values in self.scores.items():
            spread = _shown(name, float(np.std(values)))
            means.append(f"{_shown(name, float(np.mean(values)))} ± {spread}")
        table.add_row("mean", "", *means, style="bold")
        return table

    def caution(self, columns: dict[str, Any]) -> str:
        """Return what these numbers do not say."""
        if self.groups in _SYSTEM_COLUMNS:
            return "Voices may be in both training and test: on new voices expect worse."
        there = next((name for name in _SYSTEM_COLUMNS if name in columns), None)
        aside = f" (column {there})" if there else ""
        return (
            f"Synthesis systems{aside} are in both training and test: on new systems expect worse, often far"
            " worse."
        )


def folds_by_group(target: Any, group: Any, column: str, n_folds: int) -> list[tuple[Any, Any]]:
    """Divide recordings into folds of which each holds all classes and no two share a group.

    Parameters
    ----------
    target, group : ndarray of shape (n_clips,)
        Labels, and what no two folds share.
    column : str
        What `group` is called.
    n_folds : int
        How many folds; fewer where there are not so many groups.

    Returns
    -------
    list of (train, test)
        Positions.

    Raises
    ------
    click.UsageError
        Where that cannot be.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedGroupKFold

    for label in np.unique(target):
        if len(np.unique(group[target == label])) < 2:
            raise click.UsageError(
                f"--groups {column}: all {label} recordings have the same {column}, and are in training or in"
                " test, not in both. Group by a column that divides each class, such as the speaker."
            )
    n_folds = min(n_folds, len(np.unique(group)))
    cuts = list(StratifiedGroupKFold(n_folds).split(np.zeros(len(target)), target, group))
    classes = set(target.tolist())
    if any(set(target[part].tolist()) != classes for cut in cuts for part in cut):
        raise click.UsageError(
            f"--groups {column} --folds {n_folds}: a fold lacks a class. Ask for fewer folds, or group by a"
            " column that divides each class."
        )
    return cuts


def cross_validated(
    detector: Any, features: Features, groups: str, cuts: list[tuple[Any, Any]]
) -> CrossValidation:
    """Train and test once per fold.

    Parameters
    ----------
    detector : Pipeline
        Of features; it is not fitted.
    features : Features
        Of the recordings.
    groups : str
        The column by which they were divided.
    cuts : list of (train, test)
        What :func:`folds_by_group` returned.

    Returns
    -------
    CrossValidation
    """
    import numpy as np
    from sklearn.model_selection import cross_validate

    from voicelstm.metrics import equal_error_rate, make_detection_scorer

    classes = np.unique(features.target)
    scoring: dict[str, Any] = {"balanced_accuracy": "balanced_accuracy"}
    if len(classes) == 2:
        # The rate at which both errors are equal is the same for either class.
        eer = make_detection_scorer(equal_error_rate, human_label=classes[0].item())
        scoring = {"equal_error_rate": eer, "balanced_accuracy": "balanced_accuracy", "roc_auc": "roc_auc"}
    found = cross_validate(
        detector, features.X, features.target, cv=cuts, scoring=scoring, error_score="raise"
    )
    scores = {name: np.asarray(found[f"test_{name}"]) for name in scoring}
    if "equal_error_rate" in scores:
        scores["equal_error_rate"] = -scores["equal_error_rate"]  # a scorer's greater is better
    return CrossValidation(
        groups=groups,
        n_groups=len(np.unique(features.groups[groups])),
        n_test=[len(test) for _, test in cuts],
        scores={name: values.tolist() for name, values in scores.items()},
    )


def _shown(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name == "equal_error_rate" else f"{value:.3f}"
