"""A thin layer over ONNX's messages, in which graphs read as arithmetic."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from voicelstm._base import __version__

__all__ = ["OPSET", "Graph", "Value"]

OPSET = 18  # the first in which all reductions take their axes alike
_IR_VERSION = 8  # that belongs to it
_BOOLEAN = {"And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or"}
_INTEGER = {"ArgMax", "NonZero", "Shape"}


class Value:
    """A tensor that a node computes; operators add the nodes that they stand for."""

    __hash__ = object.__hash__

    def __init__(self, graph: "Graph", name: str, dtype: np.dtype) -> None:
        self.graph, self.name, self.dtype = graph, name, dtype

    def __add__(self, other: Any) -> "Value":
        return self.graph.op("Add", self, other)

    def __radd__(self, other: Any) -> "Value":
        return self.graph.op("Add", self._like(other), self)

    def __sub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", self, other)

    def __rsub__(self, other: Any) -> "Value":
        return self.graph.op("Sub", self._like(other), self)

    def __mul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", self, other)

    def __rmul__(self, other: Any) -> "Value":
        return self.graph.op("Mul", self._like(other), self)

    def __truediv__(self, other: Any) -> "Value":
        return self.graph.op("Div", self, other)

    def __floordiv__(self, other: Any) -> "Value":
        """Divide whole numbers that are not negative."""
        return self.graph.op("Div", self, other)

    def __mod__(self, other: Any) -> "Value":
        return self.graph.op("Mod", self, other)

    def __matmul__(self, other: Any) -> "Value":
        return self.graph.op("MatMul", self, other)

    def __lt__(self, other: Any) -> "Value":
        return self.graph.op("Less", self, other)

    def __le__(self, other: Any) -> "Value":
        return self.graph.op("LessOrEqual", self, other)

    def __gt__(self, other: Any) -> "Value":
        return self.graph.op("Greater", self, other)

    def __ge__(self, other: Any) -> "Value":
        return self.graph.op("GreaterOrEqual", self, other)

    def __and__(self, other: Any) -> "Value":
        return self.graph.op("And", self, other)

    def __or__(self, other: Any) -> "Value":
        return self.graph.op("Or", self, other)

    def __invert__(self) -> "Value":
        return self.graph.op("Not", self)

    def size(self, axis: int) -> "Value":
        """Return the number of elements along an axis, a scalar."""
        return self.graph.op("Shape", self, start=axis, end=axis + 1 or None).reshape()

    def reshape(self, *shape: "int | Value") -> "Value":
        """Return the same elements in another shape; no numbers at all are a scalar's."""
        return self.graph.op("Reshape", self, self.graph.numbers(shape), allowzero=1)

    def transpose(self, *axes: int) -> "Value":
        """Return the same elements with axes in this order."""
        return self.graph.op("Transpose", self, perm=list(axes))

    def cast(self, dtype: DTypeLike) -> "Value":
        """Return the elements as another type."""
        dtype = np.dtype(dtype)
        return self if dtype == self.dtype else self.graph.op("Cast", self, to=dtype)

    def slice(
        self, axis: int, start: "int | Value" = 0, stop: "int | Value | None" = None, step: int = 1
    ) -> "Value":
        """Return what lies between two places of an axis."""
        stop = np.iinfo(np.int64).max if stop is None else stop
        places = [self.graph.numbers([each]) for each in (start, stop, axis, step)]
        return self.graph.op("Slice", self, *places)

    def take(self, indices: "Value | ArrayLike", axis: int = 0) -> "Value":
        """Return elements along an axis by their places."""
        return self.graph.op("Gather", self, self.graph.value(indices, np.int64), axis=axis)

    def reduce(self, how: str, *axes: int, keepdims: bool = False) -> "Value":
        """Return the "Sum", "Mean", "Max" or "Min" over axes, of all if none is named."""
        over = [self.graph.constant(list(axes), np.int64)] if axes else []
        return self.graph.op(f"Reduce{how}", self, *over, keepdims=int(keepdims))

    def _like(self, other: Any) -> "Value":
        return self.graph.value(other, self.dtype)


