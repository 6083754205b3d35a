"""Results of runtimes whose labs really observed something, with the verdicts that the repository's claims come to."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from gilscope.analysis.counterparts import identify
from gilscope.analysis.evidence import Evidence
from gilscope.analysis.tables import write_json
from gilscope.analysis.verdicts import judge
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.claims import ClaimsFile
from modelled import runtime_facts
from synthetic import write_results

ROOT = Path(__file__).resolve().parents[2]
OBSERVED = pd.read_parquet(ROOT / "tests/data/observations.parquet")
THREE = ("cp311", "cp313t-gil", "cp313t-nogil")
NINE = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp313t-gil", "cp313t-nogil", "cp314", "pypy311")


@functools.cache
def all_claims() -> ClaimsFile:
    return read_claims([str(ROOT / "config/claims.yaml")])


def verdicts_of(observed: pd.DataFrame, runtimes: Sequence[str]) -> list[dict[str, Any]]:
    """What the repository's claims about labs come out as with these observations."""
    nothing = pd.DataFrame({"runtime": []})
    evidence = [
        Evidence(
            identify(name, runtime_facts(name)),
            start_method="fork",
            cores=2,
            ratios=nothing,
            values=nothing,
            traces=nothing,
            observations=observed[observed["runtime"] == name],
            gaps=[],
            parameters={},
        )
        for name in runtimes
    ]
    claims = all_claims()
    return judge([claim for claim in claims.claims if claim.lab], evidence, {}, claims.otherwise)


def results_folder(folder: Path, observed: pd.DataFrame, runtimes: tuple[str, ...] = THREE) -> Path:
    """Results of these runtimes with these observations, and the verdicts on them."""
    write_results(folder, runtimes=runtimes)
    observed.to_parquet(folder / "observations.parquet")
    write_json(verdicts_of(observed, runtimes), folder / "verdicts.json")
    return folder


def on_all(runtimes: tuple[str, ...]) -> pd.DataFrame:
    """What one runtime's labs observed, as if all of these had."""
    own = OBSERVED[OBSERVED["runtime"] == "cp311"]
    return pd.concat([own.assign(runtime=name) for name in runtimes], ignore_index=True)
