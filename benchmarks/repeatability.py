"""Whether two sweeps of one machine agree: python benchmarks/repeatability.py results/a results/b"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Case = dict[str, Any]


def cases(folder: Path) -> dict[tuple[str, str, str], Case]:
    """Every case that has a verdict, by runtime, claim and case."""
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    found = {(row["runtime"], row["claim"], case["case"]): case for row in verdicts for case in row["cases"]}
    return {name: case for name, case in found.items() if case["verdict"] != "not tested"}


def is_clear(case: Case) -> bool:
    """Whether the estimate lies more than half the interval's width from every threshold; ratios on their own scale."""
    bounds = [bound for side in case["threshold"].values() for bound in (side if isinstance(side, list) else [side])]
    values = [case["estimate"], case["low"], case["high"], *bounds]
    if case["unit"] == "x":
        values = [math.log(value) for value in values]
    estimate, low, high, *limits = values
    return min(abs(estimate - limit) for limit in limits) > (high - low) / 2


def disagreements(first: dict[Any, Case], second: dict[Any, Case]) -> Iterator[tuple[Any, str, str, bool]]:
    """(case, verdict, other verdict, whether it was clear in both) of the cases that came out differently."""
    for name in sorted(first.keys() & second.keys()):
        one, other = first[name], second[name]
        if one["verdict"] != other["verdict"]:
            yield name, one["verdict"], other["verdict"], is_clear(one) and is_clear(other)


def compare(first: Path, second: Path) -> dict[str, int]:
    """Print what came out differently; returns how many cases were clear, alike among those, and flipped."""
    one, other = cases(first), cases(second)
    clear = [name for name in one.keys() & other.keys() if is_clear(one[name]) and is_clear(other[name])]
    different = list(disagreements(one, other))
    for name, verdict, changed, was_clear in different:
        print(f"{'clear ' if was_clear else ''}{' / '.join(name)}: {verdict} -> {changed}")
    alike = sum(one[name]["verdict"] == other[name]["verdict"] for name in clear)
    flipped = sum({verdict, changed} == {"confirmed", "refuted"} for _, verdict, changed, _ in different)
    print(
        f"{len(one.keys() & other.keys())} cases in both, {len(clear)} clear, {alike} of those alike, {flipped} flipped"
    )
    return {"clear": len(clear), "alike": alike, "flipped": flipped}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    arguments = parser.parse_args()
    compare(arguments.first, arguments.second)


if __name__ == "__main__":
    main()
