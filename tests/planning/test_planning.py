"""Runs planned for one machine or several, and what of the plan comes to the jobs."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope.configuring.files import merge_files
from gilscope.configuring.mistakes import Mistakes
from gilscope.interpreters import finding
from gilscope.interpreters.uv import Refused
from gilscope.invoking.asking import asks_to_measure
from gilscope.machine.facts import describe_machine
from gilscope.planning import destinations
from gilscope.planning.destinations import why_not_here
from gilscope.planning.handing_on import CORES, DIGEST, FILE, export_plan, hand_on, handed_on
from gilscope.planning.run import Run
from gilscope.planning.runs import plan_runs
from gilscope.running.cells import Cell
from interpreters import found

ROOT = Path(__file__).parents[2]
SMALL = "sweep: {claims: false, workloads: [{name: sum_squares, workers: auto}]}\nlabs: {names: [joining]}\n"
MACHINES = """
machines:
  milan: {cores: 64, memory_gib: 256, partition: "short,long", constraint: "milan&ib"}
  old: {cores: 2}
"""
Plan = Callable[..., dict[str, Run]]


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Calls ``plan(text, key=value …)``: the runs of a configuration laid over the default one, as Snakemake has it."""
    monkeypatch.chdir(ROOT)
    for name in (CORES, DIGEST):
        monkeypatch.setenv(name, "left behind")
    # What a plan tells the jobs goes with the test.
    monkeypatch.setattr(os, "environ", os.environ.copy())

    def call(text: str, *assignments: str, measures: bool = True) -> dict[str, Run]:
        (tmp_path / "mine.yaml").write_text(text)
        files = ["config/config.yaml", str(tmp_path / "mine.yaml")]
        overrides: dict[str, Any] = dict(assignment.split("=") for assignment in assignments)
        return plan_runs(merge_files(files, assignments), files, overrides, measures=measures)

    return call


def no_reading(*_: Any) -> None:
    raise AssertionError("this computer is not the one to measure")


def most_workers(run: Run) -> int:
    return max(Cell.parse(name).workers for block in run.blocks for name in block.cells)


def test_each_of_several_machines_gets_a_run_that_suits_it(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "describe_machine", no_reading)
    runs = plan(SMALL + MACHINES + "preset: mine\n")
    assert list(runs) == ["milan-mine", "old-mine"] == [run.folder for run in runs.values()]
    milan, old = runs.values()
    assert (most_workers(milan), most_workers(old)) == (128, 4)
    assert {file.split("/")[1] for file in old.files("raw/{path}/round-{round}.json") + old.labs()} == {"old-mine"}
    assert (milan.destination.partition, milan.destination.constraint) == ("short,long", "milan&ib")
    assert milan.destination.memory_bytes == 2**38
    assert (old.destination.partition, old.destination.constraint, old.destination.memory_bytes) == (None, None, None)
    assert "old-mine/report.html" in old.outlook()
    assert "on 64 usable cores" in milan.outlook()


def test_one_of_several_machines_can_be_measured_alone(plan: Plan) -> None:
    assert list(plan(SMALL + MACHINES, "machine=old")) == ["old"]


