from gilscope.workloads import workload


@workload(
    kind="cpu",
    sizes={"small": 3_000, "medium": 20_000, "large": 100_000, "deck": 10_000_000},
    seconds=lambda steps: steps / 40e6,
)
def count_loop(steps: int) -> int:
    """Counts up to n in bytecode alone: never lets go of the GIL."""
    count = 0
    for _ in range(steps):
        count += 1
    return count
