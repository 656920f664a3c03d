"""What a file of a graph says of its detector, as texts."""

import json
from importlib.resources import files
from typing import Any

from voicelstm._base import __version__, json_value
from voicelstm.detector.onnx._parts import Parts
from voicelstm.metrics import synthetic_threshold

__all__ = ["metadata_of"]

_SCORES = "log-odds of synthetic: above 0 more probably synthetic, below 0 more probably human"
_LOGITS = "logits, one for each of the classes; the largest is the most probable"


def metadata_of(detector: Any, parts: Parts, *, of_samples: bool) -> dict[str, str]:
    """Return what a reader of the file has to know: a version and a direction in words, all else as JSON."""
    card = getattr(detector, "card_", None) or {}
    of_two = len(parts.classes) == 2
    found: dict[str, Any] = {
        "voicelstm_version": __version__,
        "classes": json_value(parts.classes),
        "direction": _SCORES if of_two else _LOGITS,
        "operating_points": card.get("operating_points", []),
        "card": card,
        "licence": _licences(searches_speech=of_samples and parts.searches_speech),
    }
    if of_two:
        found["human"] = _json(json_value(parts.human_label))
        found["threshold"] = json_value(synthetic_threshold(detector, parts.human_label))
    if of_samples and parts.transformer is not None:
        found["sample_rate"] = json_value(parts.transformer.sample_rate)
    return {key: value if isinstance(value, str) else _json(value) for key, value in found.items()}


def _licences(*, searches_speech: bool) -> list[dict[str, str]]:
    found = [{"part": "the graph, as voicelstm makes it", "licence": "BSD-3-Clause"}]
    if searches_speech:
        # Which asks to come along with each copy.
        text = (files("voicelstm.audio") / "silero_vad" / "LICENSE").read_text(encoding="utf-8")
        found.append({"part": "Silero VAD, which finds speech", "licence": "MIT", "text": text})
    return found


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
