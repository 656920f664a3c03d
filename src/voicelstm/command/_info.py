"""``voicelstm info``."""

from typing import Any

import click

from voicelstm.command._card import card_report
from voicelstm.command._exit_codes import ExitCode
from voicelstm.command._former_usage import former_detector_argument
from voicelstm.command._model import Model, is_given, model_option
from voicelstm.command._output import Form, output_options, write_json, write_report
from voicelstm.command._session import Task

__all__ = ["info"]

_EXAMPLES = """\
\b
Examples:
  voicelstm info
  voicelstm info -m detector.voicelstm
  voicelstm info -m detector.voicelstm --json
  voicelstm info --devices
"""


@click.command(cls=Task, epilog=_EXAMPLES)
@former_detector_argument
@model_option
@click.option("--devices", is_flag=True, help="What the network would run on.")
@output_options(rows=False)
@click.pass_context
def info(ctx: click.Context, model: Model, devices: bool, form: Form) -> ExitCode:
    """Say what a detector is and how often it errs, or what it would run on.

    A file is checked, and nothing in it is run.
    """
    if devices and is_given(ctx, "model"):
        raise click.UsageError("--devices is about this machine, whatever the detector: leave --model out.")
    if devices:
        facts, card = _devices(), None
    else:
        detector = model.load()
        facts, card = _file(model) | _described(detector), getattr(detector, "card_", None)
    if form is Form.JSON:
        write_json(facts if card is None else facts | {"card": card})
        return ExitCode.FINE
    report = [] if card is None else [*card_report(card, facts["sha256"], of_the_package=model.path is None)]
    if card is None or model.path is not None:  # who asks about a file wants to know what is in it
        report += [*[""][: len(report)], _table(facts)]
    write_report(report)
    return ExitCode.FINE


def _devices() -> dict[str, Any]:
    import platform
    from importlib.metadata import version

    import keras

    from voicelstm._base import __version__

    backend = keras.backend.backend()
    found = _devices_of(backend)
    return {
        "voicelstm": __version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": f"{backend} {version(backend)}",
        "devices": found,
        "gpu": any(not name.startswith("cpu") for name in found),
    }


def _devices_of(backend: str) -> list[str]:
    import keras

    if backend != "torch":
        return keras.distribution.list_devices()
    import torch  # for which Keras lists none

    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or ["cpu:0"]


def _file(model: Model) -> dict[str, Any]:
    """Describe the file of a detector; of one of the package only what tells it from others."""
    import hashlib

    from voicelstm.detector import pretrained_content
    from voicelstm.model_files import read_model_file

    content = pretrained_content(model.name) if model.path is None else model.path.read_bytes()
    sha256 = {"sha256": hashlib.sha256(content).hexdigest()}
    if model.path is None:
        return sha256
    document, _ = read_model_file(model.path)
    written_by, file_format = document["library"], document["format"]
    return {
        "file": str(model),
        "size": len(content),
        "written by": f"voicelstm {written_by}, format {file_format}",
    } | sha256


def _described(estimator: Any) -> dict[str, Any]:
    """Describe an estimator; what it holds is described within it."""
    from sklearn.pipeline import Pipeline

    facts: dict[str, Any] = {"holds": type(estimator).__name__}
    if hasattr(estimator, "classes_"):
        facts["classes"] = estimator.classes_.tolist()
        if len(estimator.classes_) == 2:
            facts |= _decision(estimator)
    held = _held(estimator)
    if isinstance(estimator, Pipeline) or held:
        return facts | {name: _described(each) for name, each in held.items()}
    for of_the_whole in ("classes", "human"):
        facts.pop(of_the_whole, None)
    facts["settings"] = _settings(estimator)
    if hasattr(estimator, "n_iter_"):
        import numpy as np

        facts["weights"] = int(sum(np.size(values) for values in estimator._fitted.weights.values()))
        facts["epochs"] = estimator.n_iter_
        facts["last"] = {name: values[-1] for name, values in estimator.history_.items() if values}
    return facts


def _decision(estimator: Any) -> dict[str, Any]:
    """Say which of two classes is human, None if it is not known, and what a tuned threshold is of scores."""
    from voicelstm.metrics import human_label_of, synthetic_threshold

    try:
        facts = {"human": human_label_of(estimator)}
    except ValueError:
        return {"human": None}
    if hasattr(estimator, "threshold"):
        facts["threshold"] = synthetic_threshold(estimator)
    return facts


def _held(estimator: Any) -> dict[str, Any]:
    """Name the estimators that one holds."""
    if hasattr(estimator, "steps"):
        return dict(estimator.steps)
    if hasattr(estimator, "calibrated_classifiers_"):
        return {f"fold {i + 1}": pair.estimator for i, pair in enumerate(estimator.calibrated_classifiers_)}
    if hasattr(estimator, "estimators_"):
        return {
            name: each for (name, _), each in zip(estimator.estimators, estimator.estimators_, strict=False)
        }
    if hasattr(estimator, "estimator"):
        return {"estimator": getattr(estimator, "estimator_", estimator.estimator)}
    return {}


def _settings(estimator: Any) -> dict[str, Any]:
    """Return the parameters that are not the defaults."""
    defaults = type(estimator)().get_params(deep=False)
    differing = {
        name: value for name, value in estimator.get_params(deep=False).items() if value != defaults[name]
    }
    return {name: value if _is_plain(value) else repr(value) for name, value in differing.items()}


def _is_plain(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


def _table(facts: dict[str, Any]) -> Any:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(facts):
        table.add_row(name, text)
    return table


def _lines(facts: dict[str, Any], indent: str = "") -> list[tuple[str, Any]]:
    from rich.text import Text

    lines: list[tuple[str, Any]] = []
    for name, value in facts.items():
        if name == "settings" or name == "last":
            text = ", ".join(f"{key}={_short(each)}" for key, each in value.items())
            title = "settings" if name == "settings" else "at the end"
            lines.append((indent + title, Text(text or "the defaults")))
        elif isinstance(value, dict):
            lines.append((f"{indent}{name}", Text(str(value.get("holds", "")))))
            inner = {key: each for key, each in value.items() if key != "holds"}
            lines += _lines(inner, indent + "  ")
        elif isinstance(value, list):
            lines.append((indent + name, Text(", ".join(map(str, value)) or "none")))
        elif name == "size":
            lines.append((indent + name, Text(f"{value / 1000:,.0f} kB")))
        elif name == "human":
            lines.append(
                (indent + name, Text("not known: detect needs --human" if value is None else str(value)))
            )
        elif name == "threshold":
            lines.append((indent + name, Text(f"{_short(value)}, in log-odds of synthetic")))
        elif name == "gpu":
            lines.append((indent + name, Text("used" if value else "none that the backend sees")))
        else:
            lines.append((indent + name, Text(_shown(value))))
    return lines


def _shown(value: Any) -> str:
    return f"{value:,}" if type(value) is int else _short(value)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
