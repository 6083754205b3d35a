"""What this machine is, and how many of its cores a program may use. What cannot be read is None, never a guess."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from gilscope.machine.core_kinds import core_kinds
from gilscope.running.cgroups import own_cgroups
from gilscope.running.node import affinity_cores, cpu_model, printed, told

CPUS = Path("/sys/devices/system/cpu")


@dataclass(frozen=True)
class Machine:
    """quota_cores: the cgroup's CPU quota in cores, None without one. load: runnable processes, 1-minute mean.

    core_kinds: kind → physical cores, the fastest first; None where the system tells of no kinds.
    """

    label: str
    cpu: str | None
    architecture: str
    physical_cores: int | None
    logical_cores: int
    affinity_cores: int | None
    quota_cores: float | None
    usable_cores: int
    core_kinds: dict[str, int] | None
    memory_bytes: int
    os: str
    kernel: str
    governor: str | None
    turbo: bool | None
    smt: bool | None
    virtualisation: str | None
    load: float | None

    def facts(self) -> dict[str, object]:
        return asdict(self)


def read_text(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except (OSError, ValueError):
        return None


def quota_cores(folders: Iterable[str] | None = None) -> float | None:
    """The tightest CPU quota of these cgroups, by default of this process's (v1 and v2), in cores; None without one."""
    quotas = []
    for folder in map(Path, own_cgroups() if folders is None else folders):
        version_2 = (read_text(folder / "cpu.max") or "").split()
        version_1 = [read_text(folder / f"cpu.cfs_{name}_us") or "" for name in ("quota", "period")]
        for quota in (version_2, version_1):
            if len(quota) == 2 and all(number.isdigit() for number in quota) and int(quota[1]) > 0:
                quotas.append(int(quota[0]) / int(quota[1]))
    return min(quotas, default=None)


def usable_cores(physical: int | None, affinity: int | None, quota: float | None) -> int:
    """Cores that can compute at once for this process: affinity, quota and physical cores together."""
    limits = [physical, affinity, math.floor(quota) if quota is not None else None]
    return max(1, min((limit for limit in limits if limit is not None), default=1))


def turbo() -> bool | None:
    no_turbo = read_text(CPUS / "intel_pstate/no_turbo")
    if no_turbo in ("0", "1"):
        return no_turbo == "0"
    boost = read_text(CPUS / "cpufreq/boost")
    return boost == "1" if boost in ("0", "1") else None


def simultaneous_threads(physical: int | None, logical: int) -> bool | None:
    """Whether cores are shared by logical ones. Linux says whether that is so now; elsewhere the counts tell."""
    active = read_text(CPUS / "smt/active")
    if active in ("0", "1"):
        return active == "1"
    return logical > physical if physical and sys.platform in ("darwin", "win32") else None


def virtualisation() -> str | None:
    """The hypervisor's name, ``none`` on bare metal, None where the system does not say."""
    if sys.platform == "darwin":
        return {"0": "none", "1": "a hypervisor"}.get(printed("sysctl", "-n", "kern.hv_vmm_present") or "")
    try:
        answer = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        answer = None
    if answer is not None and answer.stdout.strip():
        return answer.stdout.strip()
    if re.search(r"^flags\s*:.*\bhypervisor\b", read_text(Path("/proc/cpuinfo")) or "", re.MULTILINE):
        return "a hypervisor"
    return None


def automatic_label(cpu: str | None, architecture: str, physical: int | None, logical: int) -> str:
    """A name made of hardware facts alone, so that a resumed run finds its folder again on the same machine."""
    name = re.sub(r"\((r|tm|c)\)|\bcpu\b|@.*|\b\d+-core\b|\bprocessor\b", " ", (cpu or architecture).lower())
    slug = re.sub(r"[^a-z0-9]+", "-", name).strip("-")[:40].strip("-") or "machine"
    digest = hashlib.sha256(f"{cpu}|{architecture}|{physical}|{logical}".encode()).hexdigest()[:4]
    return f"{slug}-{logical}c-{digest}"


def describe_machine(label: str = "auto") -> Machine:
    """Read the machine. label: a name from the config, or ``auto``."""
    cpu, architecture = cpu_model(), platform.machine()
    physical, logical = told(lambda: psutil.cpu_count(logical=False)), told(psutil.cpu_count) or os.cpu_count() or 1
    affinity, quota = affinity_cores(), quota_cores()
    return Machine(
        label=automatic_label(cpu, architecture, physical, logical) if label == "auto" else label,
        cpu=cpu,
        architecture=architecture,
        physical_cores=physical,
        logical_cores=logical,
        affinity_cores=affinity,
        quota_cores=quota,
        usable_cores=usable_cores(physical, affinity, quota),
        core_kinds=told(core_kinds),
        memory_bytes=psutil.virtual_memory().total,
        os=platform.system(),
        kernel=platform.release(),
        governor=read_text(CPUS / "cpu0/cpufreq/scaling_governor"),
        turbo=turbo(),
        smt=simultaneous_threads(physical, logical),
        virtualisation=virtualisation(),
        load=told(lambda: os.getloadavg()[0]),
    )
