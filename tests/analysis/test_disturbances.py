"""The environment gate: what the machine did meanwhile, and which rounds that disturbed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from gilscope.analysis.collecting import collect_timings
from gilscope.analysis.disturbances import flag_rounds, readings, summarise_flags
from gilscope.analysis.rounds import collect_rounds
from gilscope.configuring.models import Limits
from gilscope.measuring import environment
from gilscope.measuring.environment import read_environment, throttled
from gilscope.running.cells import Block

QUIET = {
    "time": 100.0,
    "load": 0.5,
    "frequency_mhz": 3000.0,
    "governor": "performance",
    "busy_s": 50.0,
    "own_s": 1.0,
    "steal_s": 3.0,
    "cores": 2,
    "swap_in_bytes": 0,
    "swap_out_bytes": 0,
    "cgroups_throttled_us": [7_000, 90_000_000],
}
LATER = {**QUIET, "time": 110.0, "busy_s": 65.0, "own_s": 15.9}
BUSY = "other processes were busy"


def flags_after(usual: dict[str, Any] = LATER, **changed: Any) -> str:
    """The flags of the last of five rounds, the other four of which were quiet."""
    rounds = [readings(QUIET, usual)] * 4 + [readings(QUIET, {**usual, **changed})]
    found = flag_rounds(pd.DataFrame(rounds), Limits(), cores=2)
    assert found[:4] == [""] * 4
    return found[4]


def test_readings_are_in_their_units() -> None:
    """Ten seconds on two cores."""
    later = {**QUIET, "time": 110.0, "busy_s": 56.0, "own_s": 2.0, "steal_s": 4.0}
    later |= {"swap_in_bytes": 2**20, "swap_out_bytes": 2**21, "cgroups_throttled_us": [7_000, 91_000_000]}
    found = readings(QUIET, later)
    assert found["busy_cores"] == pytest.approx(0.5)
    assert (found["steal_share"], found["throttled_share"], found["swap_mib"]) == pytest.approx((0.05, 0.1, 3))


@pytest.mark.parametrize(
    ("changed", "flag"),
    [
        ({}, ""),
        ({"busy_s": 71.0}, BUSY),
        ({"steal_s": 5.0}, "the hypervisor took CPU time"),
        ({"cgroups_throttled_us": [27_000, 90_000_000]}, "the CPU quota stopped it"),
        ({"cgroups_throttled_us": [7_000, 90_000_000]}, ""),
        ({"cgroups_throttled_us": [7_000, 90_020_000]}, "the CPU quota stopped it"),
        ({"cgroups_throttled_us": [None, 90_020_000]}, "the CPU quota stopped it"),
        ({"cgroups_throttled_us": [20_000]}, ""),
        ({"frequency_mhz": 2000.0}, "the frequency was low"),
        ({"governor": "powersave"}, "another governor was in force"),
        ({"swap_out_bytes": 64 * 2**20}, "memory was swapped"),
        ({"busy_s": 71.0, "swap_in_bytes": 64 * 2**20}, f"{BUSY}; memory was swapped"),
    ],
)
def test_each_sensor_flags_what_is_beyond_its_limit(changed: dict[str, Any], flag: str) -> None:
    assert flags_after(**changed) == flag


def test_a_high_load_before_the_round_is_flagged() -> None:
    loaded = pd.DataFrame([readings({**QUIET, "load": 20.0}, LATER)])
    assert flag_rounds(loaded, Limits(), cores=2) == ["the load was high before"]
    assert flag_rounds(loaded, Limits(load_per_core=12), cores=2) == [""]


def test_a_missing_sensor_is_unknown_and_flags_nothing() -> None:
    blind = {**dict.fromkeys(QUIET), "time": 100.0}
    found = readings(blind, {**blind, "time": 110.0})
    assert set(found.values()) == {None}
    assert flag_rounds(pd.DataFrame([found]), Limits(), cores=2) == [""]


def test_a_block_says_how_many_of_its_rounds_were_disturbed() -> None:
    found = summarise_flags({"a": [BUSY, "", f"{BUSY}; memory was swapped"], "b": ["", ""]})
    assert found == {"a": f"{BUSY} (2 of 3 rounds); memory was swapped (1 of 3 rounds)", "b": ""}


def test_this_machine_can_be_read() -> None:
    found = read_environment()
    assert set(found) == set(QUIET)
    assert found["own_s"] > 0
    assert found["busy_s"] > found["own_s"] / 2


@pytest.mark.parametrize("sensor", ["cpu_times", "cpu_freq", "swap_memory", "cpu_count"])
def test_no_sensor_ends_a_measurement(monkeypatch: pytest.MonkeyPatch, sensor: str) -> None:
    """As a clock does that says ``<unknown>``."""

    def fails(*_: Any, **__: Any) -> Any:
        return float("<unknown>")

    monkeypatch.setattr(environment.psutil, sensor, fails)
    found = read_environment()
    assert set(found) == set(QUIET)
    assert None in found.values()
    assert flags_after({**LATER, **{name: None for name in found if found[name] is None}}) == ""


@pytest.mark.parametrize(
    ("stat", "microseconds"),
    [
        ("usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 4500", 4500),
        ("nr_periods 9\nnr_throttled 2\nthrottled_time 7000000", 7000),
        ("usage_usec 5", None),
        ("nonsense", None),
    ],
)
def test_throttling_is_read_from_either_version_of_cgroups(tmp_path: Path, stat: str, microseconds: int | None) -> None:
    (tmp_path / "cpu.stat").write_text(stat + "\n")
    assert throttled(str(tmp_path)) == microseconds


def test_a_busy_loop_beside_a_round_is_flagged_everywhere(
    tmp_path: Path, measure: Any, read: Callable[[Path], Any]
) -> None:
    block = Block("cp311", "sum_squares", "small", 2000, 8, ("threading-2",), 1.0, 3)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            done = measure(block, tmp_path, 1)
        finally:
            neighbour.kill()
    assert done.returncode == 0, done.stderr
    facts, raw = (str(tmp_path / f"round-1{kind}.json") for kind in (".facts", ""))
    rounds = collect_rounds([facts], [], [], Limits(), cores=2)
    assert BUSY in rounds["flags"].iloc[0]
    assert list(rounds["job"]) == ["measure", "calibrate"]
    runtimes = {"cp311": {"implementation": "CPython", "version": "3.11"}}
    timings = collect_timings([raw], [facts], "here", runtimes, rounds["flags"].head(1))
    assert timings["flags"].str.contains(BUSY).all()


def test_a_round_in_which_nothing_was_read_is_not_flagged() -> None:
    """As a measurement leaves it that could not be done."""
    nothing = readings({"time": 1.0, "load": None}, {"time": 1.0, "load": None})
    rows = [{**nothing, "governor": "performance"}, nothing]
    assert flag_rounds(pd.DataFrame(rows), Limits(), 2) == ["", ""]
