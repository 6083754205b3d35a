from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gilscope.workloads import Site, workload

SAMPLES = 64
FEATURES = 4
RATE = 0.1


def samples(steps: int, tasks: int, site: Site) -> Sequence[Any]:
    """Features of shape (64, 4), labels 0 or 1 of shape (64,) and the steps, for each task; the same everywhere."""
    random = np.random.default_rng(5)
    truth = np.array([2.0, -1.0, 0.5, 0.0])
    items = []
    for _ in range(tasks):
        features = random.normal(size=(SAMPLES, FEATURES))
        labels = (features @ truth + random.normal(size=SAMPLES) > 0).astype(float)
        items.append((features, labels, steps))
    return items


def close(answer: Any, expected: Any) -> bool:
    """BLAS adds in another order on other thread counts, so the last digits may differ; NaN is close to nothing."""
    return len(answer) == len(expected) and all(map(math.isclose, answer, expected))


@workload(
    kind="cpu",
    libraries=("numpy", "threadpoolctl"),
    library=True,
    sizes={"small": 15, "medium": 200, "large": 900, "deck": 4_000},
    inputs=samples,
    seconds=lambda steps: steps / 175e3,
    same=close,
)
def fit_model(item: Any) -> tuple[float, ...]:
    """Fits a logistic regression by gradient descent: many quick numpy calls, too small to let go of the GIL."""
    features, labels, steps = item
    weights = np.zeros(FEATURES)
    for _ in range(steps):
        predictions = 1 / (1 + np.exp(-(features @ weights)))
        weights -= RATE * (features.T @ (predictions - labels)) / SAMPLES
    return tuple(map(float, weights))
