"""What the machine was doing before and after a block: raw readings; what a sensor does not tell is None."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import Any

import psutil

from gilscope.measuring.usage import cpu_with_children
from gilscope.running.cgroups import own_cgroups
from gilscope.running.node import contents, told

GOVERNOR = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"
WORKING = ("user", "nice", "system", "irq", "softirq")


def counters(folder: str) -> dict[str, int]:
    try:
        with open(os.path.join(folder, "cpu.stat")) as file:
            return {name: int(count) for name, count in (line.split() for line in file)}
    except (OSError, ValueError):
        return {}


def throttled(folder: str) -> int | None:
    """For how many microseconds so far a CPU quota has stopped a cgroup, version 2 or 1."""
    found = counters(folder)
    return found.get("throttled_usec", found["throttled_time"] // 1000 if "throttled_time" in found else None)


def read_environment() -> dict[str, Any]:
    """One reading of everything; no sensor, however it fails, ends a measurement.

    busy_s and steal_s: sums over all cores since the machine started, the time that the hypervisor took apart.
    own_s: CPU seconds of this process and of those that it has waited for, so that the rest is other processes'.
    swap_in_bytes, swap_out_bytes: moved from and to swap since the machine started, by anyone.
    cgroups_throttled_us: of this process's cgroup and of each above it, in this order.
    """
    cpu: Mapping[str, float] | None = told(lambda: psutil.cpu_times()._asdict())
    return {
        "time": time.time(),
        "load": told(lambda: os.getloadavg()[0]),
        "frequency_mhz": told(lambda: psutil.cpu_freq().current) or None,
        "governor": told(lambda: contents(GOVERNOR)),
        "busy_s": sum(cpu.get(name, 0.0) for name in WORKING) if cpu else None,
        "own_s": told(cpu_with_children),
        "steal_s": cpu.get("steal") if cpu else None,
        "cores": told(lambda: psutil.cpu_count() or None),
        "swap_in_bytes": told(lambda: psutil.swap_memory().sin),
        "swap_out_bytes": told(lambda: psutil.swap_memory().sout),
        "cgroups_throttled_us": told(lambda: list(map(throttled, own_cgroups()))) or [],
    }


def file_system(folder: str) -> str | None:
    """The type of the file system that a folder lies on."""
    folder = os.path.realpath(folder)
    mounts = [
        part
        for part in told(lambda: psutil.disk_partitions(all=True)) or []
        if folder == part.mountpoint or folder.startswith(part.mountpoint.rstrip(os.sep) + os.sep)
    ]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype if mounts else None
