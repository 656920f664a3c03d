import numpy as np
import pytest

from tests.network.inference.references import clips_of, lstm, weights_of
from voicelstm.network._architecture import Architecture
from voicelstm.network.inference import _recurrent
from voicelstm.network.inference._recurrent import LSTMLayers


def outputs_of(architecture, weights, rows):
    """Outputs of all rows, put together of their chunks."""
    lengths = np.array([len(row) for row in rows])
    frames = np.zeros((max(lengths), len(rows), rows[0].shape[1]), "float32")
    for number, row in enumerate(rows):
        frames[: len(row), number] = row
    found = np.full((*frames.shape[:2], architecture.units[-1] * len(architecture.directions)), np.nan)
    for first, chunk in LSTMLayers.of(architecture, weights).run(frames, lengths):
        found[first : first + len(chunk), : chunk.shape[1]] = chunk
    return [found[:length, row] for row, length in enumerate(lengths)]


def expected_of(architecture, weights, row):
    for layer in range(len(architecture.units)):
        parts = []
        for direction in architecture.directions:
            named = [
                weights[f"lstm_{layer}{direction}/{kind}"] for kind in ("kernel", "recurrent_kernel", "bias")
            ]
            step = -1 if direction else 1
            parts.append(lstm(row[::step], *named)[::step])
        row = np.concatenate(parts, axis=1)
    return row


# One row and several of one length are read by all layers together, others by one layer after the other.
@pytest.mark.parametrize("lengths", [(150,), (40, 40), (300, 129, 40, 7, 1, 1)])
@pytest.mark.parametrize("units", [(6,), (7, 4, 5)])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_layers_follow_the_equations_of_an_lstm(bidirectional, units, lengths):
    architecture = Architecture(3, 1, units, bidirectional=bidirectional)
    weights, rows = weights_of(architecture), clips_of(lengths, 3)
    for row, found in zip(rows, outputs_of(architecture, weights, rows), strict=True):
        np.testing.assert_allclose(found, expected_of(architecture, weights, row), rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_rows", [1, 3])
def test_wide_layers_follow_the_equations_too(n_rows):
    architecture = Architecture(3, 1, (256,))
    weights, rows = weights_of(architecture), clips_of([12] * n_rows, 3)
    for row, found in zip(rows, outputs_of(architecture, weights, rows), strict=True):
        np.testing.assert_allclose(found, expected_of(architecture, weights, row), rtol=0, atol=2e-6)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_size_of_chunks_changes_nothing(bidirectional, monkeypatch):
    architecture = Architecture(3, 1, (6, 5), bidirectional=bidirectional)
    weights = weights_of(architecture)
    for lengths in ((100,), (100, 30, 11)):
        rows = clips_of(lengths, 3)
        at_once = outputs_of(architecture, weights, rows)
        monkeypatch.setattr(_recurrent, "_MOST_FRAMES", 9)
        for found, expected in zip(outputs_of(architecture, weights, rows), at_once, strict=True):
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)
        monkeypatch.undo()


def test_rows_that_have_ended_are_read_no_further():
    architecture = Architecture(3, 1, (4,))
    rows = clips_of((400, 20, 20), 3)
    frames = np.zeros((400, 3, 3), "float32")
    chunks = LSTMLayers.of(architecture, weights_of(architecture)).run(
        frames, np.array([len(r) for r in rows])
    )
    assert [chunk.shape[1] for _, chunk in chunks] == [3, 1, 1, 1]