class Graph:
    """Nodes in the order in which they are added, and the constants that they read."""

    def __init__(self, parent: "Graph | None" = None) -> None:
        self._root: Graph = self if parent is None else parent._root
        self._nodes: list[Any] = []
        self._inputs: list[Any] = []
        self._initializers: list[Any] = []
        self._constants: dict[Any, Value] = {}
        self._open = [self]  # the parts within each other that nodes are added to, of the root
        self._n_names = 0

    def input(self, name: str, dtype: DTypeLike, shape: Sequence[int | str] | None) -> Value:
        """Add an input; an axis that has a name may have any length."""
        self._inputs.append(_described(name, np.dtype(dtype), shape))
        return Value(self, name, np.dtype(dtype))

    def constant(self, values: ArrayLike, dtype: DTypeLike) -> Value:
        """Return a constant; equal ones are one."""
        from onnx import numpy_helper

        array = np.array(values, dtype, order="C")
        key = array.dtype, array.shape, array.tobytes()
        # Of this part of the graph: onnxruntime lays out kernels better that it finds beside their nodes.
        part = self._root._open[-1]
        if key not in part._constants:
            name = self._name("constant")
            part._initializers.append(numpy_helper.from_array(array, name))
            part._constants[key] = Value(self, name, array.dtype)
        return part._constants[key]

    def value(self, given: Any, dtype: DTypeLike) -> Value:
        """Return a value as it is, and anything else as a constant of this type."""
        return given if isinstance(given, Value) else self.constant(given, dtype)

    def numbers(self, given: Sequence["int | Value"]) -> Value:
        """Return whole numbers, some of which may be computed, as one vector."""
        if not any(isinstance(each, Value) for each in given):
            return self.constant(np.array(given, np.int64), np.int64)
        parts = [
            each.reshape(1) if isinstance(each, Value) else self.constant([each], np.int64) for each in given
        ]
        return parts[0] if len(parts) == 1 else self.op("Concat", *parts, axis=0)

    def op(self, kind: str, *inputs: Any, **attributes: Any) -> Value:
        """Add a node of one output. Numbers among its inputs have the type of the first value there."""
        return self.ops(kind, *inputs, n_outputs=1, **attributes)[0]

    def ops(self, kind: str, *inputs: Any, n_outputs: int, **attributes: Any) -> list[Value]:
        """Add a node of several outputs; an input that is None is left out."""
        from onnx import helper

        dtype = next((each.dtype for each in inputs if isinstance(each, Value)), np.dtype(np.float32))
        names = ["" if each is None else self.value(each, dtype).name for each in inputs]
        given = {name: value for name, value in attributes.items() if value is not None}
        if kind == "Cast":
            dtype = given["to"]
            given["to"] = helper.np_dtype_to_tensor_dtype(dtype)
        elif kind == "Where":
            dtype = next(each.dtype for each in inputs[1:] if isinstance(each, Value))
        elif kind in _BOOLEAN:
            dtype = np.dtype(bool)
        elif kind in _INTEGER:
            dtype = np.dtype(np.int64)
        outputs = [self._name(kind) for _ in range(n_outputs)]
        self._add(helper.make_node(kind, names, outputs, **given))
        return [Value(self, name, dtype) for name in outputs]

    def where(self, condition: Value, one: Any, other: Any) -> Value:
        """Choose between two values, of which one may be a number."""
        dtype = next(each.dtype for each in (one, other) if isinstance(each, Value))
        return self.op("Where", condition, self.value(one, dtype), self.value(other, dtype))

    def concatenate(self, values: Sequence[Value], axis: int) -> Value:
        """Join values along an axis."""
        return values[0] if len(values) == 1 else self.op("Concat", *values, axis=axis)

    def arange(self, stop: "Value | int") -> Value:
        """Count from 0, in whole numbers."""
        return self.op("Range", self.constant(0, np.int64), stop, self.constant(1, np.int64))

    def minimum(self, one: Value, other: Any) -> Value:
        """Return the smaller of two."""
        return self.op("Min", one, other)

    def maximum(self, one: Value, other: Any) -> Value:
        """Return the larger of two."""
        return self.op("Max", one, other)

    def repeat(
        self, goes_on: Value, state: Sequence[Value], turn: Callable[..., tuple[Value, Sequence[Value]]]
    ) -> list[Value]:
        """Run a part as long as it goes on, given the state; it returns whether it does, and the next state.

        The part may read values from outside.
        """
        from onnx import helper

        part = Graph(self)
        part.input(self._name("turn"), np.int64, ())
        part.input(self._name("goes_on"), bool, ())
        given = [part.input(self._name("state"), each.dtype, None) for each in state]
        with self._opened(part):
            again, following = turn(*given)
            outputs = [part.op("Identity", each) for each in (again, *following)]
        names = [self._name("Loop") for _ in state]
        body = part._message(outputs)
        self._add(
            helper.make_node("Loop", ["", goes_on.name, *(each.name for each in state)], names, body=body)
        )
        return [Value(self, name, each.dtype) for name, each in zip(names, state, strict=True)]

    def choose(
        self,
        condition: Value,
        one: Callable[[], Sequence[Value]],
        other: Callable[[], Sequence[Value]],
    ) -> list[Value]:
        """Run one of two parts."""
        from onnx import helper

        branches, dtypes = [], []
        for compute in (one, other):
            part = Graph(self)
            with self._opened(part):
                outputs = [part.op("Identity", each) for each in compute()]
            branches.append(part._message(outputs))
            dtypes = [each.dtype for each in outputs]
        names = [self._name("If") for _ in dtypes]
        self._add(
            helper.make_node("If", [condition.name], names, then_branch=branches[0], else_branch=branches[1])
        )
        return [Value(self, name, dtype) for name, dtype in zip(names, dtypes, strict=True)]

    def collect(self, n_times: Value, turn: Callable[[Value], Sequence[Value]]) -> list[Value]:
        """Run a part so many times, given the number of the turn; each output becomes a row of one result."""
        from onnx import helper

        part = Graph(self)
        number = part.input(self._name("turn"), np.int64, ())
        goes_on = part.input(self._name("goes_on"), bool, ())
        with self._opened(part):
            outputs = [part.op("Identity", each) for each in (goes_on, *turn(number))]
        names = [self._name("Loop") for _ in outputs[1:]]
        self._add(helper.make_node("Loop", [n_times.name, ""], names, body=part._message(outputs)))
        return [Value(self, name, each.dtype) for name, each in zip(names, outputs[1:], strict=True)]

    def in_groups(
        self, n: Value, at_once: int, compute: Callable[[Value, Value], Value], width: int
    ) -> Value:
        """Compute rows (n, width) so many at once, given the first and the number of those of a group.

        Groups are of one size, so that the last may go beyond `n`: such rows may be anything.
        """
        n_groups = (n + (at_once - 1)) // at_once
        size = (n + n_groups - 1) // n_groups
        (found,) = self.collect(n_groups, lambda turn: [compute(turn * size, size)])
        return found.reshape(-1, width).slice(0, 0, n)

    def model(
        self, outputs: Sequence[tuple[str, Value, Sequence[int | str]]], metadata: dict[str, str]
    ) -> Any:
        """Return the model, checked, whose outputs have these names, values and shapes."""
        import onnx
        from onnx import helper

        for name, value, _ in outputs:
            self._nodes.append(helper.make_node("Identity", [value.name], [name]))
        graph = helper.make_graph(
            self._nodes,
            "voicelstm",
            self._inputs,
            [_described(name, value.dtype, shape) for name, value, shape in outputs],
            self._initializers,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="voicelstm",
            producer_version=__version__,
        )
        helper.set_model_props(model, metadata)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _add(self, node: Any) -> None:
        self._root._open[-1]._nodes.append(node)

    @contextmanager
    def _opened(self, part: "Graph") -> Iterator[None]:
        """Add nodes to a part, whichever graph the values are from that they read."""
        self._root._open.append(part)
        try:
            yield
        finally:
            self._root._open.pop()

    def _message(self, outputs: Sequence[Value]) -> Any:
        """Return a part as a message."""
        from onnx import helper

        described = [_described(each.name, each.dtype, None) for each in outputs]
        return helper.make_graph(self._nodes, self._name("part"), self._inputs, described, self._initializers)

    def _name(self, kind: str) -> str:
        self._root._n_names += 1
        return f"{kind}_{self._root._n_names}"


def _described(name: str, dtype: np.dtype, shape: Sequence[int | str] | None) -> Any:
    from onnx import helper

    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(dtype), shape)
