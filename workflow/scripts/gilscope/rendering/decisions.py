"""Which approach should I use? The talk's decision table beside what was fastest here, its cost and when it pays."""

from __future__ import annotations

from typing import Any

from gilscope.figures import Results
from gilscope.figures._runtimes import current
from gilscope.rendering.templates import Html, filled


def decisions(results: Results) -> Html:
    """The talk's decision table beside what was fastest here: on one runtime, and folded under it on each other one."""
    runtimes = results.ordered(row["runtime"] for row in results.decisions)
    if not runtimes:
        return filled("decisions", runtimes={})
    own = current(results.runtimes)
    own = own if own in runtimes else runtimes[0]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in (own, *runtimes)}
    for row in results.decisions:
        rows[row["runtime"]].append(row)
    apart = {name: differing(rows[name], rows[own]) for name in rows if name != own}
    alike = [name for name, (differ, both) in apart.items() if both and not differ]
    return filled("decisions", runtimes=rows, own=own, apart=apart, alike=alike)


def differing(there: list[dict[str, Any]], here: list[dict[str, Any]]) -> tuple[int, int]:
    """In how many rows another strategy was fastest there than here, and in how many both have one."""
    first, second = (
        {(row["task"], row["workload"]): strategy_of(row["best"]) for row in rows if row["best"]}
        for rows in (there, here)
    )
    both = first.keys() & second.keys()
    return sum(first[key] != second[key] for key in both), len(both)


def strategy_of(best: str) -> str:
    """``threading × 2, warm`` → ``threading``."""
    return best.partition(" ")[0]
