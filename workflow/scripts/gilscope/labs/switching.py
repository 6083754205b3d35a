"""How two busy threads take turns: for how long each runs before the other one does.

Both read the clock as fast as they can. A burst is a stretch in which a thread reads it again and again; where more
than 50 µs lie between two readings the thread had to wait, for the other one or because the system gave its core away.
A run is what one thread advances while the other does not advance at all; waiting is no part of it, and ends it only if
the other one gets on meanwhile. Without the lock both advance at once (``both_s``), and a run is no turn but what is
left to one thread while the system keeps the other off its core.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from gilscope.labs import QUANTITY, Lab
from gilscope.labs._distributions import beyond, beyond_metrics
from gilscope.labs._switching import no_switch_interval, switch_interval

TRIAL_S = 0.6
LONG_S = 0.01
GAP_S = 5e-5
PATIENCE_S = 3.0
INTERVALS_MS = (0.2, 1, 20, 100)

LAB = Lab(
    metrics={
        "long_runs": "count",
        "runs": "count",
        "median_run_s": "s",
        "longest_run_s": "s",
        **beyond_metrics("runs"),
        "both_s": "s",
        "neither_s": "s",
    },
    timed=True,
    seconds=6,
)

Bursts = list[tuple[float, float]]
"""The beginning and the end of each, in order."""


@dataclass(frozen=True)
class Turns:
    """runs: their lengths in order, without what the end cuts off; both_s, neither_s: when both or none advanced."""

    runs: Sequence[float]
    both_s: float
    neither_s: float


def spin(until: float) -> Bursts:
    """Read the clock until then; returns the bursts, in order."""
    bursts: Bursts = []
    began = last = perf_counter()
    while last < until:
        now = perf_counter()
        if now - last > GAP_S:
            bursts.append((began, last))
            began = now
        last = now
    bursts.append((began, last))
    return bursts


def spin_together() -> list[Bursts]:
    """The bursts of two threads that spin at the same time."""
    barrier = threading.Barrier(2)
    seen: list[Bursts] = []

    def run() -> None:
        barrier.wait(PATIENCE_S)
        seen.append(spin(perf_counter() + TRIAL_S))

    threads = [threading.Thread(target=run, daemon=True) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TRIAL_S + PATIENCE_S)
    if len(seen) < len(threads):
        raise RuntimeError("the threads did not come to an end")
    return seen


def turns(first: Bursts, second: Bursts) -> Turns:
    """The runs of two threads by their bursts, from when both had begun until the first of them was done."""
    since = max(first[0][0], second[0][0])
    until = min(first[-1][1], second[-1][1])
    events = sorted(
        (min(max(moment, since), until), ends, thread)
        for thread, bursts in enumerate((first, second))
        for burst in bursts
        if burst[1] >= since and burst[0] < until
        for ends, moment in enumerate(burst)
    )
    runs: list[float] = []
    active: set[int] = set()
    runner: int | None = None
    advanced = both_s = neither_s = 0.0
    previous = since
    for moment, ends, thread in events:
        passed, previous = moment - previous, moment
        if len(active) == 2:
            both_s += passed
        elif active:
            advanced += passed
        else:
            neither_s += passed
        if ends:
            active.discard(thread)
            if active and runner is None:
                (runner,), advanced = active, 0.0
            continue
        active.add(thread)
        if thread != runner:
            if advanced > 0:
                runs.append(advanced)
            runner, advanced = (None if len(active) == 2 else thread), 0.0
    return Turns(runs, both_s, neither_s)


@LAB.case("two busy threads", trials=QUANTITY)
def two_busy_threads() -> dict[str, float]:
    """Two threads read the clock as fast as they can for 0.6 s; a long run is one of more than 10 ms."""
    seen = turns(*spin_together())
    lengths = {"median_run_s": statistics.median(seen.runs), "longest_run_s": max(seen.runs)} if seen.runs else {}
    return {
        "long_runs": sum(run > LONG_S for run in seen.runs),
        "runs": len(seen.runs),
        "both_s": seen.both_s,
        "neither_s": seen.neither_s,
        **lengths,
        **beyond("runs", seen.runs),
    }


def with_interval(interval_s: float) -> dict[str, float]:
    """The same two threads, with the interval after which Python asks a thread to let the next one run set to this."""
    with switch_interval(interval_s):
        return two_busy_threads()


for interval in INTERVALS_MS:
    LAB.case(
        f"interval {interval:g} ms",
        trials=QUANTITY,
        few=1,
        unavailable=no_switch_interval,
        interval_s=interval / 1000,
    )(with_interval)
