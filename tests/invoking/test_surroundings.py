"""Folders of unusual names, accounts without a home or a name, plugins that are not there."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from gilscope.configuring.mistakes import Mistakes
from gilscope.invoking.surroundings import FOLDERS, check_executor, check_folder, check_writable

STRANGE = "My 'a' \"b\" `c` (d) [e] & f; g"

SNAKEFILE = """
import sys
sys.path.insert(0, {scripts!r})
from gilscope.invoking.surroundings import quote_interpreter
quote_interpreter()
rule all:
    output: "done"
    script: "write.py"
"""

TELL = """
import getpass, json, os, psutil
from pathlib import Path
from gilscope.invoking.surroundings import FOLDERS, make_do
if os.geteuid() == 0:
    os.setuid(12345)
make_do()
folders = [os.environ[name] for name in FOLDERS if name in os.environ]
print(json.dumps([str(Path.home()), getpass.getuser(), folders]))
"""


def test_snakemakes_scripts_run_in_a_folder_of_any_name(tmp_path: Path, scripts: Path) -> None:
    """With the interpreter in that folder, as that of the clone's own environment is."""
    folder = tmp_path / STRANGE
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE.format(scripts=str(scripts)))
    (folder / "write.py").write_text("open(snakemake.output[0], 'w').close()\n")
    (folder / "environment").symlink_to(sys.prefix)
    python = folder / "environment/bin/python"
    command = [str(python), "-m", "snakemake", "--cores", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (folder / "done").exists()


@pytest.mark.parametrize("name", ["a{b}", "{", "a:b", "}/clone", "a$b"])
def test_a_folder_that_snakemake_could_not_work_in_is_refused(name: str) -> None:
    with pytest.raises(Mistakes, match=r"gilscope cannot run in a folder with . in its name: .*; rename it"):
        check_folder(Path("/home/me") / name)
    check_folder(Path("/home/me") / STRANGE)


def test_make_refuses_such_a_folder_before_it_installs_anything(root: Path, tmp_path: Path) -> None:
    for name in ("a{b}", "a:b", "a$b"):
        (folder := tmp_path / name).mkdir()
        for file in ("Makefile", "requirements.lock"):
            shutil.copy(root / file, folder)
        done = subprocess.run(["make", "setup"], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert done.stderr.splitlines()[0] == (
            f"gilscope cannot run in a folder with a colon, a dollar or a brace in its name: {folder}; rename it"
        )
        assert not (folder / ".venv").exists()


def test_make_finds_its_programs_in_a_folder_of_any_name(root: Path, tmp_path: Path) -> None:
    (folder := tmp_path / STRANGE).mkdir()
    own = '\nwhere:\n\t@$(enter); echo "$$PATH"\n'
    (folder / "Makefile").write_text((root / "Makefile").read_text() + own)
    done = subprocess.run(["make", "where"], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"{folder}/.venv/bin:")


@pytest.mark.parametrize(("home", "without"), [("/proc/none", True), ("", False)])
def test_make_installs_without_a_cache_where_there_can_be_none(
    root: Path, tmp_path: Path, home: str, without: bool
) -> None:
    own = '\nsay:\n\t@$(caches); echo "[$$UV_NO_CACHE$$PIP_NO_CACHE_DIR]"\n'
    (tmp_path / "Makefile").write_text((root / "Makefile").read_text() + own)
    environment = {"PATH": os.environ["PATH"], "HOME": home or str(tmp_path)}
    done = subprocess.run(["make", "say"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == ("[11]\n" if without else "[]\n")
    assert done.stderr == ""


def test_results_that_cannot_be_written_are_refused_unless_nothing_is_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the account may, as root does, there are file systems that refuse it."""
    check_writable([str(tmp_path / "results/here")], ["--cores", "all"])
    assert not (tmp_path / "results").exists()

    def refused(**given: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(given["dir"]))

    monkeypatch.setattr(tempfile, "TemporaryFile", refused)
    with pytest.raises(Mistakes, match=f"^{tmp_path}: cannot be written: {os.strerror(errno.EROFS)}; results/ must"):
        check_writable([str(tmp_path / "results/here")], ["--cores", "all"])
    check_writable([str(tmp_path / "results/here")], ["-n"])


@pytest.fixture
def anybodys() -> Iterator[Path]:
    """A folder that every account can reach and write to."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o777)
        yield Path(folder)


def told(folder: Path, scripts: Path, **variables: str) -> tuple[str, str, list[str]]:
    """Home, name, and the folders named for others, of an account with these variables; not of root."""
    command = [sys.executable, "-c", TELL]
    own = {"PYTHONPATH": str(scripts), **variables}
    done = subprocess.run(command, cwd=folder, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    home, name, folders = json.loads(done.stdout)
    return home, name, folders


def test_a_usual_home_is_left_alone(anybodys: Path, scripts: Path) -> None:
    assert told(anybodys, scripts, HOME=str(anybodys), USER="me") == (str(anybodys), "me", [])
    assert not list(anybodys.iterdir())


@pytest.mark.parametrize("home", ["/does/not/exist", "relative"])
def test_a_home_that_is_none_is_in_the_clone_instead(anybodys: Path, scripts: Path, home: str) -> None:
    instead = anybodys / ".snakemake/home"
    assert told(anybodys, scripts, HOME=home, USER="me") == (str(instead), "me", [])
    assert instead.is_dir()


def test_what_writes_into_a_home_goes_elsewhere_where_it_cannot(anybodys: Path, scripts: Path) -> None:
    (own := anybodys / "home").mkdir(0o555)
    home, _, folders = told(anybodys, scripts, HOME=str(own), USER="me")
    assert home == str(own)
    assert len(folders) == len(FOLDERS)
    assert all(Path(folder).is_relative_to(anybodys / ".snakemake/home") for folder in folders)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
def test_an_account_without_a_name_has_one(anybodys: Path, scripts: Path) -> None:
    assert told(anybodys, scripts) == (str(anybodys / ".snakemake/home"), "user-12345", [])


@pytest.mark.parametrize(
    "arguments",
    ["--profile profiles/slurm", "--cores all -e slurm", "--executor=slurm -n", "--workflow-profile profiles/slurm"],
)
def test_a_plugin_that_is_not_there_is_named(root: Path, monkeypatch: pytest.MonkeyPatch, arguments: str) -> None:
    monkeypatch.chdir(root)
    with pytest.raises(Mistakes, match=r"^the plugin snakemake-executor-plugin-slurm of Snakemake is not installed"):
        check_executor(arguments.split())


def test_what_is_there_is_not_complained_of(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(root)
    for arguments in ("", "-e local", "--profile profiles/default", "--profile no/such", "all -e dryrun --config a=b"):
        check_executor(arguments.split())
    for profile in ("- executor\n", "executor: slurm\nexecutor: {\n", ""):
        (tmp_path / "config.yaml").write_text(profile)
        check_executor(["--profile", str(tmp_path)])
    (tmp_path / "snakemake_executor_plugin_slurm.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    check_executor(["--profile", "profiles/slurm"])


def test_make_says_which_plugin_is_missing_instead_of_all_options(root: Path) -> None:
    command = [sys.executable, "workflow/scripts/run.py", "--cores", "all", "--profile", "profiles/slurm"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("gilscope: the plugin snakemake-executor-plugin-slurm of Snakemake is not installed")
    assert len(done.stderr.splitlines()) == 1
