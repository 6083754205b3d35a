from __future__ import annotations

import inspect
import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import gilscope
import pytest
import yaml
from interpreters import found
from packaging.requirements import Requirement
from packaging.version import Version
from snakemake.scheduling import job_scheduler

CONDA_NAMES = {"playwright": "playwright-python"}


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


@pytest.fixture(scope="module")
def direct(project: dict[str, Any]) -> list[Requirement]:
    """What the project itself names, for development too."""
    return [Requirement(line) for line in project["dependencies"] + project["optional-dependencies"]["dev"]]


@pytest.fixture(scope="module")
def locked(root: Path) -> dict[str, list[tuple[Requirement, list[str]]]]:
    """Name → each locked version with its hashes; some packages have one version for each Python."""
    text = (root / "requirements.lock").read_text()
    found: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for entry in re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE)):
        requirement, *hashes = re.split(r"\s*\\\n\s*", entry.strip())
        found.setdefault(Requirement(requirement).name, []).append((Requirement(requirement), hashes))
    return found


def test_there_is_one_version(root: Path, project: dict[str, Any]) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["version"] == citation["version"] == gilscope.__version__
    assert re.search(
        r"^## (Unreleased|" + re.escape(gilscope.__version__) + ")", (root / "CHANGELOG.md").read_text(), re.M
    )


def test_conda_gets_the_same_packages_and_ranges(
    root: Path, project: dict[str, Any], direct: list[Requirement]
) -> None:
    *lines, pip, of_pip = yaml.safe_load((root / "environment.yml").read_text())["dependencies"]
    assert pip == "pip"
    lines += of_pip["pip"]
    conda = {requirement.name: requirement.specifier for requirement in map(Requirement, lines)}
    ours = {CONDA_NAMES.get(requirement.name, requirement.name): requirement.specifier for requirement in direct}
    assert len(conda) == len(lines)
    assert conda == {**ours, "python": Requirement("python" + project["requires-python"]).specifier}


def test_every_direct_dependency_has_bounds(direct: list[Requirement]) -> None:
    for requirement in direct:
        assert {specifier.operator for specifier in requirement.specifier} == {">=", "<"}, requirement


def test_the_lock_holds_every_direct_dependency_within_its_range(direct: list[Requirement], locked) -> None:
    for requirement in direct:
        for pinned, _ in locked[requirement.name]:
            (version,) = pinned.specifier
            assert version.operator == "=="
            assert requirement.specifier.contains(version.version), f"{requirement} is locked at {version.version}"


def test_the_lock_is_hashed_and_tells_nothing_of_where_it_was_made(root: Path, locked) -> None:
    for versions in locked.values():
        for pinned, hashes in versions:
            assert hashes, pinned
            assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", found) for found in hashes), pinned
    text = (root / "requirements.lock").read_text()
    assert not re.search(r"://|index-url|find-links|(^|\s)/", text)


def test_the_plugin_for_slurm_is_pinned_and_comes_to_nobody_unasked(
    root: Path, project: dict[str, Any], locked: dict[str, Any]
) -> None:
    """Wherever it is installed Snakemake imports it, and it asks Slurm."""
    (plugin,) = map(Requirement, project["optional-dependencies"]["slurm"])
    entries = re.findall(
        r"^([a-z-]+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$",
        (root / "workflow/envs/slurm.lock").read_text(),
        re.M,
    )
    pinned = {name: version for name, version, _ in entries}
    assert plugin.specifier.contains(pinned[plugin.name])
    assert set(pinned) == {plugin.name, f"{plugin.name}-jobstep"}
    assert not set(pinned) & set(locked)


def test_the_oldest_python_is_said_once(root: Path, project: dict[str, Any]) -> None:
    oldest = project["requires-python"].removeprefix(">=")
    settings = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    assert settings["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert settings["mypy"]["python_version"] == oldest
    assert f"needs Python {oldest} or newer" in (root / "Makefile").read_text()
    matrix = yaml.safe_load((root / ".github/workflows/ci.yml").read_text())["jobs"]["tests"]["strategy"]["matrix"]
    assert min(matrix["python"], key=Version) == oldest


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("make") is None:
        pytest.skip("no make here")
    return subprocess.run(["make", *arguments], cwd=root, capture_output=True, text=True, check=False)


def test_make_explains_every_target(root: Path) -> None:
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (root / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\S+) +\S", make(root, "help").stdout, re.MULTILINE) == phony.split()


def test_make_names_the_python_it_needs(root: Path, tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(root / name, tmp_path)
    done = make(tmp_path, "setup", "PYTHON=false")
    assert done.returncode != 0
    assert "gilscope needs Python 3.11 or newer, and false is not" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_asks_for_a_standard_build(root: Path, tmp_path: Path) -> None:
    """There are no wheels of some of its tools for the other one, and pip would compile for minutes, then fail."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(root / name, tmp_path)
    done = make(tmp_path, "setup", f"PYTHON={found('3.13t')}")
    assert done.returncode != 0
    assert "is a free-threaded one, for which its tools have no wheels; name another one: make PYTHON=" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_does_one_thing_after_the_other(root: Path, tmp_path: Path) -> None:
    own = "\nslow:\n\t@sleep 0.5; echo slow\nquick-one:\n\t@echo quick\n"
    (tmp_path / "Makefile").write_text((root / "Makefile").read_text() + own)
    assert make(tmp_path, "--no-print-directory", "-j8", "slow", "quick-one").stdout == "slow\nquick\n"


def test_a_lock_from_the_future_does_not_make_the_environment_anew_each_time(root: Path, tmp_path: Path) -> None:
    """The recipe's own end, without what it installs."""
    lines = (root / "Makefile").read_text().splitlines()
    (end,) = [line for line in lines if line.startswith("\t@touch $@")]
    (tmp_path / "Makefile").write_text(f".venv/complete: requirements.lock\n\t@echo made\n{end}\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / "requirements.lock").touch()
    tomorrow = time.time() + 86400
    os.utime(tmp_path / "requirements.lock", (tomorrow, tomorrow))
    assert "made" in make(tmp_path).stdout
    assert "up to date" in make(tmp_path).stdout


def test_make_never_removes_results(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "Makefile", tmp_path)
    kept = tmp_path / "results" / "here" / "raw.json"
    for folder in (kept.parent, tmp_path / ".snakemake", tmp_path / "workflow" / "__pycache__", tmp_path / "tests"):
        folder.mkdir(parents=True)
    kept.write_text("{}")
    assert make(tmp_path, "clean").returncode == 0
    assert kept.exists()
    assert not (tmp_path / ".snakemake").exists()
    assert not (tmp_path / "workflow" / "__pycache__").exists()


def test_ci_runs_what_make_test_runs(root: Path) -> None:
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().splitlines()[-1] == "exec make test"
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_snakemake_knows_every_key_of_the_profile(root: Path, tmp_path: Path) -> None:
    """With a root Snakefile profiles/default is loaded by itself; an unknown key would stop every run."""
    (tmp_path / "Snakefile").write_text('rule all:\n    output: "done"\n    shell: "touch {output}"\n')
    shutil.copytree(root / "profiles", tmp_path / "profiles")
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "1"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "profiles/default" in done.stderr
    assert (tmp_path / "done").exists()


def test_snakemake_has_the_limiter_that_the_workflow_turns_off() -> None:
    """Setting an attribute that a new Snakemake calls otherwise would do nothing, and say nothing."""
    source = inspect.getsource(job_scheduler.JobScheduler)
    assert "if self.job_rate_limiter is not None:" in source
    assert "self._schedule_reevalutation(self.job_rate_limiter.timespan)" in source
