"""Which class is the human one, as ``--human`` says it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

__all__ = ["human_label_for", "human_label_in", "human_option", "label_of_text"]

human_option = click.option(
    "--human",
    metavar="LABEL",
    help="The human class, if neither the detector nor its spelling says which it is.",
)


def human_label_for(detector: Any, name: str, text: str | None) -> Any:
    """Return the human one of a detector's two classes: as the option says, or as the detector does.

    Of more classes it is the one that is recognised beside each other one, or None.
    """
    from voicelstm.metrics import human_label_of, recognised_human_label

    classes = detector.classes_.tolist()
    if len(classes) != 2:
        if text is not None:
            raise click.UsageError(
                f"--human {text} is for two classes; {name} has {len(classes)}:"
                f" {', '.join(map(str, classes))}. Leave --human out."
            )
        for label in classes:
            if {recognised_human_label([label, other]) for other in classes if other != label} == {label}:
                return label
        return None
    given = None if text is None else label_of_text(text, classes)
    try:
        known = human_label_of(detector)
    except ValueError:
        if given is None:
            raise _unknown(name, classes) from None
        return given
    if given is not None and given != known:
        raise click.UsageError(
            f"--human {text} contradicts {name}, which knows {known} as the human one of its classes"
            f" {' and '.join(map(str, classes))}. Leave --human out."
        )
    return known


def human_label_in(target: Any, path: Path, text: str | None) -> Any:
    """Return the human one of a corpus's two classes: as the option says, or as it is spelt."""
    import numpy as np

    from voicelstm.metrics import choose_human_label, recognised_human_label

    classes = np.unique(target).tolist()
    if text is not None:
        given = label_of_text(text, classes)
        try:
            return choose_human_label(classes, given)
        except ValueError:
            raise click.UsageError(
                f"--human {text} contradicts {path}, whose classes {' and '.join(map(str, classes))} are"
                " spelt as what they are. Leave --human out."
            ) from None
    known = recognised_human_label(classes)
    if known is None and len(classes) == 2:
        raise _unknown(str(path), classes)
    return known


def _unknown(name: str, classes: Sequence[Any]) -> click.UsageError:
    return click.UsageError(
        f"{name} has the classes {' and '.join(map(str, classes))}, and does not say which is the human"
        f" one. Say it: --human {classes[0]} or --human {classes[1]}."
    )


def label_of_text(text: str, classes: Sequence[Any]) -> Any:
    """Return the class that is written so."""
    for label in classes:
        if str(label) == text:
            return label
    raise click.UsageError(f"--human {text}: the classes are {' and '.join(map(str, classes))}.")
