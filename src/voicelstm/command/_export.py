"""``voicelstm export``."""

from pathlib import Path
from typing import Any

import click

from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._human import human_label_for, human_option
from voicelstm.command._model import Model, model_option
from voicelstm.command._output import Form, output_options, write_json, write_report
from voicelstm.command._session import Task, busy

__all__ = ["export"]

_EXAMPLES = """\
\b
Examples:
  voicelstm export detector.onnx
  voicelstm export -m detector.voicelstm detector.onnx
  voicelstm export --features network.onnx
"""


def _onnx_path(ctx: click.Context, param: click.Parameter, path: Path) -> Path:
    """Refuse names of other files, which would be written over."""
    if path.suffix.lower() != ".onnx":
        raise click.BadParameter(f"{path} does not end in .onnx, as graphs for ONNX runtimes do.", ctx, param)
    if not path.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder {path.parent} does not exist.", ctx, param)
    return path


@click.command(cls=Task, epilog=_EXAMPLES)
@model_option
@click.argument(
    "output", metavar="OUT.onnx", type=click.Path(dir_okay=False, path_type=Path), callback=_onnx_path
)
@click.option("--features", is_flag=True, help="The network alone: what features come in, not samples.")
@human_option
@output_options(rows=False)
def export(model: Model, output: Path, features: bool, human: str | None, form: Form) -> ExitCode:
    """Write a detector as one graph for ONNX runtimes, front end inside.

    It needs the package onnx: pip install "voicelstm[onnx]".
    """
    detector = model.load()
    with busy("Exporting"):
        human_label = human_label_for(detector, str(model), human) if hasattr(detector, "classes_") else None
        try:
            _write(detector, output, features, human_label)
        except (ImportError, TypeError) as error:
            raise ValueError(f"{model}: {error}") from None
    size = output.stat().st_size
    if form is Form.JSON:
        write_json({"graph": str(output), "size": size, "reads": "features" if features else "samples"})
    else:
        write_report([f"The graph is in {output}, {size / 1e6:.1f} MB."])
    return ExitCode.FINE


def _write(detector: Any, output: Path, features: bool, human_label: Any) -> None:
    from voicelstm.detector import export_onnx

    export_onnx(detector, output, features=features, human_label=human_label)
