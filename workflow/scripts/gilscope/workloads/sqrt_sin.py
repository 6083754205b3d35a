from __future__ import annotations

import math

from gilscope.workloads import workload


@workload(
    kind="cpu",
    sizes={"small": 1_500, "medium": 10_000, "large": 50_000, "deck": 1_000_000},
    seconds=lambda steps: steps / 10e6,
)
def sqrt_sin(steps: int) -> float:
    """Sums √i · sin(i) for i < n: bytecode around two quick C functions."""
    total = 0.0
    for i in range(steps):
        total += math.sqrt(i) * math.sin(i)
    return total
