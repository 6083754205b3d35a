"""Runs, planned, one for each machine: the configuration checked, the claims loaded, the blocks laid out."""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from gilscope.cells import Block, Turn
from gilscope.claim_files import read_claims
from gilscope.claims import Claim, ClaimsFile
from gilscope.config import Config, Services
from gilscope.config_files import read_config
from gilscope.destinations import Destination, destinations
from gilscope.fitting import REFERENCE_MIN, Fitted, fit, labs_seconds
from gilscope.labs import load_lab
from gilscope.mistakes import Mistakes
from gilscope.outlook import expected_seconds, round_seconds
from gilscope.resolving import Runtime, interpreter_variable, resolve
from gilscope.sweep import (
    known_workloads,
    libraries_of,
    memory_mistakes,
    pilot_turn,
    restricted_sweep,
    selected_claims,
    side_by_side,
    wanted_runtimes,
)
from gilscope.workloads import Workload
from gilscope.workloads._external import variable


@dataclass(frozen=True)
class Run:
    """Everything that the workflow needs to know before its first job, of one machine.

    measures: whether what has not been measured is to be. rounds: those that every block gets. left_out: what the sweep
    does without to fit its budget, in words. folder: below ``results/``. workloads: those that claims may
    speak of → the folder of a user's own file, else "". absent: a gap for each optional runtime that is not to be had.
    libraries: environment → what it shall hold.
    """

    config: Config
    measures: bool
    rounds: int
    left_out: tuple[str, ...]
    claims: ClaimsFile
    destination: Destination
    runtimes: tuple[Runtime, ...]
    absent: tuple[Mapping[str, Any], ...]
    folder: str
    workloads: Mapping[str, str]
    blocks: tuple[Block, ...]
    libraries: Mapping[str, tuple[str, ...]]

    @property
    def pilot(self) -> range:
        """The rounds that every block gets."""
        return range(1, self.rounds + 1)

    @property
    def allocates(self) -> bool:
        """Whether more rounds are added where they decide something."""
        return self.measures and self.config.budget_minutes > 0

    def runtime(self, name: str) -> Runtime:
        return next(runtime for runtime in self.runtimes if runtime.id == name)

    @cached_property
    def places(self) -> dict[str, int]:
        """A block's path → its place in the sweep."""
        return {block.path: place for place, block in enumerate(self.blocks)}

    @cached_property
    def turned(self) -> dict[str, int]:
        """The same with the runtimes of each block in turned order."""
        together = itertools.groupby(self.blocks, key=lambda block: (block.workload, block.size))
        order = [block for _, runtimes in together for block in reversed(list(runtimes))]
        return {block.path: place for place, block in enumerate(order)}

    def block(self, runtime: str, workload: str, size: str) -> Block:
        return self.blocks[self.places[f"{runtime}/{workload}/{size}"]]

    def priority(self, block: Block, number: int) -> int:
        """When a round's turn comes: the higher, the sooner. Earlier rounds first; in a round block by block.

        A block's runtimes follow one another, so that they meet the same machine, in turned order every second round.
        """
        places = self.turned if number % 2 == 0 else self.places
        return (1000 - number) * len(self.blocks) - places[block.path]

    def turns(self) -> list[tuple[Block, Turn]]:
        """Every round of every block, round by round: those that all get, then those that were allocated."""
        extra = read_turns(f"results/{self.folder}/allocation.json")
        everyone = [(block, pilot_turn(block, number)) for number in self.pilot for block in self.blocks]
        found = [(self.blocks[self.places[path]], turn) for path, turn in extra if self.has_place(path, turn)]
        return everyone + [(block, replace(turn, traced=block.always_traced)) for block, turn in found]

    def has_place(self, path: str, turn: Turn) -> bool:
        """Whether an added round still is one: its block is there, and not all blocks have a round of its number."""
        return path in self.places and turn.number not in self.pilot

    def turn_of(self, block: Block, number: int) -> Turn:
        return next(turn for one, turn in self.turns() if one == block and turn.number == number)

    def files(self, pattern: str, *, pilot: bool = False) -> list[str]:
        """A file per block and round, round by round; ``pattern`` has {path} and {round}.

        Those of all rounds to collect, or where nothing is measured, of the complete ones. pilot: only of the rounds
        that every block gets.
        """
        return [
            f"results/{self.folder}/" + pattern.format(path=block.path, round=turn.number)
            for block, turn in self.turns()
            if (self.measures or self.is_measured(block, turn.number)) and not (pilot and turn.stage > 1)
        ]

    def labs(self) -> list[str]:
        """The labs' files; where nothing is measured, those that are there."""
        files = [
            f"results/{self.folder}/labs/{runtime.id}/{lab}.json"
            for lab in self.config.labs.selected()
            for runtime in self.runtimes
            if lab in labs_of(runtime, self.config, self.claims.claims)
        ]
        return files if self.measures else [file for file in files if Path(file).exists()]

    def traces(self, *, pilot: bool = False) -> list[str]:
        """The trace files that go with the rounds; where nothing is measured, a missing one is left out."""
        files = self.files("traces/{path}/round-{round}.json", pilot=pilot)
        return files if self.measures else [file for file in files if Path(file).exists()]

    def is_measured(self, block: Block, number: int) -> bool:
        raw = Path(f"results/{self.folder}/raw/{block.path}/round-{number}.json")
        return raw.exists() and raw.with_suffix(".facts.json").exists()

    def outlook(self) -> str:
        """A line: how many blocks, how much of them is still to be measured, about how long; and what to know of it."""
        left = [(block, turn) for block, turn in self.turns() if not self.is_measured(block, turn.number)]
        labs = [Path(file).stem for file in self.labs() if not Path(file).exists()]
        blocks = f"{len(self.blocks)} blocks" + (f" in {len(self.runtimes)} runtimes" if len(self.runtimes) > 1 else "")
        line = (
            f"gilscope: {blocks} × {len(self.pilot)} rounds on {self.destination.usable_cores} usable cores, "
            f"{len(left)} rounds and {len(labs)} {'lab' if len(labs) == 1 else 'labs'} to measure, "
            f"about {in_minutes(self.seconds_left())}; results/{self.folder}/report.html"
        )
        return "\n".join([line, *(f"gilscope: {note}" for note in self.budget_notes())])

    def budget_notes(self) -> list[str]:
        """What the sweep does without to fit its budget, and whether it fits."""
        budget, asked, cores = self.config.budget_minutes, self.config.measure.rounds, self.destination.usable_cores
        if not budget:
            return []
        notes = []
        if self.left_out:
            what = f"of what no claim needs, {', '.join(self.left_out)}"
            notes.append(f"on {cores} cores the sweep leaves out, {what}, to fit {REFERENCE_MIN} min (budget_minutes)")
        if self.rounds < asked:
            notes.append(f"every block gets {self.rounds} rounds, not {asked}, to leave time for open cases")
        if self.pilot_seconds > 60 * budget:
            needed = in_minutes(self.pilot_seconds)
            notes.append(f"these rounds and the labs alone take about {needed}, and budget_minutes is {budget:g}")
        return notes

    @cached_property
    def pilot_seconds(self) -> float:
        """About how long the rounds that every block gets and the labs take, whatever of them has been measured."""
        everyone = [(block, pilot_turn(block, number)) for number in self.pilot for block in self.blocks]
        labs = [Path(file).stem for file in self.labs()]
        return expected_seconds(everyone, self.destination.usable_cores) + labs_seconds(labs)

    def seconds_left(self) -> float:
        """About how long the run takes: what is to be measured, or what is left of the budget for what it will add."""
        cores, turns = self.destination.usable_cores, self.turns()
        left = [(block, turn) for block, turn in turns if not self.is_measured(block, turn.number)]
        done = [(block, turn) for block, turn in turns if self.is_measured(block, turn.number)]
        labs = [Path(file) for file in self.labs()]
        seconds = expected_seconds(left, cores) + labs_seconds([file.stem for file in labs if not file.exists()])
        if not self.may_add:
            return seconds
        spent = sum(round_seconds(block, turn, cores) for block, turn in done)
        spent += labs_seconds([file.stem for file in labs if file.exists()])
        return max(seconds, 60 * self.config.budget_minutes - spent)

    @property
    def may_add(self) -> bool:
        """Whether rounds are still to be allocated: none have been, or cases were open and the budget has grown."""
        path = Path(f"results/{self.folder}/allocation.json")
        if not self.allocates or not path.exists():
            return self.allocates
        before = json.loads(path.read_text(encoding="utf-8"))
        return bool(before.get("open")) and 60 * self.config.budget_minutes > before.get("budget_s", 0)


