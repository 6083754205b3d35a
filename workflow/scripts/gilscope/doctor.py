"""What on this machine will hurt measurements, and how to mend it. A sensor that is missing is unknown, never ok."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from gilscope.analysis.disturbances import readings
from gilscope.configuring.models import Limits
from gilscope.machine.facts import CPUS, Machine, read_text
from gilscope.measuring.environment import file_system, read_environment
from gilscope.running.builds import describe_build, why_slow
from gilscope.running.builds import in_words as build_in_words
from gilscope.running.lock import LOCK_FILE, VARIABLE, give_back, try_lock
from gilscope.running.node import told
from gilscope.running.reasons import MOUNT, SHARED_MEMORY, reason_of

OK, WARN, UNKNOWN = "ok", "warn", "unknown"
CGROUPS = Path("/sys/fs/cgroup")
PROFILE = Path("/sys/firmware/acpi/platform_profile")
CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies")
SAVING = ("low-power", "quiet", "power", "balance_power")
LEAST_FREE_MEMORY = 0.1
MOST_STEAL_WHEN_IDLE = 0.01
NO_LOCK = f"let {VARIABLE} name a file on a local disk"


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its state, what was found, and what to do about it where something can be done."""

    what: str
    state: str
    found: str
    remedy: str = ""


def governor(machine: Machine) -> Finding:
    if machine.governor is None:
        return Finding("governor", UNKNOWN, "the system does not say which frequency governor is in force")
    if machine.governor == "performance":
        return Finding("governor", OK, "performance")
    return Finding(
        "governor", WARN, f"{machine.governor}: the clock follows the load", "cpupower frequency-set -g performance"
    )


def turbo(machine: Machine) -> Finding:
    if machine.turbo is None:
        return Finding("turbo", UNKNOWN, "the system does not say whether the clock may exceed its nominal frequency")
    if not machine.turbo:
        return Finding("turbo", OK, "off")
    remedy = "switch it off: echo 1 > /sys/devices/system/cpu/intel_pstate/no_turbo, or echo 0 > …/cpufreq/boost"
    return Finding("turbo", WARN, "on: one busy core runs faster than several, so parallel code looks worse", remedy)


def power_saving(cpus: Path = CPUS, profile: Path = PROFILE, plugged: bool | None = None) -> Finding:
    """plugged: whether mains power is there, None without a battery to tell."""
    known = {
        "platform profile": read_text(profile),
        "energy preference": read_text(cpus / "cpu0/cpufreq/energy_performance_preference"),
        "power": {True: "mains", False: "battery", None: None}[plugged],
    }
    told = [f"{name} {value}" for name, value in known.items() if value]
    saving = [f"{name} {value}" for name, value in known.items() if value in (*SAVING, "battery")]
    if not told:
        return Finding("power saving", UNKNOWN, "no sensor says whether the machine saves power")
    if not saving:
        return Finding("power saving", OK, ", ".join(told))
    return Finding("power saving", WARN, ", ".join(saving), "plug it in; on Linux: powerprofilesctl set performance")


def quota(machine: Machine, cgroups: Path = CGROUPS) -> Finding:
    if machine.quota_cores is None:
        if machine.os == "Windows":
            return Finding("CPU quota", UNKNOWN, "the system does not say whether a job object limits this process")
        if machine.os == "Linux" and not cgroups.is_dir():
            return Finding("CPU quota", UNKNOWN, f"{cgroups} cannot be read")
        return Finding("CPU quota", OK, "none")
    if machine.quota_cores >= machine.logical_cores:
        return Finding("CPU quota", OK, f"{machine.quota_cores:g} cores, which is all of them")
    found = f"{machine.quota_cores:g} of {machine.logical_cores} cores: work is stopped whenever it is used up"
    return Finding(
        "CPU quota", WARN, found, "raise the container's limit, or pin it to whole cores (docker --cpuset-cpus)"
    )


def cores(machine: Machine) -> Finding:
    said = f"{machine.usable_cores} usable of {machine.physical_cores or '?'} physical, {machine.logical_cores} logical"
    if machine.usable_cores < 2:
        return Finding("cores", WARN, f"{said}: nothing can run at once here", "give the machine a second core")
    if machine.affinity_cores is not None and machine.affinity_cores < machine.logical_cores:
        return Finding(
            "cores", WARN, f"{said}; this process is pinned to {machine.affinity_cores}", "start it without taskset"
        )
    return Finding("cores", OK, said)


def core_kinds(machine: Machine) -> Finding:
    """Workers are divided evenly, so the slowest core decides when all are done."""
    if machine.core_kinds is None:
        return Finding("kinds of cores", UNKNOWN, "the system does not say whether some cores are slower than others")
    said = ", ".join(f"{count} {kind}" for kind, count in machine.core_kinds.items())
    if len(machine.core_kinds) < 2:
        return Finding("kinds of cores", OK, said)
    fast = next(iter(machine.core_kinds.values()))
    return Finding(
        "kinds of cores",
        WARN,
        f"{said}: what uses them all is bound by the slow ones, which is the hardware and not Python",
        f"judge speedups against the ceiling, which has the same cores; up to {fast} workers may have fast ones alone",
    )


def hyperthreads(machine: Machine) -> Finding:
    if machine.smt is None:
        return Finding(
            "hyperthreads", UNKNOWN, "the system does not say whether two logical cores share a physical one"
        )
    if not machine.smt:
        return Finding("hyperthreads", OK, "off")
    return Finding(
        "hyperthreads",
        WARN,
        "on: a core slows down when its sibling works",
        "echo off > /sys/devices/system/cpu/smt/control",
    )


def virtualisation(machine: Machine) -> Finding:
    if machine.virtualisation is None:
        return Finding("virtualisation", UNKNOWN, "the system does not say whether it is a guest")
    if machine.virtualisation == "none":
        return Finding("virtualisation", OK, "none")
    found = f"{machine.virtualisation}: what else the hardware runs changes its speed, and steal time may not show it"
    return Finding(
        "virtualisation", WARN, found, "take bare metal, or dedicated cores; else trust intervals, not single values"
    )


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


def plugged_in() -> bool | None:
    return told(lambda: psutil.sensors_battery().power_plugged)  # type: ignore[union-attr]


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
