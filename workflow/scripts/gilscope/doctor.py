"""What on this machine will hurt measurements, and how to mend it. A sensor that is missing is unknown, never ok."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from gilscope.analysis.disturbances import readings
from gilscope.configuring.models import Limits
from gilscope.machine.facts import Machine, read_text
from gilscope.machine.findings import (
    OK,
    UNKNOWN,
    WARN,
    Finding,
    core_kinds,
    cores,
    governor,
    hyperthreads,
    plugged_in,
    power_saving,
    quota,
    turbo,
    virtualisation,
)
from gilscope.measuring.environment import file_system, read_environment
from gilscope.running.builds import describe_build, why_slow
from gilscope.running.builds import in_words as build_in_words
from gilscope.running.lock import LOCK_FILE, VARIABLE, give_back, try_lock
from gilscope.running.reasons import MOUNT, SHARED_MEMORY, reason_of

CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies")
LEAST_FREE_MEMORY = 0.1
MOST_STEAL_WHEN_IDLE = 0.01
NO_LOCK = f"let {VARIABLE} name a file on a local disk"


def neighbours(before: Mapping[str, Any], after: Mapping[str, Any], limits: Limits) -> Iterator[Finding]:
    """Other processes and the hypervisor between two readings of the environment, as the gate of a round has them."""
    found = readings(before, after)
    busy, steal = found["busy_cores"], found["steal_share"]
    if busy is None:
        yield Finding("other processes", UNKNOWN, "the system does not say what this process itself has used")
    elif busy <= limits.busy_cores:
        yield Finding("other processes", OK, f"{busy:.2f} cores busy with other processes")
    else:
        remedy = f"stop them, or wait: {', '.join(busiest()) or 'their names are hidden'}"
        yield Finding("other processes", WARN, f"{busy:.2f} cores busy with other processes", remedy)
    if steal is None:
        yield Finding("steal", UNKNOWN, "the system does not say what the hypervisor takes")
    elif steal <= MOST_STEAL_WHEN_IDLE:
        yield Finding("steal", OK, f"{100 * steal:.1f} % of the CPU time")
    else:
        yield Finding("steal", WARN, f"{100 * steal:.1f} % of the CPU time", "ask for dedicated cores")


def busiest(count: int = 3) -> list[str]:
    """Names of the other processes that have been busiest since they were last asked."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and process.cpu_percent() > 20:
                found.append((process.cpu_percent(), process.name()))
        except psutil.Error:
            continue
    return [name for _, name in sorted(found, reverse=True)[:count]]


def memory() -> Finding:
    free = psutil.virtual_memory()
    share = free.available / free.total
    found = f"{free.available / 2**30:.1f} of {free.total / 2**30:.1f} GiB free"
    if share >= LEAST_FREE_MEMORY:
        return Finding("memory", OK, found)
    return Finding("memory", WARN, f"{found}: it may swap", "close what needs memory")


def lock(path: str = LOCK_FILE) -> Finding:
    """Whether another measurement is under way."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return Finding("measurements", OK, "none under way")
    except OSError as error:
        return Finding("measurements", UNKNOWN, f"{path}: {error.strerror}")
    try:
        free = try_lock(descriptor)
    except OSError as error:
        return Finding("measurements", WARN, f"{path}: {error.strerror}: nothing can be measured", NO_LOCK)
    finally:
        give_back(descriptor)
    if free:
        return Finding("measurements", OK, "none under way")
    return Finding("measurements", WARN, "another one is under way; a run would wait for it", "let it finish")


def disk(folder: str = ".") -> Finding:
    kind = file_system(folder)
    if kind is None:
        return Finding("disk", UNKNOWN, "the file system of the results is not known")
    if kind in ("tmpfs", "ramfs"):
        return Finding("disk", WARN, f"{kind}, in memory: files cannot be measured", "clone to a disk")
    return Finding("disk", OK, kind)


def semaphores(folder: str = SHARED_MEMORY) -> Finding:
    """Whether processes can have locks and queues; on Linux these lie in shared memory."""
    try:
        multiprocessing.Lock()
    except (OSError, ImportError) as error:
        at_fault = sys.platform == "linux" and not os.access(folder, os.W_OK | os.X_OK)
        found = f"{reason_of(error)}: strategies with processes will fail"
        remedy = f"give this user a {folder} that can be written: {MOUNT}" if at_fault else "see what the system says"
        return Finding("shared memory", WARN, found, remedy)
    if not os.path.isdir(folder):
        return Finding("shared memory", OK, "processes can have semaphores")
    return Finding("shared memory", OK, f"{psutil.disk_usage(folder).free / 2**20:.0f} MiB free in {folder}")


def clock(path: Path = CLOCK) -> Finding:
    source = read_text(path)
    if source is None:
        return Finding("clock", UNKNOWN, "the system does not say what its clock is read from")
    if source in SLOW_CLOCKS:
        return Finding("clock", WARN, f"{source}: slow to read", f"echo tsc > {path}, if the kernel offers it")
    return Finding("clock", OK, source)


def python(built: Mapping[str, Any]) -> Finding:
    """How the workflow's own interpreter was built."""
    slow, said = why_slow(built), build_in_words(built)
    if slow:
        return Finding(
            "Python", WARN, f"{said}: {slow}", "set the workflow up with a release: make clean setup PYTHON=…"
        )
    if not said or built["debug"] is None:
        return Finding("Python", UNKNOWN, "it does not say how it was built")
    return Finding("Python", OK, said)


def examine(machine: Machine, limits: Limits, watch_s: float = 1.0) -> list[Finding]:
    """Look at everything; takes ``watch_s`` seconds to see what else is running."""
    busiest()
    before = read_environment()
    time.sleep(watch_s)
    after = read_environment()
    looks = (cores, core_kinds, quota, hyperthreads, governor, turbo, virtualisation)
    return [
        *(look(machine) for look in looks),
        power_saving(plugged=plugged_in()),
        *neighbours(before, after, limits),
        memory(),
        disk(),
        semaphores(),
        clock(),
        python(describe_build()),
        lock(),
    ]


def in_words(findings: list[Finding]) -> str:
    """A line for each finding, a second one for what to do, and a count."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.state:8}{finding.what:17}{finding.found}")
        if finding.remedy:
            lines.append(f"{'':25}→ {finding.remedy}")
    counts = {state: sum(finding.state == state for finding in findings) for state in (OK, WARN, UNKNOWN)}
    return "\n".join([*lines, ", ".join(f"{count} {state}" for state, count in counts.items())])
