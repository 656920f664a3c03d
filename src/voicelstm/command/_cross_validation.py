"""How good a detector is on groups that its training has not heard."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._corpus import Features

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["CrossValidation", "Plan", "check_column", "cross_validated", "weights"]

_NAMES = {"equal_error_rate": "EER", "balanced_accuracy": "balanced accuracy", "roc_auc": "ROC AUC"}
_SYSTEM_COLUMNS = ("system", "family", "attack", "vocoder")


@dataclass
class CrossValidation:
    """Scores of each fold.

    Attributes
    ----------
    plan : Plan
        How recordings were divided.
    n_test : dict of str to int
        Recordings of each test fold, by its name.
    scores : dict of str to list of float
        By measure, of each fold.
    """

    plan: "Plan"
    n_test: dict[str, int]
    scores: dict[str, list[float]]

    def to_dict(self) -> dict[str, Any]:
        """Return it for JSON, with means."""
        import numpy as np

        return {
            "groups": self.plan.groups,
            "unseen": self.plan.unseen,
            "names": list(self.n_test),
            "n_test": list(self.n_test.values()),
            "folds": self.scores,
            "mean": {name: float(np.mean(values)) for name, values in self.scores.items()},
        }

    def table(self) -> "Table":
        """Return it as a table of rich."""
        import numpy as np
        from rich import box
        from rich.table import Table

        plan = self.plan
        unseen = plan.groups if plan.unseen is None else f"{plan.unseen} and human {plan.groups}"
        table = Table(
            title=f"On recordings whose {unseen} its training has not heard",
            title_justify="left",
            title_style="bold",
            box=box.SIMPLE_HEAD,
        )
        table.add_column("fold" if plan.unseen is None else plan.unseen)
        for title in ("recordings", *(_NAMES[name] for name in self.scores)):
            table.add_column(title, justify="right")
        for position, (fold, n_test) in enumerate(self.n_test.items()):
            cells = [_shown(name, values[position]) for name, values in self.scores.items()]
            table.add_row(fold, str(n_test), *cells)
        table.add_section()
        means = []
        for name, values in self.scores.items():
            spread = _shown(name, float(np.std(values)))
            means.append(f"{_shown(name, float(np.mean(values)))} ± {spread}")
        table.add_row("mean", "", *means, style="bold")
        return table

    def caution(self, columns: dict[str, Any]) -> str:
        """Return what these numbers do not say."""
        if self.plan.unseen is not None:
            return (
                "Channels and rooms are those of this corpus. On others expect worse; voicelstm evaluate"
                " measures there."
            )
        there = next((name for name in _SYSTEM_COLUMNS if name in columns), None)
        how = f"; --unseen {there} measures that" if there else ""
        return (
            "Synthesis systems are in both training and test. On new ones expect worse, often far"
            f" worse{how}."
        )


@dataclass(frozen=True)
class Plan:
    """How recordings are divided into folds.

    Attributes
    ----------
    groups : str
        The column of which no value is in both training and test.
    unseen : str or None
        A column of which one value is left out at a time, besides: that of synthesis systems.
    n_folds : int
        How many, without `unseen`; fewer where there are not so many groups.
    """

    groups: str
    unseen: str | None
    n_folds: int

    def folds(self, target: Any, columns: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
        """Divide recordings so that each part holds all classes.

        Parameters
        ----------
        target : ndarray of shape (n_clips,)
            Labels.
        columns : dict of str to ndarray of shape (n_clips,)
            The groups of a corpus.

        Returns
        -------
        dict of str to (train, test)
            Positions, by the folds' names.

        Raises
        ------
        click.UsageError
            Where that cannot be.
        """
        check_column(columns, self.groups, "--groups")
        if self.unseen is not None:
            check_column(columns, self.unseen, "--unseen")
        return self._by_group(target, columns) if self.unseen is None else self._by_system(target, columns)

    def _by_group(self, target: Any, columns: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
        import numpy as np
        from sklearn.model_selection import StratifiedGroupKFold

        column, group = self.groups, columns[self.groups]
        for label in np.unique(target):
            if len(np.unique(group[target == label])) < 2:
                raise click.UsageError(
                    f"--groups {column}: all {label} recordings have the same {column}, and are in training"
                    " or in test, not in both. Group by a column that divides each class, such as the"
                    " speaker; --unseen is for synthesis systems."
                )
        n_folds = min(self.n_folds, len(np.unique(group)))
        cuts = list(StratifiedGroupKFold(n_folds).split(np.zeros(len(target)), target, group))
        classes = set(target.tolist())
        if any(set(target[part].tolist()) != classes for cut in cuts for part in cut):
            raise click.UsageError(
                f"--groups {column}: of {n_folds} folds one lacks a class."
                + (" Ask for fewer with --folds, or group" if n_folds > 2 else " Group")
                + " by a column that divides each class into more parts."
            )
        return {str(position + 1): cut for position, cut in enumerate(cuts)}

    def _by_system(self, target: Any, columns: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
        import numpy as np

        from voicelstm.metrics._scored import check_human
        from voicelstm.splitters import UnseenSystems

        system = columns[str(self.unseen)]
        groups = np.column_stack([columns[self.groups], system])
        try:
            human, _, _ = check_human(target, None)
            cuts = list(UnseenSystems().split(np.zeros(len(target)), target, groups))
        except ValueError as error:
            raise click.UsageError(f"--unseen {self.unseen}: {error}") from None
        return dict(zip(np.unique(system[~human]).tolist(), cuts, strict=True))


def check_column(columns: dict[str, Any], name: str, option: str) -> None:
    """Refuse a column that a corpus does not have, and name those that it has.

    Raises
    ------
    click.UsageError
        Where it is not.
    """
    if name not in columns:
        there = ", ".join(columns) or "none"
        raise click.UsageError(f"{option} {name}: there is no such column to group by; there are: {there}.")


def weights(features: Features, balance: str | None, chosen: Any = slice(None)) -> dict[str, Any]:
    """Return what `fit` of a detector of features is given so that the values of a column count the same.

    Parameters
    ----------
    features : Features
        Of the recordings.
    balance : str or None
        The column; None leaves the weights to the classifier.
    chosen : index, default=slice(None)
        Which recordings it is fitted on.

    Returns
    -------
    dict
        Parameters of `fit`.
    """
    if balance is None:
        return {}
    from voicelstm.datasets import balanced_weights

    found = balanced_weights(features.target[chosen], {balance: features.groups[balance][chosen]})
    return {"classifier__sample_weight": found}


def cross_validated(
    detector: Any, features: Features, plan: Plan, balance: str | None = None
) -> CrossValidation:
    """Train and test once per fold.

    Parameters
    ----------
    detector : Pipeline
        Of features; it is not fitted.
    features : Features
        Of the recordings.
    plan : Plan
        How to divide them.
    balance : str, default=None
        As of :func:`weights`, which are those of each fold's training.

    Returns
    -------
    CrossValidation
    """
    import numpy as np
    from sklearn.base import clone
    from sklearn.metrics import check_scoring

    from voicelstm.metrics import equal_error_rate, make_detection_scorer

    folds = plan.folds(features.target, features.groups)
    classes = np.unique(features.target)
    scoring: dict[str, Any] = {"balanced_accuracy": "balanced_accuracy"}
    if len(classes) == 2:
        # The rate at which both errors are equal is the same for either class.
        eer = make_detection_scorer(equal_error_rate, human_label=classes[0].item())
        scoring = {"equal_error_rate": eer, "balanced_accuracy": "balanced_accuracy", "roc_auc": "roc_auc"}
    scores: dict[str, list[float]] = {name: [] for name in scoring}
    for training, test in folds.values():
        fitted = clone(detector).fit(
            features.X[training], features.target[training], **weights(features, balance, training)
        )
        found = check_scoring(fitted, scoring)(fitted, features.X[test], features.target[test])
        for name, value in found.items():
            # A scorer's greater is better.
            scores[name].append(-value if name == "equal_error_rate" else float(value))
    return CrossValidation(
        plan=plan,
        n_test={name: len(test) for name, (_, test) in folds.items()},
        scores=scores,
    )


def _shown(name: str, value: float) -> str:
    return f"{100 * value:.1f} %" if name == "equal_error_rate" else f"{value:.3f}"
