import itertools

import numpy as np
import pytest
from keras import ops
from scipy.signal import correlate

from tests.network.networks import random_weights
from tests.network.stacks import BACKEND, PRECISE, array
from voicelstm.network._architecture import Architecture
from voicelstm.network._convolutions import ConvolutionStack
from voicelstm.network._model import Compilation, assign_weights, build
from voicelstm.network._pool import acquire_network

pytestmark = pytest.mark.every_backend

# Odd numbers of bands and kernels of even size meet all that "same" padding can do.
BLOCKS, N_BANDS = ((2, 5, 2), (3, 3, 1), (2, 2, 3)), 11
ARCHITECTURE = Architecture(N_BANDS, 1, (4,), convolutions=BLOCKS)


def convolved(clip, weights, shifts):
    """What the blocks make of one clip, by scipy's correlation, one map after the other.

    Pooling leaves out the first frames of each block, as many as its shift says, if there are more.
    """
    maps = clip[:, :, None].astype(float)
    for block, (n_maps, size, pool) in enumerate(BLOCKS):
        values = {
            name.split("/")[1]: w for name, w in weights.items() if name.startswith(f"normalization_{block}/")
        }
        kernel, bias = (weights[f"convolution_{block}/{name}"].astype(float) for name in ("kernel", "bias"))
        before, after = (size - 1) // 2, size // 2
        padded = np.pad(maps, [(before, after), (before, after), (0, 0)])
        outputs = [
            correlate(padded, kernel[..., m], mode="valid")[..., 0] + bias[m] for m in range(2 * n_maps)
        ]
        larger = np.maximum(outputs[:n_maps], outputs[n_maps:])
        larger = larger[:, shifts[block] :] if larger.shape[1] > shifts[block] else larger
        frames, bands = range(0, larger.shape[1], pool), range(0, larger.shape[2], pool)
        larger = [[larger[:, t : t + pool, f : f + pool].max(axis=(1, 2)) for f in bands] for t in frames]
        scale = values["gamma"] / np.sqrt(values["moving_variance"] + 1e-3)
        maps = (np.array(larger) - values["moving_mean"]) * scale + values["beta"]
    return maps.reshape(len(maps), -1)


def stack_with(weights, dtype="float32", **options):
    stack = ConvolutionStack(BLOCKS, dtype=dtype, **options)
    stack.build((None, None, N_BANDS), (None,))
    for layer in (*stack.convolutions, *stack.normalizations):
        layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    return stack


def padded(clips, n_frames):
    batch = np.zeros((len(clips), n_frames, N_BANDS), dtype="float32")
    for row, clip in enumerate(clips):
        batch[row, : len(clip)] = clip
    return batch, np.array([len(clip) for clip in clips], dtype="int32")


def clips_of(*lengths, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=(n, N_BANDS)).astype("float32") for n in lengths]


def weights_of(architecture=ARCHITECTURE):
    """Random weights, whose variances are positive."""
    weights = random_weights(architecture)
    return {name: np.abs(w) + 0.1 if name.endswith("variance") else w for name, w in weights.items()}


def test_blocks_convolve_keep_the_larger_half_pool_from_each_frame_and_normalise_within_each_clip():
    clips, weights = clips_of(13, 12, 7, 1), weights_of()
    maps, lengths = stack_with(weights)(*map(ops.convert_to_tensor, padded(clips, 24)))
    rows = [(last, first, clip) for last in range(3) for first in range(2) for clip in clips]
    assert len(array(maps)) == len(rows)
    for row, length, (last, first, clip) in zip(array(maps), array(lengths), rows, strict=True):
        expected = convolved(clip, weights, (first, 0, last))
        assert length == len(expected)
        np.testing.assert_allclose(row[:length], expected, atol=1e-5)
        assert (row[length:] == 0).all()


