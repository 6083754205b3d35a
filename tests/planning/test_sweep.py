import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from gilscope.configuring import leaves
from gilscope.configuring.claim_files import read_claims
from gilscope.configuring.files import merge_files
from gilscope.configuring.leaves import most_workers
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import Config
from gilscope.measuring.lengths import SHORTEST_VALUE_S
from gilscope.planning.counts import MOST_TASKS, automatic_workers, parts, task_count
from gilscope.planning.needs import block_sources, memory_mistakes
from gilscope.planning.outlook import cell_seconds, expected_seconds, lap_seconds, value_seconds
from gilscope.planning.sweep import build_sweep, claimed_plans, seldom, weight
from gilscope.planning.wanted import known_workloads
from gilscope.running.cells import SEQUENTIAL, Block, Cell, Turn
from gilscope.workloads import load_workload, workload_names

ROOT = Path(__file__).parents[2]
CLAIMS = read_claims([str(ROOT / "config/claims.yaml")]).claims


def sweep(cores: int = 2, **parts: object) -> list[Block]:
    config = Config.model_validate(parts)
    return build_sweep(config, CLAIMS, known_workloads(config), ["cp311"], cores)


def grid(**parts: object) -> dict[str, object]:
    return {"claims": False, "workloads": [{"name": "sum_squares", **parts}]}


@pytest.mark.parametrize(
    ("cores", "counts"),
    [(1, [1, 2]), (2, [1, 2, 4]), (6, [1, 2, 4, 6, 8, 12]), (16, [1, 2, 4, 8, 16, 32]), (64, [1, 4, 8, 16, 64, 128])],
)
def test_automatic_worker_counts_reach_twice_the_cores(cores: int, counts: list[int]) -> None:
    assert automatic_workers(cores) == counts


@pytest.mark.parametrize("cores", [1, 2, 3, 6, 8, 12, 16, 22, 64, 128])
def test_tasks_divide_evenly_among_the_workers(cores: int) -> None:
    workers = automatic_workers(cores)
    tasks = task_count(workers, cores, "large")
    per_core = 4 if cores <= 8 else 2 if cores <= 32 else 1
    assert max(workers) <= tasks <= 512
    assert all(tasks % count == 0 for count in workers)
    assert per_core * cores <= tasks <= 2 * max(per_core, 2) * cores
    assert task_count(workers, cores, "deck") == 4


def test_tasks_are_a_multiple_of_the_largest_count_where_they_cannot_be_of_all() -> None:
    assert task_count([1, 100, 256, 300], 2, "large") == 300
    assert task_count([1, 3, 1024], 2, "large") == 1024, "none of the workers is without a task"


def test_a_sequential_value_does_an_even_part_of_many_tasks() -> None:
    assert [parts(tasks) for tasks in (1, 64)] == [1, 1]
    assert [(tasks, parts(tasks)) for tasks in (100, 128, 512)] == [(100, 10), (128, 8), (512, 32)]


def test_what_no_claim_names_is_rare_but_for_the_limit_that_claims_are_held_against() -> None:
    known = known_workloads(Config())
    claimed = claimed_plans(CLAIMS, known, 2)
    plan = claimed["sum_squares", "large"]
    plan.add([Cell("ceiling", 2, "warm"), Cell("ceiling", 4, "warm"), Cell("threading", 7)])
    assert seldom(plan, 4) == [Cell("threading", 7)]
    assert weight(plan, claimed=True) == len(plan.claimed) / 4 > 1
    assert weight(claimed["sleep", "large"], claimed=True) == pytest.approx(1 / 3)
    assert weight(plan, claimed=False) == 1
    plan.claimed.clear()
    assert seldom(plan, 2) == []


def test_a_strategy_with_one_worker_count_is_measured_at_that() -> None:
    (block,) = sweep(sweep=grid(strategies=["sequential-blas-threads"], workers=[2, 4]))
    assert {name for name in block.cells if "blas" in name} == {"sequential-blas-threads-1"}


