"""A trace as people can look at it: in the Trace Event Format, which Perfetto (ui.perfetto.dev) opens.

Google, Trace Event Format, 2016: https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def rows_of(tasks: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    """(worker, row) of each task: a worker's tasks share a row unless they overlap, as those of an event loop do."""
    busy_until: dict[tuple[str, int], float] = {}
    places: dict[int, tuple[str, int]] = {}
    for index in sorted(range(len(tasks)), key=lambda index: tasks[index]["start"]):
        task, row = tasks[index], 0
        while busy_until.get((task["worker"], row), 0.0) > task["start"]:
            row += 1
        busy_until[task["worker"], row] = task["end"]
        places[index] = (task["worker"], row)
    return [places[index] for index in range(len(tasks))]


def trace_events(record: Mapping[str, Any]) -> dict[str, Any]:
    """What ``record_round`` returns, with each cell as a process and each worker as one of its threads."""
    events: list[dict[str, Any]] = []
    for process, (name, cell) in enumerate(record["cells"].items(), start=1):
        places = rows_of(cell["tasks"])
        rows = {place: row for row, place in enumerate(sorted(set(places)), start=1)}
        workers = {worker: number for number, worker in enumerate(dict.fromkeys(worker for worker, _ in rows), start=1)}
        events.append({"ph": "M", "name": "process_name", "pid": process, "args": {"name": name}})
        events.append({"ph": "M", "name": "process_sort_index", "pid": process, "args": {"sort_index": process}})
        for (worker, _), row in rows.items():
            label = {"name": f"worker {workers[worker]}"}
            events.append({"ph": "M", "name": "thread_name", "pid": process, "tid": row, "args": label})
        for number, (task, place) in enumerate(zip(cell["tasks"], places), start=1):
            span = {"ts": round(1e6 * task["start"], 3), "dur": round(1e6 * (task["end"] - task["start"]), 3)}
            told = {"cpu_ms": round(1e3 * task["cpu"], 3)}
            where = {"pid": process, "tid": rows[place]}
            events.append({"ph": "X", "name": f"task {number}", "cat": "task", **span, **where, "args": told})
    about = {"block": "{runtime}/{workload}/{size}".format(**record["block"]), "round": record["round"]}
    return {"traceEvents": events, "displayTimeUnit": "ms", "otherData": about}
