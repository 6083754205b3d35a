"""Workloads that somebody might write, each beside one that is well: what it does, and what has to be said of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faults.places import Place, tracebacks

SWEEP = """
preset: harmed
machine: here
budget_minutes: 0
measure: {rounds: 2, seconds: 0.1, min_laps: 1, limit_s: 5}
sweep:
  claims: false
  workloads:
    - {name: sum_squares, sizes: [small], strategies: [threading], workers: [2]}
"""
LISTED = "    - {{name: own/{name}.py, sizes: [small], strategies: {strategies}, workers: [2]}}\n"
NO_LABS = "labs: {names: false}\n"
HEAD = '''
import multiprocessing, os, random, signal, subprocess, sys, threading, time

from gilscope.workloads import workload

here = threading.main_thread()


@workload(kind="cpu", sizes={"small": 2000}%s)
def %s(n):
    """Does something that a task should not."""
'''


@dataclass(frozen=True)
class Misbehaving:
    """A workload. body: of its task. gap: what its gap says, a regular expression; None where it is measured well.

    inputs: of its tasks, as an argument of ``workload``; a wrong answer or a changed input also ends the run with 1.
    """

    body: str
    gap: str | None
    strategies: str = "[threading, multiprocessing]"
    inputs: str = ""
    status: int = 0

    def source(self, name: str) -> str:
        lines = self.body.strip().splitlines()
        return HEAD % (self.inputs, name) + "".join(f"    {line}\n" for line in lines)


MOST_RESULTS = 30e6
MOST_SAID = 40e3
WELL = 4
"""The cells of the other workload: sequential, threads, and both controls."""

WORKLOADS: Mapping[str, Misbehaving] = {
    "differs": Misbehaving("return random.random()", "differ", status=1),
    "nan": Misbehaving("return float('nan')", "same=", status=1),
    "incomparable": Misbehaving("return object()", "same=", status=1),
    "sorts": Misbehaving(
        "n.sort()\nreturn n[:3]",
        "changes its input",
        inputs=", inputs=lambda n, tasks, site: [[random.random() for _ in range(n)] for _ in range(tasks)]",
        status=1,
    ),
    "changes_answer": Misbehaving(
        "n[0] += 1\nreturn n[0]",
        "changes its input",
        inputs=", inputs=lambda n, tasks, site: [[task] for task in range(tasks)]",
        status=1,
    ),
    "raises": Misbehaving("raise ValueError('no such number')", "no such number"),
    "raises_in_threads": Misbehaving(
        "if threading.current_thread() is not here:\n    raise ValueError('not in a thread')\nreturn n",
        "not in a thread",
    ),
    "unpicklable_answer": Misbehaving("return lambda: n", "two sequential runs differ already", status=1),
    "unpicklable_error": Misbehaving(
        "class Odd(Exception):\n    def __init__(self, a, b): super().__init__(a)\nraise Odd(1, 2)", "Odd"
    ),
    "exits": Misbehaving("sys.exit(3)", "SystemExit|exit"),
    "exits_at_once": Misbehaving("os._exit(3)", "exit"),
    "kills_itself": Misbehaving("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL|killed"),
    "ends_its_parent": Misbehaving(
        "if multiprocessing.parent_process():\n    os.kill(os.getppid(), signal.SIGTERM)\nreturn n",
        "SIGTERM|terminated|ended",
    ),
    "hangs": Misbehaving("time.sleep(3600)", "5 s|limit|hang"),
    "hangs_in_threads": Misbehaving(
        "if threading.current_thread() is not here:\n    time.sleep(3600)\nreturn n", "5 s|limit|hang"
    ),
    "ignores_signals": Misbehaving(
        "if threading.current_thread() is here:\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\nreturn n", None
    ),
    "prints": Misbehaving("print('x' * 10_000)\nprint('y' * 10_000, file=sys.stderr)\nreturn n", None),
    "prints_from_below": Misbehaving("os.write(1, b'z' * 5000)\nos.write(2, b'z' * 5000)\nreturn n", None),
    "changes_folder": Misbehaving("os.chdir('/')\nreturn n", None),
    "leaves_a_child": Misbehaving(
        "if not getattr(here, 'child', None):\n"
        "    here.child = subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        "return n",
        None,
        strategies="[threading, multiprocessing-spawn]",
    ),
    "leaves_a_thread": Misbehaving(
        "if threading.active_count() < 8:\n    threading.Thread(target=time.sleep, args=(300,), daemon=True).start()\n"
        "return n",
        None,
    ),
    "closes_streams": Misbehaving("sys.stdout.close()\nsys.stderr.close()\nreturn n", None),
    "patches_the_clock": Misbehaving("time.perf_counter = lambda: 1.0\nreturn n", "the clock stood still"),
    "changes_environment": Misbehaving("os.environ.clear()\nreturn n", None),
    "changes_recursion": Misbehaving("sys.setrecursionlimit(60)\nreturn n", None),
    "changes_switching": Misbehaving("sys.setswitchinterval(0.5)\nreturn n", None),
    "takes_memory": Misbehaving("return len(bytearray(2**44))", "MemoryError|memory"),
}


def sweep_of(names: Sequence[str]) -> str:
    """A sweep of these and of one that is well."""
    listed = (LISTED.format(name=name, strategies=WORKLOADS[name].strategies) for name in names)
    return SWEEP + "".join(listed) + NO_LABS


def what_became_of(folder: Path, names: Sequence[str]) -> dict[str, list[str]]:
    """Run a sweep with these workloads: what is amiss, in words, with each of them and, as ``""``, with the run."""
    place = Place.new(folder, sweep_of(names))
    (place.clone / "own").mkdir()
    for name in names:
        (place.clone / f"own/{name}.py").write_text(WORKLOADS[name].source(name))
    ended = place.run()
    found = {"": tracebacks(ended) + place.left_behind()}
    status = max(WORKLOADS[name].status for name in names)
    if ended.status != status:
        found[""].append(f"it ended with {ended.status}, not {status}: {' / '.join(ended.lines[-3:])}")
    if sum(path.stat().st_size for path in (place.clone / "results").rglob("*") if path.is_file()) > MOST_RESULTS:
        found[""].append(f"its results are larger than {MOST_RESULTS / 1e6:.0f} MB")
    if len(ended.said) > MOST_SAID * (1 + len(names)):
        found[""].append(f"it says {len(ended.said) / 1e3:.0f} kB")
    try:
        cells, gaps = place.holding().cells, json.loads(place.path("gaps.json").read_text())
    except (OSError, ValueError) as error:
        found[""].append(f"no tables: {error}")
        return found
    if not place.path("report.html").exists():
        found[""].append("there is no report")
    well = sum(key[1] == "sum_squares" for key in cells)
    if well != WELL:
        found[""].append(f"of what is well {well} cells are measured, not {WELL}")
    for name in names:
        reasons = [gap["reason"] for gap in gaps if gap.get("workload") == name]
        found[name] = amiss(WORKLOADS[name].gap, reasons)
    return found


def amiss(wanted: str | None, reasons: Sequence[str]) -> list[str]:
    """What is not as it has to be with the reasons of a workload's gaps."""
    if wanted is None:
        return [f"it is not measured everywhere: {reasons[0]}"] if reasons else []
    if any(re.search(wanted, reason) for reason in reasons):
        return []
    return [f"of {len(reasons)} gaps none says {wanted}: {' | '.join(reasons[:2])}"]