def test_the_default_sweep_has_every_cell_that_a_claim_names() -> None:
    blocks = {(block.workload, block.size): block for block in sweep()}
    assert {"threading-2", "multiprocessing-16", "multiprocessing-16-warm"} <= set(blocks["sum_squares", "large"].cells)
    assert {"threading-4", "asyncio-4"} <= set(blocks["file_write", "large"].cells)
    assert "threading-joined-4" in blocks["sleep", "large"].cells
    assert blocks["matmul", "deck"].tasks == 4


def test_every_block_has_its_controls() -> None:
    for block in sweep():
        cells = [Cell.parse(name) for name in block.cells]
        assert any(cell.strategy == "ceiling" and cell.pool == "warm" for cell in cells), block.path
        assert load_workload(block.workload).kind != "cpu" or "asyncio-2" in block.cells


def test_a_claim_can_be_picked_and_a_wrong_one_is_refused() -> None:
    (block,) = sweep(sweep={"claims": ["threads-speed-up-waiting"]})
    assert block.cells == ("ceiling-4-warm", "threading-4")
    with pytest.raises(
        Mistakes, match=r"sweep.claims\[0\] is 'threads-speed-up-waitin'; .* Did you mean threads-speed-up-waiting\?"
    ):
        sweep(sweep={"claims": ["threads-speed-up-waitin"]})


def test_an_empty_sweep_is_refused() -> None:
    with pytest.raises(Mistakes, match="sweep: measures nothing"):
        sweep(sweep={"claims": False})


