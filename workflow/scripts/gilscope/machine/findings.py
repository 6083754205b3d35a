"""What of a machine's processor and its limits will hurt measurements, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil

from gilscope.machine.facts import CPUS, Machine, read_text
from gilscope.running.node import told

OK, WARN, UNKNOWN = "ok", "warn", "unknown"
CGROUPS = Path("/sys/fs/cgroup")
PROFILE = Path("/sys/firmware/acpi/platform_profile")
SAVING = ("low-power", "quiet", "power", "balance_power")


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


def plugged_in() -> bool | None:
    return told(lambda: psutil.sensors_battery().power_plugged)  # type: ignore[union-attr]
