import pickle
from inspect import isclass

import pytest

from voicelstm import exceptions
from voicelstm.exceptions import AudioError, AudioWarning, VoiceLSTMError, VoiceLSTMWarning

KINDS = [getattr(exceptions, name) for name in exceptions.__all__]


def test_every_class_of_the_module_is_public():
    assert {kind for kind in vars(exceptions).values() if isclass(kind) and issubclass(kind, Exception)} == {
        *KINDS
    }


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_name_says_what_is_caught_with_it(kind):
    if kind.__name__.endswith("Warning"):
        assert issubclass(kind, VoiceLSTMWarning)
        assert issubclass(kind, UserWarning)
    else:
        assert issubclass(kind, VoiceLSTMError)
        assert not issubclass(kind, Warning)
        # What a user passed was wrong, whatever of it: `except ValueError` takes all but the base.
        assert issubclass(kind, ValueError) == (kind is not VoiceLSTMError)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_a_worker_raises_comes_back_from_its_process_as_it_was(kind):
    raised = kind("a.wav: empty")
    if kind in (AudioError, AudioWarning):
        raised = kind("a.wav: empty", [(3, "empty")])
    found = pickle.loads(pickle.dumps(raised))
    assert type(found) is kind
    assert (str(found), vars(found)) == (str(raised), vars(raised))


@pytest.mark.parametrize("kind", [AudioError, AudioWarning])
def test_failures_are_a_list_of_their_own(kind):
    failures = [(0, "empty"), (4, "no audio")]
    raised = kind("two of five", failures)
    failures.clear()
    assert raised.failures == [(0, "empty"), (4, "no audio")]
    assert kind("one").failures == []
    assert raised.args == ("two of five",)