def in_minutes(seconds: float) -> str:
    """Minutes in words; tenths where a whole one would say too little."""
    minutes = seconds / 60
    return f"{max(0.5, minutes):.1f} min" if minutes < 4.5 else f"{round(minutes)} min"


def read_turns(path: str) -> list[tuple[str, Turn]]:
    """The rounds that an ``allocation.json`` lists, each with its block's path; none where there is no such file."""
    if not Path(path).exists():
        return []
    return [
        (row["block"], Turn(row["round"], row["stage"], tuple(row["only"]), row["laps"]))
        for row in json.loads(Path(path).read_text(encoding="utf-8"))["rounds"]
    ]


def plan_runs(
    merged: Mapping[str, Any],
    files: Sequence[str],
    overrides: Mapping[str, Any] | None = None,
    *,
    measures: bool = True,
) -> dict[str, Run]:
    """Plan a run for each machine, by its results' folder, from the merged configuration.

    measures: whether what has not been measured is to be, unless the configuration wants existing results only. Raises
    Mistakes, all of them at once, before anything is measured.
    """
    config = read_config(merged, files, overrides)
    check_labs(config)
    workloads = known_workloads(config)
    claims = read_claims(config.claims, {name: facts for name, (facts, _) in workloads.items()})
    export_services(config)
    os.environ["GILSCOPE_LIMIT_S"] = str(config.measure.limit_s)
    planned = {config.folder(to.label): to for to in destinations(config)}
    wanted = wanted_runtimes(config, claims.claims)
    sweeps = lay_out(config, claims, workloads, planned, files[-1] if files else "config")
    runtimes, absent = resolve(wanted, downloads=config.environments.downloads)
    measures = measures and not config.only_existing
    if not measures:
        runtimes = [runtime for runtime in runtimes if runtime.claims is None or is_described(runtime, planned)]
    export_runtimes(runtimes)
    runs = {}
    for folder, destination in planned.items():
        fitted = sweeps[folder]
        blocks = blocks_of(runtimes, fitted, config, claims.claims, workloads, cores=destination.usable_cores)
        runs[folder] = Run(
            config=config,
            measures=measures,
            rounds=fitted.rounds,
            left_out=fitted.left_out,
            claims=claims,
            destination=destination,
            runtimes=tuple(runtimes),
            absent=tuple(absent),
            folder=folder,
            workloads={name: place for name, (_, place) in workloads.items()},
            blocks=tuple(blocks),
            libraries=libraries_needed(runtimes, blocks, config, claims.claims),
        )
    return runs


