"""How good a detector is on groups that its training has not heard."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from voicelstm.command._corpus import Features
from voicelstm.command._wording import in_options

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["CrossValidation", "Plan", "check_column", "cross_validated", "weights"]

_NAMES = {"equal_error_rate": "EER", "balanced_accuracy": "balanced accuracy", "roc_auc": "ROC AUC"}
_SYSTEM_COLUMNS = ("system", "family", "attack", "vocoder")


@dataclass
class CrossValidation:
    """Number of test recordings, and the scores by measure, of each fold."""

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

    def caution(self, target: Any, columns: dict[str, Any], human_label: Any) -> str:
        """Return what these numbers do not say."""
        if self.plan.unseen is not None:
            return (
                "Channels and rooms are those of this corpus. On others expect worse; voicelstm evaluate"
                " measures there."
            )
        plans = (Plan(self.plan.groups, name, self.plan.n_folds) for name in _SYSTEM_COLUMNS)
        there = next((plan.unseen for plan in plans if plan.is_possible(target, columns, human_label)), None)
        how = f"; --unseen {there} measures that" if there else ""
        return (
            "Synthesis systems are in both training and test. On new ones expect worse, often far"
            f" worse{how}."
        )


@dataclass(frozen=True)
class Plan:
    """Folds without a value of `groups` in training and test; each leaves out one value of `unseen`."""

    groups: str
    unseen: str | None
    n_folds: int

    def folds(self, target: Any, columns: dict[str, Any], human_label: Any) -> dict[str, tuple[Any, Any]]:
        """Return positions ``(train, test)`` by the fold's name; each part holds all classes."""
        check_column(columns, self.groups, "--groups")
        if self.unseen is not None:
            check_column(columns, self.unseen, "--unseen")
        if self.unseen is None:
            return self._by_group(target, columns)
        return self._by_system(target, columns, human_label)

    def is_possible(self, target: Any, columns: dict[str, Any], human_label: Any) -> bool:
        """Whether the command would take these columns."""
        import warnings

        if self.unseen == self.groups:
            return False
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                self.folds(target, columns, human_label)
            except (click.UsageError, ValueError):
                return False
        return True

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

    def _by_system(
        self, target: Any, columns: dict[str, Any], human_label: Any
    ) -> dict[str, tuple[Any, Any]]:
        import numpy as np

        from voicelstm.datasets import UnseenSystems
        from voicelstm.metrics import check_human

        system = columns[str(self.unseen)]
        groups = np.column_stack([columns[self.groups], system])
        try:
            human, _, _ = check_human(target, human_label)
            cuts = list(UnseenSystems(human_label=human_label).split(np.zeros(len(target)), target, groups))
        except ValueError as error:
            raise click.UsageError(f"--unseen {self.unseen}: {in_options(str(error))}") from None
        return dict(zip(np.unique(system[~human]).tolist(), cuts, strict=True))


def check_column(columns: dict[str, Any], name: str, option: str) -> None:
    """Refuse a column that a corpus does not have, and name those that it has."""
    if name not in columns:
        there = ", ".join(columns) or "none"
        raise click.UsageError(f"{option} {name}: there is no such column to group by; there are: {there}.")


def weights(features: Features, balance: str | None, chosen: Any = slice(None)) -> dict[str, Any]:
    """Return the parameters of `fit` with which the values of the column `balance` count the same."""
    if balance is None:
        return {}
    from voicelstm.datasets import balanced_weights

    found = balanced_weights(features.target[chosen], {balance: features.groups[balance][chosen]})
    return {"classifier__sample_weight": found}


def cross_validated(
    detector: Any, features: Features, plan: Plan, human_label: Any, balance: str | None = None
) -> CrossValidation:
    """Train a detector of features, and test it, once per fold."""
    import numpy as np
    from sklearn.base import clone
    from sklearn.metrics import check_scoring

    from voicelstm.metrics import equal_error_rate, make_detection_scorer

    folds = plan.folds(features.target, features.groups, human_label)
    classes = np.unique(features.target)
    scoring: dict[str, Any] = {"balanced_accuracy": "balanced_accuracy"}
    if len(classes) == 2:
        eer = make_detection_scorer(equal_error_rate, human_label=human_label)
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
