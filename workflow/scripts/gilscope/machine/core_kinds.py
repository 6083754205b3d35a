"""Cores that are not alike, and what the system calls them; None where it tells of no kinds."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from gilscope.running.node import contents, printed

DEVICES = Path("/sys/devices")
FAST, MIDDLE, SLOW, SLOWEST = "performance", "medium", "efficiency", "low-power efficiency"
INTEL = {FAST: "cpu_core", SLOW: "cpu_atom", SLOWEST: "cpu_lowpower"}
"""What Linux calls a hybrid Intel CPU's kinds."""
PROCESSOR_CORE = 0
"""RelationProcessorCore, of Windows' LOGICAL_PROCESSOR_RELATIONSHIP."""


def core_kinds(devices: Path = DEVICES) -> dict[str, int] | None:
    """Kind → physical cores, the fastest first: ``{"performance": 4, "efficiency": 6}``."""
    if sys.platform == "darwin":
        return apple_kinds()
    if sys.platform == "win32":
        return ranked(efficiency_classes(processor_information()))
    return intel_kinds(devices) or ranked(capacities(devices / "system/cpu"))


def apple_kinds() -> dict[str, int] | None:
    """macOS names its levels, the fastest first."""
    kinds = {}
    for level in range(as_number(asked("hw.nperflevels"))):
        name, cores = asked(f"hw.perflevel{level}.name"), as_number(asked(f"hw.perflevel{level}.physicalcpu"))
        if not name or not cores:
            return None
        kinds[name.lower()] = cores
    return kinds or None


def asked(name: str) -> str | None:
    return printed("sysctl", "-n", name)


def as_number(text: str | None) -> int:
    """0 for what is none."""
    return int(text) if text and text.isdigit() else 0


def intel_kinds(devices: Path) -> dict[str, int] | None:
    """Linux lists the logical CPUs of each kind where a hybrid CPU has kinds."""
    kinds = {
        kind: physical_cores(numbers(listed), devices / "system/cpu")
        for kind, device in INTEL.items()
        if (listed := contents(str(devices / device / "cpus")))
    }
    return kinds or None


def numbers(listed: str) -> Iterator[int]:
    """0, 1, 2, 5 for ``0-2,5``."""
    for part in filter(None, listed.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def physical_cores(logical: Iterable[int], cpus: Path) -> int:
    """How many cores these CPUs are: those of one core name the same siblings."""
    return len({siblings(cpus / f"cpu{cpu}") for cpu in logical})


def siblings(cpu: Path) -> str:
    return contents(str(cpu / "topology/thread_siblings_list")) or cpu.name


def capacities(cpus: Path) -> list[int]:
    """Linux on ARM: each core's share of the fastest one's speed, in 1024ths."""
    known = {siblings(cpu): contents(str(cpu / "cpu_capacity")) for cpu in sorted(cpus.glob("cpu[0-9]*"))}
    return [as_number(capacity) for capacity in known.values() if as_number(capacity)]


def ranked(speeds: Iterable[int]) -> dict[str, int] | None:
    """Names for two levels or more of what tells how fast each core is; None where all are alike."""
    counts = Counter(speeds)
    fastest, slowest = max(counts, default=0), min(counts, default=0)
    if fastest == slowest:
        return None
    middle = sum(count for speed, count in counts.items() if slowest < speed < fastest)
    kinds = {FAST: counts[fastest], MIDDLE: middle, SLOW: counts[slowest]}
    return {kind: count for kind, count in kinds.items() if count}


def processor_information() -> bytes:
    """What Windows says of its cores: a record each; empty where it says nothing."""
    kernel: Any = ctypes.windll.kernel32  # type: ignore[attr-defined]
    size = ctypes.c_uint32(0)
    kernel.GetLogicalProcessorInformationEx(PROCESSOR_CORE, None, ctypes.byref(size))
    records = ctypes.create_string_buffer(max(1, size.value))
    told = kernel.GetLogicalProcessorInformationEx(PROCESSOR_CORE, records, ctypes.byref(size))
    return records.raw[: size.value] if told else b""


def efficiency_classes(records: bytes) -> Iterator[int]:
    """The class of each core, the higher the faster.

    A record begins with its relationship and its length in bytes, then a byte of flags and the class.
    """
    place = 0
    while place + 10 <= len(records):
        relationship, length, _, efficiency = struct.unpack_from("<IIBB", records, place)
        if relationship == PROCESSOR_CORE:
            yield efficiency
        if length < 10:
            return
        place += length
