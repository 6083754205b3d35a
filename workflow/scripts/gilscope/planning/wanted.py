"""What a configuration asks to measure: its workloads, claims and runtimes, found and checked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from gilscope.configuring.claims import Claim
from gilscope.configuring.machines import RuntimeRequest
from gilscope.configuring.mistakes import Mistakes, suggestion
from gilscope.configuring.models import Config, Grid
from gilscope.running.reasons import reason_of
from gilscope.workloads import Workload, expand, load_workload, workload_names

SHIPPED_CLAIMS = "config/claims.yaml"
WORKLOAD_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
"""Names become folders, wildcards and cells of tables."""
UNIT = re.compile(r"[^\W_](?:[\w .,%/()·µ²³-]{0,38}[\w%)])?")


def load_grid(grid: Grid) -> list[tuple[Workload, str]]:
    """A grid's workload, or its variants, each with the folder of a user's own file. Raises Mistakes without any."""
    path = Path(grid.name)
    name, folder = (path.stem, str(path.parent)) if path.suffix == ".py" else (grid.name, "")
    if folder and not path.is_file():
        raise Mistakes([f"sweep.workloads: there is no file {grid.name}."])
    if folder and not WORKLOAD_NAME.fullmatch(name):
        remedy = "call the file like a Python module: of a-z, 0-9 and _, at most 80 of them, a letter first"
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be imported by name; {remedy}."])
    if folder and name in workload_names():
        raise Mistakes(
            [f"sweep.workloads: {grid.name} has the name of a workload that comes with gilscope; rename it."]
        )
    try:
        found = [(load_workload(known, folder), folder) for known in ([name] if folder else expand(name))]
    except (ImportError, LookupError) as error:
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be loaded: {error}."]) from error
    except (Exception, SystemExit) as error:
        # Whatever somebody's own file does when it is imported.
        said = reason_of(error)
        raise Mistakes([f"sweep.workloads: {grid.name} cannot be loaded: {said}."]) from error
    if wrong := [facts.unit for facts, _ in found if not UNIT.fullmatch(str(facts.unit))]:
        remedy = "a unit is a word or a few, of at most 40 letters, digits and blanks, as bytes or rows/s"
        raise Mistakes([f"sweep.workloads: {grid.name} has the unit {wrong[0]!r}; {remedy}."])
    return found


def selected_claims(config: Config, claims: Sequence[Claim]) -> list[Claim]:
    """The claims whose cells shall be measured. Raises Mistakes for an id that no claim has."""
    wanted = config.sweep.claims
    if isinstance(wanted, bool):
        return list(claims) if wanted else []
    known = [claim.id for claim in claims]
    unknown = [(index, name) for index, name in enumerate(wanted) if name not in known]
    if unknown:
        raise Mistakes(
            [
                f"sweep.claims[{index}] is {name!r}; no claim has this id.{suggestion(name, known)}"
                for index, name in unknown
            ]
        )
    return [claim for claim in claims if claim.id in wanted]


def wanted_runtimes(config: Config, claims: Sequence[Claim]) -> list[RuntimeRequest]:
    """The runtimes to measure; one that is for some claims only, if the sweep has any of them.

    Raises Mistakes for an id that no claim has, unless the configuration does without the claims that come with
    gilscope: the default sweep's own runtimes are for some of those.
    """
    known = [claim.id for claim in claims]
    unknown = [
        f"runtimes[{place}].claims[{index}] is {name!r}; no claim has this id.{suggestion(name, known)}"
        for place, request in enumerate(config.runtimes)
        for index, name in enumerate(request.claims or [])
        if name not in known and (SHIPPED_CLAIMS in config.claims or not request.optional)
    ]
    if unknown:
        raise Mistakes(unknown)
    selected = {claim.id for claim in selected_claims(config, claims)}
    return [request for request in config.runtimes if request.claims is None or selected & set(request.claims)]


def known_workloads(config: Config) -> dict[str, tuple[Workload, str]]:
    """The workloads that claims may speak of, each with the folder of a user's own file that the sweep lists.

    Raises Mistakes for those that cannot be loaded, all of them at once.
    """
    known: dict[str, tuple[Workload, str]] = {}
    mistakes: list[str] = []
    for name in workload_names():
        try:
            known[name] = load_workload(name), ""
        except Exception as error:
            remedy = "mend the file, or install what it imports (requirements.lock)"
            mistakes.append(f"the workload {name} cannot be loaded: {reason_of(error)}; {remedy}.")
    for grid in config.sweep.workloads:
        try:
            known |= {facts.name: (facts, folder) for facts, folder in load_grid(grid)}
        except Mistakes as problem:
            mistakes += problem.lines
    if mistakes:
        raise Mistakes(mistakes)
    return known