def is_described(runtime: Runtime, folders: Iterable[str]) -> bool:
    """Whether a runtime is part of what was measured; an interpreter may have come to this machine since."""
    return any(Path(f"results/{folder}/runtimes/{runtime.id}.json").is_file() for folder in folders)


def blocks_of(
    runtimes: Sequence[Runtime],
    whole: Fitted,
    config: Config,
    claims: Sequence[Claim],
    workloads: Mapping[str, tuple[Workload, str]],
    *,
    cores: int,
) -> list[Block]:
    """The blocks of all runtimes on one machine. whole: those of a runtime that measures everything."""
    selected = selected_claims(config, claims)
    sweeps: list[tuple[str, Sequence[Block]]] = []
    for runtime in runtimes:
        only = None if runtime.claims is None else [claim for claim in selected if claim.id in runtime.claims]
        blocks: Sequence[Block] = whole.blocks
        if only is not None:
            blocks = restricted_sweep(whole.blocks, config, only, workloads, cores, cut=whole.cut)
        sweeps.append((runtime.id, blocks))
    return side_by_side(sweeps)


def labs_of(runtime: Runtime, config: Config, claims: Sequence[Claim]) -> list[str]:
    """The labs of a run that a runtime is observed in: all, or those that the claims it is for are about."""
    selected = config.labs.selected()
    if runtime.claims is None:
        return selected
    needed = {claim.lab for claim in claims if claim.id in runtime.claims}
    return [lab for lab in selected if lab in needed]


