"""A real Slurm of one node for the tests, from the system's packages: this computer, gone afterwards."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from servers import Missing

CONFIGURATION = Path("/etc/slurm/slurm.conf")
"""Where every Slurm looks: a job step gets no environment variable that would name another place."""
OURS = "# Written by gilscope's tests, and removed by them."
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
PARTITIONS = ("first", "second")
START_S = 30.0


def program(name: str) -> str | None:
    """Debian keeps daemons off the path of ordinary users."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def check() -> None:
    """Raise Missing, with the reason, where no Slurm can be started."""
    lacking = [name for name in PROGRAMS if program(name) is None]
    if lacking:
        raise Missing(f"no {lacking[0]} here; on Debian apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        raise Missing("only root starts a Slurm")
    if CONFIGURATION.exists() and not CONFIGURATION.read_text().startswith(OURS):
        raise Missing(f"this computer belongs to a cluster already ({CONFIGURATION})")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def configuration(folder: Path) -> str:
    """One node, which is this computer, in two partitions; a job's end is noticed at once, and remembered."""
    host, cores = socket.gethostname().partition(".")[0], psutil.cpu_count() or 1
    lines = [
        OURS,
        "ClusterName=gilscope",
        f"SlurmctldHost={host}(127.0.0.1)",
        f"SlurmctldPort={free_port()}",
        f"SlurmdPort={free_port()}",
        "SlurmUser=root",
        f"AuthInfo=socket={folder}/munge.socket",
        f"StateSaveLocation={folder}/state",
        f"SlurmdSpoolDir={folder}/spool",
        f"SlurmctldPidFile={folder}/slurmctld.pid",
        f"SlurmdPidFile={folder}/slurmd.pid",
        f"SlurmctldLogFile={folder}/slurmctld.log",
        f"SlurmdLogFile={folder}/slurmd.log",
        "ProctrackType=proctrack/linuxproc",
        "TaskPlugin=task/none",
        "MpiDefault=none",
        "ReturnToService=2",
        "SelectType=select/cons_tres",
        "SelectTypeParameters=CR_Core_Memory",
        "PriorityType=priority/basic",
        "SchedulerParameters=sched_interval=1,bf_interval=1",
        "MinJobAge=3600",
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={cores} RealMemory={memory_mib()} Feature=here State=UNKNOWN",
        *(
            f"PartitionName={name} Nodes={host} MaxTime=INFINITE State=UP Default={'NO' if place else 'YES'}"
            for place, name in enumerate(PARTITIONS)
        ),
    ]
    return "\n".join(lines) + "\n"


def memory_mib() -> int:
    """A little less than there is, or the node would be found to have less than it was said to have."""
    return int(psutil.virtual_memory().total / 2**20 * 0.95)


@contextmanager
def daemon(name: str, *arguments: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in the foreground, ended afterwards with all that it has started."""
    path = program(name)
    assert path
    with log.open("ab") as output:
        process = subprocess.Popen(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        begun = psutil.Process(process.pid).children(recursive=True)
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
        _, alive = psutil.wait_procs(begun, timeout=5)
        for child in alive:
            child.kill()


def wait_for(ready: list[str], said: str, daemons: list[subprocess.Popen[bytes]], folder: Path) -> None:
    """Wait until a command prints what is expected of it; raise Missing with the daemons' last words where not."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and all(one.poll() is None for one in daemons):
        if said in subprocess.run(ready, capture_output=True, text=True, check=False, timeout=30).stdout:
            return
        time.sleep(0.1)
    words = [line for log in sorted(folder.glob("*.log")) for line in log.read_text(errors="replace").splitlines()[-3:]]
    raise Missing("Slurm does not start here: " + "; ".join(words))


@contextmanager
def running_slurm() -> Iterator[Path]:
    """A Slurm whose one node is idle; yields the folder with its logs."""
    check()
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
    folder.chmod(0o755)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    try:
        CONFIGURATION.write_text(configuration(folder))
        with ExitStack() as running:

            def start(name: str, *arguments: str) -> subprocess.Popen[bytes]:
                return running.enter_context(daemon(name, *arguments, log=folder / f"{name}.log"))

            names = {kind: f"--{kind}-file={folder}/munge.{kind}" for kind in ("key", "pid", "seed", "log")}
            started = [start("munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *names.values())]
            wait_for(["ls", str(folder)], "munge.socket\n", started, folder)
            started += [start("slurmctld", "-D", "-c"), start("slurmd", "-D")]
            wait_for(["sinfo", "--noheader", "--format=%T"], "idle", started, folder)
            yield folder
            subprocess.run(["scancel", "--full", "--user=root"], check=False, timeout=30)
    finally:
        CONFIGURATION.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
