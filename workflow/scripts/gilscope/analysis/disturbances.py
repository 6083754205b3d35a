"""Which rounds were disturbed, and by what: readings before and after a round against the limits of the config.

A disturbed round is flagged wherever its values appear. It is neither repeated nor left out: noise is not resampled.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from gilscope.configuring.models import Limits

SEPARATOR = "; "


def difference(after: Mapping[str, Any], before: Mapping[str, Any], key: str) -> float | None:
    """How much a counter went up between two readings; None where either is unknown."""
    first, last = before.get(key), after.get(key)
    return last - first if first is not None and last is not None else None


def most_throttled(before: Sequence[int | None] | None, after: Sequence[int | None] | None) -> float | None:
    """The microseconds between two readings for which a quota stopped the cgroup that it stopped longest."""
    if before is None or after is None or len(before) != len(after):
        return None
    stops = [last - first for first, last in zip(before, after, strict=True) if first is not None and last is not None]
    return max(stops, default=None)


def share(part: float | None, whole: float) -> float | None:
    return part / whole if part is not None and whole > 0 else None


def readings(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What happened to the machine during a round, from the readings before and after it.

    busy_cores: cores that other processes kept busy. steal_share: of all cores' time, taken by the hypervisor.
    throttled_share: of the round, stopped by the quota. frequency_mhz: the lower of both readings.
    """
    seconds = after["time"] - before["time"]
    busy, own = difference(after, before, "busy_s"), difference(after, before, "own_s")
    throttled = most_throttled(before.get("cgroups_throttled_us"), after.get("cgroups_throttled_us"))
    swaps = [difference(after, before, key) for key in ("swap_in_bytes", "swap_out_bytes")]
    frequencies = [reading.get("frequency_mhz") for reading in (before, after)]
    known = [frequency for frequency in frequencies if frequency]
    return {
        "busy_cores": share(max(0.0, busy - own), seconds) if busy is not None and own is not None else None,
        "steal_share": share(difference(after, before, "steal_s"), seconds * (after.get("cores") or 1)),
        "throttled_share": share(throttled / 1e6 if throttled is not None else None, seconds),
        "frequency_mhz": min(known) if known else None,
        "governor": after.get("governor"),
        "swap_mib": sum(swaps) / 2**20 if None not in swaps else None,  # type: ignore[arg-type]
        "load_before": before["load"],
        "load_after": after["load"],
    }


def flag_rounds(rounds: pd.DataFrame, limits: Limits, cores: int) -> list[str]:
    """What disturbed each round, ``""`` where nothing did or no sensor could tell.

    rounds: rows with the columns of ``readings``. cores: the usable ones, for the load. The frequency is compared
    with the run's median, since what is normal for a machine only the machine knows; the governor with the commonest.
    """
    governors = rounds["governor"].dropna().mode()
    usual = rounds["frequency_mhz"].astype(float).median()
    flags = []
    for row in rounds.to_dict("records"):
        too_much: list[tuple[str, Any, float]] = [
            ("other processes were busy", row["busy_cores"], limits.busy_cores),
            ("the hypervisor took CPU time", row["steal_share"], limits.steal_share),
            ("the CPU quota stopped it", row["throttled_share"], limits.throttled_share),
            ("memory was swapped", row["swap_mib"], limits.swap_mib),
            ("the load was high before", row["load_before"], limits.load_per_core * cores),
        ]
        found = [name for name, value, limit in too_much if pd.notna(value) and value > limit]
        frequency = row["frequency_mhz"]
        if pd.notna(frequency) and pd.notna(usual) and frequency < limits.frequency_share * usual:
            found.append("the frequency was low")
        if pd.notna(row["governor"]) and len(governors) and row["governor"] != governors[0]:
            found.append("another governor was in force")
        flags.append(SEPARATOR.join(found))
    return flags


def summarise_flags(flagged: Mapping[Hashable, Sequence[str]]) -> dict[Hashable, str]:
    """Block → its rounds' flags in one line: ``other processes were busy (2 of 5 rounds)``."""
    lines: dict[Hashable, str] = {}
    for block, flags in flagged.items():
        names = [name for text in flags for name in text.split(SEPARATOR) if name]
        counted = {name: names.count(name) for name in dict.fromkeys(names)}
        lines[block] = SEPARATOR.join(f"{name} ({count} of {len(flags)} rounds)" for name, count in counted.items())
    return lines
