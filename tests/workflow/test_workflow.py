"""The workflow as its users run it: a clone of its own, a real Snakemake, real measurements, a real report."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from apart import apart
from clones import RESULTS, TINY, clone, command, jobs, measuring_processes, run_in, unlocked
from gilscope.running.again import note_lacks
from gilscope.running.identity import runtime_name

WHOLE = {"measure": 9, "record": 9, "calibrate": 3, "observe": 1}
"""How many jobs of each kind the tiny sweep measures with."""
Snakemake = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose tiny sweep has run to its end."""
    folder = clone(root, tmp_path_factory.mktemp("finished") / "clone")
    done = run_in(folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gilscope: 3 blocks × 3 rounds" in done.stdout + done.stderr
    return folder


def test_a_run_leaves_every_file_that_the_design_names(finished: Path) -> None:
    results = finished / RESULTS
    for name in (
        "machine.json",
        "config.json",
        "timings.parquet",
        "traces.parquet",
        "rounds.parquet",
        "workers.json",
        "estimates.parquet",
        "summary.csv",
        "verdicts.json",
        "report.html",
        "report.ipynb",
        "figures/scaling.svg",
    ):
        assert (results / name).stat().st_size > 100, name
    assert len(list(results.glob("raw/*/*/*/round-*.facts.json"))) == 9
    assert len(list(results.glob("traces/*/*/*/round-?.json"))) == 9
    assert len(list(results.glob("traces/*/*/*/round-?.trace.json"))) == 9
    assert (results / "scaling.json").exists()
    assert not list(results.rglob("*.part")) + list(results.rglob(".scratch-*"))


BLOCKS = "{}/sum_squares/small", "{}/sum_squares/large", "{}/sleep/medium"


@pytest.mark.parametrize(
    ("gone", "again"),
    [
        (
            (
                f"raw/{BLOCKS[0]}/round-2.json",
                f"raw/{BLOCKS[1]}/round-2.facts.json",
                f"traces/{BLOCKS[1]}/round-3.json",
                f"traces/{BLOCKS[2]}/round-3.trace.json",
                "labs/{}/joining.json",
                "runtimes/{}.json",
                "config.json",
            ),
            {"measure": 4, "observe": 1, "describe_runtime": 1, "configure": 1},
        ),
        # What all rounds of a block share goes with them.
        ((f"raw/{BLOCKS[1]}/calibration.json",), {"begin": 1, "measure": 2}),
        (("timings.parquet",), {"collect": 1}),
        (("summary.csv", "across.json"), {"estimate": 1, "judge": 1}),
        (("report.ipynb",), {"render": 1}),
        (("figures/dial.csv",), {"plot": 1}),
    ],
)
def test_whatever_is_missing_is_made_again(finished: Path, gone: tuple[str, ...], again: dict[str, int]) -> None:
    """Also while all that was made from it is there."""
    paths = [finished / RESULTS / name.format(runtime_name()) for name in gone]
    for path in paths:
        path.rename(f"{path}.away")
    try:
        done = run_in(finished, "-n")
    finally:
        for path in paths:
            Path(f"{path}.away").rename(path)
    assert done.returncode == 0, done.stdout + done.stderr
    planned = Counter(jobs(done))
    assert {rule: planned[rule] for rule in again} == again
    assert set(planned) - set(again) <= {"collect", "estimate", "judge", "plot", "render", "conclude"}


def test_what_failed_for_the_machines_sake_is_tried_again_and_a_plain_terminal_is_told(
    finished: Path, tmp_path: Path
) -> None:
    """As much as one without Unicode can show."""
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    own, killed = runtime_name(), ["its process ended with signal SIGKILL, in sequential-1"]
    note_lacks(str(folder / RESULTS / f"raw/{BLOCKS[0].format(own)}/round-2.json"), killed)
    note_lacks(str(folder / RESULTS / f"labs/{own}/joining.json"), killed)
    plain = {
        "LC_ALL": "C",
        "PYTHONUTF8": "0",
        "PYTHONCOERCECLOCALE": "0",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    done = run_in(folder, env=plain)
    assert done.returncode == 0, done.stdout + done.stderr
    made = Counter(jobs(done))
    assert (made["begin"], made["measure"], made["observe"], made["render"]) == (0, 1, 1, 1)
    assert "gilscope: 3 blocks ? 3 rounds" in done.stdout + done.stderr
    assert jobs(run_in(folder, "-n")) == [], "once"
    told = [sys.executable, "workflow/scripts/announce.py", "--configfile", "tiny.yaml"]
    variables = {**os.environ, **plain, "PYTHONPATH": str(folder / "workflow/scripts")}
    said = subprocess.run(told, cwd=folder, env=variables, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    assert f"report: {RESULTS}/report.html" in said.stdout


def test_the_report_is_one_file_with_the_verdicts_of_every_claim(finished: Path) -> None:
    page = (finished / RESULTS / "report.html").read_text(encoding="utf-8")
    assert len(page) < 5_000_000
    verdicts = json.loads((finished / RESULTS / "verdicts.json").read_text(encoding="utf-8"))
    assert len(verdicts) == 61
    assert {claim["verdict"] for claim in verdicts} > {"not tested"}
    assert all(claim["reason"] for claim in verdicts if claim["verdict"] == "not tested")


def test_no_two_measurements_overlapped(finished: Path) -> None:
    """Rounds, traces and calibrations, as the report's proof has them."""
    rounds = pd.read_parquet(finished / RESULTS / "rounds.parquet")
    assert rounds["job"].value_counts().to_dict() == WHOLE
    spans = sorted(zip(rounds["started"], rounds["ended"], strict=True))
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))


def test_the_doctor_prints_a_line_for_each_thing_it_looks_at(finished: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "doctor", "--cores", "1", "--configfile", "tiny.yaml"],
        cwd=finished,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    states = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("ok ", "warn ", "unknown "))]
    assert len(states) >= 13
    assert "governor" in done.stdout


