"""No private name of another library outside `_compat`, and none of those in there gone."""

import ast
import re
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from click import Group
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, recall_score
from sklearn.model_selection import LeaveOneGroupOut, TunedThresholdClassifierCV
from sklearn.utils._param_validation import InvalidParameterError

from voicelstm import CepstralDynamics, _compat
from voicelstm.exceptions import VoiceLSTMWarning
from voicelstm.metrics import make_detection_scorer, min_dcf

SOURCE = Path(_compat.__file__).parent

# Private, or promised by no one, without an underscore that would say so.
UNDERSCORELESS = (
    "joblib.externals",
    "joblib.parallel",
    "keras.src",
    "raw_ops",
    "tensorflow.compiler",
    "tensorflow.core",
    "tensorflow.python",
    "torch.lstm",
)
# What this library's classes derive from, which has them under names that this library might have given.
CLASSES = (
    BaseEstimator,
    CallbackSupportMixin,
    ClassifierMixin,
    Group,
    LeaveOneGroupOut,
    TransformerMixin,
    _compat.BaseScorer,
)
# What scikit-learn asks this library's own classes for; that it does is tested below.
HOOKS = {"_accept_sample_weight", "_parameter_constraints", "_score"}
# What model files ask of the steps of a Pipeline and of estimators, whatever their class.
ASKED_OF_STEPS = {"_n_output_features", "_parameter_constraints"}
FOREIGN = {name for each in CLASSES for name in dir(each) if re.match("_[^_]", name)} - HOOKS
PUBLIC = {"_asdict", "_fields", "_make", "_replace"}  # of named tuples, documented
BY_STRING = {"attrgetter", "delattr", "getattr", "hasattr", "methodcaller", "setattr"}


def is_private(name):
    return re.fullmatch(r"_(?!_)\w+", name) is not None


def is_private_path(path):
    parts = path.split(".")
    dotted = f".{path}."
    return any(map(is_private, parts)) or any(f".{each}." in dotted for each in UNDERSCORELESS)


def own_names(trees):
    """Names that this library gives, to whatever it gives them."""
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield from [node.attr] * (ast.unparse(node.value) in {"self", "cls"})


def private_names(tree, own) -> Iterator[tuple[int, str]]:
    """Line and text of each private name of another library."""

    def is_foreign(name):
        return is_private(name) and name not in PUBLIC and (name in FOREIGN or name not in own)

    aliases = {
        each.asname: each.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for each in node.names
        if each.asname
    }

    texts = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    for node in ast.walk(tree):
        found = []
        if isinstance(node, ast.Import):
            found = [each.name for each in node.names if is_private_path(each.name)]
        elif isinstance(node, ast.ImportFrom):
            found = [f"{node.module}.{each.name}" for each in node.names]
            found = [path for path in found if is_private_path(path)]
        elif isinstance(node, ast.Attribute):
            path = ast.unparse(node)
            first, _, rest = path.partition(".")
            path = f"{aliases.get(first, first)}.{rest}"
            if is_foreign(node.attr) or f".{path}".endswith(tuple(f".{each}" for each in UNDERSCORELESS)):
                found = [path]
        elif isinstance(node, ast.FunctionDef) and node.name in FOREIGN:
            found = [f"def {node.name}"]
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            found = [node.slice.value] if is_foreign(str(node.slice.value)) else []
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in BY_STRING:
            strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            found = [each for each in strings if any(map(is_foreign, each.split(".")))]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in texts:
            dotted = re.fullmatch(r"\w+([.:]\w+)+", node.value)
            found = [node.value] if dotted and is_private_path(node.value.replace(":", ".")) else []
        yield from ((node.lineno, each) for each in found if not each.startswith("voicelstm"))


def found_in(source, own=()):
    return [text for _, text in private_names(ast.parse(source), {*own})]


