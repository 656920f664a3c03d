"""Load mutated model files, and count what becomes of them.

    python campaigns/model_files.py --files 100000 --seed 0 --keep /tmp/model_file_failures

Files are those of `tests/model_files`, mutated as `model_mutations.py` says: the odd ones have their checksum
computed anew. A file fails the campaign where loading it raises anything but ModelFileError; takes more than 2 s
of processor time, or 64 MiB of address space beyond what the process has; opens another file, a connection or a
process, compiles, runs or unpickles anything (Python's audit events tell); loads unequal to the original with the
old checksum; or loads, with one computed anew, to an estimator whose answers are NaN or whose errors are none that
speak to a person. The same seed draws the same files.
"""

import argparse
import collections
import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "model_files"))

from write import input_of  # noqa: E402

from model_mutations import Parts, mutated  # noqa: E402
from voicelstm import load, save  # noqa: E402
from voicelstm.exceptions import AudioError, ModelFileError  # noqa: E402

HEADROOM = 64 * 2**20  # what loading a file of a few kB may add to the address space
SLOWEST = 2.0  # s of processor time
HANGS = 60  # s until a load is given up
MOST_NETWORKS = (
    12  # that predictions may compile besides those of the files, which takes seconds and memory each
)
FORBIDDEN = (
    "open", "os.", "socket.", "subprocess.", "shutil.", "tempfile.", "ctypes.", "pickle.", "marshal.", "exec",
    "compile", "import", "urllib.", "http.", "glob.", "pathlib.",
)  # fmt: skip

import sklearn.utils._pprint  # noqa: E402, F401 - which an estimator imports when an error first shows it

_watched = {"on": False, "path": "", "seen": []}


def _watch(event, arguments):
    if _watched["on"] and event.startswith(FORBIDDEN):
        if event == "open" and arguments[0] == _watched["path"]:
            return
        _watched["seen"].append(f"{event} {str(arguments)[:200]}")


class Hang(BaseException):
    pass


def _alarm(*_):
    raise Hang


