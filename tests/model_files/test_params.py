import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import make_pipeline

from tests.model_files.rewriting import rewritten
from voicelstm import CepstralDynamics, LSTMVoiceClassifier, MFCCTransformer, load, save
from voicelstm.exceptions import ModelFileError, ModelFileWarning
from voicelstm.model_files._params import _NOT_KEPT, _OF_TRAINING, describe_params, restore_with_params

CLASSIFIER = Path(__file__).parent / "0.1.0" / "classifier.voicelstm"


def test_a_parameter_that_decides_what_is_computed_is_kept_or_refused(tmp_path):
    transformer = MFCCTransformer(sample_rate=range(3))
    with pytest.raises(TypeError, match=r"cannot keep sample_rate=range\(0, 3\) of MFCCTransformer"):
        save(transformer, tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_cannot_keep_is_said(tmp_path):
    X = np.random.default_rng(0).normal(size=(6, 9, 3))
    classifier = load(CLASSIFIER).set_params(optimizer=lambda: "sgd", random_state=np.random.RandomState(0))
    with pytest.warns(ModelFileWarning, match="optimizer, random_state of LSTMVoiceClassifier") as caught:
        save(classifier, tmp_path / "m")
    assert caught[0].filename == __file__
    loaded = LSTMVoiceClassifier.load(tmp_path / "m")
    assert (loaded.optimizer, loaded.random_state) == ("adam", None)
    np.testing.assert_array_equal(loaded.decision_function(X), classifier.decision_function(X))


@pytest.mark.parametrize(
    "estimator",
    [
        MFCCTransformer(n_mfcc=np.int64(13), window=["kaiser", 6.0], level=-26.0),
        CepstralDynamics(lags=(1, 2)),
        LSTMVoiceClassifier(units=[4, 3], class_weight={"human": 2.0}, random_state=5),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_parameters_come_back_as_python_s_own_values(estimator):
    restored = restore_with_params(type(estimator), {"params": describe_params(estimator)})
    as_tuples = {k: tuple(v) if isinstance(v, list) else v for k, v in estimator.get_params().items()}
    assert restored.get_params() == as_tuples
    assert not any(isinstance(value, np.generic) for value in restored.get_params().values())


def test_a_parameter_that_the_file_lacks_has_its_default():
    restored = restore_with_params(MFCCTransformer, {"params": {"n_mfcc": 13}})
    assert restored.get_params() == MFCCTransformer(n_mfcc=13).get_params()


@pytest.mark.parametrize("name", sorted(_NOT_KEPT))
def test_a_parameter_of_the_machine_is_neither_written_nor_read(name):
    kind = next(k for k in (MFCCTransformer, LSTMVoiceClassifier) if name in inspect.signature(k).parameters)
    assert name not in describe_params(kind().set_params(**{name: 1}))
    with pytest.raises(ModelFileError, match=rf"no parameters \['{name}'\] of {kind.__name__}"):
        restore_with_params(kind, {"params": {name: 1}})


def test_each_parameter_of_training_is_one_of_an_estimator_s():
    kinds = (MFCCTransformer, LSTMVoiceClassifier)
    assert set().union(*(inspect.signature(kind).parameters for kind in kinds)) >= _OF_TRAINING


@pytest.mark.parametrize(("name", "value"), [("n_mfcc", True), ("sample_rate", False), ("lifter", True)])
def test_a_bool_is_no_number_even_where_python_takes_it_for_one(name, value):
    with pytest.raises(ModelFileError, match=f"The parameter {name} is {value}, which it cannot be"):
        restore_with_params(MFCCTransformer, {"params": {name: value}})


def test_a_value_out_of_its_range_is_refused():
    with pytest.raises(ValueError, match="n_mfcc"):
        restore_with_params(MFCCTransformer, {"params": {"n_mfcc": -1}})


def test_what_cannot_be_kept_is_replaced_by_the_default_of_its_class():
    class Trained(BaseEstimator):
        def __init__(self, random_state=7, augment=None):
            self.random_state, self.augment = random_state, augment

    with pytest.warns(ModelFileWarning, match="cannot keep augment of Trained"):
        described = describe_params(Trained(random_state=3, augment=object()))
    assert described == {"random_state": 3, "augment": None}


@pytest.fixture(scope="module")
def table():
    """Six signals of 900 samples, a column for each sample."""
    values = np.random.default_rng(0).normal(size=(6, 900))
    return pd.DataFrame(values, columns=[f"sample {position}" for position in range(900)])


@pytest.mark.parametrize("kind", ["transformer", "dynamics", "classifier", "pipeline", "threshold"])
def test_names_of_columns_are_kept(kind, table, tmp_path):
    classifier = LSTMVoiceClassifier(units=(2,), max_epochs=1)
    fitted = {
        "transformer": MFCCTransformer(),
        "dynamics": CepstralDynamics(),
        "classifier": classifier,
        "pipeline": make_pipeline(MFCCTransformer(), classifier),
        "threshold": FixedThresholdClassifier(classifier, threshold=0.0),
    }[kind].fit(table, ["human", "synthetic"] * 3)
    save(fitted, tmp_path / "m")
    loaded = load(tmp_path / "m")
    assert loaded.feature_names_in_.tolist() == table.columns.tolist()
    assert loaded.feature_names_in_.dtype == object
    with pytest.raises(ValueError, match="feature names should match"):
        getattr(loaded, "predict" if hasattr(loaded, "predict") else "transform")(table[table.columns[::-1]])
    fitted.fit(table.to_numpy(), ["human", "synthetic"] * 3)
    save(fitted, tmp_path / "m")
    assert not hasattr(load(tmp_path / "m"), "feature_names_in_")


@pytest.mark.parametrize(
    ("names", "match"),
    [
        (["a"], "1 names of columns do not fit 900"),
        ([3] * 900, "list of texts"),
        ("a" * 900, "list of texts"),
    ],
)
def test_names_that_fit_no_columns_are_refused(names, match, table, tmp_path):
    save(MFCCTransformer().fit(table), tmp_path / "m")
    rewritten(tmp_path / "m", lambda document, _: document["object"].update(feature_names_in_=names))
    with pytest.raises(ModelFileError, match=match):
        load(tmp_path / "m")
