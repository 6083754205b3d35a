"""Breaks the package on purpose, one line at a time, and expects the tests that are named beside each to notice.

python tests/mutants.py [-n JOBS] [WORD ...]     all of tests/mutants.txt, or the files with one of the words in their path

Nothing here is changed: each break is made in a copy of the working tree. Ends with 1 where a break survives, where it
is none (its line is not there exactly once, or no test came to run), or where the tests fail without it.
"""

from __future__ import annotations

import argparse
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("workflow/scripts/gilscope")
TABLE = ROOT / "tests/mutants.txt"
LONGEST_S = 600
"""A break that makes tests hang is noticed too."""
NOTICED, PASSED = 1, 0
"""How pytest ends where a test fails, and where none does."""


@dataclass(frozen=True)
class Mutant:
    """A break. file: below ``gilscope/``. old, new: its line before and after, without what it is indented by."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.old}  →  {self.new}"

    def applied(self, text: str) -> str:
        """The file's text with the break. Raises ValueError unless the line is there exactly once."""
        lines = text.splitlines(keepends=True)
        found = [place for place, line in enumerate(lines) if line.strip() == self.old]
        if len(found) != 1:
            raise ValueError(f"{self.file} has this line {len(found)} times, not once: {self.old}")
        lines[found[0]] = lines[found[0]].replace(self.old, self.new)
        return "".join(lines)


def read_table(text: str) -> list[Mutant]:
    """The breaks of a table, whose beginning says how it is written. Raises ValueError for a line that is out of place."""
    found: list[Mutant] = []
    file, tests, old = "", (), None
    for number, line in enumerate(text.splitlines(), start=1):
        sign, words = line[:2], line[2:].strip()
        if not line.strip() or sign == "# ":
            continue
        if sign == "- " and file and old is None:
            old = words
        elif sign == "+ " and old is not None:
            found.append(Mutant(file, old, words, tests))
            old = None
        elif ": " in line and sign not in ("- ", "+ ") and old is None:
            file, _, named = line.partition(": ")
            tests = tuple(named.split())
        else:
            raise ValueError(f"{TABLE.name}, line {number} is out of place: {line}")
    return found


def copy_of_tree(target: Path) -> Path:
    """What git has, and would have, of the working tree, and the environment."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, names.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
            (target / name).chmod((ROOT / name).stat().st_mode)
    (target / ".venv").symlink_to(Path(sys.prefix))
    return target


def places_of(tests: Sequence[str]) -> list[str]:
    """Paths for pytest, relative to the tree, of tests named ``test_sweep`` or ``test_sweep::test_one``."""
    found = []
    for name in tests:
        file, _, node = name.partition("::")
        (path,) = (ROOT / "tests").rglob(f"{file}.py")
        found.append(str(path.relative_to(ROOT)) + (f"::{node}" if node else ""))
    return found


def run_tests(tree: Path, tests: Sequence[str]) -> tuple[int, str]:
    """How pytest ends on these tests of a tree, and the end of what it says; a hang counts as noticed."""
    temporary = tree.parent / f"{tree.name}-tmp"
    temporary.mkdir(exist_ok=True)
    own = {"TMPDIR": str(temporary), "GILSCOPE_LOCK": str(temporary / "lock")}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    try:
        done = subprocess.run(
            [*command, *places_of(tests)],
            cwd=tree,
            env={**os.environ, **own},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LONGEST_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return NOTICED, "hung"
    return done.returncode, done.stdout.strip()[-2000:]


def try_out(mutant: Mutant, tree: Path) -> str | None:
    """What is to be said against a break; None where it is noticed."""
    path = tree / PACKAGE / mutant.file
    whole = path.read_text(encoding="utf-8")
    compiled = path.parent / "__pycache__"
    try:
        path.write_text(mutant.applied(whole), encoding="utf-8")
        # Two versions of one second and one length are the same to Python.
        for stale in compiled.glob(f"{path.stem}.*.pyc"):
            stale.unlink()
        status, said = run_tests(tree, mutant.tests)
    except ValueError as mistake:
        return f"no break: {mistake}"
    finally:
        path.write_text(whole, encoding="utf-8")
        for stale in compiled.glob(f"{path.stem}.*.pyc"):
            stale.unlink()
    if status == NOTICED:
        return None
    return (
        f"survived {' '.join(mutant.tests)}"
        if status == PASSED
        else f"no test ran (pytest ended with {status}):\n{said}"
    )


def failing(mutants: Sequence[Mutant], tree: Path) -> Iterator[str]:
    """The tests that fail without any break, with what they say: what they notice proves nothing."""
    for tests in dict.fromkeys(mutant.tests for mutant in mutants):
        status, said = run_tests(tree, tests)
        if status != PASSED:
            yield f"{' '.join(tests)} fail without a break:\n{said}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Break the package a line at a time; the tests have to notice.")
    parser.add_argument("words", nargs="*", help="only files with one of these in their path")
    parser.add_argument("-n", "--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--trust", action="store_true", help="do not run the tests without a break first")
    asked = parser.parse_args(arguments)
    mutants = [one for one in read_table(TABLE.read_text(encoding="utf-8")) if matches(one, asked.words)]
    trees: queue.SimpleQueue[Path] = queue.SimpleQueue()

    def one(mutant: Mutant) -> str | None:
        tree = trees.get()
        try:
            return try_out(mutant, tree)
        finally:
            trees.put(tree)

    with tempfile.TemporaryDirectory(prefix="mutants-") as folder, ThreadPoolExecutor(asked.jobs) as pool:
        made = [copy_of_tree(Path(folder, str(number))) for number in range(asked.jobs)]
        for complaint in () if asked.trust else failing(mutants, made[0]):
            print(complaint)
            return 1
        for tree in made:
            trees.put(tree)
        survivors = 0
        for mutant, complaint in zip(mutants, pool.map(one, mutants), strict=True):
            print("noticed " if complaint is None else "MISSED  ", mutant, flush=True)
            if complaint:
                survivors += 1
                print(f"         {complaint}", flush=True)
    print(f"{len(mutants)} breaks, {survivors} of them missed")
    return 1 if survivors else 0


def matches(mutant: Mutant, words: Sequence[str]) -> bool:
    return not words or any(word in mutant.file for word in words)


if __name__ == "__main__":
    sys.exit(main())
