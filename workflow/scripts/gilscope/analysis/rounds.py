"""From the rounds' facts to a tidy table: a row for each job that measured, and what the machine did meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from gilscope.analysis.columns import of_each, place
from gilscope.analysis.disturbances import flag_rounds, readings
from gilscope.analysis.observed import lab_rows
from gilscope.configuring.models import Limits

ROUNDS = [
    "runtime",
    "workload",
    "size",
    "parameter",
    "unit",
    "round",
    "stage",
    "job",
    "node",
    "started",
    "ended",
    "waited_s",
    "laps",
    "load_before",
    "load_after",
    "busy_cores",
    "steal_share",
    "throttled_share",
    "frequency_mhz",
    "governor",
    "swap_mib",
    "flags",
]


def collect_rounds(
    facts: Iterable[str], traces: Iterable[str], labs: Iterable[str], limits: Limits, cores: int
) -> pd.DataFrame:
    """A row per measuring job: when it ran and, where it timed something, what the machine did and what disturbed it.

    The timed rounds come first, in the order of ``facts``. cores: the usable ones. Labs that time nothing cannot be
    disturbed: their trials run side by side, and some leave orphans.
    """
    calibrated = {}

    def timed(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        environment = about["environment"]
        when = {key: about[key] for key in ("round", "started", "ended", "waited_s", "laps")}
        when["node"] = about.get("node")
        when["stage"] = about["stage"]
        calibrated[about["block"]["runtime"], about["block"]["workload"], about["block"]["size"]] = {
            **place(about),
            "job": "calibrate",
            "round": 0,
            **about["calibrated"],
            "flags": "",
        }
        return [{**place(about), "job": "measure", **when, **readings(environment["before"], environment["after"])}]

    def traced(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        when = {key: about[key] for key in ("round", "started", "ended", "waited_s")}
        when["node"] = about.get("node")
        return [{**place(about), "job": "record", **when, "flags": ""}]

    watched = pd.DataFrame([*of_each(facts, timed), *lab_rows(labs)], columns=[*ROUNDS, "timed"])
    flags = flag_rounds(watched, limits, cores)
    watched["flags"] = ["" if timed is False else text for text, timed in zip(flags, watched.pop("timed"), strict=True)]
    others = pd.DataFrame([*of_each(traces, traced), *calibrated.values()], columns=ROUNDS)
    return pd.concat([watched, others], ignore_index=True) if len(others) else watched