class Campaign:
    """Loads files one after the other; `outcomes` counts by mutation, `failures` tells of each."""

    def __init__(self, folder, *, predict=True):
        self.contents = {path.stem: path.read_bytes() for path in sorted(Path(folder).rglob("*.voicelstm"))}
        self.predict = predict
        self.outcomes = collections.Counter()
        self.by_kind = collections.defaultdict(collections.Counter)
        self.failures = []
        self.slowest = self.largest = self.asked = 0
        self._place = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
        self.path = os.path.join(self._place.name, "m")  # noqa: PTH118
        self.originals, self.networks, self.inputs = {}, set(), {}
        for name, content in self.contents.items():
            loaded = self._loaded(content)
            self.inputs[name] = input_of(name)
            self.originals[name] = self._again(loaded)
            if predict:
                self._answers(loaded, self.inputs[name])
                self.networks |= set(_architectures(loaded))
        self.most_networks = len(self.networks) + MOST_NETWORKS
        sys.addaudithook(_watch)
        signal.signal(signal.SIGALRM, _alarm)

    def try_one(self, seed, number):
        content, kind, anew, base = mutated(self.contents, seed, number)
        outcome, why = self._outcome(content, kind, anew, base)
        self.outcomes[outcome, anew] += 1
        self.by_kind[kind][outcome] += 1
        if outcome == "FAILED":
            self.failures.append((number, kind, anew, base, why, content))

    def _outcome(self, content, kind, anew, base):
        with open(self.path, "wb") as file:  # noqa: PTH123
            file.write(content)
        _watched.update(path=self.path, seen=[])
        before = _address_space()
        resource.setrlimit(resource.RLIMIT_AS, (before + HEADROOM, resource.RLIM_INFINITY))
        signal.alarm(HANGS)
        start = time.thread_time()
        _watched["on"] = True
        try:
            loaded, refusal = load(self.path), None
        except BaseException as error:  # noqa: BLE001
            loaded, refusal = None, error
        finally:
            _watched["on"] = False
            seconds = time.thread_time() - start
            signal.alarm(0)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        self.slowest = max(self.slowest, seconds)
        self.largest = max(self.largest, _address_space() - before)
        if isinstance(refusal, KeyboardInterrupt):
            raise refusal
        if _watched["seen"]:
            return "FAILED", f"did {_watched['seen'][:3]}"
        if seconds > SLOWEST:
            return "FAILED", f"took {seconds:.1f} s ({refusal!r:.100})"
        if refusal is not None:
            if not isinstance(refusal, ModelFileError):
                return "FAILED", f"raised {refusal!r:.300}"
            if self.path not in str(refusal):
                return "FAILED", f"raised {refusal!r:.300}, which does not name the file"
            return "refused", ""
        if not anew:
            if self._again(loaded) != self.originals[base]:
                return "FAILED", "loads unequal, with the checksum of the original"
            return "loads equal", ""
        return self._usable(loaded, base)

    def _usable(self, loaded, base):
        if not self.predict:
            return "loads", ""
        self._again(loaded)
        found = set(_architectures(loaded))
        if found - self.networks:
            if len(self.networks) >= self.most_networks:
                return "loads, another network", ""
            self.networks |= found
        self.asked += 1
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                answers = self._answers(loaded, self.inputs[base])
        except (AudioError, ValueError) as error:
            return "loads, clear error", str(error)
        except BaseException as error:  # noqa: BLE001
            return "FAILED", f"loads, and then raises {error!r:.300}"
        if not np.isfinite(answers).all():
            return "FAILED", "loads, and answers with NaN or infinity"
        return "loads, finite answers", ""

    def _answers(self, model, X):
        values = model.predict_proba(X) if hasattr(model, "predict_proba") else model.transform(X)
        if isinstance(values, np.ndarray) and values.ndim == 1:  # clips of different lengths
            values = np.concatenate(list(values))
        return np.asarray(values)

    def _loaded(self, content):
        Path(self.path).write_bytes(content)
        return load(self.path)

    def _again(self, model):
        """What saving a model writes: metadata are in no fixed order, so that not bytes are compared."""
        save(model, self.path)
        parts = Parts.of(Path(self.path).read_bytes())
        return parts.sha256, parts.text, sorted(each[0] for each in parts.tensors)

    def report(self):
        lines = [f"{'checksum':>10}  {'outcome':24} {'files':>8}"]
        for (outcome, anew), n in sorted(self.outcomes.items()):
            lines.append(f"{'anew' if anew else 'old':>10}  {outcome:24} {n:8}")
        lines.append(f"slowest load: {self.slowest:.3f} s of processor time")
        lines.append(f"largest growth of the address space in a load: {self.largest / 2**20:.1f} MiB")
        lines.append(
            f"models asked: {self.asked}, networks: {len(self.networks)}, failures: {len(self.failures)}"
        )
        return "\n".join(lines)


def _address_space():
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


def _architectures(model):
    """All networks within a model; a prediction compiles each that it has not met."""
    if hasattr(model, "_fitted"):
        yield (
            model._fitted.architecture, model.loss, str(model.optimizer), model.clip_norm, model.weight_decay,
            model.label_smoothing, min(model.batch_size, 160) // 32,
        )  # fmt: skip
    held = [getattr(model, name, None) for name in ("estimator_", "estimator")]
    held += [step for _, step in getattr(model, "steps", [])] + list(getattr(model, "estimators_", []))
    held += [pair.estimator for pair in getattr(model, "calibrated_classifiers_", [])]
    for each in held:
        if each is not None:
            yield from _architectures(each)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, default=ROOT / "tests" / "model_files", help="of the files")
    parser.add_argument("--keep", type=Path, help="folder for the files that fail")
    options = parser.parse_args()
    campaign = Campaign(options.folder)
    start = time.monotonic()
    for number in range(options.first, options.first + options.files):
        campaign.try_one(options.seed, number)
        if (number + 1) % 2000 == 0:
            gc.collect()
            print(f"{number + 1 - options.first} files, {time.monotonic() - start:.0f} s,"
                  f" {len(campaign.failures)} failures", flush=True)  # fmt: skip
    print(campaign.report())
    for kind, outcomes in sorted(campaign.by_kind.items()):
        print(f"{kind:18}", json.dumps(outcomes, sort_keys=True))
    for number, kind, anew, base, why, content in campaign.failures[:40]:
        print(f"FAILED {number} {kind} of {base}, checksum {'anew' if anew else 'old'}: {why}")
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            (options.keep / f"{options.seed}-{number}-{kind}").write_bytes(content)
    return bool(campaign.failures)


if __name__ == "__main__":
    sys.exit(main())
