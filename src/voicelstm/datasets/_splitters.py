"""Cross-validation that leaves out what will be new in use: a synthesis system, and the people who speak."""

from collections.abc import Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.utils import check_random_state, check_scalar

from voicelstm.datasets._groups import checked_folds, missing_class

__all__ = ["UnseenSystems"]


# LeaveOneGroupOut, for scikit-learn's metadata routing to know that groups are wanted.
class UnseenSystems(LeaveOneGroupOut):
    """Leave one synthesis system out at a time, together with a part of the human speakers.

    Tested on the systems that it was trained on, a detector looks far better than it is on the next one. In
    each fold the synthetic clips of one system, or of one family of systems, are tested against the human
    clips of speakers that are not in training either: else a human voice that was heard in training would be
    told from a system that was not.

    For speakers that are new and systems that are known, scikit-learn has
    :class:`~sklearn.model_selection.StratifiedGroupKFold`, with the speaker as `groups`.

    Read more in the :ref:`user guide <evaluation>`.

    Parameters
    ----------
    human_label : label, default=None
        Human class. If None, it is recognised by its spelling ("human", "bonafide", "real", ...); of 0 and 1
        it must be given.
    n_parts : int, default=3
        Into how many parts the human speakers are divided, 2 or more. Each fold tests one of them, in turn.
    unseen_speakers : bool, default=False
        Whether no speaker at all may stand in both training and test; see Notes.
    random_state : int, RandomState instance or None, default=0
        How the human speakers are divided. An int divides them alike at every call.

    See Also
    --------
    sklearn.model_selection.StratifiedGroupKFold : Unseen speakers, of known systems.
    voicelstm.audit : Tells which speakers stand in both classes.

    Notes
    -----
    `groups` has two columns: the speaker and the system. It is an array of shape ``(n_clips, 2)`` in that
    order, such as ``np.column_stack([speaker, family])``, or a data frame with the columns "speaker" and
    "family", or "speaker" and "system" where there is no "family". What stands there as the system of human
    clips does not matter. Folds come in the sorted order of the systems.

    Copies of human clips, as vocoders make them, have human speakers. With ``unseen_speakers=False`` they may
    be in training while the person is in test: one system is new, and so are the *human recordings* of the
    persons in test. With ``unseen_speakers=True`` voices are new as well:

    - All voices of the system that is tested are held out, but for those of people who are not among the held
      out human speakers: their copies are in neither training nor test.
    - Training has no clip of a held-out voice, whatever made it.
    - Where the system speaks with human voices only and none of them is in the part whose turn it is, its
      voices take places in that part, for this fold.

    Examples
    --------
    >>> import numpy as np
    >>> from voicelstm.datasets import make_voices
    >>> from voicelstm.datasets import UnseenSystems
    >>> voices = make_voices(120, random_state=0)
    >>> speaker, system = voices.groups["speaker"], voices.groups["system"]
    >>> cv = UnseenSystems(unseen_speakers=True)
    >>> groups = np.column_stack([speaker, system])
    >>> train, test = next(cv.split(voices.recordings, voices.target, groups))
    >>> np.unique(system[test]).tolist(), "synthetic-0" in system[train]
    (['human', 'synthetic-0'], False)
    >>> set(speaker[train]) & set(speaker[test])
    set()
    >>> cv.get_n_splits(voices.recordings, voices.target, groups)
    6
    """

    def __init__(
        self,
        *,
        human_label: Any = None,
        n_parts: int = 3,
        unseen_speakers: bool = False,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.human_label = human_label
        self.n_parts = n_parts
        self.unseen_speakers = unseen_speakers
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
        groups : array-like of shape (n_clips, 2), or data frame
            Speaker and system; see Notes of the class.

        Yields
        ------
        train, test : ndarray
            Positions, ascending. Both hold clips of both classes.

        Raises
        ------
        ValueError
            Where `y` or `groups` is missing or not of the form described, there is one system or fewer human
            speakers than parts, or a fold would lack a class in training or test.
        """
        check_scalar(self.n_parts, "n_parts", Integral, min_val=2)
        human, speaker, system = self._checked(X, y, groups)
        human_speakers = np.unique(speaker[human])
        if len(human_speakers) < self.n_parts:
            raise ValueError(
                f"{len(human_speakers)} human speakers cannot be divided into n_parts={self.n_parts}."
            )
        random = np.random.RandomState() if self.random_state is None else self.random_state
        human_speakers = check_random_state(random).permutation(human_speakers)
        parts = np.array_split(human_speakers, self.n_parts)
        for fold, left_out in enumerate(np.unique(system[~human]).tolist()):
            of_system = ~human & (system == left_out)
            part = parts[fold % self.n_parts]
            if self.unseen_speakers:
                voices = np.unique(speaker[of_system])
                held_out = np.isin(speaker, _held_out_voices(part, voices, human_speakers))
                test = held_out & (human | of_system)
                train = ~held_out & ~of_system
            else:
                held_out = np.isin(speaker, part)
                test = of_system | (human & held_out)
                train = ~of_system & ~(human & held_out)
            if missing := missing_class(train, test, human):
                name, kind = missing
                raise ValueError(
                    f"With {left_out!r} left out, {name} has no {kind} clips. Divide the speakers"
                    " otherwise (n_parts, random_state), or put small systems together."
                )
            yield np.flatnonzero(train), np.flatnonzero(test)

    def get_n_splits(self, X: Any = None, y: ArrayLike | None = None, groups: Any = None) -> int:
        """Count the folds: one per system.

        Parameters
        ----------
        X : object, default=None
            Ignored.
        y, groups
            As `split` takes them.

        Returns
        -------
        int
            At least 2.
        """
        human, _, system = self._checked(y if X is None else X, y, groups)
        return len(np.unique(system[~human]))

    def _checked(
        self, X: Any, y: ArrayLike | None, groups: Any
    ) -> tuple[NDArray[np.bool_], NDArray[Any], NDArray[Any]]:
        """Return which clips are human, and speaker and system of each."""
        needed = f"{type(self).__name__} needs y, and the speaker and the system"
        human, columns = checked_folds(X, y, groups, self.human_label, needed)
        names = ("0", "1")
        if hasattr(groups, "columns"):
            names = ("speaker", "family" if "family" in columns else "system")
        if not set(names) <= set(columns) or (names[0] == "0" and len(columns) > 2):
            raise ValueError(
                "groups must be an array of shape (n_clips, 2), speaker and system, such as"
                ' np.column_stack([speaker, system]), or a data frame with the columns "speaker" and "family"'
                f' or "system"; it has {list(columns)}.'
            )
        system = columns[names[1]]
        if len(np.unique(system[~human])) < 2:
            raise ValueError("All synthetic clips are of one system: without it, training has none.")
        return human, columns[names[0]], system


def _held_out_voices(part: NDArray[Any], voices: NDArray[Any], human_speakers: NDArray[Any]) -> NDArray[Any]:
    """Join a part of the human speakers with the voices of the system that is tested.

    Human voices of the system count only where they are in the part, which gets some where it has none.
    """
    not_human = np.setdiff1d(voices, human_speakers)
    if not len(not_human) and not np.isin(voices, part).any():
        ours = human_speakers[np.isin(human_speakers, voices)][: len(part)]
        part = np.concatenate([ours, part[: len(part) - len(ours)]])
    return np.concatenate([part, not_human])
