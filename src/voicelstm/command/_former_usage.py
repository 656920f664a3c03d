"""How the command was asked before, answered with how it is asked now."""

import shlex
from collections.abc import Sequence

import click

from voicelstm.command._session import arguments_of

__all__ = ["answer_kind_named_model"]


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


def _command(ctx: click.Context, arguments: Sequence[str]) -> str:
    """Write a sub-command with its arguments on a line of its own, as a shell takes it."""
    return "\n  " + shlex.join([*ctx.command_path.split(), *arguments])
