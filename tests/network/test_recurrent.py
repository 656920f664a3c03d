import keras
import numpy as np
import pytest
from keras import ops

from tests.network.stacks import (
    BACKEND,
    FUSED,
    N_FEATURES,
    N_ROWS,
    PRECISE,
    UNITS,
    PlainStack,
    array,
    built,
    kernel_of,
)
from voicelstm.network._recurrent import LSTMStack

pytestmark = pytest.mark.every_backend


def outputs_and_gradients(stack, x, lengths, upstream):
    """Outputs, and the gradients of their weighted sum by the input and every weight."""
    x, upstream = (ops.convert_to_tensor(values, stack.compute_dtype) for values in (x, upstream))
    variables = stack.trainable_variables
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(x)
            outputs = stack(x, lengths)
            loss = ops.sum(outputs * upstream)
        found = tape.gradient(loss, [x, *(v.value for v in variables)])
    elif BACKEND == "torch":
        import torch

        x.requires_grad_(True)
        outputs = stack(x, lengths)
        found = torch.autograd.grad(ops.sum(outputs * upstream), [x, *(v.value for v in variables)])
    else:
        import jax

        def loss(x, values):
            outputs, _ = stack.stateless_call(values, stack.non_trainable_variables, x, lengths)
            return ops.sum(outputs * upstream), outputs

        values = [v.value for v in variables]
        (d_x, d_values), outputs = jax.jit(jax.grad(loss, argnums=(0, 1), has_aux=True))(x, values)
        found = [d_x, *d_values]
    return array(outputs), [array(gradient) for gradient in found]


def refuse(*arguments, **options):
    raise AssertionError("keras.layers.LSTM was called in place of the fused kernel")


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("n_frames", "n_rows"), [(1, 1), (2, 1), (7, 1), (7, 64), (7, 160), (70, 1)])
def test_the_stack_has_the_outputs_and_gradients_of_keras_lstm_layers(
    n_frames, n_rows, bidirectional, monkeypatch
):
    generator = np.random.default_rng(n_frames)
    stack = built(LSTMStack, "float32", bidirectional, n_rows=n_rows)
    plain = built(PlainStack, PRECISE, bidirectional)
    stack.set_weights([generator.normal(0, 0.4, weight.shape) for weight in stack.weights])
    plain.set_weights(stack.get_weights())
    lengths = ops.convert_to_tensor([n_frames, max(1, n_frames // 2), 1, n_frames], "int32")
    x = generator.normal(size=(N_ROWS, n_frames, N_FEATURES))
    upstream = generator.normal(size=(N_ROWS, n_frames, UNITS[-1] * (1 + bidirectional)))
    wanted_outputs, wanted = outputs_and_gradients(plain, x, lengths, upstream)
    assert kernel_of(stack) == FUSED
    monkeypatch.setattr(keras.layers.LSTM, "call", refuse)
    outputs, found = outputs_and_gradients(stack, x, lengths, upstream)
    np.testing.assert_allclose(outputs, wanted_outputs, rtol=0, atol=1e-6)
    assert len(found) == len(wanted) == 1 + len(UNITS) * 3 * (1 + bidirectional)
    for mine, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def test_weights_pass_between_the_stack_and_keras_lstm_layers_at_any_time():
    stack = built(LSTMStack, "float32", units=(6,))
    theirs = keras.layers.LSTM(6, return_sequences=True)
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(2, 8, N_FEATURES)), "float32")
    theirs(x)
    for giver, taker in ((theirs, stack), (stack, theirs)):
        giver.set_weights([w + 0.1 for w in giver.get_weights()])
        taker.set_weights(giver.get_weights())
        ours = array(stack(x, ops.convert_to_tensor([8, 8], "int32")))
        np.testing.assert_allclose(ours, array(theirs(x)), rtol=0, atol=1e-6)


def test_the_backward_direction_reads_each_sequence_from_its_own_end():
    stack = built(LSTMStack, "float32", bidirectional=True, units=(4,))
    backward = stack.lstms[0][1]
    generator = np.random.default_rng(0)
    clips = [generator.normal(size=(n, N_FEATURES)).astype("float32") for n in (6, 2, 1)]
    batch = np.zeros((3, 6, N_FEATURES), dtype="float32")
    for row, clip in enumerate(clips):
        batch[row, : len(clip)] = clip
    outputs = array(stack(ops.convert_to_tensor(batch), ops.convert_to_tensor([6, 2, 1])))
    for row, clip in enumerate(clips):
        alone = array(backward(ops.convert_to_tensor(clip[None, ::-1].copy())))[0, ::-1]
        np.testing.assert_allclose(outputs[row, : len(clip), 4:], alone, atol=1e-6)
