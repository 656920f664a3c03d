import importlib.util
import subprocess
import sys
import textwrap
from threading import Barrier, Thread

import pytest

from tests.command.runner import COMMAND
from voicelstm.command import _late_imports
from voicelstm.command._late_imports import put_off_imports

SLOW = """\
print("loading")
import time

time.sleep(0.1)
from slow_sums import parts

class total(int):
    def __new__(cls, *values, start=0):
        return int(sum(values, start))

    twice = staticmethod(lambda value: 2 * value)

FOUR = parts.two() + 2
"""
PARTS = """\
import slow_sums

def two():
    return 2
"""


@pytest.fixture
def slow_sums(tmp_path, monkeypatch):
    """A package that is loaded late, of which `total` is a function that others import by name."""
    (tmp_path / "slow_sums").mkdir()
    (tmp_path / "slow_sums" / "__init__.py").write_text(SLOW)
    (tmp_path / "slow_sums" / "parts.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(_late_imports, "_LATE", {"slow_sums": ("total",)})
    monkeypatch.setattr(_late_imports, "_NOT_FOUND", ("no_such_frames",))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    put_off_imports()
    yield tmp_path / "slow_sums" / "__init__.py"
    for name in ("slow_sums", "slow_sums.parts"):
        sys.modules.pop(name, None)


def test_a_module_is_loaded_with_the_first_call_and_once(slow_sums, capsys):
    import slow_sums
    from slow_sums import total

    assert capsys.readouterr().out == ""
    assert total(1, 2, start=3) == 6
    assert total.__name__ == "total"
    assert total.twice(3) == 6
    assert slow_sums.total is not total
    assert slow_sums.total(1, 2) == 3
    assert capsys.readouterr().out == "loading\n"


def test_a_module_is_loaded_for_what_is_no_listed_function(slow_sums, capsys):
    import slow_sums
    from slow_sums import FOUR

    assert FOUR == slow_sums.parts.two() + 2 == 4
    assert capsys.readouterr().out == "loading\n"
    with pytest.raises(AttributeError, match=r"'slow_sums' has no attribute 'nothing'$"):
        _ = slow_sums.nothing
    with pytest.raises(ImportError, match="nothing"):
        from slow_sums import nothing  # noqa: F401  # which fails


def test_a_part_of_it_is_imported_alone(slow_sums, capsys):
    import slow_sums
    from slow_sums import parts

    assert slow_sums.parts.two() == parts.two() == 2
    assert capsys.readouterr().out == ""
    assert slow_sums.FOUR == 4


def test_no_thread_sees_half_a_module(slow_sums, capsys):
    import slow_sums

    together, found = Barrier(4), []

    def ask():
        together.wait()
        found.append(slow_sums.FOUR)

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [4] * 4
    assert capsys.readouterr().out == "loading\n"


def test_an_error_while_it_is_loaded_comes_each_time(slow_sums, capsys):
    slow_sums.write_text("raise OSError('a disk is full')")
    import slow_sums as module

    for _ in range(2):
        with pytest.raises(OSError, match="a disk is full"):
            _ = module.FOUR


def test_what_others_can_do_without_is_not_imported_and_may_be_asked_for(slow_sums):
    importlib.util.find_spec("no_such_frames")  # as torch asks for pandas when it is imported
    with pytest.raises(ModuleNotFoundError, match="no_such_frames"):
        import no_such_frames  # noqa: F401  # which fails


def test_scikit_learn_gets_the_functions_of_scipy():
    code = """\
    import sys
    from voicelstm.command._late_imports import put_off_imports

    put_off_imports()
    from sklearn.isotonic import check_increasing
    from sklearn.model_selection import GridSearchCV, cross_val_score
    from sklearn.linear_model import LogisticRegression

    late = sys.modules["scipy.stats"]
    print(type(late).__name__)
    X, y = [[0.0], [1.0], [2.0], [3.0]] * 5, [0, 0, 1, 1] * 5
    print(check_increasing([1, 2, 3, 4], [4, 3, 2, 1]))  # by spearmanr
    print(type(late).__name__, late.norm.cdf(0))
    print(GridSearchCV(LogisticRegression(), {"C": [1e-6, 1.0]}).fit(X, y).cv_results_["rank_test_score"])
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.preprocessing import SplineTransformer
    from voicelstm.metrics import min_cllr

    print(SplineTransformer().fit_transform(X).shape)
    print(CalibratedClassifierCV(LogisticRegression()).fit(X, y).predict([[0.0], [3.0]]))
    print(min_cllr(["human", "synthetic"], [-1.0, 1.0]))  # by isotonic_regression
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    first, second, third, *others = done.stdout.splitlines()
    assert (first, second, third) == ("_LateModule", "False", "module 0.5")
    assert others == ["[2 1]", "(20, 7)", "[0 1]", "0.0"]


def test_an_answer_loads_nothing_that_it_has_no_use_for(voices):
    code = f"""\
    import gc, sys
    from voicelstm.command import main

    sys.argv = ["voicelstm", "detect", {voices[0]!r}]
    try:
        main()
    finally:
        print(*(name for name in sys.modules if type(sys.modules[name]).__name__ == "module"))
        assert gc.get_freeze_count() > 10_000  # which the interpreter's end leaves alone
    """
    done = subprocess.run(
        [*COMMAND[:1], "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    answer, loaded = done.stdout.splitlines()
    assert answer.startswith(voices[0])
    assert {"numpy", "sklearn.base", "voicelstm.features._cepstra"} <= set(loaded.split())
    unused = """
        IPython av audioread keras librosa matplotlib numba pandas pooch python_speech_features requests
        scipy.io scipy.signal scipy.stats sklearn.covariance sklearn.discriminant_analysis sklearn.ensemble
        tensorflow
        voicelstm.datasets._audit voicelstm.detector._evaluation voicelstm.display voicelstm.network._network
    """
    assert set(unused.split()) & set(loaded.split()) == set()
