"""What the machine was doing before and after a block: raw readings; what a sensor does not tell is None."""

from __future__ import annotations

import os
import time
from typing import Any

import psutil

CGROUP_STAT = "/sys/fs/cgroup/cpu.stat"


def throttling(path: str = CGROUP_STAT) -> dict[str, int | None]:
    """How often and for how long (µs) the cgroup's CPU quota has stopped this container."""
    try:
        with open(path) as file:
            counters = dict(line.split() for line in file)
    except (OSError, ValueError):
        counters = {}
    names = {"throttled_periods": "nr_throttled", "throttled_us": "throttled_usec"}
    return {ours: int(counters[theirs]) if theirs in counters else None for ours, theirs in names.items()}


def load_average() -> float | None:
    """Runnable processes, averaged over the last minute."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else None


def frequency() -> float | None:
    """The CPU's frequency in MHz as the operating system reports it."""
    try:
        reading = psutil.cpu_freq()
    except (OSError, NotImplementedError, AttributeError):
        return None
    return reading.current if reading else None


def read_environment() -> dict[str, Any]:
    """One reading of everything; CPU seconds are sums over all cores since the machine started."""
    cpu = psutil.cpu_times()
    return {
        "time": time.time(),
        "load": load_average(),
        "frequency_mhz": frequency(),
        "busy_s": sum(cpu) - cpu.idle - getattr(cpu, "iowait", 0.0),
        "steal_s": getattr(cpu, "steal", None),
        "swap_used_bytes": psutil.swap_memory().used,
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