def test_without_machines_this_computer_is_read(plan: Plan) -> None:
    here = describe_machine()
    (automatic,) = plan(SMALL).values()
    assert (automatic.folder, automatic.destination.origin) == (here.label, "automatic")
    assert automatic.destination.usable_cores == here.usable_cores
    assert automatic.destination.memory_bytes == here.memory_bytes
    (named,) = plan(SMALL, "machine=mine").values()
    assert (named.folder, named.destination.origin) == ("mine", "named")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("machines: {comparison: {cores: 1}}", "machines.comparison cannot be: results/comparison is where several machines are laid side by side; choose another label."),
        ("machines: {auto: {cores: 1}}", "machines.auto cannot be: auto stands for a label made of this computer's hardware; choose another label."),
        ("machine: comparison", "machine cannot be 'comparison': results/comparison is where several machines are laid side by side; choose another label."),
        ("machines: {milan: {cores: 1}, rome: {cores: 2}}\nmachine: roma", "machine is 'roma', beside machines: milan, rome; name one of them to measure it alone, or leave machine out. Did you mean rome?"),
        ("machines: {milan: {cores: 0}}", "machines.milan.cores is 0; cores, those of one node that a program may use, are 1 to 4096."),
        ("machines: {milan: {partition: long}}", "machines.milan.cores is missing; cores, those of one node that a program may use, are 1 to 4096."),
        ("machines: {milan: {cores: 1, partition: '--all'}}", "machines.milan.partition is '--all'; partition is the name of a partition, or several with commas."),
        ("machines: {Milan: {cores: 1}}", "machines.Milan is 'Milan'; machines map a label (a-z, 0-9 and -) to the cores, partition and constraint of a cluster's nodes."),
    ],
)  # fmt: skip
def test_a_mistake_about_machines_is_named(plan: Plan, text: str, said: str) -> None:
    with pytest.raises(Mistakes) as mistakes:
        plan(text)
    (line,) = mistakes.value.lines
    assert line.partition("mine.yaml: ")[2] == said


def test_too_little_memory_is_said_of_the_machine_that_has_it(plan: Plan) -> None:
    """Where nobody has said how much there is, nothing can be."""
    machines = (
        "machines: {large: {cores: 2, memory_gib: 64}, small: {cores: 2, memory_gib: 0.5}, unknown: {cores: 2}}\n"
    )
    sorting = "sweep: {claims: false, workloads: [{name: matmul, workers: [2]}]}\nparameters: {matmul: {large: 3000}}\n"
    with pytest.raises(Mistakes) as mistakes:
        plan(sorting + machines)
    (line,) = mistakes.value.lines
    assert "mine.yaml: small: matmul, size large" in line


def test_what_is_there_is_taken_as_it_is_where_nothing_is_measured(plan: Plan, tmp_path: Path) -> None:
    (all_of_it,) = plan(SMALL, "machine=mine").values()
    assert len(all_of_it.files("{path}-{round}")) == len(all_of_it.pilot) > 1
    for runs in (plan(SMALL, "machine=mine", measures=False), plan(SMALL, "machine=mine", "only_existing=true")):
        (run,) = runs.values()
        assert run.files("{path}-{round}") == run.traces() == run.labs() == []


def test_the_jobs_get_the_very_plan_of_the_run(plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = plan(SMALL + MACHINES)
    written = export_plan(runs)
    assert ast.literal_eval(os.environ[CORES]) == {"milan": 64, "old": 2}
    monkeypatch.chdir(tmp_path)
    FILE.parent.mkdir()
    assert handed_on() is None
    hand_on(written)
    told = handed_on()
    assert told is not None
    assert told["milan"] == runs["milan"]
    block = runs["old"].blocks[0]
    assert told["old"].block(block.runtime, block.workload, block.size) == block
    assert [path.name for path in FILE.parent.iterdir()] == [FILE.name]
    export_plan({"old": runs["old"]})
    assert handed_on() is None, "that is another run's"


def test_what_would_set_an_interpreters_lock_reaches_no_job(plan: Plan) -> None:
    """And the address of a service only who is told it."""
    os.environ.update(PYTHON_GIL="1", PYTHONDONTWRITEBYTECODE="1", GILSCOPE_SERVICE_POSTGRES="left behind")
    export_plan(plan(SMALL + MACHINES))
    assert not {"PYTHON_GIL", "PYTHONDONTWRITEBYTECODE"} & set(os.environ)
    assert os.environ["GILSCOPE_SERVICE_POSTGRES"] == ""
    export_plan(plan(SMALL + MACHINES + "services: {postgres: 'postgresql://me@host/mine'}\n"))
    assert os.environ["GILSCOPE_SERVICE_POSTGRES"] == "postgresql://me@host/mine"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("0", "no report yet; results/{}/report.html comes when the sweep is complete"),
        (
            "1",
            "no report: the run has failed; results/{}/report.html comes when what is said above is mended and it has",
        ),
    ],
)
def test_the_end_of_a_run_tells_of_each_machine(tmp_path: Path, status: str, said: str) -> None:
    (tmp_path / "mine.yaml").write_text(MACHINES)
    script = [sys.executable, "workflow/scripts/announce.py", "--status", status]
    command = [*script, "--configfile", str(tmp_path / "mine.yaml")]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for line, label in zip(told.splitlines(), ("milan", "old"), strict=True):
        assert line.startswith(said.format(label))


