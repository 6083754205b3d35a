"""What the report says about its own measurements: order, neighbours, hidden threads, traces."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from gilscope.figures import Results
from gilscope.rendering.controls import environment, hidden_parallelism, order_of_measurement
from gilscope.rendering.data import scaling_laws, traces
from synthetic import write_results


def test_disturbed_rounds_are_named_and_missing_sensors_are_unknown(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path))
    page = environment(results)
    assert "1 of 60 rounds" in page
    assert "disturbed" in page
    assert "matmul" in page
    assert "unknown" in page, "there is no frequency in these results"
    quiet = replace(results, rounds=results.rounds.assign(flags="", busy_cores=None))
    assert "No round was disturbed" in environment(quiet)
    assert "No readings" in environment(replace(results, rounds=results.rounds.head(0)))


def test_hidden_parallelism_is_called_out_where_it_is_not_meant(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path))
    place = {"runtime": "cp311", "workload": "matmul", "size": "large"}
    fair = {**place, "cell": "threading-2", "hidden_threads": {"openblas": 1}}
    meant = {**place, "cell": "threading-blas-threads-2", "hidden_threads": {"openblas": 4}}
    assert "Unknown" in hidden_parallelism(results)
    page = hidden_parallelism(replace(results, workers=[fair, meant]))
    assert "One BLAS thread everywhere" in page
    assert "openblas: 4" in page
    unfair = {**fair, "hidden_threads": {"openblas": 2}}
    assert "1 cell of 2 ran with up to 2 BLAS threads" in hidden_parallelism(replace(results, workers=[fair, unfair]))


def test_traces_and_laws_have_a_row_each(tmp_path: Path) -> None:
    results = Results.read(write_results(tmp_path))
    assert "Traces of" in traces(results)
    assert "5.5" in traces(results), "11 context switches in two tasks"
    curve = {"runtime": "cp311", "workload": "sum_squares", "size": "large", "strategy": "threading", "pool": "cold"}
    reason = {**curve, "counts": [1, 2], "reason": "2 worker counts up to the 2 usable cores; a law needs 5"}
    assert "the longest curve here has 2." in scaling_laws(replace(results, scaling=[reason]))
    assert "has not even two." in scaling_laws(results)
    law = {"law": "amdahl", "parameter": "serial_share", "estimate": 0.1, "low": 0.08, "high": 0.12, "traced": 0.091}
    page = scaling_laws(replace(results, scaling=[{**curve, **law}]))
    assert "Amdahl: serial share" in page
    assert "0.091" in page


def test_overlapping_rounds_are_called_out(tmp_path: Path) -> None:
    good = order_of_measurement(Results.read(write_results(tmp_path / "good")))
    bad = order_of_measurement(Results.read(write_results(tmp_path / "bad", overlapping=True)))
    assert "No two measurements overlapped" in good
    assert "1 of 60 rounds" in bad
