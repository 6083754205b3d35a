"""Whether a measurement's files hold what its facts promise: one that was cut down may be valid, and leaves no gap."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gilscope.configuring.mistakes import Mistakes
from gilscope.measuring.laps import Value
from gilscope.running.cells import SEQUENTIAL, Block
from gilscope.running.files import Damaged, read_json


def check_plan(facts: Iterable[str], planned: Iterable[Block]) -> None:
    """Raise Mistakes for the rounds that were measured of another block than is planned at their place."""
    blocks = {block.path: json.loads(block.to_json()) for block in planned}
    mistakes: list[str] = []
    for path in facts:
        was = read_json(path)["block"]
        now = blocks.get("/".join((was["runtime"], was["workload"], was["size"])), {})
        differ = [f"{key} {was.get(key)!r:.40}, not {now[key]!r:.40}" for key in now if was.get(key) != now[key]]
        if differ:
            mistakes.append(
                f"{path} was measured for another configuration ({'; '.join(differ)}); delete it, and run again"
            )
    if mistakes:
        raise Mistakes(mistakes)


def timed_cells(facts: Mapping[str, Any]) -> list[str]:
    """The cells that a round has timed: those of its block, without what was skipped or failed."""
    if facts["not_applicable"] or facts.get("wrong") or not facts["laps"]:
        return []
    only, gone = facts.get("only"), {*facts["skipped"], *facts["failed"]}
    taken = [cell for cell in facts["block"]["cells"] if only is None or cell in only]
    return [cell for cell in (SEQUENTIAL.name, *taken) if cell not in gone]


def check_values(path: str, facts: Mapping[str, Any], values: Iterable[Value]) -> None:
    """Raise Damaged where a round's raw file lacks a value: of each cell in each lap, of seldom ones in the first."""
    there = {(value.cell, value.lap) for value in values}
    seldom = facts["block"].get("seldom") or ()
    for cell in timed_cells(facts):
        laps = [1] if cell in seldom else range(1, facts["laps"] + 1)
        missing = [lap for lap in laps if (cell, lap) not in there]
        if missing:
            raise Damaged(path, f"it lacks {cell} in {len(missing)} of {len(laps)} laps")


def check_lab(path: str, lab: Mapping[str, Any]) -> None:
    """Raise Damaged for a lab that has seen nothing and does not say why."""
    if not lab["observations"] and not lab["gaps"]:
        raise Damaged(path, "it holds neither observations nor gaps")
