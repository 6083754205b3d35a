import numpy as np
import pandas as pd
import pytest
from gilscope.analysis.estimates import ESTIMATES, centres, estimate, paired, told_apart
from gilscope.analysis.rounds import ROUNDS
from gilscope.analysis.tables import TIMINGS
from gilscope.analysis.traced import TRACES
from simulated import simulated_timings

TRUE = {"threading-2": 1.0, "multiprocessing-2": 1.8, "ceiling-2-warm": 1.95, "asyncio-2": 0.97}


def rounds_of(timings: pd.DataFrame) -> pd.DataFrame:
    places = timings[["runtime", "workload", "size"]].drop_duplicates()
    return places.assign(parameter=200_000.0, unit="steps", job="measure").reindex(columns=ROUNDS)


def speedups(timings: pd.DataFrame) -> pd.DataFrame:
    found = estimate(timings, pd.DataFrame(columns=TRACES), rounds_of(timings))
    return found[found["metric"] == "speedup"].set_index("strategy")


def test_known_speedups_are_found_on_a_machine_of_two_speeds() -> None:
    found = speedups(simulated_timings(TRUE, laps=12))
    for name, truth in TRUE.items():
        row = found.loc[name.split("-")[0]]
        assert row["estimate"] == pytest.approx(truth, rel=0.06), name
        assert row["low"] < row["estimate"] < row["high"]
    assert found.loc["sequential", "estimate"] == pytest.approx(1, abs=0.04)


def test_a_machine_that_slows_down_does_not_move_the_paired_speedup() -> None:
    steady = speedups(simulated_timings(TRUE, two_speeds=False, scatter=0.005))
    slowing = speedups(simulated_timings(TRUE, two_speeds=False, scatter=0.005, drift=0.3))
    assert (slowing["estimate"] / steady["estimate"] - 1).abs().max() < 0.02


def test_a_value_is_paired_with_the_reference_right_beside_it() -> None:
    timings = simulated_timings(TRUE, rounds=1, laps=3)
    pairs = paired(timings)
    lap = timings[timings["lap"] == 2].set_index("position")["seconds"]
    for row in pairs[pairs["lap"] == 2].itertuples():
        assert row.reference in {lap.get(row.position - 1), lap.get(row.position + 1)}
    assert pairs["lap"].min() == 1, "every lap counts"
    assert len(pairs) == 3 * (len(TRUE) + 1)


def test_the_noise_floor_is_the_spread_of_the_probe() -> None:
    quiet = speedups(simulated_timings(TRUE, two_speeds=False, scatter=0.002))["noise_floor"]
    loud = speedups(simulated_timings(TRUE, two_speeds=False, scatter=0.05))["noise_floor"]
    assert quiet.max() < 0.01
    assert loud.min() > 0.03
    many = speedups(simulated_timings(TRUE, rounds=40, laps=12, two_speeds=False, scatter=0.05))["noise_floor"]
    assert many.to_numpy() == pytest.approx(np.expm1(0.05 * np.sqrt(2)), rel=0.2), (
        "as normal noise of both would have it"
    )


def test_every_metric_has_the_same_columns() -> None:
    timings = simulated_timings(TRUE)
    cells = timings[timings["strategy"] == "ceiling"].drop_duplicates("round")
    traces = cells.assign(effective_cores=1.9, overlap=2.0, idle_share=0.0, memory_per_worker=3e6).reindex(
        columns=TRACES
    )
    found = estimate(timings, traces, rounds_of(timings))
    assert list(found.columns) == ESTIMATES
    assert set(found["parameter"]) == {200_000.0}
    traced = {"effective_cores": 1.9, "overlap": 2.0, "idle_share": 0.0, "memory_per_worker": 3e6}
    assert set(found["metric"]) == {"speedup", "seconds", *traced}
    for metric, value in traced.items():
        assert found[found["metric"] == metric]["estimate"].to_numpy() == pytest.approx([value])


def test_two_rounds_give_an_estimate_without_an_interval() -> None:
    found = speedups(simulated_timings(TRUE, rounds=2))
    assert found["low"].isna().all()
    assert np.isfinite(found["estimate"]).all()


def test_of_nothing_there_is_an_empty_table() -> None:
    """As where every cell failed: the report says what is missing."""
    nothing = estimate(pd.DataFrame(columns=TIMINGS), pd.DataFrame(columns=TRACES), pd.DataFrame(columns=ROUNDS))
    assert list(nothing) == ESTIMATES
    assert nothing.empty


def traces_of(timings: pd.DataFrame, cores: dict[str, list[float | None]]) -> pd.DataFrame:
    """Effective cores, a trace per round, of the cells of these strategies."""
    parts = []
    for strategy, found in cores.items():
        place = timings[timings["strategy"] == strategy].drop_duplicates("round")
        parts.append(place.assign(effective_cores=found[: len(place)]))
    return pd.concat(parts).reindex(columns=TRACES)


def test_cells_that_fill_several_cores_are_told_by_their_traces() -> None:
    timings = simulated_timings(TRUE, rounds=3, laps=1)
    cores: dict[str, list[float | None]] = {
        "threading": [1.0, 1.02, 0.98],
        "multiprocessing": [1.2, 1.6, None],
        "ceiling": [1.9, 2.0, 1.95],
        "asyncio": [None, 0.0, None],
    }
    found = told_apart(timings, traces_of(timings, cores)).groupby("strategy")["several"].agg(["all", "any"])
    assert set(found.index[found["all"]]) == set(found.index[found["any"]]) == {"multiprocessing", "ceiling"}
    assert not told_apart(timings, pd.DataFrame(columns=TRACES))["several"].any()


def test_the_centre_is_the_mean_where_several_cores_are_filled_and_the_median_elsewhere() -> None:
    values = pd.DataFrame({"cell": ["a", "a", "a", "b", "b", "b"], "value": [1.0, 2.0, 9.0] * 2})
    assert centres(values, "value", ["cell"]).to_dict() == {"a": 2.0, "b": 2.0}
    told = values.assign(several=values["cell"] == "b")
    assert centres(told, "value", ["cell"]).to_dict() == {"a": 2.0, "b": 4.0}


def test_a_lap_that_stands_out_moves_the_estimate_of_cells_on_several_cores_alone() -> None:
    timings = simulated_timings(TRUE, rounds=3, laps=3, two_speeds=False, scatter=0.001)
    odd = (timings["lap"] == 2) & timings["strategy"].isin(["threading", "ceiling"])
    timings.loc[odd, "seconds"] *= 1.3
    traces = traces_of(timings, {"threading": [1.0] * 3, "ceiling": [1.9] * 3})
    found = estimate(timings, traces, rounds_of(timings))
    found = found[found["metric"] == "speedup"].set_index("strategy")["estimate"]
    assert found["threading"] == pytest.approx(1.0, rel=0.01)
    assert found["ceiling"] == pytest.approx(1.95 / 1.3 ** (1 / 3), rel=0.01)
