import numpy as np
import pytest

from voicelstm.audio._matrix_product import matrix_product


@pytest.mark.parametrize("shape", [(1000, 3), (400, 700), (1, 2**18 + 1)])
def test_a_product_is_numpy_s_however_few_rows_are_multiplied_at_once(shape):
    random = np.random.default_rng(0)
    rows, matrix = random.normal(size=(7, shape[0])), random.normal(size=shape)
    np.testing.assert_allclose(matrix_product(rows, matrix), rows @ matrix, rtol=1e-9, atol=1e-9)
    out = np.full((7, shape[1]), np.nan)
    assert matrix_product(rows, matrix, out) is out
    np.testing.assert_allclose(out, rows @ matrix, rtol=1e-9, atol=1e-9)
    assert matrix_product(rows[:0], matrix).shape == (0, shape[1])
