from gilscope.workloads import workload


@workload(kind="cpu", sizes={"small": 3_000, "medium": 60_000, "large": 450_000, "deck": 10_000_000})
def count_loop(steps: int) -> int:
    """Counts up to n in bytecode alone: never lets go of the GIL."""
    count = 0
    for _ in range(steps):
        count += 1
    return count
