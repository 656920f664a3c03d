"""Change the arithmetic one place at a time, and see that the tests notice.

Each mutant is one module with one change: `<` for `<=`, `+` for `-`, a number one more or one less, a
condition turned round. Which changes, which modules and which tests: `[tool.mutations]` in `pyproject.toml`. A
module's mutants run against its own tests, `tests/metrics/test_rates.py` for `metrics/_rates.py`. A mutant is
killed when a test fails, when the tests take much more processor time than without it, or when it asks for more
memory than it may have. One that survives must stand in the list of survivors with its reason. The campaign
fails where one does not, and where the list has one that is killed or is no longer made.

cosmic-ray makes the changes. It would run them by writing each into the source file and starting Python anew;
here each is tested in a process forked from one that has imported NumPy, TensorFlow and the like, but neither run
TensorFlow nor imported this library, and nothing is written. Processes that a test starts therefore run the
library as it is. The tests that take least time run first.
"""

import argparse
import ast
import collections
import contextlib
import gc
import importlib
import json
import os
import random
import re
import resource
import signal
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path

import pytest
from cosmic_ray.ast import Visitor, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "voicelstm"
NOT_RUN = 70  # exit status of a process that has not come to the tests
MEMORY = 8 * 2**30  # of a mutant's process: `2 ** 70` frames are an error, and do not fill the machine


@dataclass(frozen=True)
class Mutant:
    """One change: which operator makes it, at which of the places where it could."""

    module: str
    operator: str
    occurrence: int
    line: int


@dataclass
class Run:
    """A process that tests a mutant, or the module as it is."""

    mutant: Mutant | None
    started: float


class Positions(Visitor):
    """Places where an operator could change a module, in the order in which cosmic-ray counts them."""

    def __init__(self, operator):
        self.operator = operator
        self.found = []

    def visit(self, node):
        positions = self.operator.mutation_positions(node)
        is_star = node.type == "operator" and node.parent.type == "parameters"  # of `def f(a, *, b)`
        is_vast = node.type == "number" and ast.literal_eval(node.value) + 1 == ast.literal_eval(node.value)
        if is_star or is_vast:
            positions = [((0, 0), None) for _ in positions]
        self.found.extend(positions)
        return node


def settings():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutations"]


def left_alone(code):
    """Return the ranges of a module that no test should notice: annotations, decorators, guards, texts of errors."""
    ranges = []
    for node in ast.walk(ast.parse(code)):
        parts = []
        if isinstance(node, ast.Raise) or (
            isinstance(node, ast.Call) and ast.unparse(node.func) == "warnings.warn"
        ):
            parts = [node]
        elif isinstance(node, ast.keyword) and node.arg in (
            "strict",
            "stacklevel",
        ):  # a guard; where a warning points
            parts = [node.value]
        elif isinstance(node, ast.arg | ast.AnnAssign):
            parts = [node.annotation]
        elif isinstance(node, ast.FunctionDef):
            parts = [node.returns, *node.decorator_list]  # how scikit-learn checks parameters; caches
        elif isinstance(node, ast.ClassDef):  # that a dataclass is frozen is a guard as well
            parts = node.decorator_list
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            parts = [node]
        ranges += [
            ((part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)) for part in parts if part
        ]
    return ranges


def mutants(module, operators):
    """Return the mutants of a module, by their place in it."""
    code = (SOURCE / module).read_text()
    alone = left_alone(code)
    found = []
    for name in operator_names():
        if not re.fullmatch(operators, name.partition("/")[2]):
            continue
        positions = Positions(get_operator(name)())
        positions.walk(get_ast(code))
        for occurrence, (start, _) in enumerate(positions.found):
            if start[0] and not any(first <= start < last for first, last in alone):
                found.append((start, Mutant(module, name, occurrence, start[0])))
    return [mutant for _, mutant in sorted(found, key=lambda item: (item[0], item[1].operator))]


def mutated(mutant):
    """Return the source of a mutant's module with its change."""
    return mutate_code(
        (SOURCE / mutant.module).read_text(), get_operator(mutant.operator)(), mutant.occurrence
    )


