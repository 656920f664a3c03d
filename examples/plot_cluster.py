"""
A cluster, and a worker that dies
=================================

On a Dask cluster the same lines run on many machines. Here one of two workers is killed in the middle of its
work. The features are complete nevertheless, and equal to those of one process.
"""

# %%
# A cluster
# ---------
# Two processes on this machine stand for two machines. Of a real cluster only the address is needed:
# ``client = Client("tcp://scheduler:8786")``.

import logging

from distributed import Client
from distributed.deploy import SubprocessCluster

cluster = SubprocessCluster(
    n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=logging.ERROR
)
client = Client(cluster)

# %%
# Workers read the recordings themselves: from a folder that all of them see, under absolute paths.

from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from voicelstm.datasets import make_voices

folder = TemporaryDirectory()
voices = make_voices(200, random_state=0)
paths = [Path(folder.name, f"{i}.wav") for i in range(len(voices.recordings))]
for path, (samples, sample_rate) in zip(paths, voices.recordings, strict=True):
    soundfile.write(path, samples, sample_rate)

# %%
# A power cut
# -----------
# When the second worker has handed in two tasks, it is killed in the middle of the next. The scheduler's
# record of tasks tells when that is, and later who did what.

import os
import signal
import threading
import time

client.wait_for_workers(2)
steady, doomed = client.nthreads()
process = client.run(os.getpid)[doomed]
asked = time.time()


def tasks():
    """Extractions that are done: name of the task, worker, begin and end."""
    for task in client.get_task_stream(start=asked):
        if "extract" in task["key"]:
            (span,) = (each for each in task["startstops"] if each["action"] == "compute")
            yield task["key"], task["worker"], span["start"], span["stop"]


def cut_the_power():
    while sum(worker == doomed for _, worker, *_ in tasks()) < 2 or not client.processing()[doomed]:
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    deaths.append(time.time())


deaths = []
threading.Thread(target=cut_the_power, daemon=True).start()

# %%
# The work
# --------
# Features for training: of each recording as a room, a device or a codec would change it. One line says
# where.

import joblib

from voicelstm import Augmenter, MFCCTransformer

transformer = MFCCTransformer(augment=Augmenter(probability=1.0, random_state=0))
with joblib.parallel_config(backend="dask"):
    store = transformer.fit_transform(paths, out=Path(folder.name, "features"))
done = sorted(tasks(), key=lambda task: task[3])

# %%
# Now the same in this process alone.

import numpy as np

alone = transformer.fit_transform(paths)
equal = [np.array_equal(ours, theirs) for ours, theirs in zip(store, alone, strict=True)]
print(f"{len(store)} recordings, of which {sum(equal)} are equal to those of one process")

# %%
# What the dead worker had begun was done again by another. It has a successor: the nanny, a process that
# looks after a worker, starts a new one.

import matplotlib.pyplot as plt

workers = list(dict.fromkeys([steady, doomed, *(worker for _, worker, *_ in done)]))
colors = ["#0072B2", "#D55E00", "#009E73"]
begin = min(start for *_, start, _ in done)
figure, (top, bottom) = plt.subplots(
    2, figsize=(8, 4.5), layout="constrained", sharex=True, height_ratios=(2, 3)
)
for _, worker, start, stop in done:
    row = workers.index(worker)
    top.barh(row, stop - start, left=start - begin, height=0.7, color=colors[row], edgecolor="white")
top.set_yticks(range(len(workers)), ["first worker", "second worker", "its successor"][: len(workers)])
top.invert_yaxis()
top.set_title("who worked when: a bar is a task of up to 16 recordings")
n_recordings = [int(name.split("_")[-2]) for name, *_ in done]
bottom.step(
    [0, *(stop - begin for *_, stop in done)], np.cumsum([0, *n_recordings]), where="post", color="black"
)
bottom.set(xlabel="s", ylabel="recordings done", ylim=(0, None))
for death in deaths:
    for ax in (top, bottom):
        ax.axvline(death - begin, color=colors[1], linestyle=":")
    bottom.annotate("killed", (death - begin, 0), (5, 8), textcoords="offset points", color=colors[1])
plt.show()

# %%
# A search
# --------
# The store goes to the workers as the name of its folder. Any classifier is searched in the same way. This
# one is done in a second; for an :class:`~voicelstm.LSTMVoiceClassifier` each worker has to start TensorFlow
# first.

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from voicelstm import ClipStatistics

search = GridSearchCV(
    make_pipeline(ClipStatistics(), StandardScaler(), LogisticRegression(max_iter=1000)),
    {"logisticregression__C": [0.0001, 0.001, 0.01, 0.1, 1.0]},
    cv=StratifiedGroupKFold(4),
)
client.wait_for_workers(2)
with joblib.parallel_config(backend="dask"):
    search.fit(store, voices.target, groups=voices.groups["speaker"])
for params, score in zip(search.cv_results_["params"], search.cv_results_["mean_test_score"], strict=True):
    print(f"{params}: accuracy on new speakers {score:.2f}")

# %%
# :ref:`clusters` says what such a cluster needs, and what happens when more goes wrong.

client.close()
cluster.close()
folder.cleanup()
