"""The JSON files of a bundle that a comparison reads, each checked against what it may say."""

from __future__ import annotations

import itertools
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, FailFast, Field, model_validator

from gilscope.bundles.values import (
    Case,
    CellPath,
    Cores,
    Facts,
    Label,
    Name,
    Number,
    PlainFact,
    Positive,
    Prose,
    Rounds,
    Runtime,
    Share,
    Strategy,
    Unit,
    Workers,
)

ROUNDING = 1e-6
Size = Literal["small", "medium", "large", "deck"]
Pool = Literal["cold", "warm"]
Kind = Literal["cpu", "io", "mixed"]
Verdict = Literal["confirmed", "refuted", "mixed", "inconclusive", "not tested"]


class Interval(Facts):
    """An estimate within its bounds, any of which may be unknown."""

    estimate: Number | None = None
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def in_order(self) -> Interval:
        known = [value for value in (self.low, self.estimate, self.high) if value is not None]
        if any(left > right + ROUNDING * abs(right) for left, right in itertools.pairwise(known)):
            raise ValueError("low, estimate and high are not in order")
        return self


class Machine(Facts):
    label: Label
    cpu: PlainFact | None = None
    architecture: PlainFact | None = None
    physical_cores: Cores | None = None
    logical_cores: Cores | None = None
    affinity_cores: Cores | None = None
    quota_cores: Annotated[float, Field(gt=0, le=4096)] | None = None
    usable_cores: Cores
    core_kinds: dict[PlainFact, Cores] | None = None
    memory_bytes: Annotated[int, Field(ge=1, le=2**60)] | None = None
    os: PlainFact | None = None
    kernel: PlainFact | None = None
    governor: PlainFact | None = None
    turbo: bool | None = None
    smt: bool | None = None
    virtualisation: PlainFact | None = None
    load: Annotated[float, Field(ge=0, le=1e6)] | None = None


class Built(Facts):
    """How an interpreter was built; unknown where it did not tell."""

    debug: bool | None = None
    optimisation: Annotated[str, Field(pattern=r"^O\w{0,8}$")] | None = None
    lto: Name | None = None
    pgo: bool | None = None
    jit: Name | None = None
    tail_calls: bool | None = None
    flags: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")] | None = None


class RuntimeFacts(Facts):
    runtime: Runtime
    name: Prose | None = None
    current: bool | None = None
    claims: list[Name] | None = None
    implementation: PlainFact
    version: PlainFact
    build: PlainFact | None = None
    compiler: PlainFact | None = None
    built: Built | None = None
    gil: bool
    free_threaded: bool | None = None
    start_method: PlainFact | None = None
    switch_interval_s: Annotated[float, Field(gt=0, le=1e3)] | None = None
    packages: dict[PlainFact, PlainFact] = Field(default_factory=dict)
    missing: dict[PlainFact, Prose] = Field(default_factory=dict)
    broken: Prose | None = None


def one_threshold(threshold: dict[str, Any]) -> dict[str, Any]:
    """``{"above": x}``, ``{"below": x}`` or ``{"within": [a, b]}``, as claims have it."""
    if any(isinstance(value, list) != (kind == "within") for kind, value in threshold.items()):
        raise ValueError("above and below take a number, within takes two")
    return threshold


Threshold = Annotated[
    dict[Literal["above", "below", "within"], Number | Annotated[list[Number], Field(min_length=2, max_length=2)]],
    Field(min_length=1, max_length=1),
    AfterValidator(one_threshold),
]


class Judged(Interval):
    """A case of a claim."""

    case: PlainFact
    verdict: Verdict
    reason: Prose = ""
    metric: Name | None = None
    unit: Unit | Literal[""] | None = None
    threshold: Threshold | None = None
    q_holds: Share | None = None
    q_fails: Share | None = None
    counted: Prose = ""
    notes: Prose = ""
    cells: list[CellPath] = Field(default_factory=list, max_length=100)


class Claimed(Facts):
    """A claim's verdict in one runtime."""

    claim: Name
    says: Prose
    slide: Prose = ""
    section: Literal["speed", "behaviour"]
    demonstration: bool = False
    runtime: Runtime
    verdict: Verdict
    reason: Prose = ""
    explanation: Prose = ""
    advice: Prose = ""
    cases: list[Judged] = Field(default_factory=list, max_length=1000)


class BreakEven(Interval):
    """From which time of a task a strategy pays, in seconds."""

    runtime: Runtime
    workload: Name
    strategy: Strategy
    workers: Workers
    pool: Pool
    pays: Literal["everywhere", "somewhere", "nowhere", "undecided"]
    estimate: Positive | None = None
    low: Positive | None = None
    high: Positive | None = None
    smallest: Positive
    largest: Positive
    sizes: Annotated[int, Field(ge=1, le=100)]


class Scaling(Interval):
    """A scaling law's parameter, or the reason why none could be fitted."""

    machine: Label
    runtime: Runtime
    workload: Name
    kind: Kind
    size: Size
    tasks: Annotated[int, Field(ge=1, le=10**6)]
    strategy: Strategy
    pool: Pool
    counts: Annotated[list[Workers], Field(max_length=1024)]
    reason: Prose | None = None
    law: Name | None = None
    parameter: Annotated[str, Field(pattern=r"^\w{1,40}$")] | None = None
    traced: Number | None = None


class Observation(Facts):
    case: Case
    metric: Name
    trial: Annotated[int, Field(ge=0, le=10**7)]
    unit: Unit
    value: Annotated[float, Field(ge=0, le=1e18)]


class Lab(Facts):
    lab: Name
    runtime: Runtime
    observations: Annotated[list[Observation], FailFast()]


class Measure(Facts):
    rounds: Rounds
    seconds: Annotated[float, Field(gt=0, le=86400)] | None = None
    min_laps: Annotated[int, Field(ge=1, le=10**6)] | None = None
    limit_s: Annotated[int, Field(ge=1, le=10**7)] | None = None


class Configured(Facts):
    """What a comparison asks of a configuration. The rest is kept as it is, once it is known to be plain."""

    preset: Label
    measure: Measure
    parameters: dict[Name, dict[Size, Positive]] = Field(default_factory=dict)
