import runpy

import pytest


@pytest.mark.parametrize(
    ("module", "name", "times"),
    [
        ("voicelstm", "__main__", 1),  # python -m voicelstm
        ("voicelstm.__main__", "__mp_main__", 0),  # a worker process, which imports what its parent ran
    ],
)
def test_the_command_runs_where_the_package_is_run_and_not_where_it_is_imported(
    module, name, times, monkeypatch
):
    calls = []
    monkeypatch.setattr("voicelstm.command.main", lambda: calls.append(name))
    runpy.run_module(module, run_name=name)
    assert len(calls) == times
