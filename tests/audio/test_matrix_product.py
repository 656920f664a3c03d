import numpy as np
import pytest

from voicelstm.audio._matrix_product import matrix_product


@pytest.mark.parametrize("shape", [(1000, 3), (400, 700), (1, 2**18 + 1), (2**18 + 1, 1)])
def test_a_product_is_numpy_s_however_few_rows_are_multiplied_at_once(shape):
    random = np.random.default_rng(0)
    rows, matrix = random.normal(size=(7, shape[0])), random.normal(size=shape)
    np.testing.assert_allclose(matrix_product(rows, matrix), rows @ matrix, rtol=1e-9, atol=1e-9)
    out = np.full((7, shape[1]), np.nan)
    assert matrix_product(rows, matrix, out) is out
    np.testing.assert_allclose(out, rows @ matrix, rtol=1e-9, atol=1e-9)
    assert matrix_product(rows[:0], matrix).shape == (0, shape[1])


def test_no_call_to_blas_is_so_large_that_it_is_shared_out(monkeypatch):
    sizes = []
    multiply = np.matmul

    def counted(rows, matrix, **options):
        sizes.append((rows.shape[-2], rows.shape[-2] * matrix.size))
        return multiply(rows, matrix, **options)

    monkeypatch.setattr(np, "matmul", counted)
    matrix_product(np.ones((1001, 300)), np.ones((300, 100)))
    assert max(size for _, size in sizes) <= 2**18
    assert min(n_rows for n_rows, _ in sizes) >= 2  # one row is shared out sooner