def descriptions(of):
    """Return what names each mutant of one module in the list of survivors: function, line before and line after.

    Line numbers would change with every edit above. Of mutants that read alike, the second is "function (2)".
    """
    tree = ast.parse((SOURCE / of[0].module).read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    before = (SOURCE / of[0].module).read_text().splitlines()
    counted = collections.Counter()
    described = {}
    for mutant in of:
        within = [node for node in functions if node.lineno <= mutant.line <= node.end_lineno]
        function = max(within, key=lambda node: node.lineno).name if within else "module"
        after = mutated(mutant).splitlines()
        key = (function, " ".join(before[mutant.line - 1].split()), " ".join(after[mutant.line - 1].split()))
        counted[key] += 1
        nth = f" ({counted[key]})" if counted[key] > 1 else ""
        described[mutant] = (mutant.module, function + nth, f"{key[1]}  ->  {key[2]}")
    return described


class MutatedModule(SourceFileLoader):
    """Loads a module whose source is not what stands in its file."""

    def __init__(self, name, path, code):
        super().__init__(name, path)
        self.code = code

    def get_code(self, fullname):
        return compile(self.code, self.path, "exec", dont_inherit=True)


class Finder:
    """Finds the mutated module before any other finder does."""

    def __init__(self, mutant):
        self.name = "voicelstm." + mutant.module.removesuffix(".py").replace("/", ".")
        self.path = str(SOURCE / mutant.module)
        self.code = mutated(mutant)

    def find_spec(self, name, path=None, target=None):
        if name != self.name:
            return None
        return spec_from_file_location(name, self.path, loader=MutatedModule(name, self.path, self.code))


class ByTime:
    """Runs first the tests that took least processor time in the first run, which writes this down.

    Later ones change nothing of it: mutants go by an order that was run without any.
    """

    def __init__(self, times):
        self.path = times
        self.measures = not times.exists()
        self.seconds = {} if self.measures else json.loads(times.read_text())

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items):
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0.0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        before = sum(os.times()[:4])  # of processes that it starts, too
        try:
            return (yield)
        finally:
            self.seconds[item.nodeid] = sum(os.times()[:4]) - before

    def pytest_sessionfinish(self, exitstatus):
        if self.measures and exitstatus == 0:
            self.path.write_text(json.dumps(self.seconds))


def run_tests(mutant, tests, limit, times):
    """What a forked process does: run tests, and end with pytest's exit status."""
    import hypothesis

    os.setsid()
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
    # The same examples for every mutant; and what was found need not be made smaller.
    hypothesis.settings.register_profile(
        "mutations",
        derandomize=True,
        database=None,
        deadline=None,
        phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate],
    )
    if mutant is not None:
        sys.meta_path.insert(0, Finder(mutant))
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    plugins = ["-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin", "-p", "no:cacheprovider"]
    only_day = ["-o", "addopts=-m 'not nightly'"]
    arguments = ["-x", "-q", *plugins, *only_day, "--hypothesis-profile=mutations", *tests]
    return pytest.main(arguments, plugins=[ByTime(times)])


def start(mutant, tests, limit, times):
    """Fork a process that runs tests; return its id."""
    process = os.fork()
    if process == 0:
        status = NOT_RUN
        try:
            status = int(run_tests(mutant, tests, limit, times))
        finally:
            os._exit(status)
    return process, Run(mutant, time.monotonic())


def finished(running, wall):
    """Wait for one of the processes to end, or to take too long; return it, its wait status and processor time."""
    while True:
        for process, run in running.items():
            ended, status, usage = os.wait4(process, os.WNOHANG)
            if not ended and time.monotonic() - run.started > wall:
                os.kill(process, signal.SIGKILL)
                ended, status, usage = os.wait4(process, 0)
            if ended:
                with contextlib.suppress(ProcessLookupError):  # what a test has started and left
                    os.killpg(process, signal.SIGKILL)
                return process, status, usage.ru_utime + usage.ru_stime
        time.sleep(0.01)


def processor_time(tests, wall, times):
    """Run tests on the module as it is, which must pass; return the seconds of processor time that they took."""
    for order in ("as they stand", "by time"):
        process, run = start(None, tests, None, times)
        _, status, seconds = finished({process: run}, wall)
        if status != 0:
            raise SystemExit(
                f"Without any mutant, {order}, these end with status {status}: {' '.join(tests)}"
            )
    return seconds


class Package:
    """The mutants of one package and the tests that they run against."""

    def __init__(self, name, package, operators):
        self.name = name
        self.later = [f"{name}/{module}.py" for module in package.get("later", [])]
        self.modules = [f"{name}/{module}.py" for module in package["modules"]] + self.later
        self.mutants = {module: mutants(module, operators) for module in self.modules}
        self.tests = {}
        for module in self.modules:
            stem = Path(module).stem
            files = package.get("tests", {}).get(stem, [f"test{stem}.py"])
            self.tests[module] = [os.path.normpath(f"tests/{name}/{file}") for file in files]

    def chosen(self, only, seed, sample):
        """Return the mutants to run: of what is named, else of every module that is due; all, or a sample."""
        every = []
        for module, of in self.mutants.items():
            is_due = module not in self.later and (not only or self.name in only)
            every += [m for m in of if is_due or {module, f"{module}:{m.line}"} & only]
        if not sample or sample >= len(every):
            return every
        return [every[i] for i in sorted(random.Random(seed).sample(range(len(every)), sample))]


