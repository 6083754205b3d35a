"""Which machines a run measures, and what it has to know of each before it is reached."""

from __future__ import annotations

from dataclasses import dataclass

from gilscope.configuring.models import AUTO, Config
from gilscope.machine.facts import Machine, describe_machine

GUIDE = "docs/cluster.md"


@dataclass(frozen=True)
class Destination:
    """A machine to measure, as far as the plan rests on it.

    label: as in its results. memory_bytes: None where nobody has said. partition, constraint: where a cluster has it,
    None for wherever jobs go by themselves. origin: ``configured`` under ``machines``, or read from this computer:
    ``named`` by the configuration or by its own, ``automatic`` label.
    """

    label: str
    usable_cores: int
    memory_bytes: int | None
    partition: str | None = None
    constraint: str | None = None
    origin: str = "configured"


def destinations(config: Config) -> list[Destination]:
    """The machines of a run: those under ``machines``, of which ``machine`` may choose one; else this computer."""
    if config.machines:
        return [
            Destination(
                label=label,
                usable_cores=node.cores,
                memory_bytes=int(node.memory_gib * 2**30) if node.memory_gib else None,
                partition=node.partition,
                constraint=node.constraint,
            )
            for label, node in config.machines.items()
            if config.machine in (AUTO, label)
        ]
    here = describe_machine(config.machine)
    origin = "automatic" if config.machine == AUTO else "named"
    return [Destination(here.label, here.usable_cores, here.memory_bytes, origin=origin)]


def why_not_here(here: Machine, label: str, cores: int, origin: str) -> str | None:
    """Why this machine is not the one that the run was planned for, in a line; None where it is.

    here: read with its automatic label. label, cores, origin: of the destination.
    """
    if origin == "automatic" and here.label != label:
        remedy = as_configured(here.label, here)
        return f"the run was planned on {label} and this job is on {here.label}; {remedy} ({GUIDE})"
    if here.usable_cores == cores:
        return None
    found = f"a job can use {in_words(here.usable_cores)} of this machine"
    if origin == "configured":
        remedy = f"write `cores: {here.usable_cores}`, or let the job have the whole node"
        return f"machines.{label}.cores is {cores}, and {found}; {remedy} ({GUIDE})"
    return (
        f"the run was planned for {in_words(cores)}, those of the computer that it was started on, and {found}; "
        f"{as_configured(label, here)} ({GUIDE})"
    )


def as_configured(label: str, here: Machine) -> str:
    """What to write for this machine."""
    return f"name the machines to measure in the configuration: machines: {{{label}: {{cores: {here.usable_cores}}}}}"


def in_words(cores: int) -> str:
    return f"{cores} core" + ("" if cores == 1 else "s")
