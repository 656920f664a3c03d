"""Cross-validation that leaves out sources of recordings and families of systems at once."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.utils import check_random_state, check_scalar

from voicelstm.datasets._groups import checked_folds, missing_class

__all__ = ["UnseenSources"]


# LeaveOneGroupOut, for scikit-learn's metadata routing to know that groups are wanted.
class UnseenSources(LeaveOneGroupOut):
    """Leave sources of recordings and families of synthesis systems out at once.

    A source is what recordings share besides their speakers: microphone, room, codec, and who edited them. A
    detector that is tested on sources that it was trained on can learn these in place of the voice. In each
    fold, training has no clip of the sources, of the families, or of the speakers that are tested.

    Read more in the :ref:`user guide <evaluation>`.

    Parameters
    ----------
    n_splits : int, default=4
        Number of folds, 2 or more. Each source and each family is left out by one of them.
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    random_state : int, RandomState instance or None, default=0
        Order in which sources and families of the same size are dealt to the folds. An int deals them alike
        at every call.

    See Also
    --------
    UnseenSystems : Leaves out one system at a time, and a part of the human speakers.

    Notes
    -----
    `groups` is a data frame, or a dict, with the columns "source", "speaker", and "family" or "system".
    The family of human clips does not matter. Sources with human clips and families are dealt to the folds by
    size, the largest first, each to the fold with the fewest clips so far.

    A fold tests the human clips of its sources, and the synthetic clips of its families. Of those, a clip
    whose speaker has human clips is tested only if these are held out as well; else it is in neither training
    nor test. Training leaves out all clips of the sources, families and speakers that are tested.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.datasets import UnseenSources, make_voices
    >>> voices = make_voices(120, random_state=0)
    >>> place = np.unique(voices.groups["speaker"], return_inverse=True)[1] % 3
    >>> groups = voices.groups | {"source": np.array(["radio", "phone", "studio"])[place]}
    >>> train, test = next(UnseenSources(3).split(voices.recordings, voices.target, groups))
    >>> np.unique(groups["source"][test]).tolist()
    ['radio']
    >>> set(groups["speaker"][train]) & set(groups["speaker"][test])
    set()
    """

    def __init__(
        self,
        n_splits: int = 4,
        *,
        human_label: Any = None,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.n_splits = n_splits
        self.human_label = human_label
        self.random_state = random_state

    def split(
        self, X: Any, y: ArrayLike | None = None, groups: Any = None
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the positions of the clips of each fold.

        Parameters
        ----------
        X : sequence of length n_clips
            Recordings or features; only their number counts.
        y : array-like of shape (n_clips,)
            Labels of two classes.
        groups : data frame or dict of arrays of shape (n_clips,)
            Source, speaker and family; see Notes of the class.

        Yields
        ------
        train, test : ndarray
            Positions, ascending. Both hold clips of both classes.

        Raises
        ------
        ValueError
            If `y` or `groups` is missing or not of the form described, if there are fewer sources of human
            clips or fewer families than folds, or if a fold lacks a class in training or test.
        """
        check_scalar(self.n_splits, "n_splits", Integral, min_val=2)
        human, source, speaker, family = self._checked(X, y, groups)
        random = check_random_state(
            np.random.RandomState() if self.random_state is None else self.random_state
        )
        fold_of_source = self._dealt(source[human], "sources of human clips", random)
        fold_of_family = self._dealt(family[~human], "families of synthetic clips", random)
        human_speakers = np.unique(speaker[human])
        for fold in range(self.n_splits):
            of_sources = np.isin(source, [name for name, where in fold_of_source.items() if where == fold])
            of_families = ~human & np.isin(
                family, [name for name, where in fold_of_family.items() if where == fold]
            )
            held_out = np.isin(
                speaker,
                np.concatenate(
                    [speaker[human & of_sources], np.setdiff1d(speaker[of_families], human_speakers)]
                ),
            )
            test = (human & of_sources) | (of_families & held_out)
            train = ~of_sources & ~of_families & ~held_out
            if missing := missing_class(train, test, human):
                name, kind = missing
                raise ValueError(
                    f"The {name} part of fold {fold} has no {kind} clips. Divide the clips otherwise"
                    " (n_splits, random_state), or put small sources or families together."
                )
            yield np.flatnonzero(train), np.flatnonzero(test)

    def get_n_splits(self, X: Any = None, y: ArrayLike | None = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        int
            `n_splits`.
        """
        return self.n_splits

    def _dealt(self, names: NDArray[Any], what: str, random: np.random.RandomState) -> dict[Any, int]:
        """Deal names to the folds, the largest first, each to the fold with the fewest clips so far."""
        found, sizes = np.unique(names, return_counts=True)
        if len(found) < self.n_splits:
            raise ValueError(f"{len(found)} {what} cannot be divided into n_splits={self.n_splits} folds.")
        order = random.permutation(len(found))
        order = order[np.argsort(-sizes[order], kind="stable")]
        n_clips = np.zeros(self.n_splits, dtype=np.intp)
        fold_of = {}
        for position in order:
            fold = int(n_clips.argmin())
            fold_of[found[position].item()] = fold
            n_clips[fold] += sizes[position]
        return fold_of

    def _checked(
        self, X: Any, y: ArrayLike | None, groups: Any
    ) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Return which clips are human, and source, speaker and family of each."""
        needed = f"{type(self).__name__} needs y, and the source, the speaker and the family"
        human, columns = checked_folds(X, y, groups, self.human_label, needed)
        names = ("source", "speaker", "family" if "family" in columns else "system")
        missing = [name for name in names if name not in columns]
        if missing:
            raise ValueError(
                'groups must be a data frame or a dict with the columns "source", "speaker", and "family" or'
                f' "system"; it has {list(columns)}.'
            )
        source, speaker, family = (columns[name] for name in names)
        return human, source, speaker, family
