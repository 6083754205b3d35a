"""What the configuration says of interpreters, their environments, services, and a cluster's machines."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

LABEL = r"[a-z0-9][a-z0-9-]{0,62}"
SLURM_NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.,-]*$"
SLURM_CONSTRAINT = r"^[A-Za-z0-9_][A-Za-z0-9_.,:&|*()\[\] -]*$"
Label = Annotated[str, StringConstraints(pattern=f"^{LABEL}$")]
Size = Literal["small", "medium", "large", "deck"]
Pool = Literal["cold", "warm"]
CURRENT = "current"
"""The interpreter that runs the workflow, as a runtime to measure."""


class Strict(BaseModel):
    """A mapping with known keys only. A field's description says what is allowed, in messages and in the schema."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RuntimeRequest(Strict):
    """One interpreter that the sweep shall run in."""

    python: str = Field(
        CURRENT,
        min_length=1,
        description="python is current, the path of an interpreter, or a version in quotes such as '3.14t'",
    )
    name: Label | None = Field(None, description="a runtime's name is made of a-z, 0-9 and -, at most 63 of them")
    gil: bool | None = Field(None, description="gil is true or false where the build leaves a choice, else left out")
    optional: bool = Field(
        False, description="optional is true (leave the runtime out where it is not to be had) or false"
    )
    downloads: bool | None = Field(
        None, description="downloads is true (uv may fetch it) or false; left out it is what environments.downloads is"
    )
    claims: list[str] | None = Field(
        None, min_length=1, description="a runtime's claims are a list of claims' ids; left out it measures everything"
    )

    @property
    def label(self) -> str:
        """What messages and the report call it."""
        return self.name or self.python


class Environments(Strict):
    """How the runtimes beside the current one are come by, and what their environments are made of."""

    downloads: bool = Field(True, description="downloads is true (uv may fetch interpreters) or false")
    from_source: list[str] = Field(
        ["psutil"], description="from_source is a list of libraries that may be built where they have no wheel"
    )
    locks: list[str] = Field(
        ["workflow/envs/runtimes.lock"], min_length=1, description="locks are a list of files that uv pip compile made"
    )


class Services(Strict):
    """Outside services that workloads may use. An address may hold a password: it goes into no file of the results."""

    postgres: str | None = Field(None, min_length=1, description="postgres is a DSN: postgresql://user@host/database")

    def named(self) -> dict[str, str]:
        return {name: address for name, address in self.model_dump().items() if address}


def separated(value: Any) -> Any:
    """A list written as one text with commas, as on a command line."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


class NodeType(Strict):
    """Where a cluster has a machine of this label, and what the sweep may use of it: the plan is made elsewhere."""

    cores: int = Field(
        ge=1, le=4096, strict=True, description="cores, those of one node that a program may use, are 1 to 4096"
    )
    memory_gib: float | None = Field(None, gt=0, description="memory_gib, that of one node, is a number above 0")
    partition: str | None = Field(
        None, pattern=SLURM_NAME, description="partition is the name of a partition, or several with commas"
    )
    constraint: str | None = Field(
        None,
        pattern=SLURM_CONSTRAINT,
        description="constraint is a feature of the nodes, as sbatch --constraint takes it",
    )
