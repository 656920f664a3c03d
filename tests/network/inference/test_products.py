import numpy as np
import pytest

from voicelstm.network.inference._products import LARGEST_PRODUCT, multiply_rows, rows_at_once


@pytest.mark.parametrize("n", [0, 1, 2, 63, 64, 65, 200])
def test_rows_are_multiplied_by_each_matrix(n):
    generator = np.random.default_rng(0)
    rows, matrices = generator.normal(size=(n, 64)), generator.normal(size=(3, 64, 64))
    found = np.full((3, n, 64), np.nan)
    multiply_rows(rows, matrices, found)
    np.testing.assert_allclose(found, np.einsum("nw,mwc->mnc", rows, matrices), atol=1e-12)


@pytest.mark.parametrize("size", [1, 4096, 100_000])
def test_one_call_is_no_larger_than_one_core_computes(size):
    assert rows_at_once(size) * size <= LARGEST_PRODUCT