def test_no_private_name_of_another_library_stands_outside_compat():
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    # This library's own are known in the package that gives them, and in those that import that package.
    given, taken = {}, {}
    for path, tree in trees.items():
        package = path.relative_to(SOURCE).parts[0]
        given.setdefault(package, set()).update(own_names([tree]))
        modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        taken.setdefault(package, {package}).update(
            each.split(".")[1] for each in modules if each.startswith("voicelstm.")
        )
    own = {
        package: ASKED_OF_STEPS.union(*(given.get(each, set()) for each in packages))
        for package, packages in taken.items()
    }
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text}"
        for path, tree in trees.items()
        if path != SOURCE / "_compat.py"
        for line, text in private_names(tree, own[path.relative_to(SOURCE).parts[0]])
    ]
    assert not found, f"{len(found)} private names, which belong into _compat.py:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        "from sklearn.base import _fit_context as fit_context",
        "from sklearn.utils._param_validation import Interval",
        "import sklearn.utils._response",
        "import keras.src.backend",
        "from tensorflow.python.eager import context",
        "from tensorflow.core.config import flags",
        "from joblib.parallel import get_active_backend",
        "def f():\n    from sklearn.calibration import _CalibratedClassifier",
        "optimizer._all_reduce_sum_gradients = summed",
        "self._validate_params()",
        "kind._get_param_names()",
        "tf.raw_ops.BlockLSTM(x)",
        "torch.lstm(x)",
        "tensorflow.python.eager",
        "getattr(optimizer, '_all_reduce_sum_gradients', None)",
        "operator.attrgetter('steps._validate_steps')",
        "import_module('sklearn.utils._response')",
        "resolve('sklearn.base:_fit_context')",
        "import_module('keras.src')",
        "import tensorflow as tf\ntf.python.eager",
        "vars(optimizer)['_all_reduce_sum_gradients']",
        "layer._lock.acquire()",
    ],
)
def test_a_private_name_is_found(source):
    assert found_in(source)


@pytest.mark.parametrize(
    "source",
    [
        "from voicelstm.metrics._costs import act_dcf",
        "import_module('voicelstm.metrics._costs')",
        "self._settings",
        "getattr(each, '_settings')",
        "Row._fields",
        "estimator._parameter_constraints",
        "estimator.__sklearn_tags__()",
        "from keras import ops",
        "suffixes = ('', '_backward')",
        "'''See sklearn.base._fit_context.'''",
    ],
)
def test_what_is_public_or_of_this_library_is_not_found(source):
    assert not found_in(source, {"_parameter_constraints", "_settings"})


def installed(private):
    return find_spec(private.module.partition(".")[0]) is not None


@pytest.mark.parametrize("name", _compat.NAMES)
def test_every_name_is_there(name):
    private = _compat.NAMES[name]
    if name == "gradient_sum" and import_module("keras").backend.backend() != "tensorflow":
        pytest.skip("Keras has it under TensorFlow alone")
    if private.module == "torch" and not installed(private):
        pytest.skip("torch is not installed")
    assert private.find() is not None


def test_every_name_is_used():
    module = ast.parse(Path(_compat.__file__).read_text(encoding="utf-8"))
    helpers = {}  # by the name that they look up
    for function in (node for node in module.body if isinstance(node, ast.FunctionDef)):
        for name in re.findall(r"NAMES\['(\w+)'\]", ast.unparse(function)):
            helpers.setdefault(name, []).append(function.name)
    code = "".join(p.read_text(encoding="utf-8") for p in SOURCE.rglob("*.py") if p != SOURCE / "_compat.py")
    for name in _compat.NAMES:
        assert any(re.search(rf"\b{each}\b", code) for each in [name, *helpers.get(name, ())]), name


@pytest.fixture
def gone(monkeypatch):
    """Have names of `_compat` stand for what is not there."""
    _compat._warn.cache_clear()

    def rename(*names):
        for name in names:
            was = _compat.NAMES[name]
            monkeypatch.setitem(_compat.NAMES, name, was._replace(path=f"{was.path}_gone"))

    yield rename
    _compat._warn.cache_clear()


def version_of(module):
    return import_module(module).__version__


def test_an_error_says_what_is_gone_from_which_version_and_what_to_do(gone):
    gone("Interval")
    with pytest.raises(ImportError) as caught:
        from voicelstm._compat import Interval  # noqa: F401  # it is not there
    assert str(caught.value) == (
        f"scikit-learn {version_of('sklearn')} has no sklearn.utils._param_validation.Interval_gone, which"
        " voicelstm uses to say which values of a parameter are legal. The name is not public in"
        " scikit-learn, and this version of voicelstm does not know what took its place: install an earlier"
        " scikit-learn, or a later voicelstm."
    )


