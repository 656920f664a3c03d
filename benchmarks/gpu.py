"""The GPU's table: is cuDNN's kernel what runs, are results those of the CPU, how fast are steps and epochs.

KERAS_BACKEND in the environment says which backend. Without a GPU it says so, and runs everything on small
sizes.
"""

import argparse
import importlib.util
import statistics
import sys
import time
from contextlib import ExitStack, closing
from dataclasses import replace
from itertools import pairwise
from unittest import mock

import keras
import numpy as np
from rich.console import Console
from rich.table import Table

from gpu_results import compare
from gpu_traces import compiled_operations, profiled
from measure import medians
from voicelstm import make_detector
from voicelstm.classifier._classifier import RECIPE_NETWORK
from voicelstm.network import _training as training
from voicelstm.network._architecture import Architecture, initial_weights
from voicelstm.network._model import Compilation
from voicelstm.network._network import Network, frames_step
from voicelstm.sequences import FrameStatistics, SegmentBatches

BACKEND = keras.backend.backend()
CONVOLUTIONS = make_detector()["classifier"].convolutions
TOLERANCE = 1e-5
OURS, UNFUSED, TORCH = "voicelstm", "an unfused loop", "torch.nn.LSTM in plain torch"


class Report:
    """Lines of the final table; a target counts only at full size on a GPU, or where it is the CPU's."""

    def __init__(self, judged):
        self.judged = judged
        self.table = Table(title=f"{BACKEND}, {'full' if judged else 'small'} sizes", title_justify="left")
        for column in ("what", "measured", "target", ""):
            self.table.add_column(column)

    def add(self, what, measured, target="", reached=None, *, judged=None):
        """Add a line; `reached` is None where there is nothing to reach."""
        judged = self.judged if judged is None else judged
        verdict = "" if reached is None else "not judged" if not judged else "PASS" if reached else "MISS"
        self.table.add_row(what, measured, target, verdict)


def describe_devices():
    """Print what the backend sees; tell whether a GPU is among it."""
    if BACKEND == "torch":
        import torch

        found = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        version = (
            f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
        )
    elif BACKEND == "jax":
        import jax

        found = [device.device_kind for device in jax.devices() if device.platform == "gpu"]
        version = f"JAX {jax.__version__}"
    else:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        for gpu in gpus:
            tf.config.experimental.set_memory_growth(gpu, True)
        found = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
        built = tf.sysconfig.get_build_info()
        version = f"TensorFlow {tf.__version__}, cuDNN {built.get('cudnn_version')}"
    print(f"{version}, Keras {keras.__version__}, backend {BACKEND}")
    print(f"GPU: {', '.join(found)}" if found else "There is NO GPU here: CPU parts only, on small sizes.")
    return bool(found)


def synchronise(model):
    """Wait until the device has done all that was asked of it."""
    if BACKEND == "torch":
        import torch

        if torch.cuda.is_available():
            torch.cuda.synchronize()
    elif BACKEND == "jax":
        import jax

        jax.block_until_ready([variable.value for variable in model.trainable_variables])
    else:
        import tensorflow as tf

        tf.test.experimental.sync_devices()


def report_results(report, *, gpu, small):
    """Report how far results are from the CPU's; tell whether they agree."""
    right = True
    for ways, single, *as_it_is in compare(gpu=gpu, small=small):
        agrees = single <= TOLERANCE
        right &= agrees
        what = (
            f"outputs and gradients, {ways}, no TF32: largest relative difference from plain Keras on the CPU"
        )
        report.add(what, f"{single:.1e}", f"≤ {TOLERANCE:.0e}", agrees, judged=True)
        for difference in as_it_is:
            report.add("  the same, TF32 as the backend has it", f"{difference:.1e}")
    return right


def unfused_recipe(units, n_features):
    """The recipe's network of Keras's layers, each a loop over frames."""
    inputs = x = keras.Input((None, n_features))
    for n in units[:-1]:
        x = keras.layers.LSTM(n, return_sequences=True, use_cudnn=False)(x)
    x = keras.layers.LSTM(units[-1], use_cudnn=False)(x)
    model = keras.Model(inputs, keras.layers.Dense(1, activation="sigmoid")(x))
    model.compile(keras.optimizers.Adam(1e-3, epsilon=1e-8), "mean_squared_error")
    return model


