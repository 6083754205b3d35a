"""A cluster measures, this computer analyses: real jobs of a real Slurm, whose one node this computer is.

Those that need Slurm take minutes and run by themselves: python -m pytest -m cluster
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
from apart import apart
from clones import clone, jobs
from gilscope.configuring.files import merge_files
from gilscope.planning.run import Run
from gilscope.planning.runs import plan_runs
from gilscope.running.node import cpu_model, node
from servers import Missing
from slurm import running_slurm

QUICK = "config/presets/quick.yaml"
MEASURING = ("describe_machine", "describe_runtime", "begin", "measure", "observe")
ALL_CORES = tuple(rule for rule in MEASURING if rule != "describe_runtime")
TYPES = """
machines:
  one: {cores: 2, partition: first}
  two: {cores: 2, memory_gib: 8, partition: second, constraint: here}
"""
TINY = (
    "budget_minutes: 0\nmeasure: {rounds: 5}\nlabs: {names: false}\n"
    "sweep: {claims: false, workloads: [{name: sum_squares, workers: [2]}]}\n"
)


class Cluster:
    """A clone, from which Snakemake starts; the folder of the plugin is on the path of that alone."""

    def __init__(self, folder: Path, plugin: Path):
        self.folder = folder
        self.environment = {**os.environ, "PYTHONPATH": str(plugin), **apart(folder.parent)}

    def call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "snakemake", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=1200,
            check=False,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.call("--profile", "profiles/slurm", *arguments)

    def read(self, path: str) -> Any:
        return json.loads((self.folder / path).read_text(encoding="utf-8"))


def slurms_jobs() -> list[dict[str, str]]:
    """All jobs that Slurm had, by when they started; what it says of each."""
    said = subprocess.run(["scontrol", "--oneliner", "show", "job"], capture_output=True, text=True, check=True).stdout
    known = [dict(re.findall(r"(\S+?)=(\S*)", line)) for line in said.splitlines() if "JobId=" in line]
    return sorted(known, key=lambda job: job["StartTime"])


def rule_of(job: dict[str, str]) -> str:
    """The rule, from the comment that the plugin gives a job."""
    return job["Comment"].removeprefix("rule_").partition("_wildcards_")[0]


@pytest.fixture(scope="module")
def plugin(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Snakemake's plugin for Slurm in a folder of its own: wherever it is installed it asks Slurm at every start."""
    folder = tmp_path_factory.mktemp("plugin")
    lock = root / "workflow/envs/slurm.lock"
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--target", str(folder)]
    done = subprocess.run(
        [*command, "--no-deps", "--require-hashes", "-r", str(lock)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"the plugin cannot be had here: {done.stderr.strip().splitlines()[-1]}")
    return folder


@pytest.fixture(scope="module")
def slurm() -> Iterator[Path]:
    try:
        with running_slurm() as folder:
            yield folder
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def cluster(root: Path, slurm: Path, plugin: Path, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return Cluster(clone(root, tmp_path_factory.mktemp("cluster") / "clone"), plugin)


@pytest.fixture(scope="module")
def planned(root: Path) -> Run:
    """What this computer would measure itself."""
    usual, environment = Path.cwd(), dict(os.environ)
    os.chdir(root)
    try:
        files = ["config/config.yaml", QUICK]
        (run,) = plan_runs(merge_files(files), files).values()
    finally:
        os.chdir(usual)
        os.environ.clear()
        os.environ.update(environment)
    return run


@pytest.fixture(scope="module")
def quick(cluster: Cluster, planned: Run) -> tuple[Cluster, list[dict[str, str]]]:
    """The quick sweep, measured by the node, and the jobs that it took."""
    done = cluster.run("--configfile", QUICK)
    assert done.returncode == 0, done.stdout + done.stderr
    return cluster, slurms_jobs()


def test_several_machines_are_one_sweep_that_ends_with_their_comparison(root: Path, tmp_path: Path) -> None:
    folder = clone(root, tmp_path / "clone")
    (folder / "types.yaml").write_text(TYPES + TINY)
    done = Cluster(folder, tmp_path).call("-n", "--cores", "2", "--configfile", "types.yaml")
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    asked = Counter(jobs(done))
    assert (asked["begin"], asked["measure"]) == (2, 8), "the block's five rounds, on each"
    assert (asked["describe_machine"], asked["render"], asked["bundle_results"]) == (2, 2, 2)
    everything = said.rpartition("rule all:")[2]
    for page in ("results/one/report.html", "results/two/report.html", "results/comparison.html"):
        assert page in everything
    assert "slurm_partition=first" in said
    assert "slurm_partition=second, constraint=here" in said


def added_rounds(quick: tuple[Cluster, Any], planned: Run) -> list[dict[str, Any]]:
    """What the rest of the budget was allocated to."""
    rows: list[dict[str, Any]] = quick[0].read(f"results/{planned.folder}/allocation.json")["rounds"]
    return rows


@pytest.mark.cluster
def test_the_files_are_those_of_a_local_run(quick: tuple[Cluster, Any], planned: Run) -> None:
    """As Snakemake counts them when it shall run here: each is there and up to date, and there is no other."""
    cluster, _ = quick
    here = ("--cores", "all", "--configfile", QUICK)
    again = cluster.call(*here, "-n")
    assert "Nothing to be done" in again.stdout + again.stderr
    rows = [line.split("\t") for line in cluster.call(*here, "--summary").stdout.splitlines()]
    listed = {row[0] for row in rows if row[0].startswith("results/")}
    results = cluster.folder / "results" / planned.folder
    found = {str(path.relative_to(cluster.folder)) for path in results.rglob("*") if path.is_file()}
    beside = tuple(f"results/{planned.folder}/{name}/" for name in ("logs", "made"))
    assert {path for path in found if not path.startswith(beside)} == listed
    assert set(planned.files("raw/{path}/round-{round}.json") + planned.traces() + planned.labs()) < listed
    assert [path.name for path in results.parent.iterdir()] == [planned.folder]


@pytest.mark.cluster
def test_the_tables_hold_every_cell_of_the_plan(quick: tuple[Cluster, Any], planned: Run) -> None:
    cluster, _ = quick
    folder = cluster.folder / "results" / planned.folder
    timings = pd.read_parquet(folder / "timings.parquet")
    names = (
        timings["strategy"] + "-" + timings["workers"].astype(str) + timings["pool"].map({"warm": "-warm"}).fillna("")
    )
    found = set(zip(timings["workload"], timings["size"], timings["round"], names, strict=True))
    gaps = cluster.read(f"results/{planned.folder}/gaps.json")
    lacking = {(gap.get("workload"), gap.get("size"), gap.get("cell")) for gap in gaps}
    expected = {
        (block.workload, block.size, number, name)
        for block in planned.blocks
        for number in planned.pilot
        for name in ("sequential-1", *block.cells)
        if (block.workload, block.size, name) not in lacking
    }
    added = {
        (*row["block"].split("/")[1:], row["round"], name)
        for row in added_rounds(quick, planned)
        for name in ("sequential-1", *row["only"])
    }
    assert expected
    assert found == expected | added
    assert set(planned.pilot) <= set(pd.read_parquet(folder / "traces.parquet")["round"])


@pytest.mark.cluster
def test_what_measures_has_the_node_for_itself_and_nothing_else_goes_there(
    quick: tuple[Cluster, list[dict[str, str]]], planned: Run
) -> None:
    _, taken = quick
    blocks, rounds = len(planned.blocks), len(planned.pilot)
    assert Counter(map(rule_of, taken)) == {
        "describe_machine": 1,
        "describe_runtime": 1,
        "begin": blocks,
        "measure": blocks * (rounds - 1) + len(added_rounds(quick, planned)),
        "observe": 1,
    }
    cores, memory = planned.destination.usable_cores, {job["TRES"].split(",")[1] for job in taken}
    for job in taken:
        assert job["JobState"] == "COMPLETED"
        assert job["OverSubscribe"] == "NO", "that is what --exclusive sets"
        assert job["NumCPUs"] == str(psutil.cpu_count())
        assert job["CPUs/Task"] == str(cores if rule_of(job) in ALL_CORES else 1)
    assert len(memory) == 1
    assert int(re.sub(r"\D", "", memory.pop())) > 0.9 * psutil.virtual_memory().total / 2**20
    for job, following in pairwise(taken):
        assert job["EndTime"] <= following["StartTime"]


@pytest.mark.cluster
def test_rounds_of_all_blocks_interleave_in_the_queue(quick: tuple[Cluster, Any], planned: Run) -> None:
    cluster, _ = quick
    rounds = pd.read_parquet(cluster.folder / "results" / planned.folder / "rounds.parquet").sort_values("started")
    usual = rounds[rounds["round"] <= len(planned.pilot)]
    added = rounds[rounds["round"] > len(planned.pilot)]
    for job in ("measure", "record"):
        assert usual.loc[usual["job"] == job, "round"].is_monotonic_increasing
    # Those that are added to a block are handed to the queue together, in any order.
    assert usual["started"].max() <= added["started"].min()
    assert usual["job"].iloc[-1] == "observe"


@pytest.mark.cluster
def test_every_file_says_which_node_it_is_from(quick: tuple[Cluster, Any], planned: Run) -> None:
    cluster, _ = quick
    results = cluster.folder / "results" / planned.folder
    assert node()
    for pattern in ("raw/**/*.facts.json", "raw/**/calibration.json", "traces/**/round-?.json", "labs/**/*.json"):
        files = list(results.glob(pattern))
        assert files
        assert {json.loads(path.read_text())["node"] for path in files} == {node()}, pattern
    assert set(pd.read_parquet(results / "rounds.parquet")["node"]) == {node()}
    machine = cluster.read(f"results/{planned.folder}/machine.json")
    assert (machine["cpu"], machine["usable_cores"]) == (cpu_model(), planned.destination.usable_cores)


@pytest.mark.cluster
def test_a_node_with_another_cpu_ends_the_job_and_says_so(quick: tuple[Cluster, Any], planned: Run) -> None:
    cluster, _ = quick
    folder = cluster.folder.with_name("another")
    shutil.copytree(cluster.folder, folder, symlinks=True)
    other = Cluster(folder, Path(cluster.environment["PYTHONPATH"]))
    results = f"results/{planned.folder}"
    machine = other.read(f"{results}/machine.json")
    (folder / results / "machine.json").write_text(json.dumps({**machine, "cpu": "Imagined CPU"}))
    (folder / results / "made/machine.json").unlink()
    target = next(file for file in planned.files("raw/{path}/round-{round}.facts.json") if "round-2" in file)
    before = (folder / target).with_name("calibration.json").read_bytes()
    (folder / target).unlink()
    done = other.run(target, "--configfile", QUICK)
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"gilscope: this machine has the CPU {cpu_model()}, and {results} is about one with Imagined CPU;" in said
    assert not (folder / target).exists()
    assert (folder / target).with_name("calibration.json").read_bytes() == before


@pytest.mark.cluster
def test_each_machine_is_asked_for_where_the_configuration_has_it(cluster: Cluster) -> None:
    """And one that has other cores than were planned for ends there."""
    cores = planned_cores()
    types = TYPES.replace("cores: 2", f"cores: {cores}") + f"  wrong: {{cores: {cores - 1}}}\n"
    (cluster.folder / "types.yaml").write_text(types + TINY)
    targets = [f"results/{machine}/machine.json" for machine in ("two", "wrong")]
    done = cluster.run(*targets, "--configfile", "types.yaml")
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert f"gilscope: machines.wrong.cores is {cores - 1}, and a job can use {cores} cores of this machine;" in said
    assert [(cluster.folder / target).exists() for target in targets] == [True, False]
    asked = {job["Comment"].rpartition("_")[2]: job for job in slurms_jobs() if rule_of(job) == "describe_machine"}
    assert [asked[machine]["Partition"] for machine in ("two", "wrong")] == ["second", "first"]
    assert [asked[machine]["Features"] for machine in ("two", "wrong")] == ["here", "(null)"]
    assert asked["wrong"]["CPUs/Task"] == str(cores - 1)


def planned_cores() -> int:
    from gilscope.machine.facts import describe_machine

    cores = describe_machine().usable_cores
    if cores == 1:
        pytest.skip("a node with one core cannot have fewer")
    return cores
