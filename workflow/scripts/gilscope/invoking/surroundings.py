"""The folder and the account that a run starts in: any name, and perhaps no home or user name."""

from __future__ import annotations

import getpass
import importlib.util
import os
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gilscope.configuring.mistakes import Mistakes, read_yaml
from gilscope.invoking.asking import asks_to_look

UNFIT = {
    os.pathsep: "lists of folders are divided by it",
    "{": "Snakemake takes it for a wildcard's",
    "}": "Snakemake takes it for a wildcard's",
    "$": "setuptools takes it for a variable's",
}
"""What the name of a clone's folder cannot have in it, and why."""

SPARE = Path(".snakemake/home")
FOLDERS = {
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "JUPYTER_RUNTIME_DIR": ".local/share/jupyter/runtime",
    "IPYTHONDIR": ".ipython",
    "MPLCONFIGDIR": ".config/matplotlib",
}
"""Environment variable → the folder in a home that it names another one for, of what writes there unasked."""
SHIPPED_EXECUTORS = ("local", "dryrun", "touch")


def check_folder(folder: Path) -> None:
    """Raise Mistakes where nothing could run in a folder for its name."""
    for sign, reason in UNFIT.items():
        if sign in str(folder):
            raise Mistakes([f"{folder}: gilscope cannot run in a folder with {sign} in its name: {reason}; rename it."])


def check_writable(folders: Iterable[str], arguments: Sequence[str]) -> None:
    """Raise Mistakes for folders that nothing can be written to; arguments: Snakemake's, which may ask for nothing."""
    mistakes: list[str] = []
    for folder in folders:
        there = next(place for place in (Path(folder), *Path(folder).parents) if place.exists())
        try:
            tempfile.TemporaryFile(dir=there).close()
        except OSError as error:
            mistakes.append(f"{there}: cannot be written: {error.strerror}; results/ must be yours to write to.")
    if mistakes and not asks_to_look(arguments):
        raise Mistakes(mistakes)


def check_executor(arguments: Sequence[str]) -> None:
    """Raise Mistakes where Snakemake's arguments want an executor whose plugin is not there.

    Snakemake would answer with all options that it has. Only what the arguments and their profiles say is looked at.
    """
    import argparse

    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--executor", "-e")
    parser.add_argument("--profile", action="append", default=[])
    parser.add_argument("--workflow-profile", action="append", default=[])
    asked, _ = parser.parse_known_args(list(arguments))
    profiles = asked.profile or os.environ.get("SNAKEMAKE_PROFILE", "").split()
    files = [Path(profile) / "config.yaml" for profile in [*profiles, *asked.workflow_profile]]
    for name in filter(None, [asked.executor, *map(executor_of, files)]):
        if name not in SHIPPED_EXECUTORS and not importlib.util.find_spec(
            f"snakemake_executor_plugin_{name.replace('-', '_')}"
        ):
            how = "install it as docs/cluster.md says"
            raise Mistakes([f"the plugin snakemake-executor-plugin-{name} of Snakemake is not installed; {how}."])


def executor_of(profile: Path) -> Any:
    """The executor that a profile names; None where it names none, or is for Snakemake to complain of."""
    try:
        content = read_yaml(str(profile))
    except Mistakes:
        return None
    return content.get("executor") if isinstance(content, dict) else None


def make_do() -> None:
    """Where the account has no home, or none that it can write to, name folders in the clone to what writes there.

    And a name where it has none: Snakemake asks for it.
    """
    home = own_home()
    if home is None:
        os.environ["HOME"] = str(home := SPARE.absolute())
        home.mkdir(parents=True, exist_ok=True)
    for variable, folder in FOLDERS.items():
        if not writable(Path(os.environ.get(variable) or home / folder)):
            spare = SPARE.absolute() / folder
            # Who finds no folder there takes a temporary one, and leaves it behind.
            spare.mkdir(parents=True, exist_ok=True)
            os.environ[variable] = str(spare)
    try:
        getpass.getuser()
    except (KeyError, OSError, ImportError):
        os.environ["LOGNAME"] = f"user-{os.getuid()}"


def own_home() -> Path | None:
    """The account's home; None where there is none."""
    try:
        home = Path.home()
    except RuntimeError:
        return None
    return home if home.is_absolute() and home.is_dir() else None


def writable(folder: Path) -> bool:
    """Whether a folder can be written to, or made."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


def quote_interpreter() -> None:
    """Have Snakemake quote the interpreter of a ``script:`` in the shell command that it makes.

    It does so with the script's name alone, and a blank in the folder of this clone would end the command there.
    """
    from snakemake.script import PythonScript

    usual = PythonScript._execute_cmd

    def execute(self: Any, command: str, **known: Any) -> Any:
        return usual(self, command.replace("{py_exec} ", "{py_exec:q} "), **known)

    PythonScript._execute_cmd = execute
