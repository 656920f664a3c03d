"""Whether the network's outputs and gradients are those of plain Keras on the CPU."""

from contextlib import contextmanager, nullcontext

import keras
import numpy as np
from keras import ops

from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import build, variables_by_name

BACKEND = keras.backend.backend()


@contextmanager
def single_precision():
    """Forbid TF32, in which GPUs multiply float32 unless told otherwise."""
    if BACKEND == "torch":
        import torch

        places = (torch.backends.cudnn, torch.backends.cuda.matmul)
        before = [place.allow_tf32 for place in places]
        for place in places:
            place.allow_tf32 = False
        yield
        for place, value in zip(places, before, strict=True):
            place.allow_tf32 = value
    elif BACKEND == "jax":
        import jax

        with jax.default_matmul_precision("highest"):
            yield
    else:
        from tensorflow.config import experimental

        before = experimental.tensor_float_32_execution_enabled()
        experimental.enable_tensor_float_32_execution(False)
        yield
        experimental.enable_tensor_float_32_execution(before)


@contextmanager
def on_cpu():
    """Compute on the CPU."""
    if BACKEND == "jax":
        import jax

        with jax.default_device(jax.devices("cpu")[0]):
            yield
    else:
        with keras.device("cpu"):
            yield


def masked_convolutions(sequences, lengths, blocks):
    """Return maps of plain Keras layers with masks, as sequences, their lengths, and the layers."""
    x, layers = ops.expand_dims(sequences, -1), []
    for n_maps, size, pool in blocks:
        convolution = keras.layers.Conv2D(2 * n_maps, size, padding="same")
        x = convolution(x)
        x = keras.layers.Maximum()([x[..., :n_maps], x[..., n_maps:]])
        x = ops.where(mask_of(x, lengths)[:, :, None, None], x, -1e9)
        x = keras.layers.MaxPooling2D(pool, padding="same")(x)
        lengths = (lengths + pool - 1) // pool
        mask = ops.tile(mask_of(x, lengths)[:, :, None], (1, 1, x.shape[2]))
        normalization = keras.layers.BatchNormalization(momentum=0.9, epsilon=1e-3)
        # Keras's layer multiplies by 0 what it leaves out, and would have the sum lose its digits to -1e9.
        x = ops.where(mask[..., None], x, 0.0)
        x = ops.where(mask[..., None], normalization(x, mask=mask), 0.0)
        layers += [convolution, normalization]
    return keras.layers.Reshape((-1, x.shape[2] * x.shape[3]))(x), lengths, layers


def mask_of(x, lengths):
    """Return which frames are within the lengths."""
    return ops.less(np.arange(x.shape[1], dtype=np.int32)[None, :], ops.expand_dims(lengths, 1))


def masked_loops(weights, architecture, n_frames):
    """Return the network of plain, unfused Keras layers with masks, and its trainable variables in our order.

    Pooling over time is the mean.
    """
    sequences = keras.Input((n_frames, architecture.n_features), name="sequences")
    given = keras.Input((), name="lengths", dtype="int32")
    x, lengths, layers = masked_convolutions(sequences, given, architecture.convolutions)
    if not layers:
        x = sequences
    mask = mask_of(x, lengths)
    for n in architecture.units:
        outputs = []
        # keras.layers.Bidirectional would import TensorFlow, where it is installed, under any backend.
        for backwards in (False, True)[: 1 + architecture.bidirectional]:
            lstm = keras.layers.LSTM(n, return_sequences=True, go_backwards=backwards, use_cudnn=False)
            read = lstm(x, mask=mask)
            outputs.append(ops.flip(read, axis=1) if backwards else read)
            layers.append(lstm)
        x = ops.concatenate(outputs, axis=-1)
    total = ops.sum(x * ops.cast(ops.expand_dims(mask, 2), "float32"), axis=1)
    layers.append(keras.layers.Dense(1))
    logits = layers[-1](total / ops.cast(ops.expand_dims(lengths, 1), "float32"))
    variables = [variable for layer in layers for variable in layer.weights]
    for variable, value in zip(variables, weights.values(), strict=True):
        variable.assign(value)
    model = keras.Model({"sequences": sequences, "lengths": given}, logits)
    return model, [variable for variable in variables if variable.trainable]