def campaign(package, chosen, folder, *, jobs, wall):
    """Run mutants, with files in a folder; return the outcome of each: "killed", "time" (killed by it), "survived"."""
    times = {mutant.module: folder / mutant.module.replace("/", ".") for mutant in chosen}
    limits = {
        module: int(5 * processor_time(package.tests[module], wall, of_tests) + 10)
        for module, of_tests in times.items()
    }
    waiting = collections.deque(chosen)
    running, outcome, spent = {}, {}, 0.0
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.popleft()
            process, run = start(
                mutant, package.tests[mutant.module], limits[mutant.module], times[mutant.module]
            )
            running[process] = run
        process, status, seconds = finished(running, wall)
        spent += seconds
        mutant = running.pop(process).mutant
        code = os.waitstatus_to_exitcode(status)
        if code == NOT_RUN:
            raise SystemExit(f"The tests of {mutant} could not be started.")
        timed_out = code in (-signal.SIGXCPU, -signal.SIGKILL)
        outcome[mutant] = "survived" if code == 0 else "time" if timed_out else "killed"
        if code == 0:
            print(f"  {time.strftime('%H:%M')} survived: {mutant.module}:{mutant.line}", flush=True)
        if len(outcome) % 50 == 0:
            counted = collections.Counter(outcome.values())
            print(f"  {time.strftime('%H:%M')} {len(outcome)} of {len(chosen)}: {dict(counted)}", flush=True)
    print(f"  {spent / 60:.0f} minutes of processor time", flush=True)
    return outcome


def listed(path):
    """Return the reasons by module, function and change."""
    reasons = {}
    for module, entries in tomllib.loads(path.read_text()).items():
        for function, change, reason in entries:
            reasons[module, function, change] = reason
    return reasons


def report(module, of, outcome, described, survivors):
    """Return a row of the table for one module's mutants, and what is wrong with the list of survivors."""
    counted = collections.Counter(outcome[mutant] for mutant in of)
    unexplained = [
        mutant for mutant in of if outcome[mutant] == "survived" and described[mutant] not in survivors
    ]
    wrong = []
    for mutant in unexplained:
        function, change = map(json.dumps, described[mutant][1:])  # as the list has them
        wrong.append(f"survives: {mutant.module}:{mutant.line} [{function}, {change}]")
    wrong += [
        f"killed, take it off the list: {described[mutant]}"
        for mutant in of
        if described[mutant] in survivors and outcome[mutant] != "survived"
    ]
    explained = counted["survived"] - len(unexplained)
    numbers = [len(of), counted["killed"], counted["time"], explained, len(unexplained)]
    return f"{module:30}" + "".join(f"{number:>13}" for number in numbers), wrong


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument(
        "--only", default="", help="such as metrics,sequences/_segments.py,features/_deltas.py:31"
    )
    arguments.add_argument("--sample", type=int, help="as many mutants of each package, by chance")
    arguments.add_argument("--jobs", type=int, default=2, help="processes at once")
    arguments.add_argument("--wall", type=float, default=1800.0, help="seconds that tests may take at most")
    arguments.add_argument("--list", action="store_true", help="list the mutants, and run none")
    chosen_by = arguments.parse_args()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT), str(ROOT / "src")]
    configured = settings()
    packages = {
        name: Package(name, package, configured["operators"])
        for name, package in configured["packages"].items()
    }
    only = set(filter(None, chosen_by.only.split(",")))
    chosen = {
        name: package.chosen(only, configured["seed"], chosen_by.sample) for name, package in packages.items()
    }
    modules = {mutant.module for of in chosen.values() for mutant in of}
    described = {}
    for package in packages.values():
        for module, of in package.mutants.items():
            if of and (module in modules or chosen_by.list):
                described |= descriptions(of)
    if chosen_by.list:
        for mutant, (module, function, change) in described.items():
            print(f"{module}:{mutant.line} {function}: {change}")
        return 0

    for module in configured["imports"]:
        with contextlib.suppress(ImportError):  # only time would be lost
            importlib.import_module(module)
    gc.freeze()  # each process collects garbage, and none of it is here
    survivors = listed(ROOT / configured["survivors"])
    made = set(described.values())
    unknown = {key[0] for key in survivors} - {
        module for package in packages.values() for module in package.modules
    }
    wrong = [
        f"no longer made, take it off the list: {key}"
        for key in survivors
        if key[0] in modules | unknown and key not in made
    ]
    headings = ["run", "killed", "by time", "explained", "unexplained"]
    rows = [f"{'module':30}" + "".join(f"{heading:>13}" for heading in headings)]
    for name, package in packages.items():
        if not chosen[name]:
            continue
        print(f"{name}: {len(chosen[name])} of {sum(map(len, package.mutants.values()))} mutants", flush=True)
        if package.later and not only:
            print(f"  not yet run by night: {', '.join(package.later)}", flush=True)
        with tempfile.TemporaryDirectory(prefix="mutations-") as folder:
            outcome = campaign(package, chosen[name], Path(folder), jobs=chosen_by.jobs, wall=chosen_by.wall)
        for module in package.modules:
            of = [mutant for mutant in chosen[name] if mutant.module == module]
            if of:
                row, wrong_here = report(module, of, outcome, described, survivors)
                rows.append(row)
                wrong += wrong_here
    print("\n".join(rows), flush=True)
    print("\n".join(wrong) or "Every mutant was killed, or its survival is explained.")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