@pytest.mark.parametrize(
    ("line", "measures"),
    [
        ("", True),
        ("-n --cores all", True),
        ("bundle --cores 1", False),
        ("--cores 1 -- compare", False),
        ("--configfile a.yaml b.yaml --config bundles=a.zip baseline=b --cores 1 compare", False),
        ("compare --configfile a.yaml b.yaml --config bundles=a.zip baseline=b --cores 1", False),
        ("bundle compare doctor -c1", False),
        ("bundle results/here/report.html -c1", True),
        ("all -c1 --configfile compare", True),
        ("-c1 --forcerun bundle", True),
    ],
)
def test_some_targets_measure_nothing(line: str, measures: bool) -> None:
    assert asks_to_measure(line.split()) is measures


def test_another_machine_than_was_planned_for_is_told_from_the_one_that_was() -> None:
    here = replace(describe_machine(), label="epyc-4c-0000", usable_cores=4)
    for origin in ("automatic", "named", "configured"):
        assert why_not_here(here, "epyc-4c-0000", 4, origin) is None
    for origin in ("named", "configured"):
        assert why_not_here(here, "milan", 4, origin) is None


@pytest.mark.parametrize(
    ("label", "cores", "origin", "said"),
    [
        ("xeon-8c-1111", 4, "automatic", "the run was planned on xeon-8c-1111 and this job is on epyc-4c-0000; name the machines to measure in the configuration: machines: {epyc-4c-0000: {cores: 4}} (docs/cluster.md)"),
        ("epyc-4c-0000", 8, "automatic", "the run was planned for 8 cores, those of the computer that it was started on, and a job can use 4 cores of this machine; name the machines to measure in the configuration: machines: {epyc-4c-0000: {cores: 4}} (docs/cluster.md)"),
        ("mine", 1, "named", "the run was planned for 1 core, those of the computer that it was started on, and a job can use 4 cores of this machine; name the machines to measure in the configuration: machines: {mine: {cores: 4}} (docs/cluster.md)"),
        ("milan", 64, "configured", "machines.milan.cores is 64, and a job can use 4 cores of this machine; write `cores: 4`, or let the job have the whole node (docs/cluster.md)"),
    ],
)  # fmt: skip
def test_another_machine_than_was_planned_for_is_named(label: str, cores: int, origin: str, said: str) -> None:
    here = replace(describe_machine(), label="epyc-4c-0000", usable_cores=4)
    assert why_not_here(here, label, cores, origin) == said


LOCK = ("the-gil-is-the-cause", "one-thread-pays-for-no-lock")
ELSEWHERE = "machines: {here: {cores: 4}}\n"


