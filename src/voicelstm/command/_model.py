"""The detector that a sub-command asks: the one of the package, or what ``-m`` names."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from voicelstm.command._former_usage import answer_detector_first
from voicelstm.command._session import busy, say

__all__ = ["DEFAULT", "Model", "ModelName", "front_end_and_rest", "is_given", "model_option"]

#: What ``voicelstm.load_pretrained()`` loads; help names it before anything is loaded.
DEFAULT = "general-1"


@dataclass(frozen=True)
class Model:
    """A detector by what it is called on the command line, not loaded yet."""

    name: str
    path: Path | None = None  # of a file; those of the package have none

    def __str__(self) -> str:
        return self.name

    def load(self) -> Any:
        """Load it."""
        with busy("Loading"):
            import voicelstm

            if self.path is None:
                return voicelstm.load_pretrained(self.name)
            return voicelstm.load(self.path)


class ModelName(click.ParamType):
    """A file that holds a detector, or the name of a detector of the package."""

    name = "FILE|NAME"
    _file = click.Path(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Model:
        """Find what is called so; a name of the package goes before a file of that name."""
        if _is_of_the_package(value):
            return Model(value)
        if not Path(value).exists():
            from voicelstm.detector import PRETRAINED

            self.fail(
                f"{value!r} is neither a file nor the name of a detector of the package:"
                f" {', '.join(PRETRAINED)}.",
                param,
                ctx,
            )
        return Model(value, Path(self._file.convert(value, param, ctx)))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """Let the shell complete names of files."""
        return self._file.shell_complete(ctx, param, incomplete)


def _is_of_the_package(name: str) -> bool:
    if name == DEFAULT:
        return True
    # To know them all takes a second of imports; none has a folder or an ending.
    if Path(name).name != name or Path(name).suffix:
        return False
    from voicelstm.detector import PRETRAINED

    return name in PRETRAINED


def model_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``-m``; the command gets a :class:`Model`, or is answered where its first argument is one."""

    def check(ctx: click.Context, _: click.Parameter, model: Model) -> Model:
        if ctx.resilient_parsing:
            return model
        if not is_given(ctx, "model"):
            answer_detector_first(ctx)
        elif model.path is None and Path(model.name).exists():
            say(f"{model} is the detector of the package; the file of that name is ./{model}")
        return model

    return click.option(
        "-m",
        "--model",
        type=ModelName(),
        default=DEFAULT,
        show_default=True,
        callback=check,
        help='Detector: a file that "voicelstm train" wrote, or the name of one that comes with the package.',
    )(command)


def is_given(ctx: click.Context, parameter: str) -> bool:
    """Tell whether an option was given, and has not only its default."""
    return ctx.get_parameter_source(parameter) is not ParameterSource.DEFAULT


def front_end_and_rest(model: Model) -> tuple[Any, Any]:
    """Load a detector; return its MFCCTransformer, and the classifier of features behind it."""
    detector = model.load()
    from voicelstm.detector import features_and_rest

    try:
        return features_and_rest(detector)
    except TypeError as error:
        raise ValueError(f"{model}: {error}") from None
