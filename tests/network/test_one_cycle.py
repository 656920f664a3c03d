import numpy as np
import pytest

from voicelstm.network._one_cycle import one_cycle


def test_a_third_of_the_steps_up_and_the_others_down():
    rates = [one_cycle(2.0, step, 100) for step in range(100)]
    assert rates[0] == pytest.approx(2 / 25)
    assert int(np.argmax(rates)) == 29
    assert rates[29] == 2.0
    assert rates[64] == pytest.approx(1.0, abs=1e-4)  # half way down
    assert rates[99] == pytest.approx(2 / 250_000)
    assert (np.diff(rates[:30]) > 0).all()
    assert (np.diff(rates[29:]) < 0).all()


# Of four steps the second is 2/7 and the third 9/14 of the way down.
SECOND, THIRD = (1 + np.cos(np.pi * 2 / 7)) / 2, (1 + np.cos(np.pi * 9 / 14)) / 2


@pytest.mark.parametrize(
    ("n_steps", "expected"),
    [(1, [1.0]), (2, [1.0, 4e-6]), (3, [1.0, 0.5, 4e-6]), (4, [0.04, SECOND, THIRD, 4e-6])],
)
def test_short_trainings_have_a_cycle_too(n_steps, expected):
    assert [one_cycle(1.0, step, n_steps) for step in range(n_steps)] == pytest.approx(expected, abs=5e-6)


@pytest.mark.every_backend
def test_it_is_pytorch_s():
    torch = pytest.importorskip("torch", reason="PyTorch is there where it is a backend")
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.01, total_steps=47)
    expected = []
    for _ in range(47):
        expected.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    assert [one_cycle(0.01, step, 47) for step in range(47)] == pytest.approx(expected)
