import json
import os
import re
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from voicelstm.classifier._callback_descriptions import describe_callbacks

# Pairs of makers that lead elsewhere; each of them is made anew at each call.
MAKERS = """
import logging
import math
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
import numpy as np

class Watch:
    limit = {"low", "high", "middle"}
    def __init__(self, *values, **named):
        self.values = values, named
    def on_epoch_end(self, epoch):
        return super().__repr__() if epoch in {1, 2} else None

class Rare(Watch):
    def on_epoch_end(self, epoch):
        return 4

@dataclass
class Counted:
    number: int = 3
    def __call__(self):
        return Watch(self.number)

LIMIT = 0.5
LOG = logging.getLogger("of the module")
LOCK = threading.Lock()

def closing(value):
    return lambda: Watch(value)

def default(value):
    def make(value=value):
        return Watch(value)
    return make

def by_global(value):
    make = eval("lambda: Watch(LIMIT)", {"Watch": Watch, "LIMIT": value})
    return make

def local(value):
    class Local(Watch):
        def on_epoch_end(self, epoch):
            return [1, value]
    return Local

def makers():
    return [
        Watch, Rare, Counted(), Counted(4), Counted().__call__,
        closing(1), closing(2), closing(1.0), closing("1"), closing(None), closing([1]), closing((1,)),
        closing({"a": 1}), closing({"a", "b", "c"}), closing({"a", "b"}), closing(np.arange(3)),
        closing(np.arange(3.0)), closing(np.float32(1)), closing(Path("a")), closing(math),
        closing(math.sqrt),
        default(1), default(2), by_global(1), by_global(2), local(1), local(2),
        partial(Watch, 1), partial(Watch, 2), partial(Watch, named=1), partial(Rare, 1),
        lambda: Watch(1), lambda: Watch(2), lambda: Watch(LIMIT), lambda: Rare(LIMIT),
        closing(logging.getLogger("one")), closing(logging.getLogger("another")), lambda: Watch(LOG),
        closing(threading.Lock()), closing(threading.RLock()), lambda: Watch(LOCK),
        closing(threading.Event()), closing(threading.Semaphore(2)), closing(threading.BoundedSemaphore(2)),
        closing(logging.LoggerAdapter(LOG, {"run": 1})), closing(logging.LoggerAdapter(LOG, {"run": 2})),
        closing(logging.LoggerAdapter(logging.getLogger("one"), {"run": 1})),
        lambda: [Watch(x) for x in range(3)], lambda: [Watch(x) for x in range(4)],
    ]
"""
TOLD = """
import json
from voicelstm.classifier._callback_descriptions import describe_callbacks
print(json.dumps(describe_callbacks(makers())))
"""


@pytest.fixture(scope="module")
def told():
    """Descriptions by two processes, whose hashes of text differ."""
    commands = [[sys.executable, "-c", MAKERS + TOLD], [sys.executable, "-c", MAKERS + "\n\n" + TOLD]]
    return [
        json.loads(subprocess.check_output(command, env=os.environ | {"PYTHONHASHSEED": seed}))
        for command, seed in zip(commands, "12", strict=True)
    ]


def test_each_is_told_from_all_others(told):
    texts = [json.dumps(each) for each in told[0]]
    assert len(set(texts)) == len(texts) > 30


def test_another_process_tells_the_same(told):
    assert told[0] == told[1]


@pytest.mark.parametrize(
    "held", [threading.local(), iter([]), np.array([{}]), sys.stderr], ids=lambda held: type(held).__name__
)
def test_what_no_other_process_can_compare_is_an_error(held):
    for maker in (lambda: held, partial(dict, held=held)):
        with pytest.raises(TypeError, match=type(held).__name__):
            describe_callbacks([maker])


def test_the_global_variable_that_cannot_be_compared_is_named():
    module = {"__name__": "mine", "OPEN": {"file": iter([])}, "LIMIT": 1}
    exec("class Watch:\n    def on_epoch_end(self, epoch):\n        return OPEN, LIMIT", module)
    exec("def make():\n    return Watch(LIMIT)", module)
    with pytest.raises(TypeError, match=r"a builtins.list_iterator in the global variable 'OPEN' of mine$"):
        describe_callbacks([module["make"]])


class Holder:
    def __init__(self, held):
        self.held = held

    def __call__(self):
        return None


def holding(held, way):
    """Make a maker that holds a value in this way."""
    if way == "variable":
        return lambda: held
    if way == "default":
        return lambda held=held: held
    if way == "class":
        return type("Mine", (), {"__module__": __name__, "held": held})
    if way == "partial":
        return partial(Holder, held)
    holder = Holder(held)
    return holder if way == "attribute" else lambda: holder


@pytest.mark.parametrize(
    ("way", "where"),
    [
        ("variable", "in the variable 'held' around holding.<locals>.<lambda>"),
        ("default", "in a default of holding.<locals>.<lambda>"),
        ("class", "in 'held' of the class Mine"),
        ("partial", "in the arguments of a partial"),
        ("attribute", "in the attribute 'held' of a Holder"),
        (
            "attribute of a variable",
            "in the attribute 'held' of a Holder in the variable 'holder' around holding.<locals>.<lambda>",
        ),
    ],
)
def test_it_is_said_where_something_is_that_cannot_be_compared(way, where):
    with pytest.raises(TypeError, match=f"^a builtins.list_iterator {re.escape(where)}$"):
        describe_callbacks([holding(iter([]), way)])


def test_after_something_that_can_be_compared_no_place_is_left():
    maker = partial(dict, first=holding(1, "attribute"), second=[iter([])])
    with pytest.raises(TypeError, match=r"^a builtins.list_iterator in the arguments of a partial$"):
        describe_callbacks([maker])


@pytest.mark.parametrize("made", [threading.Lock, threading.Semaphore, threading.Event])
def test_a_lock_or_an_event_counts_the_same_while_it_is_held_or_set(made):
    held = made()
    makers = [partial(dict, held=held)]
    before = describe_callbacks(makers)
    held.set() if made is threading.Event else held.acquire()
    assert describe_callbacks(makers) == before


def test_what_a_maker_holds_may_hold_the_maker():
    held = []
    held.append(lambda: held)
    assert json.dumps(describe_callbacks(held)) == json.dumps(describe_callbacks(held))


def test_a_module_of_the_user_counts_by_its_source(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = Path(tmp_path, "mine_for_callbacks.py")
    source.write_text("limit = 1")
    import mine_for_callbacks

    before = describe_callbacks([lambda: mine_for_callbacks.limit])
    assert describe_callbacks([lambda: mine_for_callbacks.limit]) == before
    source.write_text("limit = 2")
    assert describe_callbacks([lambda: mine_for_callbacks.limit]) != before
