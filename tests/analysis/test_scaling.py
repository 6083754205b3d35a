from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.prediction import predicted_speedup
from gilscope.analysis.scaling import amdahl, fit_rounds, fit_scaling, serial_share, usl
from gilscope.analysis.traced import TRACES
from simulated import simulate

COUNTS = np.array([1.0, 2, 4, 8, 16])
NO_TRACES = pd.DataFrame(columns=TRACES)


@pytest.mark.parametrize(
    ("law", "truth"),
    [("amdahl", (0.0,)), ("amdahl", (0.05,)), ("amdahl", (0.6,)), ("usl", (0.05, 0.002)), ("usl", (0.0, 0.0))],
)
def test_the_fits_interval_covers_the_parameters(law: str, truth: tuple[float, ...]) -> None:
    random = np.random.default_rng(3)
    model = {"amdahl": amdahl, "usl": usl}[law]
    covered = np.zeros(len(truth))
    for _ in range(300):
        rounds = np.log(model(COUNTS, *truth)) + random.normal(0, 0.03, (5, len(COUNTS)))
        found = fit_rounds(law, COUNTS, rounds)
        covered += [row["low"] <= value <= row["high"] for row, value in zip(found, truth, strict=True)]
    assert (covered / 300 >= 0.91).all(), covered / 300
    assert (covered / 300 <= 0.985).all(), covered / 300


def swept(counts: list[int]) -> pd.DataFrame:
    speedups = {f"threading-{count}": float(amdahl(np.array(count), 0.1)) for count in counts}
    return simulate(speedups, laps=10, two_speeds=False, scatter=0.01)


def test_a_sweep_with_five_worker_counts_gets_its_laws_beside_what_the_traces_show() -> None:
    timings = swept([1, 2, 4, 8, 16])
    cells = timings.query("strategy == 'threading' and workers == 16").drop_duplicates("round")
    cores = float(amdahl(np.array(16), 0.08))
    rows = fit_scaling(timings, cells.assign(effective_cores=cores).reindex(columns=TRACES), cores=16)
    assert [(row["law"], row["parameter"]) for row in rows] == [
        ("amdahl", "serial_share"),
        ("usl", "contention"),
        ("usl", "coherence"),
    ]
    assert rows[0]["low"] < 0.1 < rows[0]["high"]
    assert rows[0]["estimate"] == pytest.approx(0.1, abs=0.01)
    assert rows[0]["traced"] == pytest.approx(0.08)


def test_counts_beyond_the_usable_cores_do_not_count() -> None:
    (row,) = fit_scaling(swept([1, 2, 4, 8, 16]), NO_TRACES, cores=4)
    assert row["reason"] == "3 worker counts up to the 4 usable cores; a law needs 5"
    assert row["counts"] == [1, 2, 4]


def test_two_rounds_give_no_law() -> None:
    timings = swept([1, 2, 4, 8, 16])
    (row,) = fit_scaling(timings[timings["round"] <= 2], NO_TRACES, cores=16)
    assert row["reason"] == "2 rounds; a fit needs 3"


def test_the_serial_share_of_a_single_speedup_is_karp_and_flatts() -> None:
    assert serial_share(float(amdahl(np.array(8), 0.2)), 8) == pytest.approx(0.2)
    assert serial_share(8, 8) == 0


@pytest.mark.parametrize(
    ("share", "workers", "capacity", "speedup"),
    [
        (0.0, 4, 1.0, 1.0),
        (1.0, 4, 1.0, 4.0),
        (0.5, 4, 1.0, 2.0),
        (0.75, 4, 1.0, 4.0),
        (0.75, 2, 1.0, 2.0),
        (0.0, 2, 1.8, 1.8),
        (0.5, 4, 2.0, 4.0),
    ],
)
def test_the_dial_is_predicted_by_its_bounds(share: float, workers: int, capacity: float, speedup: float) -> None:
    """With many tasks the closed queue comes to min(workers, capacity / computing share)."""
    assert predicted_speedup(share, 4000, workers, capacity) == pytest.approx(speedup, rel=0.01)


def test_few_tasks_fall_short_of_the_bounds() -> None:
    assert 1.5 < predicted_speedup(0.5, 8, 4) < 2
    assert predicted_speedup(0.5, 8, 4, slices=4) > predicted_speedup(0.5, 8, 4)
