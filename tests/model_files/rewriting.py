"""A model file written again, for the tests of what reading it refuses."""

import json

from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from voicelstm.model_files._container import _checksum


def rewritten(path, change):
    """Write the model again with its description or tensors changed, the checksum computed anew."""
    tensors = load_file(path)
    with safe_open(path, framework="numpy") as file:
        document = json.loads(file.metadata()["voicelstm"])
    change(document, tensors)
    text = json.dumps(document)
    save_file(tensors, path, {"voicelstm": text, "sha256": _checksum(text, tensors)})
