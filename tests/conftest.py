import csv
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# `pytest --hypothesis-profile=campaign tests/test_hostile_model_files.py` looks further than a change needs.
settings.register_profile("campaign", max_examples=20_000, deadline=None)


@pytest.fixture(scope="session", autouse=True)
def interrupts():
    """Let processes that tests start be interrupted, also where a shell runs the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared():
    """The folder of recordings beside the repository; only an outside contributor's clone may lack it."""
    folder = Path(os.environ.get("VOICELSTM_SHARED", Path(__file__).resolve().parents[2] / "shared"))
    if not folder.is_dir():
        reason = f"{folder} is not there; set VOICELSTM_SHARED to the folder that holds corpus/ and awkward/"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def awkward_dir(shared):
    return shared / "awkward"


@pytest.fixture(scope="session")
def awkward_files(awkward_dir):
    """Path and expected outcome ("decode", "reject" or "either") of every strange recording."""
    with (awkward_dir / "awkward.csv").open(newline="", encoding="utf-8") as lines:
        return [(awkward_dir / row["file"], row["expected"]) for row in csv.DictReader(lines)]


@pytest.fixture(scope="session")
def corpus_dir(shared):
    return shared / "corpus"


@pytest.fixture(scope="session")
def manifest(corpus_dir):
    """The corpus's rows, as dictionaries."""
    with (corpus_dir / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture
def double_precision():
    """What computes in float64 needs it of the backend; JAX has it only where its user asks for it."""
    keras = pytest.importorskip("keras")
    if keras.backend.backend() == "jax":
        import jax

        if not jax.config.jax_enable_x64:
            pytest.skip("JAX_ENABLE_X64=1 is not set")


@pytest.fixture(scope="session")
def small_voices():
    """Recordings and labels, half of them for a detector to learn from and half held out."""
    from voicelstm.datasets import make_voices

    X, y = make_voices(40, random_state=0, return_X_y=True)
    return (X[:20], y[:20]), (X[20:], y[20:])


@pytest.fixture(scope="session")
def small_detector(small_voices):
    """A fitted Pipeline that no test may change."""
    from voicelstm import make_detector

    small = {"classifier__units": (6,), "classifier__max_steps": 4, "features__n_mfcc": 8}
    return make_detector("dynamics", random_state=0, **small).fit(*small_voices[0])


@pytest.fixture
def extractions(monkeypatch):
    """What was really extracted, as opposed to remembered."""
    from voicelstm.features._extraction import extract

    seen = []

    def spy(recording, how, folder=None):
        seen.append(recording)
        return extract(recording, how, folder)

    monkeypatch.setattr("voicelstm.features._workers.extract", spy)
    return seen
