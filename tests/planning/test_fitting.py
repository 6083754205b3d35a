"""The default sweep made to fit its budget, on machines of many kinds."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.files import merge_files
from gilscope.configuring.machines import CURRENT
from gilscope.configuring.models import Config
from gilscope.planning.fitting import FOR_EVERYONE_S, Fitted, fit, labs_seconds, seconds_of
from gilscope.planning.outlook import ANALYSIS_S, START_S
from gilscope.planning.sweep import build_sweep, claimed_plans
from gilscope.planning.wanted import known_workloads
from gilscope.running.cells import Block, Cell

ROOT = Path(__file__).parents[2]
CLAIMS = read_claims([str(ROOT / "config/claims.yaml")]).claims
FIT = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128)
TOO_LARGE = (192, 256, 512)
"""Here the cells that claims name, each a task for every worker, take longer by themselves."""
CORES = sorted((*FIT, *TOO_LARGE))


@functools.cache
def configured(budget: float = 12) -> Config:
    merged = merge_files([str(ROOT / "config/config.yaml")])
    return Config.model_validate({**merged, "budget_minutes": budget})


@functools.cache
def fitted(cores: int, budget: float = 12) -> Fitted:
    config = configured(budget)
    return fit(config, CLAIMS, known_workloads(config), cores)


def expected(cores: int) -> float:
    sweep = fitted(cores)
    labs = labs_seconds(configured().labs.selected())
    return START_S + ANALYSIS_S + labs + seconds_of(sweep.blocks, cores, sweep.rounds)


def by_size(blocks: tuple[Block, ...]) -> dict[tuple[str, str], Block]:
    return {(block.workload, block.size): block for block in blocks}


@pytest.mark.parametrize("cores", FIT)
def test_the_default_sweep_fits_its_budget(cores: int) -> None:
    assert 3 <= fitted(cores).rounds <= configured().measure.rounds
    assert expected(cores) <= FOR_EVERYONE_S


@pytest.mark.parametrize("cores", TOO_LARGE)
def test_where_claims_alone_take_longer_all_else_is_left_out(cores: int) -> None:
    sweep = fitted(cores)
    assert (sweep.rounds, len(sweep.left_out)) == (3, 6)
    config = configured(0)
    whole = build_sweep(config, CLAIMS, known_workloads(config), CURRENT, cores)
    assert seconds_of(sweep.blocks, cores, 3) < 0.75 * seconds_of(whole, cores, 3)


@pytest.mark.parametrize("cores", CORES)
def test_every_cell_that_a_claim_names_stays_and_has_a_task_for_each_worker(cores: int) -> None:
    blocks = by_size(fitted(cores).blocks)
    for place, plan in claimed_plans(CLAIMS, known_workloads(configured()), cores).items():
        assert {cell.name for cell in plan.claimed} <= {*blocks[place].cells, "sequential-1"}, place
    for block in blocks.values():
        assert max(Cell.parse(name).workers for name in block.cells) <= block.tasks, block.path


@pytest.mark.parametrize("cores", [cores for cores in CORES if cores >= 16])
def test_a_scaling_law_can_be_fitted_where_it_is_affordable(cores: int) -> None:
    sweep = fitted(cores)
    cells = map(Cell.parse, by_size(sweep.blocks)["sum_squares", "large"].cells)
    counts = {cell.workers for cell in cells if cell.strategy == "threading" and cell.workers <= cores}
    assert len(counts) >= (2 if sweep.cut.between else 5)
    assert not fitted(16).cut.between


@pytest.mark.parametrize("cores", [2, 24, 128, 256])
def test_a_larger_budget_finds_the_same_blocks_and_rounds(cores: int) -> None:
    assert fitted(cores, 60) == fitted(cores, 1) == fitted(cores)


@pytest.mark.parametrize("cores", [2, 64])
def test_without_a_budget_nothing_is_left_out(cores: int) -> None:
    config, sweep = configured(0), fitted(cores, 0)
    assert list(sweep.blocks) == build_sweep(config, CLAIMS, known_workloads(config), CURRENT, cores)
    assert (sweep.rounds, sweep.left_out) == (config.measure.rounds, ())


def test_only_what_there_was_is_said_to_be_left_out() -> None:
    config = Config.model_validate({"sweep": {"claims": True, "workloads": []}})
    left_out = fit(config, CLAIMS, known_workloads(config), 256).left_out
    assert left_out
    assert not {"worker counts beyond the cores", "worker counts between 1 and the cores", "blocks"} & set(left_out)


def test_what_somebody_asks_for_by_name_is_kept() -> None:
    """A workload that no claim is about, and listed worker counts; fewer rounds than three are as they are asked for."""
    sweep = {"workloads": [{"name": "hash_blocks", "sizes": ["small"]}, {"name": "sqrt_sin", "workers": [7]}]}
    config = Config.model_validate(
        {"sweep": {**sweep, "claims": ["processes-speed-up-cpu"]}, "measure": {"seconds": 60}}
    )
    blocks = by_size(fit(config, CLAIMS, known_workloads(config), 64).blocks)
    assert ("hash_blocks", "small") in blocks
    assert "threading-7" in blocks["sqrt_sin", "large"].cells
    few = Config.model_validate({"measure": {"rounds": 2}})
    assert fit(few, CLAIMS, known_workloads(few), 64).rounds == 2
