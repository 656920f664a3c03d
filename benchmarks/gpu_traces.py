"""What the backend's profiler sees: which operations and kernels run, and how long the device is busy."""

import re
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import keras

OF_LSTM = re.compile(r"lstm|rnn|^while", re.IGNORECASE)
CUDNN_OPERATION = re.compile(r"cudnn\w*rnn|cudnn\$rnn", re.IGNORECASE)
OTHER_FUSED_KERNELS = re.compile(r"at::native|thnn|tensorflow::|^while")
COPY = re.compile(r"^mem(cpy|set)", re.IGNORECASE)


@dataclass
class Seen:
    """Names of operations on the host, and (name, start, stop) of what ran on the GPU, in seconds."""

    operations: set = field(default_factory=set)
    on_device: list = field(default_factory=list)

    def cudnn(self):
        """Operations and kernels that are cuDNN's recurrent ones."""
        kernels = {name for name, *_ in self.on_device if OF_LSTM.search(name)}
        kernels = {name for name in kernels if not OTHER_FUSED_KERNELS.search(name)}
        return sorted(filter(CUDNN_OPERATION.search, self.operations)) + sorted(kernels)

    def of_lstm(self):
        """Operations and kernels of any LSTM, and loops."""
        return sorted(filter(OF_LSTM.search, self.operations | {name for name, *_ in self.on_device}))

    def busy_seconds(self, *, copies=True):
        """Time in which at least one kernel or copy ran."""
        total, end = 0.0, 0.0
        for name, start, stop in sorted(self.on_device, key=lambda event: event[1]):
            if copies or not COPY.search(name):
                total += max(0.0, stop - max(start, end))
                end = max(end, stop)
        return total


@contextmanager
def profiled():
    """Give a :class:`Seen` that is filled when the block ends."""
    seen = Seen()
    if keras.backend.backend() == "torch":
        import torch

        kinds = torch.profiler.ProfilerActivity
        activities = [kinds.CPU, kinds.CUDA] if torch.cuda.is_available() else [kinds.CPU]
        with torch.profiler.profile(activities=activities) as profile:
            yield seen
        for event in profile.events():
            if event.device_type == torch.autograd.DeviceType.CPU:
                seen.operations.add(event.name)
            elif not getattr(event, "is_user_annotation", False):
                span = event.time_range
                seen.on_device.append((event.name, span.start / 1e6, span.end / 1e6))
        return
    with tempfile.TemporaryDirectory() as folder:
        if keras.backend.backend() == "jax":
            import jax

            options = jax.profiler.ProfileOptions()
            options.python_tracer_level = 0
            with jax.profiler.trace(folder, profiler_options=options):
                yield seen
        else:
            import tensorflow as tf

            with tf.profiler.experimental.Profile(folder):
                yield seen
        for path in Path(folder).rglob("*.xplane.pb"):
            for plane, line, name, start, stop in _events(path):
                if not plane.startswith("/device:GPU"):
                    seen.operations.add(_operation(name))
                elif line.startswith("Stream"):  # other lines sum up what streams ran
                    seen.on_device.append((name, start / 1e9, stop / 1e9))


def _operation(name):
    """Leave off where in the graph TensorFlow's operation is, and the number that JAX's has."""
    return re.sub(r"\.\d+$", "", name.rsplit(":", 1)[-1] if "/" in name else name)


def _events(path):
    """Yield plane, line, name, start and stop in nanoseconds of each event."""
    if keras.backend.backend() == "jax":
        import jax

        for plane in jax.profiler.ProfileData.from_file(str(path)).planes:
            for line in plane.lines:
                for event in line.events:
                    yield (
                        plane.name,
                        line.name,
                        event.name,
                        event.start_ns,
                        event.start_ns + event.duration_ns,
                    )
        return
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    for plane in xplane_pb2.XSpace.FromString(path.read_bytes()).planes:
        for line in plane.lines:
            for event in line.events:
                start = line.timestamp_ns + event.offset_ps / 1e3
                name = plane.event_metadata[event.metadata_id].name
                yield plane.name, line.name, name, start, start + event.duration_ps / 1e3


def compiled_operations(network, inputs):
    """Custom calls and loops in what XLA compiles of the network's gradient, under JAX."""
    import jax

    model = network.model
    trainable, others = (
        [variable.value for variable in variables]
        for variables in (model.trainable_variables, model.non_trainable_variables)
    )

    def total(trainable):
        return model.stateless_call(trainable, others, inputs, training=True)[0].sum()

    text = jax.jit(jax.grad(total)).lower(trainable).compile().as_text()
    loops = ["while"] if re.search(r"\bwhile\(", text) else []
    return sorted(set(re.findall(r'custom_call_target="([^"]+)"', text))) + loops
