from __future__ import annotations

import math

from gilscope.workloads import workload


@workload(kind="cpu", sizes={"small": 1_500, "medium": 20_000, "large": 115_000, "deck": 1_000_000})
def sqrt_sin(steps: int) -> float:
    """Sums √i · sin(i) for i < n: bytecode around two quick C functions."""
    total = 0.0
    for i in range(steps):
        total += math.sqrt(i) * math.sin(i)
    return total