def bare_torch_step(batch, target, units):
    """Return a training step of the recipe's network in plain torch, on the GPU where there is one."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    widths = [batch.shape[-1], *units]
    lstms = [torch.nn.LSTM(*pair, batch_first=True) for pair in pairwise(widths)]
    model = torch.nn.ModuleList([*lstms, torch.nn.Linear(units[-1], 1)]).to(device)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    x, y = torch.tensor(batch, device=device), torch.tensor(target, device=device)

    def step():
        optimizer.zero_grad()
        outputs = x
        for lstm in model[:-1]:
            outputs, _ = lstm(outputs)
        probability = torch.sigmoid(model[-1](outputs[:, -1]))[:, 0]
        torch.nn.functional.mse_loss(probability, y).backward()
        optimizer.step()
        if device == "cuda":
            torch.cuda.synchronize()

    return step


def on_device(arrays):
    return keras.tree.map_structure(keras.ops.convert_to_tensor, arrays)


def torch_serves(*, gpu):
    """Tell whether plain torch can be compared with: on the backend's GPU, or where it is the backend.

    ``network.py`` compares on the CPU, each in a process of its own.
    """
    if importlib.util.find_spec("torch") is None or not (gpu or BACKEND == "torch"):
        return False
    import torch

    return torch.cuda.is_available() == gpu


class Side:
    """A network of this library with one batch on its device."""

    def __init__(self, architecture, shape, compilation, weights):
        self.network = Network(architecture, compilation)
        self.weights = weights
        self.reset()
        generator = np.random.default_rng(1)
        n, n_frames, _ = shape
        self.batch = generator.normal(size=shape).astype(np.float32)
        self.target = generator.integers(0, 2, n).astype(np.float32)
        lengths, ones = np.full(n, n_frames, dtype=np.int32), np.ones(n, dtype=np.float32)
        self.arguments = on_device((self.batch, lengths, self.target[:, None], ones))

    def reset(self):
        """Go back to the first weights."""
        self.network.reset(self.weights, seed=0, learning_rate=1e-3)

    def step(self):
        """Take a training step, to its very end."""
        self.network.train_step(*self.arguments)
        synchronise(self.network.model)

    def inputs(self):
        """What the model takes."""
        return {"sequences": self.arguments[0], "lengths": self.arguments[1]}

    def predict(self):
        """Logits of the batch."""
        return np.asarray(self.network.model.predict_on_batch(self.inputs()), dtype=np.float64)

    def logits(self):
        """Those of the first weights."""
        self.reset()
        return self.predict()

    def profiled_steps(self, n_steps=3):
        """Profile steps, the first of which compiled before."""
        self.step()
        with profiled() as seen:
            for _ in range(n_steps):
                self.step()
        return seen, n_steps


def check_kernel(report, name, side, *, gpu, compiled):
    """Report which kernel the profiler saw; return what it saw of a step, and whether it was cuDNN's."""
    seen, n_steps = side.profiled_steps()
    if BACKEND == "jax" and compiled:
        seen.operations.update(compiled_operations(side.network, side.inputs()))
    names = seen.cudnn() if gpu else seen.of_lstm()
    print(f"{name}: {'cuDNN' if gpu else 'LSTM kernels or loops'} in the profile of a training step:")
    for found in names or ["none; LSTM kernels or loops: " + (", ".join(seen.of_lstm()) or "none")]:
        print(f"  {found[:100]}")
    shown = ", ".join(names[:2])[:60] or "none"
    report.add(f"{name}: kernel", shown, "cuDNN's LSTM", bool(names), judged=gpu)
    return seen, n_steps, bool(names)


def time_recipe(report, arguments, *, gpu, small):
    """Time the recipe's network against loops and against plain torch; tell whether cuDNN ran."""
    shape, units = (4, 40, 13) if small else (20, 5000, 13), RECIPE_NETWORK["units"]
    architecture = Architecture(13, 1, units, pooling=RECIPE_NETWORK["pooling"])
    weights = initial_weights(architecture, np.random.default_rng(0))
    compilation = Compilation(loss=RECIPE_NETWORK["loss"], optimizer=RECIPE_NETWORK["optimizer"])
    side = Side(architecture, shape, compilation, weights)
    name = "{} × {} × {}, LSTM 78/78/78/13".format(*shape)
    *_, cudnn = check_kernel(report, name, side, gpu=gpu, compiled=True)
    model = unfused_recipe(units, 13)
    n_frames = min(arguments.unfused_frames or shape[1], shape[1])
    part, target = on_device((side.batch[:, :n_frames], side.target[:, None]))

    def loop_step():
        model.train_on_batch(part, target)
        synchronise(model)

    sides = {OURS: side.step, UNFUSED: loop_step}
    if torch_serves(gpu=gpu):
        sides[TORCH] = bare_torch_step(side.batch, side.target, units)
    else:
        print("Plain torch is not compared with: it is not installed, sees no GPU, or would share this CPU.")
    seconds = medians(sides, arguments.repeats)
    scaled = ""
    if n_frames < shape[1]:
        seconds[UNFUSED] *= shape[1] / n_frames
        scaled = f" (timed on {n_frames} frames, scaled)"
    report.add(f"{name}: training step", _ms(seconds[OURS]))
    for other, least in ((UNFUSED, 20), (TORCH, 0.9)):
        if other in seconds:
            ratio = seconds[other] / seconds[OURS]
            report.add(
                f"  against {other}{scaled if other == UNFUSED else ''}, {_ms(seconds[other])}",
                f"{ratio:.2f} times as fast",
                f"≥ {least}",
                ratio >= least,
            )
    return cudnn


