from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from gilscope.interpreters.equipping import BASE, equip, in_short
from gilscope.interpreters.resolving import python_of
from gilscope.interpreters.uv import Refused
from interpreters import LOCK


def modules_of(python: Path) -> list[str]:
    said = subprocess.run([python, "-m", "gilscope.running.identity"], capture_output=True, text=True, check=False)
    assert said.returncode, "the package must not be installed"
    listed = subprocess.run(
        [python, "-c", "import importlib.metadata as m; print(*sorted(d.name for d in m.distributions()))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return listed.stdout.split()


def test_an_environment_holds_what_is_asked_for_and_says_what_it_lacks(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lacks = equip(sys.executable, "mine", ["urllib3", "no-such-library-at-all"], [str(LOCK)], ["psutil"])
    assert lacks["broken"] is None
    assert list(lacks["missing"]) == ["no-such-library-at-all"]
    assert set(modules_of(tmp_path / python_of("mine"))) == {*BASE, "urllib3"}


def test_a_wrong_hash_is_refused(tmp_path: Path, monkeypatch) -> None:
    """What was fetched is not what was locked."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    forged = tmp_path / "forged.lock"
    forged.write_text("\n".join(map(flipped, LOCK.read_text().splitlines())))
    lacks = equip(sys.executable, "forged", [], [str(forged)], [])
    assert "Hash mismatch" in lacks["broken"]
    assert set(lacks["missing"]) == set(BASE)


def flipped(line: str) -> str:
    """The line with the first digit of its hash changed."""
    head, mark, digits = line.partition("sha256:")
    return head + mark + ("0" if digits[:1] != "0" else "1") + digits[1:] if mark else line


def test_a_library_for_other_versions_is_not_missed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    lacks = equip(sys.executable, "mine", ["urllib3; python_version < '3'"], [str(LOCK)], [])
    assert lacks == {"missing": {}, "broken": None}


def test_without_an_interpreter_there_is_no_environment(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused):
        equip(str(tmp_path / "nothing"), "mine", [], [str(LOCK)], [])


def test_the_usual_refusal_is_told_in_few_words() -> None:
    said = "Because pandas==2.3.3 has no usable wheels and you require pandas{python_full_version < '3.11'}==2.3.3, we can …"
    assert in_short(said) == "pandas 2.3.3 has no wheel for it"
    assert in_short("the disk is full") == "the disk is full"


def test_what_is_missing_is_told_where_it_is_imported(tmp_path: Path, runtime_environment, environment) -> None:
    """The reason reaches the block that needs the library."""
    python = Path(runtime_environment(f"{sys.version_info[0]}.{sys.version_info[1]}"))
    marker = python.parents[1] / "gilscope.json"
    marker.write_text(json.dumps({"missing": {"pillow": "pillow 1.0 has no wheel for it"}, "broken": None}))
    script = (
        "import gilscope.running.identity as r\ntry:\n import PIL\nexcept ImportError as e:\n print(r.why_missing(e))"
    )
    said = subprocess.run([python, "-c", script], capture_output=True, text=True, env=environment, check=True)
    marker.unlink()
    assert said.stdout.strip() == "No module named 'PIL': pillow 1.0 has no wheel for it"