@pytest.fixture
def without_others(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with no interpreter but this one; what it was asked for."""
    asked: list[str] = []

    def look_for(request: str) -> str:
        asked.append(request)
        raise Refused("there is none")

    monkeypatch.setattr(finding, "look_for", look_for)
    return asked


def test_the_default_sweep_asks_a_free_threaded_python_about_the_lock_where_there_is_one(plan: Plan) -> None:
    found("3.13t")
    (run,) = plan(ELSEWHERE).values()
    here, on, off = run.runtimes
    assert (here.current, here.claims, on.claims, off.claims) == (True, None, LOCK, LOCK)
    assert on.environment == off.environment
    cells = {
        runtime.id: {(block.workload, block.size): block for block in run.blocks if block.runtime == runtime.id}
        for runtime in run.runtimes
    }
    places = {(name, "large") for name in ("sum_squares", "sqrt_sin", "count_loop")}
    assert set(cells[on.id]) == set(cells[off.id]) == places
    assert {name: block.tasks for name, block in cells[on.id].items()} == {
        name: cells[here.id][name].tasks for name in places
    }
    assert cells[on.id]["sum_squares", "large"].cells == ("asyncio-4", "ceiling-4-warm", "threading-4")
    assert cells[off.id]["count_loop", "large"].cells == ("asyncio-4", "ceiling-4-warm")
    assert run.absent == ()
    assert {Path(file).parent.name for file in run.labs()} == {here.id}, "its claims need no lab"
    assert run.libraries[on.environment] == ()
    assert "numpy" in run.libraries[here.environment]


def test_runtimes_of_one_block_follow_one_another_and_turn_in_every_second_round(plan: Plan) -> None:
    found("3.13t")
    (run,) = plan(ELSEWHERE).values()
    for number in (1, 2):
        order = sorted(run.blocks, key=lambda block: -run.priority(block, number))
        assert len({run.priority(block, number) for block in run.blocks}) == len(run.blocks)
        three = [place for place, block in enumerate(order) if (block.workload, block.size) == ("sum_squares", "large")]
        assert three == list(range(three[0], three[0] + 3))
        runtimes = [order[place].runtime for place in three]
        assert runtimes == [runtime.id for runtime in run.runtimes][:: 1 if number == 1 else -1]
        assert all(run.priority(block, number) > run.priority(block, number + 1) for block in run.blocks)


def test_where_there_is_no_free_threaded_python_the_default_sweep_does_without(
    plan: Plan, without_others: list[str]
) -> None:
    (run,) = plan(ELSEWHERE).values()
    assert [runtime.current for runtime in run.runtimes] == [True]
    assert [(gap["runtime"], tuple(gap["claims"])) for gap in run.absent] == [("lock-on", LOCK), ("lock-off", LOCK)]
    assert {gap["reason"] for gap in run.absent} == {"it is not on this machine, and downloads is false"}
    assert len(without_others) == 2


@pytest.mark.parametrize("claims", ["false", "[threads-take-turns]"])
def test_a_sweep_without_its_claims_does_not_look_for_a_runtime(
    plan: Plan, without_others: list[str], claims: str
) -> None:
    workloads = "[{name: sum_squares}]"
    (run,) = plan(f"{ELSEWHERE}sweep: {{claims: {claims}, workloads: {workloads}}}\nlabs: {{names: false}}\n").values()
    assert (len(run.runtimes), run.absent, without_others) == (1, (), [])


def test_a_runtime_for_a_claim_about_a_lab_is_observed_in_that_alone(plan: Plan) -> None:
    other = found("3.13")
    only = f"runtimes: [{{python: current}}, {{python: {other}, claims: [builtins-are-protected]}}]\n"
    (run,) = plan(ELSEWHERE + only + "labs: {names: [race, joining]}\n").values()
    here, there = run.runtimes
    assert {Path(file).stem for file in run.labs() if Path(file).parent.name == there.id} == {"race"}
    assert {Path(file).stem for file in run.labs() if Path(file).parent.name == here.id} == {"race", "joining"}
    assert {block.runtime for block in run.blocks} == {here.id}


def test_a_runtime_for_claims_that_never_was_measured_is_no_part_of_what_there_is(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found("3.13t")
    (run,) = plan(ELSEWHERE, measures=False).values()
    assert [runtime.current for runtime in run.runtimes] == [True]


def test_a_claim_of_a_runtime_has_to_exist(plan: Plan) -> None:
    with pytest.raises(Mistakes) as mistakes:
        plan("runtimes: [{python: current, claims: [threads-take-turn]}]\n")
    assert mistakes.value.lines == [
        "runtimes[0].claims[0] is 'threads-take-turn'; no claim has this id. Did you mean threads-take-turns?"
    ]


def test_rounds_are_traced_where_a_claim_rests_on_it_and_else_the_first_ones(plan: Plan) -> None:
    (run,) = plan("sweep: {claims: [threads-take-turns, threads-slow-cpu-down], workloads: []}\n").values()
    traced: dict[str, list[int]] = {}
    for block, turn in run.turns():
        traced.setdefault(block.workload, []).extend([turn.number] if turn.traced else [])
    assert traced == {"count_loop": [*run.pilot], "sum_squares": [1, 2, 3]}


def test_the_default_runtimes_ask_nothing_of_a_sweep_with_claims_of_its_own(plan: Plan, tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "claims:\n  - {id: mine, slide: none, says: Something., metric: speedup, of: threading,"
        " holds: {above: 1}, cases: [{workload: sleep}]}\n"
    )
    (run,) = plan(f"claims: ['{own}']\n").values()
    assert [runtime.current for runtime in run.runtimes] == [True]


def test_what_a_budget_is_spent_on_is_told_before_it_is(plan: Plan) -> None:
    large = "machines: {here: {cores: 256}}\n"
    for text, lines in (
        ("machines: {here: {cores: 6}}\n", ["every block gets 4 rounds, not 7"]),
        (large, ["on 256 cores the sweep leaves out, of what no claim needs, worker counts beyond the cores", "3 rounds, not 7", "budget_minutes is 12"]),
        (large + "budget_minutes: 60\n", ["to fit 12 min", "3 rounds, not 7"]),
        (large + "budget_minutes: 0\n", []),
    ):  # fmt: skip
        (run,) = plan(text, "machine=here").values()
        _, *notes = run.outlook().splitlines()
        assert len(notes) == len(lines)
        assert all(line in note for line, note in zip(lines, notes, strict=True))


def test_a_run_takes_its_budget_or_what_every_block_and_the_labs_need(plan: Plan) -> None:
    machines = "machines: {here: {cores: 2}}\npreset: never-measured\n"
    for budget, minutes in ((12, "about 12 min;"), (60, "about 60 min;")):
        (run,) = plan(f"{machines}budget_minutes: {budget}\n").values()
        assert minutes in run.outlook()
    (run,) = plan(f"{machines}budget_minutes: 5\n").values()
    assert run.seconds_left() == pytest.approx(run.pilot_seconds)
    assert "budget_minutes is 5" in run.outlook()
    (run,) = plan(f"{machines}budget_minutes: 0\n").values()
    assert len(run.pilot) == 7
    assert run.seconds_left() == pytest.approx(run.pilot_seconds)


def test_a_round_that_all_blocks_get_is_not_listed_twice(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where rounds were added to some, and the budget was taken away: every block has one more then."""
    (run,) = plan(SMALL, "machine=mine").values()
    last = len(run.pilot)
    (block,) = run.blocks
    monkeypatch.chdir(tmp_path)
    Path("results/mine").mkdir(parents=True)
    rows = [
        {"block": block.path, "round": number, "stage": 2, "only": list(block.cells), "laps": 1, "traced": False}
        for number in (last, last + 1)
    ]
    Path("results/mine/allocation.json").write_text(json.dumps({"rounds": rows, "stage": 2}))
    assert [(turn.number, turn.stage) for _, turn in run.turns()] == [(n, 1) for n in run.pilot] + [(last + 1, 2)]


def test_rounds_may_be_added_while_cases_are_open_and_the_budget_has_grown(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run,) = plan(SMALL, "machine=mine").values()
    budget_s, (block,) = 60 * run.config.budget_minutes, run.blocks
    monkeypatch.chdir(tmp_path)
    assert run.may_add
    raw = Path("results/mine/raw", block.path, "round-1.json")
    raw.parent.mkdir(parents=True)
    for before, added in (
        ({"open": [{}], "budget_s": budget_s - 1}, True),
        ({"open": [{}], "budget_s": budget_s}, False),
        ({"open": [], "budget_s": 0}, False),
    ):
        Path("results/mine/allocation.json").write_text(json.dumps({**before, "rounds": [], "stage": 2}))
        assert run.may_add is added, before
    raw.touch()
    assert not run.is_measured(block, 1), "its facts are written last"
    raw.with_suffix(".facts.json").touch()
    assert run.is_measured(block, 1)
