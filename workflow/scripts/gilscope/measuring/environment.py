"""What the machine was doing before and after a block: raw readings; what a sensor does not tell is None."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

import psutil

from gilscope.measuring.usage import cpu_with_children

CGROUPS = "/sys/fs/cgroup"
MEMBERSHIP = "/proc/self/cgroup"
GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
WORKING = ("user", "nice", "system", "irq", "softirq")


def read_line(path: str) -> str | None:
    try:
        with open(path) as file:
            return file.readline().strip() or None
    except (OSError, ValueError):
        return None


def own_cgroups(root: str = CGROUPS, membership: str = MEMBERSHIP) -> list[str]:
    """The folders of this process's cgroups and of those above them, version 2 or 1; any of them may have a quota."""
    try:
        with open(membership) as file:
            lines = [line.strip().split(":", 2) for line in file]
    except (OSError, ValueError):
        return []
    folders: list[str] = []
    for _, controllers, path in (line for line in lines if len(line) == 3):
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = os.path.join(root, controllers)
        parts = [part for part in path.split("/") if part]
        folders += [os.path.join(top, *parts[:depth]) for depth in range(len(parts), -1, -1)]
    return list(dict.fromkeys(folders))


def counters(folder: str) -> dict[str, int]:
    try:
        with open(os.path.join(folder, "cpu.stat")) as file:
            return {name: int(count) for name, count in (line.split() for line in file)}
    except (OSError, ValueError):
        return {}


def throttling(folders: Sequence[str] | None = None) -> dict[str, int | None]:
    """How often and for how long (µs) a CPU quota has stopped these cgroups, this process's own by default."""
    known = [found for found in map(counters, own_cgroups() if folders is None else folders) if "nr_throttled" in found]
    if not known:
        return {"throttled_periods": None, "throttled_us": None}
    microseconds = [found.get("throttled_usec", found.get("throttled_time", 0) // 1000) for found in known]
    return {"throttled_periods": max(found["nr_throttled"] for found in known), "throttled_us": max(microseconds)}


def load_average() -> float | None:
    """Runnable processes, averaged over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def frequency() -> float | None:
    """The CPU's frequency in MHz as the operating system reports it, the mean over cores."""
    try:
        reading = psutil.cpu_freq()
    except (OSError, RuntimeError, AttributeError):
        return None
    return reading.current if reading and reading.current else None


def swapped() -> dict[str, int | None]:
    """Bytes moved from and to swap since the machine started, by anyone."""
    try:
        memory = psutil.swap_memory()
    except (OSError, RuntimeError):
        return {"swap_in_bytes": None, "swap_out_bytes": None}
    return {"swap_in_bytes": memory.sin, "swap_out_bytes": memory.sout}


def read_environment() -> dict[str, Any]:
    """One reading of everything.

    busy_s and steal_s: sums over all cores since the machine started, the time that the hypervisor took apart.
    own_s: CPU seconds of this process and of those that it has waited for, so that the rest is other processes'.
    """
    cpu = psutil.cpu_times()
    return {
        "time": time.time(),
        "load": load_average(),
        "frequency_mhz": frequency(),
        "governor": read_line(GOVERNOR),
        "busy_s": sum(getattr(cpu, name, 0.0) for name in WORKING),
        "own_s": cpu_with_children(),
        "steal_s": getattr(cpu, "steal", None),
        "cores": psutil.cpu_count(),
        **swapped(),
        **throttling(),
    }


def file_system(folder: str) -> str | None:
    """The type of the file system that a folder lies on."""
    folder = os.path.realpath(folder)
    mounts = [
        part
        for part in psutil.disk_partitions(all=True)
        if folder == part.mountpoint or folder.startswith(part.mountpoint.rstrip(os.sep) + os.sep)
    ]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else None
