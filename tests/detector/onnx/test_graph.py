import numpy as np
import pytest

from tests.detector.onnx.sessions import run
from voicelstm.detector.onnx._graph import Graph

ONE = np.array([[1.5, -2.0, 4.0], [0.0, 3.0, -1.0]], "float32")
OTHER = np.array([[2.0, -2.0, 1.0], [1.0, -3.0, 8.0]], "float32")


@pytest.mark.parametrize(
    "compute",
    [
        lambda one, other: one + other * 2 - 1,
        lambda one, other: 1 - one / other,
        lambda one, other: 2 * one + (3 + other),
        lambda one, other: one.reshape(3, 2) @ other,
    ],
)
def test_arithmetic_is_numpys(compute):
    (found,) = run(lambda graph, one, other: compute(one, other), ONE, OTHER)
    np.testing.assert_allclose(found, compute(ONE, OTHER), rtol=1e-6)


def test_comparisons_are_numpys():
    def compute(one, other):
        return [one < other, one <= other, one > other, one >= other, ~(one < 0) & (other > 0) | (one > 3)]

    found = run(lambda graph, one, other: compute(one, other), ONE, OTHER)
    for have, want in zip(found, compute(ONE, OTHER), strict=True):
        np.testing.assert_array_equal(have, want)


def test_whole_numbers_stay_whole():
    places = np.array([[7, 5, 9]])
    found = run(lambda graph, places: [places // 2, places % 4, places + places.size(1)], places)
    assert [each.tolist() for each in found] == [[[3, 2, 4]], [[3, 1, 1]], [[10, 8, 12]]]
    assert {each.dtype for each in found} == {np.dtype("int64")}


def test_parts_of_an_axis_are_taken_by_bounds_and_by_places():
    found = run(
        lambda graph, x: [x.slice(1, 1), x.slice(1, 0, x.size(1) - 1, 2), x.take([2, 0], axis=1)], ONE
    )
    for have, want in zip(found, [ONE[:, 1:], ONE[:, :2:2], ONE[:, [2, 0]]], strict=True):
        np.testing.assert_array_equal(have, want)


def test_a_part_that_runs_many_times_sees_what_is_outside_and_makes_a_row_each_time():
    (found,) = run(
        lambda graph, x: graph.collect(x.size(0), lambda turn: [x.take(turn) * turn.cast("float32")]), ONE
    )
    np.testing.assert_array_equal(found, ONE * [[0], [1]])


@pytest.mark.parametrize("n", [1, 3, 4, 7])
def test_rows_that_are_computed_in_groups_come_in_their_order(n):
    seen = np.arange(n, dtype="float32")

    def compute(graph, x):
        def group(first, size):
            return x.take(graph.minimum(first + graph.arange(size), x.size(0) - 1)).reshape(-1, 1) * 2

        return graph.in_groups(x.size(0), 3, group, 1)

    np.testing.assert_array_equal(run(compute, seen)[0][:, 0], 2 * seen)


def test_a_part_runs_as_long_as_it_goes_on_and_hands_its_state_to_the_next_turn():
    def doubled(graph, limit):
        def turn(number, total, found):
            total = total * 2
            found = graph.concatenate([found, total.reshape(1)], 0)
            return total * 2 <= limit, [number + 1, total, found]

        none = graph.constant([], np.float32)
        state = [graph.constant(0, np.int64), graph.constant(3, np.float32), none]
        return graph.repeat(limit > 0, state, turn)

    number, total, found = run(doubled, np.array(50, "float32"))
    assert (number, total, found.tolist()) == (4, 48, [6, 12, 24, 48])
    number, total, found = run(doubled, np.array(0, "float32"))
    assert (number, total, found.tolist()) == (0, 3, [])


@pytest.mark.parametrize("x", [2.0, -2.0])
def test_one_of_two_parts_runs_and_sees_what_is_outside(x):
    def compute(graph, x):
        twice = x * 2
        return graph.choose(x > 0, lambda: [twice + 1, x > 0], lambda: [1 - twice, x > 0])

    found, is_positive = run(compute, np.array(x, "float32"), axes=0)
    assert (found, is_positive) == (5, x > 0)


def test_equal_constants_are_one():
    graph = Graph()
    one = graph.constant([1, 2], np.int64)
    assert graph.constant(np.array([1, 2]), np.int64) is one
    assert graph.constant([1, 2], np.int32) is not one
    assert graph.constant([[1, 2]], np.int64) is not one


def test_what_the_checker_refuses_is_no_model():
    graph = Graph()
    x = graph.input("x", np.float32, [3])
    wrong = graph.op("Add", x, graph.constant([1.0, 2.0], np.float32))
    with pytest.raises(Exception, match=r"(?i)incompatible dimensions"):
        graph.model([("y", wrong, [3])], {})
