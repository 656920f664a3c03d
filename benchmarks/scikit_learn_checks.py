"""scikit-learn's checks of this classifier and of others that wrap a Keras network, and what users meet.

Each estimator is checked in a process of its own and in an empty working directory, with SCIPY_ARRAY_API=1,
since scipy reads that when it is imported. VOICELSTM_PEERS may name a folder of packages to compare with
(``pip install --target``); what cannot be imported is reported as not installed. Checks that an estimator
declares as expected failures count as failures.
"""

import argparse
import importlib
import importlib.metadata
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.table import Table

EPOCHS = 3  # of the fits whose behaviour is looked at


class VoiceLSTM:
    title, package, module = "LSTMVoiceClassifier", "voicelstm", "voicelstm"
    widths = ("units", ((2,), (4,)))

    @staticmethod
    def new(epochs):
        from voicelstm import LSTMVoiceClassifier

        return LSTMVoiceClassifier(
            units=(4,),
            dropout=0.0,
            learning_rate=0.05,
            batch_size=200,
            dtype="float64",
            max_epochs=epochs,
            random_state=0,
        )

    @staticmethod
    def epochs_run(fitted):
        return fitted.n_iter_


class KerasWrapper:
    title, package, module = "keras.wrappers.SKLearnClassifier", "keras", "keras.wrappers"
    widths = ("model_kwargs", ({"units": 2}, {"units": 4}))

    @staticmethod
    def new(epochs):
        from keras.wrappers import SKLearnClassifier

        return SKLearnClassifier(
            model=network_for_keras,
            model_kwargs={"units": 4},
            fit_kwargs={"epochs": epochs, "batch_size": 200, "verbose": 0},
        )

    @staticmethod
    def epochs_run(fitted):
        return len(fitted.history_.epoch)

    @staticmethod
    def declared():
        """Return what Keras's own tests expect to fail; they need pytest."""
        try:
            from keras.src.wrappers.sklearn_test import EXPECTED_FAILED_CHECKS
        except ImportError:
            return []
        return sorted(EXPECTED_FAILED_CHECKS["SKLearnClassifier"])


class SciKeras:
    title, package, module = "scikeras KerasClassifier", "scikeras", "scikeras.wrappers"
    widths = ("model__units", (2, 4))

    @staticmethod
    def new(epochs):
        from scikeras.wrappers import KerasClassifier

        return KerasClassifier(
            model=network_for_scikeras,
            model__units=4,
            epochs=epochs,
            batch_size=200,
            verbose=0,
            random_state=0,
        )

    @staticmethod
    def epochs_run(fitted):
        return len(fitted.history_["loss"])


class Aeon:
    """A network of convolutions: aeon has recurrent ones for regression and clusters, not for classes."""

    title, package, module = "aeon FCNClassifier", "aeon", "aeon.classification.deep_learning"
    widths = ("n_filters", (2, 4))

    @staticmethod
    def new(epochs):
        from aeon.classification.deep_learning import FCNClassifier

        return FCNClassifier(
            n_layers=1, n_filters=4, kernel_size=3, n_epochs=epochs, batch_size=200, random_state=0
        )

    @staticmethod
    def epochs_run(fitted):
        return len(fitted.history.epoch)


SUBJECTS = {"voicelstm": VoiceLSTM, "keras": KerasWrapper, "scikeras": SciKeras, "aeon": Aeon}


def network(shape, n_classes, units, loss):
    """The network of :meth:`VoiceLSTM.new`, of Keras's own layers and with fixed seeds."""
    import keras

    weights = {"kernel_initializer": keras.initializers.GlorotUniform(seed=0), "dtype": "float64"}
    recurrent = keras.initializers.Orthogonal(seed=0)
    inputs = keras.Input(shape)
    x = inputs if len(shape) == 2 else keras.layers.Reshape((*shape, 1), dtype="float64")(inputs)
    x = keras.layers.LSTM(units, return_sequences=True, recurrent_initializer=recurrent, **weights)(x)
    x = keras.layers.GlobalAveragePooling1D(dtype="float64")(x)
    model = keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax", **weights)(x))
    model.compile(keras.optimizers.Adam(0.05), loss(reduction="mean_with_sample_weight"))
    return model


def network_for_keras(X, y, units=4):
    import keras

    return network(X.shape[1:], y.shape[1], units, keras.losses.CategoricalCrossentropy)


def network_for_scikeras(meta, units=4):
    import keras

    loss = keras.losses.SparseCategoricalCrossentropy
    return network(meta["X_shape_"][1:], meta["n_classes_"], units, loss)


def outcomes(estimator):
    """Name, status and error of each of scikit-learn's checks."""
    from sklearn.utils.estimator_checks import check_estimator

    results = check_estimator(estimator, on_fail=None, on_skip=None)
    return [(r["check_name"], r["status"], first_line(r["exception"])) for r in results]