def test_rounds_of_all_blocks_interleave(finished: Path) -> None:
    facts = [json.loads(path.read_text()) for path in finished.glob(f"{RESULTS}/raw/*/*/*/*.facts.json")]
    order = [fact["round"] for fact in sorted(facts, key=lambda fact: fact["started"])]
    assert order == [1, 1, 1, 2, 2, 2, 3, 3, 3]


def test_runtimes_are_described_after_the_first_round_of_every_block(finished: Path) -> None:
    def written(pattern: str) -> list[float]:
        return [path.stat().st_mtime for path in (finished / RESULTS).glob(pattern)]

    described = written("runtimes/*.json")
    assert sorted(written("raw/*/*/*/round-1.facts.json"))[-2] <= min(described)
    assert max(described) <= min(written("raw/*/*/*/round-2.facts.json"))


def test_nothing_names_this_host_or_its_folders(finished: Path) -> None:
    secrets = [os.uname().nodename, str(finished), sys.prefix, str(Path.home()) + "/"]
    for path in (finished / RESULTS).rglob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert not [secret for secret in secrets if len(secret) > 3 and secret in text], path


def test_a_finished_sweep_measures_nothing_again_wherever_the_clone_is_and_whatever_its_environment(
    finished: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "else where"
    shutil.copytree(finished, moved, symlinks=True)
    done = run_in(moved, env={"VIRTUAL_ENV": "/nowhere"})
    assert done.returncode == 0, done.stderr
    assert jobs(done) == []


@pytest.mark.parametrize(
    ("file", "again", "not_again"),
    [
        ("workflow/scripts/gilscope/figures/scaling.py", {"plot", "render"}, {"measure", "collect", "estimate"}),
        ("report/style.css", {"render"}, {"measure", "estimate", "plot"}),
        ("report/templates/macros.html", {"render"}, {"measure", "estimate", "plot"}),
        ("workflow/scripts/gilscope/analysis/estimates.py", {"estimate", "judge", "render"}, {"begin", "measure"}),
        ("workflow/scripts/gilscope/workloads/sleep.py", {"begin", "measure", "render"}, set()),
        ("config/claims.yaml", {"judge", "render"}, {"measure", "collect"}),
        (
            "workflow/scripts/gilscope/machine/facts.py",
            {"describe_machine", "collect"},
            {"begin", "measure", "observe"},
        ),
    ],
)
def test_a_change_redoes_what_depends_on_it_and_no_more(
    finished: Path, tmp_path: Path, file: str, again: set[str], not_again: set[str]
) -> None:
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    with (folder / file).open("a") as changed:
        changed.write("/* */\n" if file.endswith(".css") else "# another line\n")
    done = run_in(folder, "-n")
    assert again <= set(jobs(done)), done.stdout
    assert not not_again & set(jobs(done))
    if "measure" in again:
        said = done.stdout + done.stderr
        measured = {line.split("workload=")[1].split(",")[0] for line in said.splitlines() if "workload=" in line}
        assert measured == {"sleep"}


def test_a_block_that_is_stale_is_measured_again_also_where_the_machine_is_described_anew(
    finished: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    with (folder / "workflow/scripts/gilscope/machine/facts.py").open("a") as changed:
        changed.write("# another line\n")
    (folder / "tiny.yaml").write_text(TINY.replace("seconds: 0.3", "seconds: 0.4"))
    facts = f"{RESULTS}/raw/{runtime_name()}/sleep/medium/round-1.facts.json"
    done = run_in(folder, facts)
    assert done.returncode == 0, done.stdout + done.stderr
    assert jobs(done) == ["describe_machine", "begin"]
    assert json.loads((folder / facts).read_text())["block"]["seconds"] == 0.4


def test_what_is_there_can_be_reported_without_measuring(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    for path in folder.glob(f"{RESULTS}/raw/*/sleep/medium/round-*.json"):
        path.unlink()
    tables = (f"{RESULTS}/estimates.parquet", f"{RESULTS}/verdicts.json")
    done = run_in(folder, *tables, "--config", "only_existing=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"collect", "estimate", "judge"} <= set(jobs(done))
    assert not {"begin", "measure", "allocate"} & set(jobs(done))
    assert set(pd.read_parquet(folder / RESULTS / "timings.parquet")["workload"]) == {"sum_squares"}


def test_to_share_is_not_to_measure(finished: Path, tmp_path: Path) -> None:
    """Nor to describe the machine anew: this may be another one."""
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True)
    for file in ("workloads/sleep.py", "machine/facts.py"):
        with (folder / "workflow/scripts/gilscope" / file).open("a") as changed:
            changed.write("# another line\n")
    done = run_in(folder, "bundle", "-n")
    assert done.returncode == 0, done.stderr
    assert "bundle_results" in jobs(done)
    assert not {"describe_machine", "begin", "measure", "observe"} & set(jobs(done))


def test_every_mistake_ends_before_any_job_with_a_line_of_its_own(finished: Path, tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    shutil.copytree(finished, folder, symlinks=True, ignore=shutil.ignore_patterns("results", ".snakemake"))
    (folder / "tiny.yaml").write_text(TINY.replace("rounds: 3", "rounds: 0").replace("[1, 2]", "[1, 0]"))
    done = run_in(folder, "--config", "labs={names: none}")
    assert done.returncode != 0
    said = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("tiny.yaml: ", "--config: "))]
    assert said == [
        "tiny.yaml: measure.rounds is 0; the rounds that every block gets are a whole number from 1 to 100.",
        "tiny.yaml: sweep.workloads[0].workers[1] is 0; a worker count is a whole number from 1 to 1024.",
        "--config: labs.names is 'none'; names are true (every lab), false (none), or a list of labs' names.",
    ]
    assert "Traceback" not in done.stdout + done.stderr
    assert not (folder / "results").exists()


def interrupted(folder: Path) -> list[Path]:
    """Start a run, press Ctrl-C in the middle of its measuring, and return the rounds that were finished by then."""
    process = subprocess.Popen(
        command(),
        cwd=folder,
        env={**os.environ, **apart(folder.parent)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while len(found := list(folder.glob(f"{RESULTS}/raw/*/*/*/*.facts.json"))) < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    process.wait(60)
    return found


def test_an_interrupted_run_resumes_where_it_was(root: Path, tmp_path: Path) -> None:
    """One that is killed: see ``test_budget_workflow``."""
    folder = clone(root, tmp_path / "clone")
    kept = interrupted(folder)
    deadline = time.monotonic() + 20
    while measuring_processes(folder):
        assert time.monotonic() < deadline, "an orphan goes on measuring"
        time.sleep(0.1)
    times = {path: path.stat().st_mtime_ns for path in kept}
    assert "resuming" not in unlocked(folder)
    done = run_in(folder, f"{RESULTS}/timings.parquet", f"{RESULTS}/observations.parquet")
    assert done.returncode == 0, done.stdout + done.stderr
    again = [path for path in kept if path.stat().st_mtime_ns != times[path]]
    assert len(again) <= 1, "only the job that Snakemake had not yet noted as finished may be repeated"
    assert pd.read_parquet(folder / RESULTS / "rounds.parquet")["job"].value_counts().to_dict() == WHOLE


def test_a_living_run_keeps_its_lock(root: Path, tmp_path: Path) -> None:
    folder = clone(root, tmp_path / "clone")
    process = subprocess.Popen(
        command(),
        cwd=folder,
        env={**os.environ, **apart(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 60
        while not any((folder / ".snakemake/locks").glob("*")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        refused = subprocess.run(
            [sys.executable, "workflow/scripts/unlock.py"], cwd=folder, capture_output=True, text=True, check=False
        )
        assert refused.returncode != 0
        assert f"process {process.pid}" in refused.stderr
    finally:
        process.terminate()
        process.wait(60)


def test_snakemakes_own_report_holds_the_page_and_the_figures(finished: Path, tmp_path: Path) -> None:
    made = tmp_path / "report.zip"
    done = run_in(finished, "--report", str(made))
    assert done.returncode == 0, done.stdout + done.stderr
    assert made.stat().st_size > 10_000
