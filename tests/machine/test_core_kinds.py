"""Performance and efficiency cores, as three systems tell of them; all of it with fakes."""

from __future__ import annotations

import ctypes
import struct
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gilscope.machine import core_kinds as kinds

HYBRID = {
    "cpu_core/cpus": "0-3",
    "cpu_atom/cpus": "4,5-6",
    **{f"system/cpu/cpu{cpu}/topology/thread_siblings_list": f"{cpu & ~1}-{cpu | 1}" for cpu in range(4)},
    **{f"system/cpu/cpu{cpu}/topology/thread_siblings_list": str(cpu) for cpu in (4, 5, 6)},
}
BIG_LITTLE = {f"system/cpu/cpu{cpu}/cpu_capacity": "1024" if cpu > 3 else "446" for cpu in range(6)}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (HYBRID, {"performance": 2, "efficiency": 3}),
        ({**HYBRID, "cpu_lowpower/cpus": "7"}, {"performance": 2, "efficiency": 3, "low-power efficiency": 1}),
        ({"cpu_core/cpus": "0"}, {"performance": 1}),
        (BIG_LITTLE, {"performance": 2, "efficiency": 4}),
        (
            {**BIG_LITTLE, "system/cpu/cpu6/cpu_capacity": "800", "system/cpu/cpufreq/cpu_capacity": "1"},
            {"performance": 2, "medium": 1, "efficiency": 4},
        ),
        (dict.fromkeys(BIG_LITTLE, "1024"), None),
        ({**BIG_LITTLE, **dict.fromkeys(list(BIG_LITTLE)[4:], "")}, None),
        ({}, None),
    ],
)
def test_linux(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], expected: dict[str, int] | None
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text + "\n")
    found = kinds.core_kinds(tmp_path)
    assert found == expected
    assert found is None or list(found) == list(expected or {}), "the fastest first"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (
            {
                "hw.nperflevels": "2",
                "hw.perflevel0.name": "Performance",
                "hw.perflevel0.physicalcpu": "4",
                "hw.perflevel1.name": "Efficiency",
                "hw.perflevel1.physicalcpu": "6",
            },
            {"performance": 4, "efficiency": 6},
        ),
        (
            {"hw.nperflevels": "1", "hw.perflevel0.name": "Standard", "hw.perflevel0.physicalcpu": "8"},
            {"standard": 8},
        ),
        ({"hw.nperflevels": "2", "hw.perflevel0.name": "Performance", "hw.perflevel0.physicalcpu": "4"}, None),
        ({}, None),
    ],
)
def test_macos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: dict[str, str], expected: dict[str, int] | None
) -> None:
    for name, text in said.items():
        (tmp_path / name).write_text(text + "\n")
    program = tmp_path / "sysctl"
    program.write_text(f'#!/bin/sh\n[ "$1" = -n ] && exec /bin/cat "{tmp_path}/$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kinds.core_kinds() == expected


def windows_records(classes: Sequence[int]) -> bytes:
    """A record for each core, of the length that one with a group mask has; another relationship between them."""
    records = [struct.pack("<IIBB38x", 0, 48, 1, efficiency) for efficiency in classes]
    return b"".join([*records[:1], struct.pack("<IIBB22x", 3, 32, 0, 9), *records[1:]])


class Kernel:
    """kernel32, as far as it is asked for cores."""

    def __init__(self, records: bytes):
        self.records = records

    def GetLogicalProcessorInformationEx(self, relationship: int, buffer: Any, size: Any) -> int:  # noqa: N802
        assert relationship == 0
        enough = buffer is not None and size._obj.value >= len(self.records) > 0
        if enough:
            ctypes.memmove(buffer, self.records, len(self.records))
        size._obj.value = len(self.records)
        return int(enough)


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (windows_records([1, 1, 0, 0, 0, 0]), {"performance": 2, "efficiency": 4}),
        (windows_records([2, 1, 0, 0]), {"performance": 1, "medium": 1, "efficiency": 2}),
        (windows_records([0] * 8), None),
        (struct.pack("<IIBB", 0, 0, 0, 1) + bytes(8), None),
        (b"", None),
    ],
)
def test_windows(monkeypatch: pytest.MonkeyPatch, records: bytes, expected: dict[str, int] | None) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "windll", SimpleNamespace(kernel32=Kernel(records)), raising=False)
    assert kinds.core_kinds() == expected