def first_line(error):
    """Type and first line of an error, or the line of code where it says nothing."""
    if error is None:
        return ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else traceback.extract_tb(error.__traceback__)[-1].line
    return f"{type(error).__name__}: {text}"


class Behaviour:
    """What users meet, each line found by trying it; in the order of the table."""

    def __init__(self, subject):
        import numpy as np

        self.subject = subject
        generator = np.random.default_rng(0)
        self.y = np.array(["human", "synthetic"] * 10)
        self.X = generator.normal(size=(20, 12)) + (self.y == "synthetic")[:, None]
        self.clips = [generator.normal(i % 2, size=(20 + i, 3)) for i in range(20)]

    def answers(self):
        lines = {
            "scikit-learn takes it for a classifier": self.is_classifier,
            "3-D array": lambda: self.reads([clip[:20] for clip in self.clips], stacked=True),
            "sequences of unequal length": lambda: self.reads(self.clips),
            "settings after `clone`": self.settings_after_clone,
            "`predict_proba`": self.probabilities,
            "fitted, pickled and read back": self.pickled,
            "files that `fit` writes into the working directory": self.files_written,
            "global random state moved by `fit`": self.random_states_moved,
            "`fit(X, y, sample_weight=...)`": self.sample_weight,
            "settings after a fit with weights": self.settings_after_weights,
            "weights routed by `cross_validate`": self.routed_weights,
            "`GridSearchCV` over the width": self.grid_search,
        }
        return {line: self.attempt(find) for line, find in lines.items()}

    @staticmethod
    def attempt(find):
        try:
            return find()
        except Exception as error:  # noqa: BLE001, the error is the answer
            return f"no: {first_line(error)}"

    def new(self):
        return self.subject.new(EPOCHS)

    def reads(self, clips, stacked=False):
        import numpy as np

        X = np.stack(clips) if stacked else clips
        if self.subject is Aeon:  # its order is (n_clips, n_features, n_frames)
            X = X.transpose(0, 2, 1) if stacked else [clip.T for clip in X]
        predicted = self.new().fit(X, self.y).predict(X)
        return "yes" if predicted.shape == (20,) else f"no: predictions of shape {predicted.shape}"

    def is_classifier(self):
        from sklearn.base import is_classifier

        return "yes" if is_classifier(self.new()) else "no"

    def settings_after_clone(self):
        from sklearn.base import clone

        return changed(self.new(), clone(self.new()))

    def probabilities(self):
        import numpy as np

        fitted = self.new().fit(self.X, self.y)
        p = fitted.predict_proba(self.X)
        return (
            "yes" if p.shape == (20, 2) and np.allclose(p.sum(axis=1), 1) else "no: rows do not add up to 1"
        )

    def pickled(self):
        fitted = self.new().fit(self.X, self.y)
        again = pickle.loads(pickle.dumps(fitted))
        return "yes" if (again.predict(self.X) == fitted.predict(self.X)).all() else "no: predicts otherwise"

    def files_written(self):
        """Look for files, and at the folder's time, which a file that came and went has moved."""
        folder = Path.cwd()
        before, time = set(folder.iterdir()), folder.stat().st_mtime_ns
        self.new().fit(self.X, self.y)
        if left := sorted(path.name for path in set(folder.iterdir()) - before):
            return f"leaves {', '.join(left)}"
        return "none" if folder.stat().st_mtime_ns == time else "one, which it removes"

    def random_states_moved(self):
        import numpy as np

        random.random(), np.random.random()  # noqa: NPY002, away from what a fit before may have set
        estimator, before = self.new(), random_states()
        estimator.fit(self.X, self.y)
        after = random_states()
        return " and ".join(name for name in before if before[name] != after[name]) or "none"

    def one_class_weighs_more(self):
        """Features that say nothing, and one class that counts a hundred times: it must be predicted."""
        import numpy as np

        X = np.random.default_rng(1).normal(size=self.X.shape)
        return X, np.where(self.y == "human", 100.0, 1.0)

    def sample_weight(self):
        X, weight = self.one_class_weighs_more()
        fitted = self.subject.new(30).fit(X, self.y, sample_weight=weight)
        return "yes" if (fitted.predict(X) == "human").mean() > 0.9 else "no: without effect"

    def settings_after_weights(self):
        import numpy as np

        estimator = self.new()
        return changed(self.new(), estimator.fit(self.X, self.y, sample_weight=np.ones(20)))

    def routed_weights(self):
        """Whether they reach `fit`: with them the scores must be others than without."""
        import numpy as np
        import sklearn
        from sklearn.model_selection import cross_validate

        X, weight = self.one_class_weighs_more()

        def scores(params):
            estimator = self.new().set_fit_request(sample_weight=True)
            if hasattr(estimator, "set_score_request"):
                estimator.set_score_request(sample_weight=True)
            found = cross_validate(
                estimator, X, self.y, cv=2, params=params, return_estimator=True, error_score="raise"
            )
            method = "predict_proba" if hasattr(estimator, "predict_proba") else "decision_function"
            return np.stack([getattr(fitted, method)(X) for fitted in found["estimator"]])

        with sklearn.config_context(enable_metadata_routing=True):
            difference = abs(scores({"sample_weight": weight}) - scores({})).max()
        return "yes" if difference > 1e-3 else "no: without effect"

    def grid_search(self):
        from sklearn.model_selection import GridSearchCV

        grid = dict([self.subject.widths])
        search = GridSearchCV(self.new(), grid, cv=2, error_score="raise").fit(self.X, self.y)
        epochs = self.subject.epochs_run(search.best_estimator_)
        return "yes" if epochs == EPOCHS else f"runs, with {epochs} of {EPOCHS} epochs"


