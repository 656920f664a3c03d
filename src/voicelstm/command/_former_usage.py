"""How the command was asked before, answered with how it is asked now."""

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from voicelstm.command._session import arguments_of

__all__ = ["answer_detector_first", "answer_kind_named_model", "former_detector_argument"]

_MEANT = {"recordings": "a recording", "labels": "labels of recordings"}


def answer_detector_first(ctx: click.Context) -> None:
    """Answer a sub-command whose first argument is a detector, as it was before ``-m``."""
    for name, meant in _MEANT.items():
        value = ctx.params.get(name)
        first = value[0] if isinstance(value, tuple) and value else value
        if first and _is_detector(str(first)):
            raise click.UsageError(
                f"{first} is a detector, not {meant}. The detector is now named by -m:"
                + _with_model(ctx, str(first))
            )


def answer_kind_named_model(ctx: click.Context, _: click.Parameter, asked: str | None) -> None:
    """Answer ``--model`` of ``voicelstm train``, which chose the kind; elsewhere it names a detector."""
    if asked is None or ctx.resilient_parsing:
        return
    if asked not in ("convolutions", "dynamics"):
        raise click.UsageError(
            f"--model {asked}: train makes a new detector, and --kind chooses of which kind: convolutions or"
            " dynamics."
        )
    given = [word.replace("--model=", "--kind=", 1) for word in arguments_of(ctx)]
    raise click.UsageError(
        "What was --model of train is now --kind, since --model names a detector:"
        + _command(ctx, ["--kind" if word == "--model" else word for word in given])
    )


def _answer_argument(ctx: click.Context, _: click.Parameter, arguments: tuple[str, ...]) -> None:
    if arguments and not ctx.resilient_parsing:
        raise click.UsageError("The detector is now named by -m:" + _with_model(ctx, arguments[0]))


#: Of ``voicelstm info``, which takes no arguments any more.
former_detector_argument = click.argument(
    "detector", nargs=-1, metavar="", expose_value=False, callback=_answer_argument
)


def _is_detector(name: str) -> bool:
    """Tell a detector by its content; of what begins as none does nothing is loaded."""
    try:
        path = Path(name)
        if not path.is_file():  # a pipe would be emptied
            return False
        with path.open("rb") as file:
            if file.read(9)[8:] != b"{":
                return False
    except OSError:
        return False
    from voicelstm.model_files import is_model_file

    return is_model_file(path)


def _with_model(ctx: click.Context, detector: str) -> str:
    """Write what was asked with the detector as an option."""
    others = list(arguments_of(ctx))
    # As it was written: of ./d a path is d.
    written = next(word for word in others if Path(word) == Path(detector))
    others.remove(written)
    return _command(ctx, ["-m", written, *others])


def _command(ctx: click.Context, arguments: Sequence[str]) -> str:
    """Write a sub-command with its arguments on a line of its own, as a shell takes it."""
    return "\n  " + shlex.join([*ctx.command_path.split(), *arguments])
