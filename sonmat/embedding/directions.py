"""Makes of any numbers about rows what checks work with: few dimensions, rows of length 1.

In: a matrix with one row for each example. Out: its rows along the most telling directions. The same matrix gives the same
directions, because the random start of the SVD is fixed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

MOST_DIMENSIONS = 128
_ROWS_TO_FIND_THEM = 5_000
"""The directions of 5,000 rows are those of 20,000 as far as anybody could tell, for a quarter of the time."""


def condensed(matrix: sparse.csr_array | NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows of `matrix` along its first 128 singular directions, each of length 1; float32 (rows, dimensions)."""
    from sklearn.utils.extmath import randomized_svd

    rows, columns = matrix.shape
    dimensions = min(MOST_DIMENSIONS, rows - 1, columns - 1)
    if dimensions < 1:
        return unit_rows(np.zeros((rows, 1), dtype=np.float32))
    found_in = matrix[:: -(-rows // _ROWS_TO_FIND_THEM)]
    wanted = min(dimensions, found_in.shape[0] - 1)
    _, _, directions = randomized_svd(found_in, wanted, n_iter=2, random_state=0)
    return unit_rows(np.asarray(matrix @ directions.T, dtype=np.float32))


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """`matrix` with every row scaled to length 1; a row of zeros points along no direction more than another."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    even = np.full_like(matrix, 1 / np.sqrt(max(matrix.shape[1], 1)))
    return np.where(lengths > 1e-9, matrix / np.maximum(lengths, 1e-9), even).astype(np.float32)