def random_states():
    import numpy as np

    _, keys, position, *_ = np.random.get_state()  # noqa: NPY002, the global state is what is asked about
    return {"Python's": random.getstate(), "NumPy's": (keys.tobytes(), position)}


def changed(estimator, other):
    before, after = estimator.get_params(deep=False), other.get_params(deep=False)
    lost = [name for name, value in before.items() if name not in after or repr(after[name]) != repr(value)]
    return f"changed: {', '.join(lost)}" if lost else "all kept"


def look(name):
    """Check one estimator in this process; return what was found."""
    subject = SUBJECTS[name]
    found = {"title": subject.title}
    try:
        found["version"] = importlib.metadata.version(subject.package)
        importlib.import_module(subject.module)
    except importlib.metadata.PackageNotFoundError:
        return found | {"error": "not installed"}
    except Exception as error:  # noqa: BLE001, a package that breaks is an answer
        return found | {"error": f"not imported: {first_line(error)}"}
    warnings.simplefilter("ignore")
    try:
        found["checks"] = outcomes(subject.new(30))
    except Exception as error:  # noqa: BLE001, of whatever kind, it is printed
        found["checks_error"] = first_line(error)
    found["declared"] = subject.declared() if hasattr(subject, "declared") else []
    return found | {"behaviour": Behaviour(subject).answers()}


def look_in_a_process(name):
    """Run :func:`look` in a fresh process and an empty folder."""
    paths = [os.environ.get("PYTHONPATH", ""), os.environ.get("VOICELSTM_PEERS", "")]
    environment = os.environ | {
        "SCIPY_ARRAY_API": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in paths if path),
    }
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as empty:
        answer = Path(folder, "answer.json")
        done = subprocess.run(
            [sys.executable, Path(__file__).absolute(), "--look", name, "--answer", answer],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if answer.exists():
            return json.loads(answer.read_text())
    last = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
    return {"title": SUBJECTS[name].title, "error": f"ended early: {last}"}


def checks_table(found):
    table = Table(title="scikit-learn's estimator checks", title_justify="left")
    table.add_column("estimator")
    for column in ("version", "passed", "failed", "skipped", "failed, but for declared"):
        table.add_column(column, justify="right")
    for one in found:
        error = one.get("error") or one.get("checks_error")
        if error:
            table.add_row(one["title"], one.get("version", ""), error)
            continue
        count = Counter(status for _, status, _ in one["checks"])
        undeclared = [n for n, status, _ in one["checks"] if status == "failed" and n not in one["declared"]]
        counts = [str(count[status]) for status in ("passed", "failed", "skipped")]
        table.add_row(one["title"], one["version"], *counts, str(len(undeclared)))
    return table


def failures_table(found):
    table = Table(title="Checks that did not pass", title_justify="left")
    for column in ("estimator", "check", "error"):
        table.add_column(column, overflow="fold")
    for one in found:
        for check, status, error in one.get("checks", []):
            if status != "passed":
                name = f"{check}, declared" if check in one["declared"] else check
                table.add_row(one["title"], name, error if status == "failed" else f"{status}: {error}")
    return table


def behaviour_table(found):
    found = [one for one in found if "behaviour" in one]
    table = Table(title="What users meet", title_justify="left")
    table.add_column("")
    for one in found:
        table.add_column(one["title"], overflow="fold")
    for line in found[0]["behaviour"] if found else []:
        table.add_row(line, *(one["behaviour"][line] for one in found))
    return table


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=list(SUBJECTS))
    parser.add_argument("--look", choices=SUBJECTS, help=argparse.SUPPRESS)
    parser.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.look:
        arguments.answer.write_text(json.dumps(look(arguments.look)))
        return
    found = [look_in_a_process(name) for name in arguments.only]
    console = Console(width=140)
    for table in (checks_table(found), failures_table(found), behaviour_table(found)):
        console.print(table, markup=False)


if __name__ == "__main__":
    main()
