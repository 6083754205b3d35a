"""One run, planned: the configuration checked, the machine read, the claims loaded, the blocks laid out."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gilscope.cells import Block
from gilscope.claim_files import read_claims
from gilscope.claims import ClaimsFile
from gilscope.config import Config, Services, read_config
from gilscope.labs import load_lab
from gilscope.machine import Machine, describe_machine
from gilscope.mistakes import Mistakes
from gilscope.runtimes import runtime_name
from gilscope.sweep import build_sweep, expected_seconds, known_workloads, memory_mistakes
from gilscope.workloads._external import variable


@dataclass(frozen=True)
class Run:
    """Everything that the workflow needs to know before its first job.

    folder: below ``results/``. workloads: those that claims may speak of → the folder of a user's own file, else "".
    """

    config: Config
    claims: ClaimsFile
    machine: Machine
    runtime: str
    folder: str
    workloads: Mapping[str, str]
    blocks: tuple[Block, ...]

    @property
    def rounds(self) -> range:
        return range(1, self.config.measure.rounds + 1)

    def block(self, runtime: str, workload: str, size: str) -> Block:
        place = f"{runtime}/{workload}/{size}"
        return next(block for block in self.blocks if block.path == place)

    def measured_rounds(self) -> list[tuple[Block, int]]:
        """The blocks and rounds to collect: all, or the complete ones where only existing results are wanted."""
        return [
            (block, number)
            for number in self.rounds
            for block in self.blocks
            if not self.config.only_existing or self.is_measured(block, number)
        ]

    def files(self, pattern: str) -> list[str]:
        """A file per block and round, round by round; ``pattern`` has {path} and {round}."""
        return [
            f"results/{self.folder}/" + pattern.format(path=block.path, round=number)
            for block, number in self.measured_rounds()
        ]

    def labs(self) -> list[str]:
        """The labs' files; where only existing ones count, those that are there."""
        files = [f"results/{self.folder}/labs/{self.runtime}/{lab}.json" for lab in self.config.labs.selected()]
        return [file for file in files if Path(file).exists()] if self.config.only_existing else files

    def traces(self) -> list[str]:
        """The trace files that go with the rounds; where only existing ones count, a missing one is left out."""
        files = self.files("traces/{path}/round-{round}.json")
        return [file for file in files if Path(file).exists()] if self.config.only_existing else files

    def is_measured(self, block: Block, number: int) -> bool:
        raw = Path(f"results/{self.folder}/raw/{block.path}/round-{number}.json")
        return raw.exists() and raw.with_suffix(".facts.json").exists()

    def outlook(self) -> str:
        """One line: how many blocks, how much of them is still to be measured, about how long."""
        rounds = len(self.rounds)
        left = sum(not self.is_measured(block, number) for block in self.blocks for number in self.rounds)
        share = left / (rounds * len(self.blocks))
        labs = [Path(file) for file in self.labs() if not Path(file).exists()]
        seconds = expected_seconds(self.blocks, rounds) * share + sum(load_lab(lab.stem).seconds for lab in labs)
        return (
            f"gilscope: {len(self.blocks)} blocks × {rounds} rounds on {self.machine.usable_cores} usable cores, "
            f"{left} rounds and {len(labs)} {'lab' if len(labs) == 1 else 'labs'} to measure, "
            f"about {max(1, round(seconds / 60))} min; results/{self.folder}/report.html"
        )


def plan_run(merged: Mapping[str, Any], files: Sequence[str], overrides: Mapping[str, Any] | None = None) -> Run:
    """Plan a run from the merged configuration. Raises Mistakes, all of them at once, before anything is measured."""
    config = read_config(merged, files, overrides)
    check_labs(config)
    workloads = known_workloads(config)
    claims = read_claims(config.claims, {name: facts for name, (facts, _) in workloads.items()})
    export_services(config)
    machine = describe_machine(config.machine)
    runtime = runtime_name()
    blocks = build_sweep(config, claims.claims, workloads, runtime, machine.usable_cores)
    too_large = memory_mistakes(blocks, machine.memory_bytes)
    if too_large:
        raise Mistakes([f"{files[-1] if files else 'config'}: {line}" for line in too_large])
    folders = {name: folder for name, (_, folder) in workloads.items()}
    return Run(config, claims, machine, runtime, config.folder(machine.label), folders, tuple(blocks))


def check_labs(config: Config) -> None:
    """Raise Mistakes for a lab that cannot be imported."""
    for lab in config.labs.selected():
        try:
            load_lab(lab)
        except ImportError as error:
            raise Mistakes([f"labs.names: the lab {lab} cannot be imported: {error}."]) from error


def export_services(config: Config) -> None:
    """Tell every job how to reach the services that the configuration names, and nobody else."""
    for service in Services.model_fields:
        os.environ[variable(service)] = config.services.named().get(service, "")


def export_interpreter(scripts: str) -> None:
    """Tell every command that the run starts which package and which interpreter to use.

    ``PYTHONPATH`` reaches what imports the package without Snakemake's help: notebook kernels and spawned workers.
    ``GILSCOPE_PYTHON`` is resolved inside the command, so that its path is no part of the rule: a rebuilt environment
    must not measure everything anew.
    """
    inherited = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [scripts, inherited]))
    os.environ["GILSCOPE_PYTHON"] = sys.executable
