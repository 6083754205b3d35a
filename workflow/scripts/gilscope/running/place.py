"""Whether a job runs on the machine that its results are about, and on which node of a cluster."""

from __future__ import annotations

import os

from gilscope.running.files import read_json
from gilscope.running.node import cpu_model
from gilscope.running.progress import Deliberate


class OtherMachine(Deliberate):
    """What would be measured here does not belong to these results."""


def stay_on(path: str) -> None:
    """Raise OtherMachine unless this computer has the CPU that a ``machine.json`` describes.

    Nodes of one type may differ in everything else; where either CPU is unknown nothing can be said.
    """
    try:
        there = read_json(path)["cpu"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise OtherMachine(f"{path} does not say which CPU it is about: {type(error).__name__}: {error}") from error
    here = cpu_model()
    if here and there and here != there:
        raise OtherMachine(
            f"this machine has the CPU {here}, and {os.path.dirname(path)} is about one with {there}; nothing was "
            "measured. On a cluster give its entry under `machines:` a partition or constraint that has one kind of "
            "node (docs/cluster.md), elsewhere give this machine its own label with `machine:`"
        )
