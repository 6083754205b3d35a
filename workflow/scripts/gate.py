"""Say where the comparison is, and end with 1 where something got worse than the baseline (rule compare)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from gilscope.invoking.printing import say


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="results/comparison")
    parser.add_argument("page")
    arguments = parser.parse_args()
    from gilscope.running.files import Damaged, read_json

    try:
        sides, gate = (read_json(arguments.folder / name) for name in ("sides.json", "gate.json"))
    except Damaged as damaged:
        sys.exit(f"gilscope: {damaged}")
    for one in sides["left_out"]:
        say(f"left out: {one['reason']}")
    for one in sides["notes"]:
        say(f"note: {one}")
    machines = len({side["bundle"] for side in sides["sides"]})
    say(f"comparison of {machines} bundle{'' if machines == 1 else 's'}: {arguments.page}")
    if gate:
        sys.exit(judge(gate, sides))


def judge(gate: dict[str, Any], sides: dict[str, Any]) -> str | None:
    """Why the gate is closed; None where it is open. What could not be read has not been found to be well."""
    for row in gate["worse"]:
        say(f"worse: {in_words(row, gate['metric'])}")
    than = f"in {gate['metric']} by more than {gate['tolerance']:.0%}, beyond its interval"
    if gate["worse"]:
        return f"gate: {len(gate['worse'])} of {gate['compared']} cells are worse {than}."
    if sides["left_out"]:
        return f"gate: {len(sides['left_out'])} of the bundles could not be read, so this says nothing of them."
    if not gate["compared"]:
        return f"gate: no cell's {gate['metric']} could be compared with the baseline; the page says why."
    say(f"gate: of {gate['compared']} cells none is worse {than}.")
    return None


def in_words(row: dict[str, Any], metric: str) -> str:
    """A cell that got worse; there is no ratio to what was nothing before."""
    cell = f"{row['workload']}/{row['size']} {row['strategy']}-{row['workers']} {row['pool']}"
    ratio = f"{row['estimate']:.3f} × [{row['low']:.3f}, {row['high']:.3f}], " if row["estimate"] is not None else ""
    return f"{row['side']} {cell}: {metric} {row['here']:.4g}, it was {row['there']:.4g} ({ratio}q {row['q']:.2g})"


if __name__ == "__main__":
    main()