def test_a_size_that_a_workload_lacks_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "only_small.py"
    own.write_text(
        "from gilscope.workloads import workload\n\n\n"
        "@workload(kind='cpu', sizes={'small': 1})\ndef only_small(n):\n    return n\n"
    )
    parts = {"claims": False, "workloads": [{"name": str(own), "sizes": ["large"]}]}
    with pytest.raises(Mistakes, match="only_small has no size large; it has small"):
        sweep(sweep=parts)
    (block,) = sweep(sweep=parts, parameters={"only_small": {"large": 7}})
    assert (block.parameter, block.folder) == (7, str(tmp_path))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("gone.py", None, "there is no file"),
        ("sum_squares.py", "", "has the name of a workload that comes with gilscope"),
        ("not-a-name.py", "", "cannot be imported by name"),
        ("without_function.py", "", "no function without_function"),
        ("needs_more.py", "import a_module_that_nobody_has", "cannot be loaded"),
        ("misspelt.py", "def f(:", "cannot be loaded: SyntaxError: .*misspelt.py, line 1"),
        ("leaves.py", "import sys; sys.exit('bye')", "cannot be loaded: SystemExit: bye"),
        ("divides.py", "1 / 0", "cannot be loaded: ZeroDivisionError"),
    ],
)
def test_a_file_that_holds_no_workload_is_refused(tmp_path: Path, name: str, text: str | None, said: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(Mistakes, match=said):
        sweep(sweep={"claims": False, "workloads": [{"name": str(tmp_path / name)}]})


def test_all_files_that_hold_no_workload_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(Mistakes) as mistakes:
        sweep(sweep={"workloads": [{"name": str(tmp_path / name)} for name in ("gone.py", "also_gone.py")]})
    assert len(mistakes.value.lines) == 2


def test_what_does_not_fit_into_memory_is_refused() -> None:
    blocks = sweep(
        sweep={"claims": False, "workloads": [{"name": "matmul"}]}, parameters={"matmul": {"large": 100_000}}
    )
    (line,) = memory_mistakes(blocks, 2**34)
    assert line.startswith("matmul, size large (100000 rows): 8 tasks need about ")
    assert memory_mistakes(sweep(), 2**34) == []
    facts, (block,) = load_workload("matmul"), blocks
    needed = facts.memory(100_000) * (3 * block.tasks + max(Cell.parse(name).workers for name in block.cells))
    assert memory_mistakes(blocks, needed), "the system and what is there already need some of it"
    assert memory_mistakes(blocks, 2 * needed) == []


def test_a_block_depends_on_its_own_workload_and_strategies_only() -> None:
    (block,) = sweep(sweep=grid(strategies=["threading"]))
    assert block_sources(block) == [
        "strategies/ceiling.py",
        "strategies/coroutines.py",
        "strategies/sequential.py",
        "strategies/threads.py",
        "workloads/sum_squares.py",
    ]
    http = next(block for block in sweep() if block.workload == "http_fetch")
    assert "workloads/_http.py" in block_sources(http)


def test_a_strategy_without_a_warm_form_is_measured_in_the_form_it_has() -> None:
    (block,) = sweep(sweep=grid(strategies=["threading-raw"], pools=["warm"], workers=[2]))
    assert "threading-raw-2" in block.cells


def test_more_processes_than_any_claim_needs_are_refused() -> None:
    with pytest.raises(Mistakes, match=r"sum_squares asks for 512 processes \(multiprocessing\); 256 are the most"):
        sweep(sweep=grid(workers=[2, 512]))
    assert sweep(sweep=grid(workers=[2, 512], strategies=["threading"]))


@pytest.mark.parametrize("name", workload_names())
def test_a_larger_size_takes_longer(name: str) -> None:
    facts = load_workload(name)
    small, medium, large = (facts.task_seconds(size, facts.sizes[size]) for size in ("small", "medium", "large"))
    assert 0 < small < medium < large <= (1 if name == "draw_squares" else 0.05)


def test_a_value_lasts_as_long_as_its_tasks_one_after_the_other() -> None:
    (waits,) = sweep(sweep={"claims": ["threads-speed-up-waiting"]})
    assert value_seconds(waits) == pytest.approx(waits.tasks * waits.parameter)
    computes, changed = (
        sweep(sweep=grid(sizes=["deck"]), parameters={"sum_squares": {"deck": steps}})[0] for steps in (10**6, 10**7)
    )
    assert value_seconds(changed) == pytest.approx(10 * value_seconds(computes))
    assert value_seconds(replace(computes, parameter=1)) == SHORTEST_VALUE_S, "it holds several loops"


def test_a_lap_counts_what_its_cells_can_gain_and_what_their_workers_cost() -> None:
    (block,) = sweep(sweep=grid(strategies=["threading"], workers=[2]))
    one, two = lap_seconds(block, ["threading-2"], 2), lap_seconds(block, block.cells, 2)
    assert one == pytest.approx(4 * value_seconds(block), rel=0.3), "a probe and two references beside it"
    assert one < two
    assert cell_seconds(block, Cell("threading", 2), 2) == cell_seconds(block, SEQUENTIAL, 2)
    longer = replace(block, tasks=10 * block.tasks)
    many = [cell_seconds(longer, Cell("multiprocessing", count), cores) for count, cores in ((2, 2), (8, 2), (8, 8))]
    assert many[2] < many[0] < many[1], "more than the cores gain nothing and have to be started"
    (waits,) = sweep(sweep={"claims": ["threads-speed-up-waiting"]})
    assert cell_seconds(waits, Cell("threading", 4), 2) < value_seconds(waits) / 3


CORES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 512)


@pytest.fixture(scope="module")
def planned() -> dict[int, list[Block]]:
    """The default sweep for machines of many kinds: usable cores → blocks."""
    files = [str(ROOT / "config/config.yaml")]
    config = Config.model_validate(merge_files(files))
    known = known_workloads(config)
    return {cores: build_sweep(config, CLAIMS, known, "cp311", cores) for cores in CORES}