def _ms(seconds):
    return f"{1000 * seconds:.4g} ms" if seconds < 1 else f"{seconds:.2f} s"


def report_busy(report, what, seconds, seen, n_steps, *, gpu):
    """Report a step's time and how long the device was busy in it."""
    if not gpu:
        report.add(f"{what}: time of a step", f"{_ms(seconds)}; no device to be busy")
        return
    busy, kernels = (seen.busy_seconds(copies=copies) / n_steps for copies in (True, False))
    measured = f"{_ms(seconds)}, device busy {_ms(busy)} (kernels alone {_ms(kernels)})"
    report.add(f"{what}: time of a step", measured, "≤ 1.1 × device", seconds <= 1.1 * busy)


def time_epochs(network, shape, n_batches, n_epochs, *, with_profile):
    """Train through the library's own pipeline; a first epoch warms up, a last one is profiled if asked.

    Returns the median seconds of an epoch, the median share of it that the steps waited, and the profile.
    """
    n, n_frames, n_features = shape
    generator = np.random.default_rng(2)
    distinct = generator.normal(size=(min(n * n_batches, 1024), n_frames, n_features)).astype(np.float32)
    clips = [distinct[i % len(distinct)] for i in range(n * n_batches)]
    standard = FrameStatistics.nothing_yet(n_features).updated(distinct[:16], np.ones(16))
    batches = SegmentBatches(clips, n_frames, n, standard, np.float32, frames_step())
    labels = generator.integers(0, 2, (len(clips), 1)).astype(np.float32)
    labelled = training.LabelledClips(batches, labels, np.ones(len(clips)))
    schedule = training.Schedule(n_epochs + 1 + with_profile, None, True, 0, (), 0)
    waits, seconds, seen, stack, prefetched = [], [], None, ExitStack(), training.prefetched

    def waited_for(function, items):
        with closing(prefetched(function, items)) as ready:
            while True:
                start = time.perf_counter()
                batch = next(ready, None)
                waits[-1] += time.perf_counter() - start
                if batch is None:
                    return
                yield batch

    def epoch_begins():
        nonlocal seen
        if with_profile and len(seconds) == n_epochs + 1:
            seen = stack.enter_context(profiled())
        waits.append(0.0)
        seconds.append(time.perf_counter())

    def epoch_ends(history):
        synchronise(network.model)
        seconds[-1] = time.perf_counter() - seconds[-1]
        stack.close()
        return False

    with mock.patch.object(training, "prefetched", waited_for):
        training.train(
            network, labelled, schedule, generator, None, "cross_entropy", None, epoch_begins, epoch_ends
        )
    measured = slice(1, n_epochs + 1)
    shares = [wait / whole for wait, whole in zip(waits[measured], seconds[measured], strict=True)]
    return statistics.median(seconds[measured]), statistics.median(shares), seen


def time_wide(report, repeats, *, gpu, small):
    """Time 512 × 400 × 60: one step, an epoch, both precisions; tell whether cuDNN ran."""
    shape, units, n_batches = ((16, 48, 60), (32, 32), 4) if small else ((512, 400, 60), (128, 128), 16)
    name = "{} × {} × {}, LSTM {}/{}".format(*shape, *units)
    single, cudnn = time_precisions(report, name, Architecture(60, 1, units), shape, repeats, gpu=gpu)
    epoch, share, seen = time_epochs(single.network, shape, n_batches, 3, with_profile=True)
    report_busy(report, f"{name}, in an epoch", epoch / n_batches, seen, n_batches, gpu=gpu)
    report.add("  share of the epoch that steps waited for their batch", f"{share:.1%}")
    return cudnn


