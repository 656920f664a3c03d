"""Folders that are no classes, though they lie where classes are expected."""

from collections.abc import Mapping
from itertools import combinations

from voicelstm.datasets._problems import Problems
from voicelstm.metrics import recognised_human_label

__all__ = ["note_splits"]

_SPLITS = frozenset(
    {"train", "training", "trn", "test", "testing", "tst", "dev", "devel", "development", "val", "valid"}
    | {"validation", "eval", "evaluation"}
)


def note_splits(problems: Problems, root: str, subfolders: Mapping[str, set[str]]) -> None:
    """Note that the classes stand below folders of a split, such as training/real; given what is below each.

    That is so if all have two sub-folders or more in common, and two of these are called human and synthetic
    and the folders themselves are not, or all folders have names of splits.
    """
    names = list(subfolders)
    shared = set.intersection(*subfolders.values()) if subfolders else set()
    if len(names) < 2 or len(shared) < 2:
        return
    if _are_spelt(names) or not (_are_spelt(shared) or all(_is_split(name) for name in names)):
        return
    first = next((name for name in names if name.casefold().startswith("tr")), names[0])
    below = " and ".join(f"{name}/" for name in sorted(shared)[:3])
    problems.add(
        "Folders of a split, not of classes",
        f"{', '.join(f'{name}/' for name in names)}: each has {below}",
        f"Load one of them, such as {root}/{first}, and measure on another.",
    )


def _are_spelt(names: "set[str] | list[str]") -> bool:
    """Tell whether two of the names are those of a human and a synthetic class."""
    return any(recognised_human_label(pair) is not None for pair in combinations(sorted(names), 2))


def _is_split(name: str) -> bool:
    return name.casefold() in _SPLITS