def libraries_needed(
    runtimes: Sequence[Runtime], blocks: Sequence[Block], config: Config, claims: Sequence[Claim]
) -> dict[str, tuple[str, ...]]:
    """Environment → what the blocks and labs of the runtimes that it is for import."""
    needed: dict[str, set[str]] = {}
    for runtime in runtimes:
        own = [block for block in blocks if block.runtime == runtime.id]
        libraries = libraries_of(own, labs_of(runtime, config, claims))
        needed.setdefault(runtime.environment, set()).update(libraries)
    return {environment: tuple(sorted(libraries)) for environment, libraries in needed.items()}


def check_measured(runs: Mapping[str, Run]) -> None:
    """Raise Mistakes for each run that is to measure nothing and has nothing to show."""
    empty = [
        folder
        for folder, run in runs.items()
        if not run.measures and not Path(f"results/{folder}/machine.json").is_file()
    ]
    if empty:
        raise Mistakes(
            [
                f"results/{folder}: nothing has been measured yet; make, or snakemake --cores all, does."
                for folder in empty
            ]
        )


def lay_out(
    config: Config,
    claims: ClaimsFile,
    workloads: Mapping[str, tuple[Workload, str]],
    planned: Mapping[str, Destination],
    file: str,
) -> dict[str, Fitted]:
    """The sweep of one runtime on each machine. Raises Mistakes, blamed on ``file``, where they need too much memory.

    Of a machine whose memory nobody has told nothing is too much.
    """
    sweeps = {folder: fit(config, claims.claims, workloads, to.usable_cores) for folder, to in planned.items()}
    too_large = [
        f"{file}: {to.label}: {line}"
        for folder, to in planned.items()
        if to.memory_bytes is not None
        for line in memory_mistakes(sweeps[folder].blocks, to.memory_bytes)
    ]
    if too_large:
        raise Mistakes(too_large)
    return sweeps


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


def export_runtimes(runtimes: Sequence[Runtime]) -> None:
    """Tell the rule that makes environments of which interpreters to make them; no rule itself holds their paths.

    What would set an interpreter's lock, or have it compile its library at each start, reaches none.
    """
    for setting in ("PYTHON_GIL", "PYTHONDONTWRITEBYTECODE"):
        os.environ.pop(setting, None)
    for runtime in runtimes:
        if not runtime.current:
            os.environ[interpreter_variable(runtime.environment)] = runtime.executable


def seen_from_here(file: str) -> str:
    """A file's path relative to this folder; as it is where there is none, as between two drives of Windows."""
    try:
        return os.path.relpath(file)
    except ValueError:
        return str(file)


def export_interpreter(scripts: str) -> None:
    """Tell every command that the run starts which package and which interpreter to use.

    ``PYTHONPATH`` reaches what imports the package without Snakemake's help: notebook kernels and spawned workers.
    ``GILSCOPE_PYTHON`` is resolved inside the command, so that its path is no part of the rule: a rebuilt environment
    must not measure everything anew.
    """
    inherited = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [scripts, inherited]))
    os.environ["GILSCOPE_PYTHON"] = sys.executable
    if os.name == "nt":
        os.environ.setdefault("PYTHONUTF8", "1")
