from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gilscope.workloads import Site, workload


def matrix_pairs(order: int, tasks: int, site: Site) -> Sequence[Any]:
    """tasks pairs of float64 matrices of shape (order, order); the same on every machine."""
    random = np.random.default_rng(20)
    return [tuple(random.random((2, order, order))) for _ in range(tasks)]


def three_matrices(order: int) -> int:
    return 3 * 8 * order**2


def close(answer: Any, expected: Any) -> bool:
    """BLAS adds in another order on other thread counts, so the last digits may differ.

    answer, expected: shape (order, order), sums of products of numbers below 1. NaN is close to nothing.
    """
    return answer.shape == expected.shape and bool(np.abs(answer - expected).max() <= 1e-9 * len(expected))


@workload(
    kind="cpu",
    libraries=("numpy", "threadpoolctl"),
    library=True,
    sizes={"small": 32, "medium": 192, "large": 400, "deck": 1000},
    unit="rows",
    inputs=matrix_pairs,
    memory=three_matrices,
    seconds=lambda order: order**3 / 25e9,
    same=close,
)
def matmul(pair: Any) -> Any:
    """Multiplies two float64 matrices with numpy's BLAS, which lets go of the GIL."""
    left, right = pair
    return left @ right