def test_a_logit_is_the_mean_over_all_beginnings_of_pooling():
    model, clips = build(ARCHITECTURE, weights := weights_of()), clips_of(13, 40)
    batch, lengths = padded(clips, 40)
    logits = array(model({"sequences": batch, "lengths": lengths}))
    without_pooling = Architecture(len(convolved(clips[0], weights, (0, 0, 0))[0]), 1, (4,))
    rest = {name: weights[name] for name in without_pooling.weight_shapes()}
    rest = build(without_pooling, rest)
    for clip, logit in zip(clips, logits, strict=True):
        of_shifts = []
        for shifts in itertools.product(range(2), [0], range(3)):
            maps = convolved(clip, weights, shifts)[None].astype("float32")
            inputs = {"sequences": maps, "lengths": np.array([maps.shape[1]], dtype="int32")}
            of_shifts.append(array(rest(inputs))[0])
        np.testing.assert_allclose(logit, np.mean(of_shifts, axis=0), atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max", "stats", "attention", "last"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_a_clip_has_the_same_logit_alone_and_beside_longer_ones(bidirectional, pooling):
    architecture = Architecture(
        N_BANDS, 1, (4,), bidirectional=bidirectional, pooling=pooling, convolutions=BLOCKS
    )
    weights = weights_of(architecture)
    model = build(architecture, weights)
    clips = clips_of(5, 17, 40)
    batch, lengths = padded(clips, 48)
    together = array(model({"sequences": batch, "lengths": lengths}))
    for clip, logit in zip(clips, together, strict=True):
        alone = array(model({"sequences": clip[None], "lengths": np.array([len(clip)], dtype="int32")}))
        np.testing.assert_allclose(alone[0], logit, rtol=0, atol=1e-6)


@pytest.mark.parametrize("n_frames", [4, 5, 6, 7])
def test_windows_of_pooling_begin_with_the_first_frame_and_band_whatever_pads_the_batch(n_frames):
    blocks = ((2, 1, 4),)
    architecture = Architecture(9, 1, (4,), convolutions=blocks)
    weights, (clip,) = (
        weights_of(architecture),
        [np.random.default_rng(0).normal(size=(n_frames, 9)).astype("f")],
    )
    kernel, bias = (weights[f"convolution_0/{name}"].reshape(-1) for name in ("kernel", "bias"))
    halves = clip[..., None] * kernel + bias
    larger = np.maximum(halves[..., :2], halves[..., 2:])
    largest = [
        [larger[t : t + 4, f : f + 4].max(axis=(0, 1)) for f in (0, 4, 8)] for t in range(0, n_frames, 4)
    ]
    scale = weights["normalization_0/gamma"] / np.sqrt(weights["normalization_0/moving_variance"] + 1e-3)
    shift = weights["normalization_0/beta"] - weights["normalization_0/moving_mean"] * scale
    expected = np.reshape(np.array(largest) * scale + shift, (len(largest), -1))
    stack = ConvolutionStack(blocks)
    stack.build((None, None, 9), (None,))
    for layer in (*stack.convolutions, *stack.normalizations):
        layer.set_weights([weights[f"{layer.name}/{weight.name}"] for weight in layer.weights])
    for n_padded in range(n_frames, n_frames + 5):
        batch = np.zeros((1, n_padded, 9), "float32")
        batch[0, :n_frames] = clip
        maps, _ = stack(ops.convert_to_tensor(batch), ops.convert_to_tensor(np.array([n_frames], "int32")))
        np.testing.assert_allclose(array(maps)[0, : len(expected)], expected, atol=1e-5)


def test_training_normalises_by_the_frames_that_count():
    weights = weights_of()
    # Without pooling the first block's maps are those of a convolution, whose moments scipy can tell.
    blocks, clips = ((2, 3, 1),), clips_of(9, 4)
    stack = ConvolutionStack(blocks)
    stack.build((None, None, N_BANDS), (None,))
    kernel, bias = weights["convolution_0/kernel"][:3, :3], weights["convolution_0/bias"]
    stack.convolutions[0].set_weights([kernel, bias])
    batch, lengths = padded([*clips, np.zeros((0, N_BANDS), "float32")], 16)
    outputs, _ = stack(ops.convert_to_tensor(batch), ops.convert_to_tensor(lengths), training=True)
    values = []
    for clip in clips:
        padded_clip = np.pad(clip, 1)
        halves = [correlate(padded_clip, kernel[:, :, 0, m], mode="valid") + bias[m] for m in range(4)]
        values.append(np.maximum(halves[:2], halves[2:]).reshape(2, -1))
    values = np.concatenate(values, axis=1)
    moving_mean, moving_variance = (array(w) for w in stack.normalizations[0].weights[2:])
    np.testing.assert_allclose(moving_mean, 0.1 * values.mean(axis=1), atol=1e-6)
    np.testing.assert_allclose(moving_variance, 0.9 + 0.1 * values.var(axis=1), atol=1e-5)
    expected = (values.T - values.mean(axis=1)) / np.sqrt(values.var(axis=1) + 1e-3)
    found = [array(outputs)[row, : len(clip)].reshape(-1, 2) for row, clip in enumerate(clips)]
    np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-5)


