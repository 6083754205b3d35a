"""From the labs' files to a tidy table: a row for each observation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from gilscope.analysis.columns import of_each
from gilscope.analysis.completeness import check_lab
from gilscope.analysis.disturbances import readings

OBSERVATIONS = ["machine", "runtime", "gil", "lab", "case", "trial", "metric", "value", "unit"]


def collect_observations(labs: Iterable[str], machine: str) -> pd.DataFrame:
    """A row per observation of a lab."""

    def rows(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        check_lab(path, about)
        common = {"machine": machine, **{key: about[key] for key in ("runtime", "gil", "lab")}}
        return [{**common, **observation} for observation in about["observations"]]

    table = pd.DataFrame(of_each(labs, rows), columns=OBSERVATIONS)
    return table.astype({"value": float, "trial": "int64"})


def lab_rows(labs: Iterable[str]) -> list[dict[str, Any]]:
    """A row per lab for the table of measuring jobs, with whether it was timed; ``workload`` holds the lab's name."""

    def row(path: str, about: Mapping[str, Any]) -> list[dict[str, Any]]:
        when = {key: about[key] for key in ("runtime", "started", "ended", "waited_s", "timed")}
        when["node"] = about.get("node")
        known = readings(about["environment"]["before"], about["environment"]["after"])
        return [{"job": "observe", "workload": about["lab"], "size": "", "round": 0, **when, **known}]

    return of_each(labs, row)