def outputs_and_gradients(model, ordered, batch, lengths, direction):
    """Logits, and the gradients of their product with a direction: of the input, then of ordered weights."""
    variables = model.trainable_variables
    lengths, direction = ops.convert_to_tensor(lengths), ops.convert_to_tensor(direction)

    def product(x):
        logits = model({"sequences": x, "lengths": lengths}, training=True)
        return logits, ops.sum(logits * direction)

    if BACKEND == "torch":
        x = ops.convert_to_tensor(batch).requires_grad_()
        logits, total = product(x)
        total.backward()
        found = [logits, x.grad, *(variable.value.grad for variable in variables)]
    elif BACKEND == "jax":
        import jax

        others = [variable.value for variable in model.non_trainable_variables]

        def stateless(x, values):
            inputs = {"sequences": x, "lengths": lengths}
            logits, _ = model.stateless_call(values, others, inputs, training=True)
            return (logits * direction).sum(), logits

        differentiate = jax.jit(jax.value_and_grad(stateless, argnums=(0, 1), has_aux=True))
        (_, logits), (of_x, of_values) = differentiate(batch, [variable.value for variable in variables])
        found = [logits, of_x, *of_values]
    else:
        import tensorflow as tf

        @tf.function
        def differentiate(x):
            with tf.GradientTape() as tape:
                tape.watch(x)
                logits, total = product(x)
            return [logits, *tape.gradient(total, [x, *(variable.value for variable in variables)])]

        found = differentiate(tf.constant(batch))
    found = [np.array(ops.convert_to_numpy(values)) for values in found]
    position = {id(variable): 2 + i for i, variable in enumerate(variables)}
    return found[:2] + [found[position[id(variable)]] for variable in ordered]


def largest_difference(found, expected):
    """Largest difference of any array from what it should be, relative to the largest value there."""
    pairs = zip(found, expected, strict=True)
    return max(float(np.abs(ours - theirs).max() / np.abs(theirs).max()) for ours, theirs in pairs)


def compare(*, gpu, small):
    """Compare our network where it runs with plain Keras loops on the CPU.

    Yields, for forward, for both directions and for convolutions, the largest relative difference of outputs
    and gradients in float32, and on a GPU with TF32 as the backend has it.
    """
    n, n_frames, n_features, units = (4, 24, 8, (12, 8)) if small else (16, 200, 40, (48, 32))
    generator = np.random.default_rng(0)
    # JAX compiles each loop for seconds.
    ways = {
        "forward": Architecture(n_features, 1, units),
        "both directions": Architecture(n_features, 1, units[:1] if small else units, bidirectional=True),
        "convolutions": Architecture(n_features, 1, units[:1], convolutions=((3, 3, 2), (4, 3, 1))),
    }
    for way, architecture in ways.items():
        batch = generator.normal(size=(n, n_frames, n_features)).astype(np.float32)
        lengths = generator.integers(n_frames // 2, n_frames + 1, n).astype(np.int32)
        if architecture.convolutions:  # which take it that there is nothing beyond the lengths
            batch[np.arange(n_frames) >= lengths[:, None]] = 0
        direction = generator.normal(size=(n, 1)).astype(np.float32)
        weights = initial_weights(architecture, generator)
        with on_cpu():
            reference, variables = masked_loops(weights, architecture, n_frames)
            expected = outputs_and_gradients(reference, variables, batch, lengths, direction)
        found = []
        for precision in (single_precision, nullcontext)[: 1 + gpu]:
            with precision():
                model = build(architecture, weights, n)
                named = variables_by_name(model)
                ordered = [named[name] for name in weights if named[name].trainable]
                found.append(outputs_and_gradients(model, ordered, batch, lengths, direction))
        yield way, *(largest_difference(ours, expected) for ours in found)
