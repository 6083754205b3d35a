"""The process in which a lab's trials run, and which may come to grief in their place.

python -m gilscope.observing.trial_host LAB CASE FIRST COUNT FILE      a JSON line in the file for each trial
"""

from __future__ import annotations

import faulthandler
import json
import math
import sys
from typing import Any, TextIO

from gilscope.labs import Case, Lab, load_lab
from gilscope.running.gil import gil_enabled
from gilscope.running.reasons import reason_of


def no_core_dumps() -> None:
    """A crash that a trial is about shall not fill the disk."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def finite(metric: str, value: Any) -> float:
    """Raises ValueError for what no table can hold."""
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{metric} is {number}")
    return number


def try_once(lab: Lab, case: Case) -> dict[str, Any]:
    """What one trial saw, or the error that it ended with."""
    try:
        seen = {metric: finite(metric, value) for metric, value in case.function(**case.arguments).items()}
    except Exception as error:
        return {"error": reason_of(error)}
    undeclared = sorted(set(seen) - set(lab.metrics))
    if undeclared:
        return {"error": f"the lab does not declare the metric {undeclared[0]}"}
    return {"seen": seen}


def host(lab: Lab, case: Case, first: int, count: int, file: TextIO) -> None:
    """Run trials one after the other; one that takes too long ends the process, even while it holds the GIL."""
    for trial in range(first, first + count):
        faulthandler.dump_traceback_later(case.limit_s, exit=True)
        answer = try_once(lab, case)
        print(json.dumps({"trial": trial, "gil": gil_enabled(), **answer}), file=file, flush=True)
    faulthandler.dump_traceback_later(case.limit_s, exit=True)


def main() -> None:
    name, case, first, count, path = sys.argv[1:]
    no_core_dumps()
    lab = load_lab(name)
    with open(path, "w", encoding="utf-8") as file:
        host(lab, lab.cases[case], int(first), int(count), file)


if __name__ == "__main__":
    main()
