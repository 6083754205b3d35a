"""What did a change buy: sweeps of this working tree's last commit beside sweeps of an older revision, in turn.

    python benchmarks/sharpness.py --against REV [--runs 2]                     an hour for two runs each
    python benchmarks/sharpness.py --against REV --blocks sum_squares/large     some minutes
    python benchmarks/sharpness.py --against REV --report-only                  the table again

The older revision gets a git worktree, this one a clone, each with its own environment, in ``--folder`` (.sharpness).
Old, new, old, new: each run begins with no results, nothing may run beside it, and its results stay as ``old-1``,
``new-1`` … A run that is there is not repeated, so the same command goes on after a stop. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

from compared_builds import BUILDS, FACTS, read_json, report

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

OVERLAY = "sharpness.yaml"
ASK = "from gilscope.analysis.estimates import WARM_UP_LAPS; print(WARM_UP_LAPS)"


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip()


def outside() -> dict[str, str]:
    """The environment without what a surrounding make, environment or sweep has put there."""
    own = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONPATH", "VIRTUAL_ENV")
    return {name: value for name, value in os.environ.items() if name not in own}


def prepare(repository: Path, folder: Path, revision: str) -> dict[str, Path]:
    """Both builds with their environments. Ends where the folder holds another revision's."""
    commits = {
        "old": git(repository, "rev-parse", f"{revision}^{{commit}}"),
        "new": git(repository, "rev-parse", "HEAD"),
    }
    if git(repository, "status", "--porcelain", "--untracked-files=no"):
        print("what is not committed is not measured", file=sys.stderr)
    builds = {build: folder / "builds" / build for build in BUILDS}
    for build, place in builds.items():
        if not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            if build == "old":
                git(repository, "worktree", "add", "--quiet", "--detach", str(place), commits[build])
            else:
                git(repository, "clone", "--quiet", "--no-checkout", str(repository), str(place))
                git(place, "checkout", "--quiet", "--detach", commits[build])
        if git(place, "rev-parse", "HEAD") != commits[build]:
            sys.exit(f"{folder.name} holds another revision as {build}; give another --folder, or delete this one.")
        subprocess.run(["make", "setup"], cwd=place, env=outside(), check=True, stdout=sys.stderr)
    return builds


def overlay(blocks: Sequence[str], cores: int) -> dict[str, Any]:
    """A configuration, JSON being YAML, that measures these blocks' threads and processes, cold and warm, alone."""
    grids: dict[str, list[str]] = {}
    for block in blocks:
        workload, _, size = block.partition("/")
        grids.setdefault(workload, []).append(size or "large")
    spread = {"strategies": ["threading", "multiprocessing"], "pools": ["cold", "warm"], "workers": [cores]}
    workloads = [{"name": name, "sizes": sizes, **spread} for name, sizes in grids.items()]
    return {"preset": "sharpness", "sweep": {"claims": False, "workloads": workloads}, "labs": {"names": False}}


def run_sweep(build: Path, kept: Path, blocks: Sequence[str]) -> None:
    """One whole command from no results; they are kept with what the report has to know of it."""
    shutil.rmtree(build / "results", ignore_errors=True)
    command = ["make", "run"]
    if blocks:
        from gilscope.machine.facts import describe_machine

        content = overlay(blocks, describe_machine().usable_cores)
        (build / OVERLAY).write_text(json.dumps(content), encoding="utf-8")
        command.append(f"ARGS=--configfile {OVERLAY}")
    started = time.time()
    with kept.with_suffix(".log").open("w", encoding="utf-8") as log:
        done = subprocess.run(command, cwd=build, env=outside(), check=False, stdout=log, stderr=subprocess.STDOUT)
    facts = {"started": started, "ended": time.time(), "commit": git(build, "rev-parse", "--short", "HEAD")}
    if done.returncode:
        sys.exit(f"{kept.name} failed; its output stands in {kept.name}.log")
    asked = subprocess.run(
        [".venv/bin/python", "-c", ASK],
        cwd=build,
        env={**outside(), "PYTHONPATH": "workflow/scripts"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    (results,) = (path.parent for path in (build / "results").glob("*/verdicts.json"))
    facts |= {"warm_up_laps": int(asked.stdout), "blocks": list(blocks)}
    (results / FACTS).write_text(json.dumps(facts), encoding="utf-8")
    results.rename(kept)


def measure(repository: Path, folder: Path, revision: str, runs: int, blocks: Sequence[str]) -> None:
    """What is missing of so many runs of each build, in turn."""
    builds = prepare(repository, folder, revision)
    for number, build in product(range(1, runs + 1), BUILDS):
        kept = folder / f"{build}-{number}"
        if not (kept / FACTS).exists():
            run_sweep(builds[build], kept, blocks)
        facts = read_json(kept / FACTS)
        if facts["blocks"] != list(blocks):
            sys.exit(f"{kept.name} measured other blocks; give another --folder, or delete this one.")
        print(f"{kept.name}: {(facts['ended'] - facts['started']) / 60:.1f} min", file=sys.stderr)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="REV", help="the older revision")
    parser.add_argument("--runs", type=int, default=2, help="sweeps of each build")
    parser.add_argument("--blocks", default="", help="only these, such as sum_squares/large,matmul/large")
    parser.add_argument("--folder", type=Path, default=ROOT / ".sharpness", help="where builds and results lie")
    parser.add_argument(
        "--repository", type=Path, default=ROOT, help="the working tree whose last commit is the new one"
    )
    parser.add_argument("--report-only", action="store_true", help="measure nothing")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    if not arguments.report_only:
        if not arguments.against:
            parser.error("--against names the revision to compare with")
        blocks = [block.strip() for block in arguments.blocks.split(",") if block.strip()]
        measure(arguments.repository.resolve(), folder, arguments.against, arguments.runs, blocks)
    report(folder)


if __name__ == "__main__":
    main()