def time_precisions(report, name, architecture, shape, repeats, *, gpu):
    """Time a step in both precisions; return the side of float32, and whether cuDNN ran."""
    compilation = Compilation().for_rows(shape[0])
    weights = initial_weights(architecture, np.random.default_rng(0))
    single = Side(architecture, shape, compilation, weights)
    seen, n_steps, cudnn = check_kernel(report, name, single, gpu=gpu, compiled=gpu)
    sides = {"float32": single.step}
    try:
        mixed = Side(replace(architecture, dtype="mixed_bfloat16"), shape, compilation, weights)
        mixed_seen, n_mixed, _ = check_kernel(report, f"{name}, mixed_bfloat16", mixed, gpu=gpu, compiled=gpu)
        sides["mixed_bfloat16"] = mixed.step
    except Exception as error:  # noqa: BLE001 - what a backend lacks is a line of the table
        report.add(
            "  mixed_bfloat16", f"{type(error).__name__}: {error}"[:200], "it runs", False, judged=True
        )
    seconds = medians(sides, repeats)
    report_busy(report, f"{name}, batch on the device", seconds["float32"], seen, n_steps, gpu=gpu)
    if len(sides) == 2:
        ratio = seconds["float32"] / seconds["mixed_bfloat16"]
        difference = np.abs(mixed.logits() - single.logits()).max()
        what = "  mixed_bfloat16: training step"
        measured = f"{_ms(seconds['mixed_bfloat16'])}, {ratio:.2f} times as fast as float32"
        report_busy(report, what.strip(), seconds["mixed_bfloat16"], mixed_seen, n_mixed, gpu=gpu)
        report.add(what, f"{measured}; logits differ by up to {difference:.1e}")
        times = medians({"float32": single.predict, "mixed_bfloat16": mixed.predict}, repeats)
        ratio = times["float32"] / times["mixed_bfloat16"]
        report.add(
            "  mixed_bfloat16: prediction", f"{_ms(times['mixed_bfloat16'])}, {ratio:.2f} times as fast"
        )
    return single, cudnn


def time_convolutions(report, repeats, *, gpu, small):
    """Time convolutions before an LSTM, a step and a prediction; tell whether cuDNN ran behind them."""
    shapes = [(4, 24, 12)] if small else [(32, 300, 80), (256, 300, 80)]
    blocks, units = (((2, 3, 2), (3, 3, 1)), (6,)) if small else (CONVOLUTIONS, (64,))
    cudnn = True
    for shape in shapes:
        architecture = Architecture(
            shape[-1], 1, units, bidirectional=True, pooling="stats", convolutions=blocks
        )
        name = "{} × {} × {}, {} convolutions, LSTM {} both ways".format(*shape, len(blocks), *units)
        side, of_shape = time_precisions(report, name, architecture, shape, repeats, gpu=gpu)
        cudnn &= of_shape
        seconds = medians({"prediction": side.predict}, repeats)["prediction"]
        report.add(f"{name}: prediction", f"{_ms(seconds)}, {shape[0] / seconds:.4g} segments per second")
    return cudnn


def time_waiting(report, *, gpu, small):
    """Time an epoch of the usual shape, and how long its steps wait for batches."""
    shape, units, n_batches = ((8, 64, 60), (16, 16), 4) if small else ((32, 300, 60), (64, 64), 12)
    architecture = Architecture(60, 1, units)
    network = Network(architecture, Compilation().for_rows(shape[0]))
    network.reset(initial_weights(architecture, np.random.default_rng(0)), seed=0, learning_rate=1e-3)
    epoch, share, _ = time_epochs(network, shape, n_batches, 3, with_profile=False)
    what = "{} × {} × {}, LSTM {}/{}: share of an epoch ({}) that steps waited for their batch"
    target, reached = ("", None) if gpu else ("< 5 % on the CPU", share < 0.05)
    what = what.format(*shape, *units, _ms(epoch))
    report.add(what, f"{share:.1%}", target, reached, judged=not small)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--small", action="store_true", help="small sizes, on whatever there is")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--unfused-frames", type=int, help="time the loop on fewer frames and scale")
    arguments = parser.parse_args()
    gpu = describe_devices()
    small = arguments.small or not gpu
    report = Report(judged=not small)
    right = report_results(report, gpu=gpu, small=small)
    cudnn = time_recipe(report, arguments, gpu=gpu, small=small)
    cudnn &= time_wide(report, arguments.repeats, gpu=gpu, small=small)
    cudnn &= time_convolutions(report, arguments.repeats, gpu=gpu, small=small)
    time_waiting(report, gpu=gpu, small=arguments.small)
    Console(width=140).print(report.table)
    if not right or (gpu and not cudnn):
        sys.exit(
            "FAIL: " + ("cuDNN's kernel does not run." if right else "results are not those of the CPU.")
        )
    print("PASS: results are those of the CPU" + (", and cuDNN's kernel runs." if gpu else "; no GPU here."))


if __name__ == "__main__":
    main()
