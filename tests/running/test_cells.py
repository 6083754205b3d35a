from __future__ import annotations

import json

import pytest
from gilscope.running.cells import SEQUENTIAL, Block, Cell
from gilscope.strategies import load_strategies
from hypothesis import given
from hypothesis import strategies as st

CELLS = st.builds(
    Cell,
    strategy=st.sampled_from(sorted(load_strategies())),
    workers=st.integers(1, 1024),
    pool=st.sampled_from(["cold", "warm"]),
)


@given(CELLS)
def test_a_name_says_all_there_is_to_a_cell(cell: Cell) -> None:
    assert Cell.parse(cell.name) == cell


def test_names_are_those_of_the_raw_files() -> None:
    assert SEQUENTIAL.name == "sequential-1"
    assert Cell("multiprocessing-spawn", 2).name == "multiprocessing-spawn-2"
    assert Cell("ceiling", 4, "warm").name == "ceiling-4-warm"


@pytest.mark.parametrize(
    "name", ["", "threading", "threading-", "threading-2-hot", "Threading-2", "-2", "threading-2 "]
)
def test_another_name_is_refused_and_named(name: str) -> None:
    with pytest.raises(ValueError, match="not a cell's name") as caught:
        Cell.parse(name)
    assert repr(name) in str(caught.value)


@pytest.mark.parametrize("parameter", [250_000, 0.0025])
def test_a_block_survives_json(parameter: float) -> None:
    block = Block("cp311", "sleep", "small", parameter, 8, ("threading-2", "asyncio-2-warm"), 1.5, 7, "own")
    assert Block.from_json(block.to_json()) == block
    assert json.loads(block.to_json())["cells"] == ["threading-2", "asyncio-2-warm"]
    assert block.path == "cp311/sleep/small"


def test_equal_blocks_have_equal_json() -> None:
    """What Snakemake compares to decide whether to measure again is text."""
    block = Block("cp311", "sleep", "small", 0.1, 8, (), 1.0)
    shuffled = json.dumps(dict(reversed(json.loads(block.to_json()).items())))
    assert Block.from_json(shuffled).to_json() == block.to_json()
