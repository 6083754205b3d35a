"""Whether a job runs on the machine that its results are about, and on which node of a cluster."""

from __future__ import annotations

import os
import platform

from gilscope.running.files import Damaged, read_json
from gilscope.running.node import affinity_cores, cpu_model
from gilscope.running.progress import Deliberate


class OtherMachine(Deliberate):
    """What would be measured here does not belong to these results."""


def stay_on(path: str) -> None:
    """Raise OtherMachine unless this computer has the CPU that a ``machine.json`` describes, and may use as many cores.

    Nodes of one type may differ in everything else; where either CPU is unknown the architecture has to do.
    """
    try:
        machine = read_json(path)
        there = machine["cpu"]
    except Damaged:
        raise
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OtherMachine(f"{path} does not say which CPU it is about: {type(error).__name__}: {error}") from error
    here, about = cpu_model(), from_here(os.path.dirname(path))
    if not (here and there):
        here, there = platform.machine(), machine.get("architecture") or platform.machine()
    if here != there:
        raise OtherMachine(
            f"this machine has the CPU {here}, and {about} is about one with {there}; nothing was "
            "measured. On a cluster give its entry under `machines:` a partition or constraint that has one kind of "
            "node (docs/cluster.md), elsewhere give this machine its own label with `machine:`"
        )
    mine, all_of_them = affinity_cores(), machine.get("affinity_cores")
    if mine and all_of_them and mine < all_of_them:
        raise OtherMachine(
            f"this job may use {mine} of the {all_of_them} cores that {about} is about; nothing was measured. Start it "
            "without taskset, on a cluster with as many CPUs for a task (cpus_per_task), or give this its own label "
            "with `machine:`"
        )


def from_here(path: str) -> str:
    """A path as one would type it: relative where it lies below the current folder."""
    below = os.path.join(os.getcwd(), "")
    return path[len(below) :] if path.startswith(below) else path
