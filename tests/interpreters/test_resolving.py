from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from gilscope.configuring.machines import RuntimeRequest
from gilscope.configuring.mistakes import Mistakes
from gilscope.interpreters.finding import NotToBeHad, find, introduce
from gilscope.interpreters.resolving import Runtime, resolve
from gilscope.interpreters.uv import Refused
from gilscope.running.identity import runtime_name
from interpreters import found


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def refused(*requests: RuntimeRequest) -> str:
    with pytest.raises(Mistakes) as mistakes:
        resolve(requests, downloads=False)
    (line,) = mistakes.value.lines
    return line


def test_current_is_the_interpreter_that_runs_the_workflow() -> None:
    (runtime,), gaps = resolve([RuntimeRequest()], downloads=False)
    assert (runtime.id, runtime.executable, runtime.current, gaps) == (runtime_name(), sys.executable, True, [])
    assert (runtime.start, runtime.equipment) == (
        'PYTHONPATH="$GILSCOPE_PACKAGE" GILSCOPE_JOB=$$ exec "$GILSCOPE_PYTHON"',
        None,
    )


@pytest.mark.parametrize("request_", ["3.9", "3.10", "3.12", "3.13"])
def test_a_version_is_found_and_named_by_what_it_reports(request_: str) -> None:
    found(request_)
    (runtime,), _ = resolve([RuntimeRequest(python=request_, name="mine")], downloads=False)
    assert (runtime.id, runtime.name) == (f"cp{request_.replace('.', '')}", "mine")
    assert runtime.start.endswith(f" exec .runtimes/{runtime.id}/bin/python")


def test_one_free_threaded_binary_is_two_runtimes_of_one_environment(capsys: pytest.CaptureFixture[str]) -> None:
    found("3.13t")
    requests = [RuntimeRequest(name=str(gil).lower(), python=">=3.13+freethreaded", gil=gil) for gil in (True, False)]
    (on, off), _ = resolve(requests, downloads=False)
    assert (on.id, off.id) == (f"{on.environment}-gil", f"{off.environment}-nogil")
    assert (on.environment, on.identity, on.equipment) == (off.environment, off.identity, off.equipment)
    assert on.start == f"PYTHON_GIL=1 {off.start}"
    assert off.start.endswith(f" exec .runtimes/{on.environment}/bin/python")
    assert capsys.readouterr().err == ""


def test_a_free_threaded_build_runs_without_its_lock_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    interpreter = found("3.13t")
    monkeypatch.setenv("PYTHON_GIL", "1")
    assert introduce(interpreter, None)["gil"] is False
    assert introduce(interpreter, True)["gil"] is True


def test_the_same_interpreter_asked_for_twice_is_measured_once_and_a_line_says_so(
    capsys: pytest.CaptureFixture[str],
) -> None:
    binary = str(Path(sys.executable).resolve())
    requests = [RuntimeRequest(), *(RuntimeRequest(name=name, python=binary) for name in ("again", "thrice"))]
    (runtime,), gaps = resolve(requests, downloads=False)
    assert (runtime.current, gaps) == (True, [])
    said = f"current, again and thrice are one binary, {binary}; it is measured once, as {runtime.id}."
    assert capsys.readouterr().err == f"gilscope: runtimes: {said}\n"


def test_a_copy_of_an_interpreter_is_the_same_build(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    copy = program(tmp_path / "python", f'exec {sys.executable} "$@"')
    (runtime,), _ = resolve([RuntimeRequest(), RuntimeRequest(name="copy", python=copy)], downloads=False)
    assert f"current and copy are one build, {runtime.identity}; it is measured once" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("python", "gil", "said"),
    [
        ("./no/such/python", None, "there is no program ./no/such/python. Name another interpreter, or set optional: true."),
        ("3.99", None, "it is not on this machine, and downloads is false."),
        ("nonsense", None, "it is not on this machine"),
        ("current", False, "cannot run without its lock; gil: false is for free-threaded builds (3.13t and newer)."),
    ],
)  # fmt: skip
def test_what_cannot_be_had_is_said_at_the_start(python: str, gil: bool | None, said: str) -> None:
    line = refused(RuntimeRequest(python=python, gil=gil))
    assert line.startswith(f"runtimes[0], {python}: ")
    assert said in line


def test_a_version_that_is_too_old_is_refused() -> None:
    interpreter = find_old()
    assert "is the oldest that is measured" in refused(RuntimeRequest(python=interpreter))


@pytest.mark.parametrize(("version", "taken"), [("3.8.20", False), ("3.9.0", True), ("3.10.1", True)])
def test_the_oldest_version_is_one_that_is_measured(tmp_path: Path, version: str, taken: bool) -> None:
    said = json.dumps({"implementation": "CPython", "version": version, "free_threaded": False, "gil": True})
    python = program(tmp_path / "python", f"echo '{said}'")
    if taken:
        assert introduce(python, None)["version"] == version
    else:
        with pytest.raises(NotToBeHad, match=r"it is CPython 3\.8\.20, and 3\.9 is the oldest that is measured"):
            introduce(python, None)


