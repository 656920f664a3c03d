import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicelstm import MFCCTransformer, make_detector
from voicelstm.command._assignments import assign, parse_value, rows_to_keep

plain = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
)


@given(st.recursive(plain, lambda values: st.lists(values).map(tuple)))
def test_what_python_writes_is_read_as_it_was(value):
    assert parse_value(repr(value)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" 128, 64 ", (128, 64)),
        ("128,", (128,)),
        ("TRUE", True),
        ("none", None),
        ("'none'", "none"),
        ("mean", "mean"),
        ("mean,none,2", ("mean", None, 2)),
        ("mean,", ("mean",)),
        ("'a,b'", "a,b"),
        ("[1, a]", "[1, a]"),
        ("__import__('os').getcwd()", "__import__('os').getcwd()"),
        ("", ""),
    ],
)
def test_words_need_no_quotes_and_commas_make_tuples(text, value):
    assert parse_value(text) == value


def test_what_python_cannot_nest_is_text():
    deep = "(" * 10_000
    assert parse_value(deep) == deep


def test_parameters_are_set_on_the_estimator_that_is_given():
    detector = make_detector()
    assigned = assign(
        detector,
        ["classifier.units = 128", "features.n_mfcc=20", "features.n_mfcc=13"],
        classifier__class_weight=None,
        classifier__dropout=0.25,
    )
    assert assigned is detector
    params = detector.get_params()
    assert params["classifier__units"] == (128,)  # one number for each layer
    assert params["features__n_mfcc"] == 13  # the last one counts
    assert params["classifier__dropout"] == 0.25
    assert params["classifier__class_weight"] == make_detector().get_params()["classifier__class_weight"]


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("units=3", r"'units'. Did you mean classifier.units\?"),
        ("clasifier.units=3", "Did you mean classifier.units"),
        ("memory=cache", "no parameter 'memory'"),
        ("features=none", "no parameter 'features'"),
        ("=3", "'=3' is not of the form name=value"),
        ("classifier.units", "not of the form name=value"),
        ("classifier.dropout=2", "dropout"),
        ("features.n_mfcc=500", "n_filters"),
        ("classifier.segment_hop=400", "segment_hop=400 must be from 1 to segment_frames=300"),
        ("classifier.segment_frames=none", "segment_frames, which is None: give a number"),
        ("classifier.augment.equalization=-1", "equalization"),
    ],
)
def test_what_cannot_be_set_is_refused_before_anything_is_read(assignment, said):
    with pytest.raises(click.BadParameter, match=said) as caught:
        assign(make_detector(), [assignment])
    assert caught.value.param_hint == "--set"


def test_a_transformer_alone_needs_no_step():
    assert assign(MFCCTransformer(), ["n_mfcc=5"]).n_mfcc == 5
    with pytest.raises(click.BadParameter, match="n_filters"):
        assign(MFCCTransformer(), ["n_mfcc=500"])


def test_values_of_one_column_are_alternatives_and_may_hold_what_divides_the_others():
    conditions = ["codec=mp3", " subset = train ", "codec=a=b", "note="]
    assert rows_to_keep(conditions) == {"codec": ["mp3", "a=b"], "subset": ["train"], "note": [""]}
    assert rows_to_keep([]) == {}
    for text in ("subset", "=train", " =train"):
        with pytest.raises(click.BadParameter, match="is not of the form column=value"):
            rows_to_keep([text])
