from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope import doctor
from gilscope.configuring.models import Limits
from gilscope.doctor import examine, in_words
from gilscope.machine.facts import Machine, describe_machine
from gilscope.machine.findings import OK, UNKNOWN, WARN, Finding
from gilscope.running.lock import machine_lock


@pytest.fixture(scope="module")
def fine() -> Machine:
    """A machine with nothing to complain about."""
    return replace(
        describe_machine(),
        physical_cores=8,
        logical_cores=8,
        affinity_cores=8,
        usable_cores=8,
        quota_cores=None,
        governor="performance",
        turbo=False,
        smt=False,
        virtualisation="none",
        os="Linux",
    )


@pytest.mark.parametrize(
    ("built", "state"),
    [
        ({"debug": False, "optimisation": "O3"}, OK),
        ({"debug": True, "optimisation": "O3"}, WARN),
        ({"debug": False, "optimisation": "O0"}, WARN),
        ({"debug": None}, UNKNOWN),
    ],
)
def test_a_build_that_is_no_release_is_warned_of(built: dict[str, Any], state: str) -> None:
    assert doctor.python(built).state == state


@pytest.mark.parametrize(
    ("look", "changed", "state"),
    [
        ("governor", {}, OK),
        ("governor", {"governor": "powersave"}, WARN),
        ("governor", {"governor": None}, UNKNOWN),
        ("turbo", {}, OK),
        ("turbo", {"turbo": True}, WARN),
        ("turbo", {"turbo": None}, UNKNOWN),
        ("hyperthreads", {}, OK),
        ("hyperthreads", {"smt": True}, WARN),
        ("hyperthreads", {"smt": None}, UNKNOWN),
        ("virtualisation", {}, OK),
        ("virtualisation", {"virtualisation": "kvm"}, WARN),
        ("virtualisation", {"virtualisation": None}, UNKNOWN),
        ("quota", {"os": "Darwin"}, OK),
        ("quota", {"quota_cores": 1.5}, WARN),
        ("quota", {"quota_cores": 8.0}, OK),
        ("cores", {}, OK),
        ("cores", {"usable_cores": 1}, WARN),
        ("cores", {"affinity_cores": 2, "usable_cores": 2}, WARN),
    ],
)
def test_each_fact_is_judged(fine: Machine, look: str, changed: dict[str, Any], state: str) -> None:
    finding = getattr(doctor, look)(replace(fine, **changed))
    assert finding.state == state
    assert bool(finding.remedy) is (state == WARN), "what is wrong can be mended, and what is not needs nothing"


def test_a_quota_that_cannot_be_read_is_unknown(fine: Machine, tmp_path: Path) -> None:
    assert doctor.quota(fine, tmp_path / "nothing").state == UNKNOWN
    assert doctor.quota(fine, tmp_path).state == OK


@pytest.mark.parametrize(
    ("profile", "preference", "plugged", "state"),
    [
        (None, None, None, UNKNOWN),
        ("performance", "performance", True, OK),
        ("low-power", None, None, WARN),
        (None, "balance_power", None, WARN),
        (None, None, False, WARN),
        (None, None, True, OK),
    ],
)
def test_power_saving(
    tmp_path: Path, profile: str | None, preference: str | None, plugged: bool | None, state: str
) -> None:
    if profile:
        (tmp_path / "profile").write_text(profile + "\n")
    if preference:
        (tmp_path / "cpu0/cpufreq").mkdir(parents=True)
        (tmp_path / "cpu0/cpufreq/energy_performance_preference").write_text(preference + "\n")
    assert doctor.power_saving(tmp_path, tmp_path / "profile", plugged).state == state


@pytest.mark.parametrize(("source", "state"), [("tsc", OK), ("hpet", WARN), (None, UNKNOWN)])
def test_clock(tmp_path: Path, source: str | None, state: str) -> None:
    if source:
        (tmp_path / "clock").write_text(source)
    assert doctor.clock(tmp_path / "clock").state == state


def test_neighbours_and_steal() -> None:
    before = {"time": 0.0, "busy_s": 10.0, "own_s": 1.0, "steal_s": 1.0, "cores": 2, "load": 0.1}
    busy, steal = doctor.neighbours(before, {**before, "time": 1.0, "busy_s": 11.0, "steal_s": 1.5}, Limits())
    assert (busy.state, steal.state) == (WARN, WARN)
    busy, steal = doctor.neighbours(before, {**before, "time": 1.0, "busy_s": 10.1}, Limits())
    assert (busy.state, steal.state) == (OK, OK)
    blind = {**before, "own_s": None, "steal_s": None}
    assert [finding.state for finding in doctor.neighbours(blind, blind, Limits())] == [UNKNOWN, UNKNOWN]


def test_a_measurement_under_way_is_seen(tmp_path: Path) -> None:
    """Record locks do not exclude their own process, so the other measurement is another process."""
    path = str(tmp_path / "lock")
    assert doctor.lock(path).state == OK
    ask = f"from gilscope import doctor; print(doctor.lock({path!r}).state)"
    with machine_lock(path):
        said = subprocess.run(
            [sys.executable, "-c", ask],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
    assert said.stdout.strip() == WARN
    assert doctor.lock(path).state == OK


def test_every_finding_has_a_line_and_every_warning_a_remedy(fine: Machine) -> None:
    findings = examine(fine, Limits(), watch_s=0.05)
    assert len({finding.what for finding in findings}) == len(findings) >= 13
    assert {finding.state for finding in findings} <= {OK, WARN, UNKNOWN}
    text = in_words([Finding("governor", WARN, "powersave", "set it"), Finding("turbo", UNKNOWN, "who knows")])
    assert text.splitlines() == [
        "warn    governor         powersave",
        "                         → set it",
        "unknown turbo            who knows",
        "0 ok, 1 warn, 1 unknown",
    ]