def test_rows_that_only_fill_a_batch_change_no_step():
    clips = clips_of(9, 14)
    ends = []
    for n_rows in (2, 8):
        batch, lengths = padded([*clips, *clips_of(*[0] * (n_rows - 2))], 16)
        labels = np.zeros((n_rows, 1), "float32")
        labels[0] = 1
        weight = np.zeros(n_rows, "float32")
        weight[:2] = n_rows / 2
        with acquire_network(ARCHITECTURE, Compilation(optimizer="sgd")) as network:
            network.reset(weights_of(), seed=0, learning_rate=0.1)
            network.train_step(batch, lengths, labels, weight)
            ends.append(network.weights())
    for name, values in ends[0].items():
        np.testing.assert_allclose(ends[1][name], values, atol=1e-5, err_msg=name)


@pytest.mark.skipif(
    PRECISE != "float64", reason="JAX has double precision off, unless JAX_ENABLE_X64=1 as in CI"
)
def test_a_step_follows_the_gradient_that_finite_differences_have():
    architecture = Architecture(N_BANDS, 1, (3,), pooling="stats", dtype="float64", convolutions=BLOCKS)
    weights = weights_of(architecture)
    batch, lengths = padded(clips_of(13, 8, 20), 24)
    inputs = {"sequences": batch.astype("float64"), "lengths": lengths}
    labels, weight = np.array([[1.0], [0.0], [1.0]]), np.array([1.0, 2.0, 0.5])
    model = build(architecture)

    def loss(values):
        assign_weights(model, values)
        logits = array(model(inputs, training=True))
        return float(np.sum(np.logaddexp(0, (1 - 2 * labels) * logits)[:, 0] * weight) / 3)

    with acquire_network(architecture, Compilation(optimizer="sgd")) as network:
        network.reset(weights, seed=0, learning_rate=1.0)
        network.train_step(inputs["sequences"], lengths, labels, weight)
        after = network.weights()
    # Keras multiplies matrices of float64 in single precision under torch.
    step, tolerance, nothing = (1e-4, 1e-2, 1e-3) if BACKEND == "torch" else (1e-6, 1e-4, 1e-8)
    generator = np.random.default_rng(1)
    for name, values in weights.items():
        if "moving" not in name:
            along = generator.normal(size=values.shape)
            ahead, behind = (loss(weights | {name: values + way * step * along}) for way in (1, -1))
            found = float(((values - after[name]) * along).sum())
            assert found == pytest.approx((ahead - behind) / (2 * step), rel=tolerance, abs=nothing), name


def test_dropout_takes_whole_maps():
    stack = stack_with(weights_of(), dropout=0.5)
    batch, lengths = padded(clips_of(*[30] * 20), 30)
    maps, lengths = stack(ops.convert_to_tensor(batch), ops.convert_to_tensor(lengths), training=True)
    rows = array(maps).reshape(20, 5, -1, BLOCKS[-1][0])
    dropped = (rows == 0).all(axis=(1, 2))
    assert 5 < dropped.sum() < 35  # of 40, each with even odds
    assert ((rows != 0).any(axis=(1, 2)) == ~dropped).all()


@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "mixed_float16"])
def test_half_precision_is_close_to_single(dtype):
    clips, weights = clips_of(24, 9), weights_of()
    inputs = [ops.convert_to_tensor(values) for values in padded(clips, 24)]
    single, half = (array(stack_with(weights, d)(*inputs)[0]).astype("float32") for d in ("float32", dtype))
    rounding = {"mixed_bfloat16": 2**-8, "mixed_float16": 2**-11}[dtype]  # and three blocks add up
    np.testing.assert_allclose(half, single, atol=8 * rounding * np.abs(single).max())
