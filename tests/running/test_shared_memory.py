"""A system on which no semaphore can be made: its shared memory cannot be written. The namespace's own, not this one's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gilscope.doctor import semaphores
from gilscope.figures import figure_names, write_figures
from gilscope.machine.findings import OK
from gilscope.running.reasons import MOUNT, NO_SEMAPHORES

READ_ONLY = 'mount -t tmpfs -o ro,mode=755 tmpfs /dev/shm && exec "$@"'
BEGINNING = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh"]
Without = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def without_semaphores(environment: dict[str, str]) -> Without:
    """Runs Python code where /dev/shm is read-only."""
    tried = shutil.which("unshare") and subprocess.run([*BEGINNING, "true"], capture_output=True, check=False)
    if not tried or tried.returncode:
        pytest.skip("here nobody may mount a /dev/shm of their own")

    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [*BEGINNING, sys.executable, "-c", code, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def test_figures_are_drawn_one_by_one(without_semaphores: Without, tmp_path: Path) -> None:
    alone = "import sys; from gilscope.figures import write_figures; write_figures(sys.argv[1], sys.argv[2], cores=2)"
    (tmp_path / "nothing").mkdir()
    done = without_semaphores(alone, str(tmp_path / "nothing"), str(tmp_path / "alone"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("\n") == 1
    assert "the figures are drawn one by one" in done.stderr
    assert NO_SEMAPHORES in done.stderr
    write_figures(tmp_path / "nothing", tmp_path / "together", cores=2)
    drawn = {path.name: path.read_bytes() for path in (tmp_path / "alone").iterdir()}
    assert drawn == {path.name: path.read_bytes() for path in (tmp_path / "together").iterdir()}
    assert {f"{name}.svg" for name in figure_names()} < drawn.keys()


def test_doctor_names_it_and_the_cure(without_semaphores: Without) -> None:
    done = without_semaphores("from gilscope import doctor; print(doctor.in_words([doctor.semaphores()]))")
    assert done.stdout.startswith("warn    shared memory"), done.stderr
    assert MOUNT in done.stdout
    assert semaphores().state == OK


def test_a_reason_names_it(without_semaphores: Without) -> None:
    code = """
import multiprocessing
from gilscope.running.reasons import reason_of
try:
    multiprocessing.Lock()
except OSError as error:
    print(reason_of(error))
"""
    done = without_semaphores(code)
    assert NO_SEMAPHORES in done.stdout, done.stderr