def find_old() -> str:
    """A CPython 3.8, of which uv does not speak any more."""
    for folder in (Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions").glob("3.8*"):
        return str(folder / "bin/python")
    pytest.skip("there is no Python 3.8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo hello", "does not say which Python it is: it ended with 0"),
        ("kill -SEGV $$", "does not say which Python it is: it ended with -11"),
        ("echo no such thing >&2; exit 3", "does not say which Python it is: no such thing"),
    ],
)
def test_a_program_that_is_no_python_is_no_runtime(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(RuntimeRequest(python=program(tmp_path / "python", text)))


def test_a_setting_that_does_not_take_is_refused(tmp_path: Path) -> None:
    """An interpreter started by something that sets the lock itself."""
    interpreter = found("3.13t")
    stubborn = program(tmp_path / "python", f'PYTHON_GIL=1 exec {interpreter} "$@"')
    with pytest.raises(NotToBeHad, match="gil: false was asked for and did not take: its lock is on"):
        introduce(stubborn, False)


def test_an_optional_runtime_that_is_not_there_is_a_gap() -> None:
    requests = [RuntimeRequest(), RuntimeRequest(name="future", python="3.99", optional=True)]
    (runtime,), (gap,) = resolve(requests, downloads=False)
    assert runtime.current
    assert (gap["runtime"], gap["state"]) == ("future", "not to be had")
    assert gap["reason"] == "it is not on this machine, and downloads is false"


def test_two_builds_that_report_the_same_name_are_not_mixed_up(tmp_path: Path) -> None:
    """Their results would share a folder."""
    facts = '{"runtime": "cp399", "implementation": "CPython", "version": "3.99.%d", "build": "b", "free_threaded": false, "gil": true}'
    both = [
        RuntimeRequest(name=f"build-{number}", python=program(tmp_path / str(number), f"echo '{facts % number}'"))
        for number in (1, 2)
    ]
    line = refused(*both)
    assert line.startswith(
        "runtimes[1], build-2: it reports itself as cp399, CPython 3.99.2 (b), and so does build-1, "
    )


def test_a_debug_build_is_another_build(tmp_path: Path) -> None:
    """Its version, and with some distributions its date too, are those of the release."""
    flags = {
        "CONFIG_ARGS": "'--with-pydebug' '--prefix=/home/ada'",
        "PY_CORE_CFLAGS": "-O3 -Og -I/home/ada",
        "Py_DEBUG": 1,
    }
    (tmp_path / "flags.py").write_text(f"build_time_vars = {flags}\n")
    debug = program(
        tmp_path / "python",
        f'PYTHONPATH="$PYTHONPATH:{tmp_path}" _PYTHON_SYSCONFIGDATA_NAME=flags exec {sys.executable} "$@"',
    )
    (runtime,), _ = resolve([RuntimeRequest(python=debug)], downloads=False)
    assert "; debug build, -Og, no PGO, no LTO; " in runtime.identity
    line = refused(RuntimeRequest(), RuntimeRequest(python=debug))
    assert line.startswith(
        f"runtimes[1], {debug}: it reports itself as {runtime_name()}, {' '.join(runtime.identity.split())}, and so does "
    )


def test_downloads_ask_uv_to_fetch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nowhere to fetch from, uv's reason is told, and not that it gave none."""
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path))
    monkeypatch.setenv("UV_PYTHON_INSTALL_MIRROR", (tmp_path / "nothing").as_uri())
    with pytest.raises(
        NotToBeHad, match=r"it is not on this machine, and uv could not fetch it: (?!it gave no reason)"
    ):
        find("3.14.0a1", downloads=True)


def test_the_users_own_path_does_not_reach_what_is_measured(tmp_path: Path, scripts: Path) -> None:
    """It may hold other wheels than those that are pinned, or none that fit."""
    (tmp_path / "psutil.py").write_text("raise ImportError('not this one')\n")
    start = Runtime("cp311", "x", sys.executable, True, "i").start
    command = f'{start} -c "import psutil, gilscope; print(psutil.__file__)"'
    own = {"GILSCOPE_PACKAGE": str(scripts), "GILSCOPE_PYTHON": sys.executable, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", command], env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    assert str(tmp_path) not in done.stdout


def test_no_command_holds_an_absolute_path() -> None:
    """A rule whose command changes measures again; a moved clone shall not."""
    for runtime in (Runtime("cp39", "x", "/a/b/python", False, "i"), Runtime("cp311", "x", "/a/b/python", True, "i")):
        assert "/a/b" not in runtime.start


def test_a_runtime_may_be_kept_from_being_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever others may: a version that is not here is a gap, with the claims that go without it."""
    fetched: list[str] = []
    monkeypatch.setattr("gilscope.interpreters.finding.run_uv", refusing(fetched))
    only = ["the-gil-is-the-cause"]
    requests = [RuntimeRequest(), RuntimeRequest(python="3.99", optional=True, downloads=False, claims=only)]
    _, (gap,) = resolve(requests, downloads=True)
    assert (gap["reason"], gap["claims"]) == ("it is not on this machine, and downloads is false", only)
    assert fetched == ["find"]
    with pytest.raises(Mistakes):
        resolve([RuntimeRequest(python="3.99", downloads=True)], downloads=False)
    assert fetched == ["find", "find", "install"]


def refusing(asked: list[str]) -> Callable[..., str]:
    """A uv that finds and fetches nothing, and notes what it was asked to do."""

    def run(*arguments: str, **_: object) -> str:
        asked.append(arguments[1])
        raise Refused("there is none")

    return run


def test_an_interpreter_asked_for_twice_is_measured_for_all_that_either_is_for() -> None:
    here = str(Path(sys.executable).resolve())

    def claims_of(first: list[str] | None, second: list[str] | None) -> tuple[str, ...] | None:
        requests = [RuntimeRequest(python=here, claims=first), RuntimeRequest(name="again", python=here, claims=second)]
        (runtime,), _ = resolve(requests, downloads=False)
        return runtime.claims

    assert claims_of(["a"], ["b", "a"]) == ("a", "b")
    assert claims_of(["a"], None) is claims_of(None, ["a"]) is None