def test_a_module_that_is_gone_is_named_as_well(monkeypatch):
    monkeypatch.setitem(
        _compat.NAMES, "Interval", _compat.Private("sklearn.utils._gone", "Interval", "check")
    )
    with pytest.raises(ImportError, match=r"^scikit-learn .* has no sklearn\.utils\._gone\.Interval, which"):
        _ = _compat.Interval


@pytest.mark.parametrize(
    ("ask", "name"),
    [
        (_compat.validate_params, "BaseEstimator._validate_params"),
        (_compat.validate_steps, "Pipeline._validate_steps"),
        (_compat.tuned_pos_label, "_CurveScorer._get_pos_label"),
        (
            lambda x: _compat.callback_context(x, max_subtasks=1),
            "CallbackSupportMixin._init_callback_context",
        ),
    ],
)
def test_an_object_without_the_attribute_is_no_attribute_error(ask, name):
    # load() takes an AttributeError for a damaged file.
    with pytest.raises(ImportError, match=rf"^scikit-learn .* has no sklearn\.\w+.*{name}, which"):
        ask(object())


def test_a_library_that_is_not_installed_has_an_error_of_its_own(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ModuleNotFoundError, match="torch"):
        _compat.fused_torch_lstm()


def test_what_is_unknown_to_it_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = _compat.Nothing


@pytest.mark.parametrize(
    ("ask", "name", "says"),
    [
        (_compat.graph_publishing, "graph_publishing", "memory grows by tens of MiB"),
        (_compat.clear_kernel_cache, "clear_kernel_cache", "memory grows by a MiB"),
        (_compat.block_lstm, "block_lstm", "Keras's slower loop"),
        (_compat.active_dask_backend, "active_backend", "wait for ever"),
    ],
)
def test_what_is_dispensable_warns_once_and_is_none(gone, ask, name, says):
    gone(name)
    with pytest.warns(VoiceLSTMWarning, match=rf"has no {re.escape(_compat.NAMES[name].module)}.*{says}"):
        assert ask() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask() is None


def test_an_optimizer_of_a_keras_that_sums_otherwise_is_left_alone_with_a_warning(gone, monkeypatch):
    keras = import_module("keras")
    gone("gradient_sum")
    for each in keras.optimizers.Optimizer.__mro__:
        if "_all_reduce_sum_gradients" in vars(each):
            monkeypatch.delattr(each, "_all_reduce_sum_gradients")
    with pytest.warns(VoiceLSTMWarning, match=r"keras .* has no keras\.optimizers\..*memory grows by 3 MiB"):
        _compat.replace_gradient_sum(keras.optimizers.Adam(), pytest.fail)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        _compat.replace_gradient_sum(object(), pytest.fail)  # a user's own


def test_a_tensorflow_without_the_kernel_has_keras_run_the_layers(gone):
    kernels = pytest.importorskip("voicelstm.network.kernels")
    if import_module("keras").backend.backend() != "tensorflow":
        pytest.skip("the kernel is TensorFlow's")
    gone("block_lstm")
    with pytest.warns(VoiceLSTMWarning, match=r"raw_ops\.BlockLSTM"):
        assert kernels.fastest_stack("float32", "float32", (8,), 1) is None


def test_a_tuned_threshold_says_which_class_it_speaks_for():
    X, y = make_classification(60, random_state=0)
    scorer = make_scorer(recall_score, pos_label=0)
    tuned = TunedThresholdClassifierCV(LogisticRegression(), scoring=scorer, cv=2).fit(X, y)
    assert _compat.tuned_pos_label(tuned) == 0


def test_scikit_learn_reads_the_constraints_of_an_estimator():
    with pytest.raises(InvalidParameterError):
        CepstralDynamics(lags="none").fit([])


def test_scikit_learn_asks_a_scorer_by_the_names_that_it_overrides():
    assert hasattr(_compat.BaseScorer, "_accept_sample_weight")
    X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    assert make_detection_scorer(min_dcf, human_label=0)(LogisticRegression().fit(X, y), X, y) == 0
