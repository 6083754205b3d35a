"""A block whose task comes to grief in a way of one's choice, measured through the scripts that the workflow calls."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from apart import apart
from gilscope.measuring.raw import read_values
from gilscope.running.cells import Block
from gilscope.running.node import cpu_model

GRIM = """
import ctypes, multiprocessing, os, subprocess, sys, threading, time
from gilscope.workloads import workload

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]

def crash():
    subprocess.Popen(SLEEPER)
    ctypes.string_at(0)

def note(name):
    open(os.path.join(os.path.dirname(__file__), name), "w").close()

def hang():
    note("hangs")
    try:
        time.sleep(600)
    except KeyboardInterrupt:
        note("tidied")
        raise

def be_killed():
    os.kill(os.getpid(), 9)

def be_killed_once():
    if not os.path.exists(os.path.join(os.path.dirname(__file__), "killed")):
        note("killed")
        be_killed()

def leave_behind():
    if os.fork() == 0:
        os.setsid()
        os.execv(SLEEPER[0], SLEEPER)

def leave_a_copy():
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)

ENDS = {
    "leave behind": leave_behind,
    "leave a copy": leave_a_copy,
    "crash": crash,
    "be killed": be_killed,
    "be killed once": be_killed_once,
    "quit": lambda: os._exit(7),
    "hang": hang,
    "hold the lock": lambda: ctypes.PyDLL(None).sleep(600),
}

def come_to_an_end():
    with open(os.path.join(os.path.dirname(__file__), "end")) as file:
        word = file.read()
    where, _, what = word.partition(": ")
    in_thread = threading.current_thread() is not threading.main_thread()
    if {"": False, "always": True, "threads": in_thread, "workers": multiprocessing.parent_process()}[where]:
        ENDS[what]()

@workload(kind="cpu", sizes={"small": 1})
def grim(item):
    "Comes to the end that a file names, in the place that it names."
    come_to_an_end()
    time.sleep(0.001)
    return item
"""
CELLS = ("asyncio-2", "threading-2", "multiprocessing-2")
OTHERS = [cell for cell in CELLS if cell != "threading-2"]


class Bench:
    """A folder with the grim workload, and the rules' scripts at work in it."""

    def __init__(self, folder: Path, scripts: Path, environment: dict[str, str]):
        self.folder, self.scripts = folder, scripts
        self.environment = {**environment, **apart(folder), "GILSCOPE_LIMIT_S": "3", "BENCH": str(folder)}
        self.python = [sys.executable]
        (folder / "grim.py").write_text(GRIM)
        self.is_about(cpu_model())
        self.comes_to("")
        self.block = Block("cp311", "grim", "small", 1, 4, CELLS, 0.1, 2, str(folder))

    def is_about(self, cpu: str | None) -> None:
        """Say which CPU the results in this folder are about."""
        (self.folder / "machine.json").write_text(json.dumps({"cpu": cpu}))

    def comes_to(self, end: str) -> None:
        (self.folder / "end").write_text(end)

    def command(self, rule: str) -> list[str]:
        folder, block = self.folder, self.block.to_json()
        machine = ["--machine", str(folder / "machine.json")]
        measure = ["measure.py", block, *machine]
        for name in ("calibration", "raw", "facts", "trace", "events"):
            measure += [f"--{name}", str(folder / f"{name}.json")]
        rest = {
            "begin": [*measure, "--round", "1"],
            "measure": [*measure, "--round", "2"],
            "observe": ["observe.py", "cleanup", *machine, "--descriptive", "small", str(folder / "lab.json")],
        }[rule]
        return [*self.python, str(self.scripts / rest[0]), *rest[1:]]

    def start(self, rule: str, **options: Any) -> subprocess.Popen[str]:
        # What runs in the background of a shell is deaf to Ctrl-C, and so would be what it starts.
        usual = signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            return subprocess.Popen(
                self.command(rule), env=self.environment, stderr=subprocess.PIPE, text=True, **options
            )
        finally:
            signal.signal(signal.SIGINT, usual)

    def run(self, *rules: str) -> str:
        """Do what rules do, one after the other; what the last one complained of."""
        for rule in rules:
            process = self.start(rule)
            _, complained = process.communicate(timeout=60)
            assert process.returncode == 0, complained
        return complained

    def read(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text())

    def cells(self) -> set[str]:
        return {value.cell for value in read_values(str(self.folder / "raw.json"))}

    def left(self) -> list[Any]:
        """What there still is of it: processes and temporary files."""
        found: list[Any] = [path.name for path in self.folder.glob(".scratch-*")] + list(self.folder.glob("*.part"))
        for process in psutil.process_iter():
            try:
                if process.environ().get("BENCH") == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def soon(condition: Callable[[], Any], seconds: float = 30.0) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
