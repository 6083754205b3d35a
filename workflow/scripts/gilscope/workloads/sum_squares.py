from gilscope.workloads import workload


@workload(
    kind="cpu",
    sizes={"small": 1_500, "medium": 25_000, "large": 110_000, "deck": 1_000_000},
    seconds=lambda steps: steps / 22e6,
)
def sum_squares(steps: int) -> int:
    """Sums i² for i < n in bytecode alone: never lets go of the GIL."""
    total = 0
    for i in range(steps):
        total += i * i
    return total
