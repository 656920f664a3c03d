"""Graphs as onnxruntime runs them."""

import onnxruntime

from voicelstm.detector.onnx._graph import Graph


def session(model):
    """Open a model, or the file of one, for one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    content = str(model) if hasattr(model, "suffix") else model.SerializeToString()
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(compute, *arrays, axes=2):
    """Compute values, of so many axes, in a graph of one input for each array; return what comes out."""
    graph = Graph()
    inputs = [
        graph.input(f"input_{at}", array.dtype, [f"axis_{at}_{axis}" for axis in range(array.ndim)])
        for at, array in enumerate(arrays)
    ]
    found = compute(graph, *inputs)
    found = found if isinstance(found, list | tuple) else [found]
    outputs = [
        (f"output_{at}", value, [f"output_{at}_{axis}" for axis in range(axes)])
        for at, value in enumerate(found)
    ]
    model = graph.model(outputs, {})
    return session(model).run(None, {f"input_{at}": array for at, array in enumerate(arrays)})
