"""The claims: what the talk says, the measurement that would settle it, and the threshold fixed in advance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, StringConstraints, model_validator

from gilscope.configuring.machines import Pool, Size, Strict

Against = Literal["cpython", "lock-on", "standard"]
Metric = Literal[
    "speedup",
    "speedup_ratio",
    "time_ratio",
    "effective_cores",
    "lock_ratio",
    "runtime_ratio",
    "tax",
    "share",
    "observed_ratio",
]
ACROSS: Mapping[str, tuple[Against, ...]] = {
    "lock_ratio": ("lock-on",),
    "runtime_ratio": ("cpython",),
    "tax": ("lock-on", "standard"),
}
"""Metrics that compare a cell in two runtimes → what they may be ``against``."""
TIMED = ("speedup", "speedup_ratio", "time_ratio", "effective_cores", *ACROSS)
"""Metrics of cells."""
OBSERVED = ("share", "observed_ratio")
"""Metrics of a lab's observations."""
RATIOS = ("speedup_ratio", "time_ratio", "observed_ratio")
"""Metrics that need something to compare with: ``over``."""
Need = Literal["gil", "cores", "lock-off", "pypy"]
ABOUT: Mapping[str, Need] = {"lock_ratio": "lock-off", "tax": "lock-off", "runtime_ratio": "pypy"}
"""Metrics that compare runtimes → the need that says which runtimes they are about."""
Workers = Annotated[str, StringConstraints(pattern=r"^(cores|\d+|\d+\*cores)$")] | int
WAITING_WORKERS = 4
DECK_TASKS = 4
AGAINST = f"against, the runtime to compare with, is one of {', '.join(get_args(Against))}"


class Holds(Strict):
    """What the metric must be for the claim to hold: exactly one of three."""

    above: float | None = Field(None, description="a claim holds above a number, below one, or within two")
    below: float | None = Field(None, description="a claim holds above a number, below one, or within two")
    within: tuple[float, float] | None = Field(None, description="within is a list of two numbers")

    @model_validator(mode="after")
    def one(self) -> Holds:
        if sum(bound is not None for bound in (self.above, self.below, self.within)) != 1:
            raise ValueError("give exactly one of above, below, within")
        return self

    def as_dict(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)


class Outcome(Strict):
    """What a verdict means to a working programmer."""

    why: str = Field(description="why is text that says why it came out so")
    do: str | None = Field(None, description="do is text that says what to do about it")


OUTCOME = "an outcome is a mapping with why and do"


class Outcomes(Strict):
    """What each verdict means: why it came out so, since which version, and what to do."""

    confirmed: Outcome | None = Field(None, description=OUTCOME)
    refuted: Outcome | None = Field(None, description=OUTCOME)
    mixed: Outcome | None = Field(None, description=OUTCOME)
    inconclusive: Outcome | None = Field(None, description=OUTCOME)


class Case(Strict):
    """One leaf of a claim; what it leaves out it takes from the claim, and the workers from the workload's kind."""

    case: str | None = Field(None, description="a case's name is text")
    workload: str | None = Field(None, description="workload is the name of one")
    size: Size = Field("large", description="size is small, medium, large or deck")
    pool: Pool = Field("cold", description="pool is cold or warm")
    of: str | None = Field(None, description="of is the name of a strategy, or of a lab's case")
    over: str | None = Field(None, description="over is the name of a strategy, or of a lab's case")
    observes: str | None = Field(None, description="observes is a metric of the lab")
    workers: Workers | None = Field(None, description="workers is cores, a number, or a number*cores")
    over_workers: Workers | None = Field(None, description="over_workers is cores, a number, or a number*cores")
    over_pool: Pool | None = Field(None, description="over_pool is cold or warm")
    against: Against | None = Field(None, description=AGAINST)
    holds: Holds | None = Field(None, description="holds is a mapping with above, below or within")


class Claim(Strict):
    """One statement of the talk."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]*$")] = Field(
        description="an id is made of a-z, 0-9, -"
    )
    slide: str = Field(description="slide says where the talk makes the claim")
    says: str = Field(description="says is the statement, in our own words")
    section: Literal["speed", "behaviour"] = Field("speed", description="section is speed or behaviour")
    demonstration: bool = Field(False, description="demonstration is true or false")
    metric: Metric = Field(description=f"metric is one of {', '.join(get_args(Metric))}")
    of: str | None = Field(None, description="of is the name of a strategy, or of a lab's case")
    over: str | None = Field(None, description="over is the name of a strategy, or of a lab's case")
    lab: str | None = Field(None, description="lab is the name of a lab")
    observes: str | None = Field(None, description="observes is a metric of the lab")
    per: str | None = Field(None, description="per is the lab's metric that a share is a share of; trials without it")
    against: Against | None = Field(None, description=AGAINST)
    needs: list[Need] = Field(default_factory=list, description="needs are a list of gil, cores, lock-off, pypy")
    rollup: Literal["all", "one-refutes"] = Field("all", description="rollup is all or one-refutes")
    holds: Holds = Field(description="holds is a mapping with above, below or within")
    cases: list[Case] = Field(min_length=1, description="cases are a list of mappings")
    outcomes: Outcomes = Field(
        Outcomes(), description="outcomes are a mapping with confirmed, refuted, mixed, inconclusive"
    )


class Decision(Strict):
    """A row of the talk's decision table: what it advises for a type of task, and the workloads that can tell."""

    task: str = Field(description="task is the type of task")
    advice: str = Field(description="advice is what the talk says, in few words")
    strategies: list[str] = Field(min_length=1, description="strategies are those that follow the advice")
    workloads: list[str] = Field(min_length=1, description="workloads are a list of names")


class ClaimsFile(Strict):
    """config/claims.yaml, and a user's own files like it."""

    claims: list[Claim] = Field(default_factory=list, description="claims are a list of mappings")
    otherwise: Outcomes = Field(
        Outcomes(), description="otherwise are the outcomes of claims that have none of their own"
    )
    irrefutable: list[str] = Field(
        default_factory=list, description="irrefutable are statements that nothing could refute, a list of texts"
    )
    decisions: list[Decision] = Field(default_factory=list, description="decisions are a list of mappings")