@pytest.mark.parametrize("cores", CORES)
def test_the_default_sweep_suits_machines_of_many_kinds(planned: dict[int, list[Block]], cores: int) -> None:
    blocks = {(block.workload, block.size): block for block in planned[cores]}
    assert len(blocks) == len(planned[cores]) >= 30
    for block in blocks.values():
        for cell in map(Cell.parse, block.cells):
            assert 1 <= cell.workers <= block.tasks, (block.path, cell.name)
            assert cell.workers <= most_workers(cell.strategy)[0], (block.path, cell.name)
        assert block.tasks == 4 if block.size == "deck" else block.tasks <= MOST_TASKS
        assert lap_seconds(block, block.cells, cores) < 90, block.path
    swept = blocks["sum_squares", "large"]
    threads = {cell.workers for cell in map(Cell.parse, swept.cells) if cell.strategy == "threading"}
    assert {1, cores, min(2 * cores, MOST_TASKS)} <= threads
    assert all(swept.tasks % count == 0 for count in threads)


def test_small_machines_are_swept_as_ever(planned: dict[int, list[Block]]) -> None:
    for cores, tasks in ((2, {8, 16}), (4, {16, 32})):
        assert {block.tasks for block in planned[cores] if block.size != "deck"} == tasks


@pytest.mark.parametrize("cores", CORES)
def test_what_waits_keeps_its_number_of_tasks(planned: dict[int, list[Block]], cores: int) -> None:
    """Judged at 4 workers, its tasks one after the other must not take 64 times as long on 64 times the cores."""
    tasks = {block.workload: block.tasks for block in planned[cores] if block.size == "large"}
    assert max(tasks["sleep"], tasks["http_fetch"], tasks["pipeline"]) <= 32


@pytest.mark.parametrize("cores", CORES)
def test_worker_counts_are_few_and_enough_to_fit_a_law(cores: int) -> None:
    counts = automatic_workers(cores)
    assert {1, cores} <= set(counts)
    assert len(counts) <= 7
    assert cores < 16 or len([count for count in counts if count <= cores]) >= 5
    assert math.lcm(*counts) <= max(8 * cores, 512)


def test_automatic_counts_of_processes_end_where_the_platform_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads go on, listed counts are refused, and a claim is not measured with another number than its own."""
    monkeypatch.setattr(leaves, "MOST_PROCESSES", 61)
    (block,) = sweep(64, sweep=grid(strategies=["threading", "multiprocessing"]))
    assert {"multiprocessing-16", "multiprocessing-32", "threading-64", "threading-128"} <= set(block.cells)
    assert "ceiling-32-warm" in block.cells
    assert not {"multiprocessing-61", "multiprocessing-64", "ceiling-64-warm"} & set(block.cells)
    with pytest.raises(Mistakes, match=r"sum_squares asks for 62 processes \(multiprocessing\); 61 are the most"):
        sweep(sweep=grid(workers=[62], strategies=["multiprocessing"]))
    claimed = {name for block in sweep(8) for name in block.cells}
    assert "multiprocessing-8-warm" in claimed
    assert "multiprocessing-64" not in claimed
    assert "multiprocessing-61" not in claimed


def test_a_block_that_only_says_that_it_cannot_run_takes_no_time() -> None:
    blocks = sweep(sweep={"claims": ["threads-suit-databases"]})
    postgres = next(block for block in blocks if block.workload == "db_query_postgres")
    there = expected_seconds([(replace(postgres, external="postgres"), Turn(2))], 2)
    assert expected_seconds([(postgres, Turn(2))], 2) < there


def test_every_workload_that_cannot_be_loaded_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(name: str, folder: str = "") -> Any:
        if name in ("sleep", "matmul"):
            raise ValueError(f"kind is {name!r}")
        return load_workload(name, folder)

    monkeypatch.setattr("gilscope.planning.wanted.load_workload", load)
    with pytest.raises(Mistakes) as raised:
        known_workloads(Config())
    assert raised.value.lines == [
        f"the workload {name} cannot be loaded: ValueError: kind is {name!r}; mend the file, or install what it imports"
        " (requirements.lock)."
        for name in ("matmul", "sleep")
    ]
