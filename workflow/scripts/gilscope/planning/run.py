"""A run, planned: its blocks and rounds, the files that come of them, and about how long it takes."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gilscope.configuring.claims import Claim, ClaimsFile
from gilscope.configuring.models import Config
from gilscope.interpreters.resolving import Runtime
from gilscope.planning.destinations import Destination
from gilscope.planning.fitting import REFERENCE_MIN, labs_seconds
from gilscope.planning.outlook import expected_seconds, round_seconds
from gilscope.planning.sweep import pilot_turn
from gilscope.running.again import note_of
from gilscope.running.cells import Block, Turn
from gilscope.running.files import making_sense_of, read_json


@dataclass(frozen=True)
class Run:
    """Everything that the workflow needs to know before its first job, of one machine.

    measures: whether what has not been measured is to be. rounds: those that every block gets. left_out: what the sweep
    does without to fit its budget, in words. folder: below ``results/``. workloads: those that claims may
    speak of → the folder of a user's own file, else "". absent: a gap for each optional runtime that is not to be had.
    libraries: environment → what it shall hold. lacks: what failed for the machine's sake, as ``noted_lacks``.
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
    lacks: Mapping[str, int] = field(default_factory=dict)

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
        return everyone + [(self.blocks[self.places[path]], turn) for path, turn in extra if self.has_place(path, turn)]

    def has_place(self, path: str, turn: Turn) -> bool:
        """Whether an added round still is one: its block is there, and not all blocks have a round of its number."""
        return path in self.places and turn.number not in self.pilot

    def turn_of(self, block: Block, number: int) -> Turn:
        if number in self.pilot:
            return pilot_turn(block, number)
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

    def calibrations(self) -> list[str]:
        """What the blocks' first rounds found out for all others; where nothing is measured, those that are there."""
        files = [f"results/{self.folder}/raw/{block.path}/calibration.json" for block in self.blocks]
        return files if self.measures else [file for file in files if Path(file).exists()]

    def lacked(self, result: str) -> int:
        """A number that is another one, for a result below the run's folder, where it shall be made again."""
        return self.lacks.get(note_of(result), 0)

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
        before = read_json(path)
        return bool(before.get("open")) and 60 * self.config.budget_minutes > before.get("budget_s", 0)


def in_minutes(seconds: float) -> str:
    """Minutes in words; tenths where a whole one would say too little."""
    minutes = seconds / 60
    return f"{max(0.5, minutes):.1f} min" if minutes < 4.5 else f"{round(minutes)} min"


def read_turns(path: str) -> list[tuple[str, Turn]]:
    """The rounds that an ``allocation.json`` lists, each with its block's path; none where there is no such file."""
    if not Path(path).exists():
        return []
    with making_sense_of(path):
        return [
            (row["block"], Turn(row["round"], row["stage"], tuple(row["only"]), row["laps"], row.get("traced", True)))
            for row in read_json(path)["rounds"]
        ]


def labs_of(runtime: Runtime, config: Config, claims: Sequence[Claim]) -> list[str]:
    """The labs of a run that a runtime is observed in: all, or those that the claims it is for are about."""
    selected = config.labs.selected()
    if runtime.claims is None:
        return selected
    needed = {claim.lab for claim in claims if claim.id in runtime.claims}
    return [lab for lab in selected if lab in needed]
