"""What `make mutations` rests on."""

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray")  # installed by `make mutations`, which runs this

# Each burns processor time once: first the one, and in the second run the other.
TESTS = """
import time
from pathlib import Path

LOG = Path(__file__).with_name("log")


def run(name, slow_as):
    n_before = LOG.read_text().count(name) if LOG.exists() else 0
    LOG.open("a").write(name)
    end = time.process_time() + (0.2 if n_before == slow_as else 0.0)
    while time.process_time() < end:
        pass


def test_a():
    run("a", 0)


def test_b():
    run("b", 1)
"""
CAMPAIGN = """
import sys
import mutations

folder = sys.argv[1]
tests, times = [f"{folder}/test_each.py"], mutations.Path(folder, "times")
mutations.processor_time(tests, 60.0, times)
for _ in range(2):  # as a mutant's process is started
    process, run = mutations.start(None, tests, None, times)
    assert mutations.finished({process: run}, 60.0)[1] == 0
"""


def test_mutants_run_in_the_order_of_the_second_run_without_one(tmp_path):
    Path(tmp_path, "test_each.py").write_text(TESTS)
    campaigns = Path(__file__).resolve().parents[1] / "campaigns"
    subprocess.run([sys.executable, "-c", CAMPAIGN, tmp_path], cwd=campaigns, check=True, timeout=120)
    assert Path(tmp_path, "log").read_text() == "ab" + 3 * "ba"
