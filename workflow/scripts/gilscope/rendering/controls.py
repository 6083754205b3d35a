"""Why the numbers can be believed, and how far: rounds, time, noise, the machine meanwhile, order, hidden threads."""

from __future__ import annotations

from gilscope.figures import Results
from gilscope.rendering.opening import rounds_planned
from gilscope.rendering.templates import Html, filled

JOBS = {"measure": "round", "record": "trace", "calibrate": "calibration", "observe": "lab"}
SENSORS = ("busy_cores", "steal_share", "throttled_share", "swap_mib", "load_before", "frequency_mhz")


def rounds_in_words(results: Results) -> Html:
    """This run's numbers for the method: rounds, laps, time spent."""
    rounds = results.timed_rounds
    return filled(
        "rounds",
        measured=not rounds.empty,
        blocks=len(rounds[["runtime", "workload", "size"]].drop_duplicates()),
        each=rounds_planned(results),
        laps=rounds.loc[rounds["laps"] > 0, "laps"].agg(["min", "max", "median"]).dropna().to_dict(),
        spent=(rounds["ended"] - rounds["started"]).sum(),
        cells=len(results.measured("speedup")),
    )


def time_spent(results: Results) -> Html:
    """Where the time went: to the rounds that every block gets, the labs, and the cases that were still open."""
    rounds = results.rounds.dropna(subset=["started", "ended"])
    seconds = (rounds["ended"] - rounds["started"]).astype(float)
    labs, added = rounds["job"] == "observe", rounds["stage"].fillna(1).astype(float) > 1
    return filled(
        "time_spent",
        measured=not rounds.empty,
        budget=results.config.get("budget_minutes"),
        whole=rounds["ended"].max() - rounds["started"].min(),
        rounds=seconds[~labs & ~added].sum(),
        labs=seconds[labs].sum() if labs.any() else None,
        added=seconds[added].sum(),
        asked=results.allocation.get("open") or [],
        several=len(results.runtimes) > 1,
    )


def noise(results: Results) -> Html:
    """Sequential against its neighbouring self in every block: 1 apart from noise."""
    speedups = results.measured("speedup")
    controls = speedups[speedups["strategy"] == "sequential"].sort_values(["runtime", "workload", "parameter"])
    middle = (controls["estimate"] - 1).abs().median()
    return filled("noise", controls=controls.to_dict("records"), middle=middle, several=len(results.runtimes) > 1)


def environment(results: Results) -> Html:
    """What the machine did besides, and which rounds that disturbed."""
    rounds, limits = results.timed_rounds, results.config.get("limits") or {}
    seen = {name: rounds[name].dropna().astype(float) for name in SENSORS}
    readings = {name: (values.median(), values.min(), values.max()) for name, values in seen.items() if len(values)}
    usual, cores = seen["frequency_mhz"].median(), results.machine.get("usable_cores") or 1
    shares = {"load_before": ("load_per_core", cores), "frequency_mhz": ("frequency_share", usual)}
    return filled(
        "environment",
        watched=len(rounds),
        readings=readings,
        limits=limits | {name: limits[key] * of for name, (key, of) in shares.items() if limits.get(key) is not None},
        disturbed=results.disturbed_rounds.to_dict("records"),
        several=len(results.runtimes) > 1,
    )


def hidden_parallelism(results: Results) -> Html:
    """How many threads BLAS and OpenMP had, as read back inside the workers."""
    told = [row for row in results.workers if row.get("hidden_threads")]
    meant = [row for row in told if "blas-threads" in row["cell"]]
    return filled(
        "hidden_parallelism",
        libraries=sorted({name for row in told for name in row["hidden_threads"]}),
        counts=[max(row["hidden_threads"].values()) for row in told if row not in meant],
        meant=meant,
        several=len(results.runtimes) > 1,
        runtimes=results.runtimes,
    )


def order_of_measurement(results: Results) -> Html:
    """Whether any two measurements ran at the same time, from the times that they recorded."""
    rounds = results.rounds.dropna(subset=["started", "ended"]).sort_values("started").reset_index(drop=True)
    busy_until = rounds["ended"].cummax().shift()
    return filled(
        "order_of_measurement",
        rounds=rounds.assign(flags=rounds["flags"].fillna("").astype(str)).to_dict("records"),
        first=rounds["started"].min(),
        whole=max(rounds["ended"].max() - rounds["started"].min(), 1e-9),
        jobs=rounds["job"].map(JOBS).value_counts().to_dict(),
        overlaps=int((rounds["started"] < busy_until).sum()),
        gap=(rounds["started"] - busy_until).min(),
        waited=rounds["waited_s"].fillna(0).sum(),
    )
