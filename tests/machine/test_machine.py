from __future__ import annotations

import os
import platform
import re
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import psutil
import pytest
from gilscope import doctor
from gilscope.configuring.machines import LABEL
from gilscope.machine import facts as machines
from gilscope.machine.facts import automatic_label, describe_machine, quota_cores, usable_cores
from gilscope.rendering.evidence import machine as shown_machine
from gilscope.rendering.quantities import kinds_in_words


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


@pytest.mark.parametrize(
    ("files", "cores"),
    [
        ({"a/cpu.max": "max 100000"}, None),
        ({"a/cpu.max": "150000 100000"}, 1.5),
        ({"a/cpu.max": "max 100000", "b/cpu.max": "400000 100000"}, 4.0),
        ({"a/cpu.max": "300000 100000", "b/cpu.max": "200000 100000"}, 2.0),
        ({"a/cpu.cfs_quota_us": "50000", "a/cpu.cfs_period_us": "100000"}, 0.5),
        ({"a/cpu.cfs_quota_us": "-1", "a/cpu.cfs_period_us": "100000"}, None),
        ({"a/cpu.max": "nonsense"}, None),
        ({"a/cpu.max": "100000 0"}, None),
        ({}, None),
    ],
)
def test_the_tightest_quota_of_a_cgroup_counts(tmp_path: Path, files: dict[str, str], cores: float | None) -> None:
    tree(tmp_path, files)
    assert quota_cores([str(tmp_path / name) for name in "ab"]) == cores


@pytest.mark.parametrize(
    ("physical", "affinity", "quota", "usable"),
    [(8, 16, None, 8), (8, 4, None, 4), (8, 16, 2.5, 2), (None, None, None, 1), (4, None, 0.5, 1), (None, 6, None, 6)],
)
def test_usable_cores_are_the_tightest_limit(
    physical: int | None, affinity: int | None, quota: float | None, usable: int
) -> None:
    assert usable_cores(physical, affinity, quota) == usable


@pytest.mark.parametrize(
    "cpu", ["Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz", "AMD Ryzen 9 7950X 16-Core Processor", "", None]
)
def test_a_label_is_a_safe_folder_name_and_always_the_same(cpu: str | None) -> None:
    label = automatic_label(cpu, "x86_64", 4, 8)
    assert re.fullmatch(LABEL, label)
    assert label == automatic_label(cpu, "x86_64", 4, 8)
    others = [("aarch64", 4, 8), ("x86_64", 8, 8), ("x86_64", 4, 16)]
    assert len({label, *(automatic_label(cpu, *other) for other in others)}) == 4


@pytest.mark.parametrize(
    ("files", "turbo"),
    [
        ({"intel_pstate/no_turbo": "0"}, True),
        ({"intel_pstate/no_turbo": "1"}, False),
        ({"cpufreq/boost": "1"}, True),
        ({"cpufreq/boost": "0"}, False),
        ({}, None),
    ],
)
def test_whether_the_clock_may_exceed_its_frequency(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], turbo: bool | None
) -> None:
    monkeypatch.setattr(machines, "CPUS", tree(tmp_path, files))
    assert machines.turbo() is turbo


def test_this_machine_can_be_described() -> None:
    machine = describe_machine()
    assert 1 <= machine.usable_cores <= machine.logical_cores
    assert machine.memory_bytes > 2**28
    assert describe_machine("mine").label == "mine"
    assert describe_machine().label == machine.label


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing of Linux: no affinity, no /sys, no /proc; programs are those in this folder."""
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(machines, "read_text", lambda path: None)
    monkeypatch.setattr(machines, "own_cgroups", list)
    monkeypatch.setattr(psutil, "cpu_count", lambda logical=True: 12 if logical else 10)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_a_mac_can_be_described(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {
        "machdep.cpu.brand_string": "Apple M2 Pro",
        "kern.hv_vmm_present": "0",
        "hw.nperflevels": "2",
        "hw.perflevel0.name": "Performance",
        "hw.perflevel0.physicalcpu": "6",
        "hw.perflevel1.name": "Efficiency",
        "hw.perflevel1.physicalcpu": "4",
    }
    cases = "".join(f"{name}) echo '{text}';;\n" for name, text in said.items())
    (bare / "sysctl").write_text(f'#!/bin/sh\ncase "$2" in\n{cases}*) exit 1;;\nesac\n')
    (bare / "sysctl").chmod(0o755)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    machine = describe_machine()
    assert machine.cpu == "Apple M2 Pro"
    assert machine.label.startswith("apple-m2-pro-12c-")
    assert machine.core_kinds == {"performance": 6, "efficiency": 4}
    assert (machine.usable_cores, machine.os, machine.virtualisation, machine.smt) == (10, "Darwin", "none", True)
    assert (machine.affinity_cores, machine.quota_cores, machine.governor, machine.turbo) == (None,) * 4
    assert machine.load is not None


def test_a_windows_machine_can_be_described(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(platform, "system", lambda: "Windows")
    monkeypatch.delattr(os, "getloadavg")
    monkeypatch.setattr(machines, "cpu_model", lambda: "Snapdragon(R) X Elite")
    monkeypatch.setattr(machines, "core_kinds", lambda: None)
    machine = describe_machine()
    assert machine.label.startswith("snapdragon-x-elite-12c-")
    assert (machine.usable_cores, machine.os, machine.smt) == (10, "Windows", True)
    unknown = ("affinity_cores", "quota_cores", "core_kinds", "governor", "turbo", "virtualisation", "load")
    assert [machine.facts()[name] for name in unknown] == [None] * len(unknown)
    assert doctor.quota(machine).state == doctor.UNKNOWN, "job objects may limit it, and nothing here can read them"


@pytest.mark.parametrize(
    ("kinds", "state", "said"),
    [
        (None, doctor.UNKNOWN, None),
        ({"standard": 8}, doctor.OK, "8 standard"),
        ({"performance": 4, "efficiency": 6}, doctor.WARN, "4 performance, 6 efficiency"),
    ],
)
def test_kinds_of_cores_are_judged_and_shown(kinds: dict[str, int] | None, state: str, said: str | None) -> None:
    finding = doctor.core_kinds(replace(describe_machine(), core_kinds=kinds))
    assert finding.state == state
    assert bool(finding.remedy) is (state == doctor.WARN)
    assert (said or "does not say") in finding.found
    assert kinds_in_words(kinds) == said


def test_the_report_of_an_older_run_does_not_know_kinds() -> None:
    text = str(
        shown_machine(SimpleNamespace(machine={"os": "Windows", "quota_cores": None}, timed_rounds=pd.DataFrame()))
    )
    for name in ("Kinds of cores", "Quota in cores"):
        assert f'<dt>{name}</dt><dd class="unknown">' in text
