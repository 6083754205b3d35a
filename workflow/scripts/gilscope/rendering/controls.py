"""Why the numbers can be believed, and how far: rounds, noise, the machine meanwhile, order, hidden parallelism."""

from __future__ import annotations

from gilscope.figures import Results
from gilscope.rendering.bars import order_strip
from gilscope.rendering.markup import (
    Html,
    counted,
    duration,
    facts,
    folded,
    interval,
    missing,
    note,
    number,
    table,
)
from gilscope.rendering.opening import rounds_planned

JOBS = {"measure": "round", "record": "trace", "calibrate": "calibration", "observe": "lab"}
SENSORS = {
    "busy_cores": ("Cores kept busy by other processes", "{:.2f}", 1),
    "steal_share": ("CPU time taken by the hypervisor", "{:.1f} %", 100),
    "throttled_share": ("Time stopped by the CPU quota", "{:.1f} %", 100),
    "swap_mib": ("Moved to or from swap", "{:.1f} MiB", 1),
    "load_before": ("Load before a round", "{:.1f}", 1),
}


def rounds_in_words(results: Results) -> Html:
    """This run's numbers for the method: rounds, laps, time spent."""
    rounds = results.timed_rounds
    if rounds.empty:
        return note("warn", "No rounds.", "Nothing has been measured, so there are no numbers to give.")
    blocks = rounds[["runtime", "workload", "size"]].drop_duplicates()
    laps, spent = rounds.loc[rounds["laps"] > 0, "laps"], (rounds["ended"] - rounds["started"]).sum()
    return facts(
        [
            ("Blocks", counted(len(blocks), "block")),
            ("Rounds of each", rounds_planned(results)),
            (
                "Laps in a round",
                f"{laps.min():.0f} to {laps.max():.0f}, median {laps.median():.0f}" if len(laps) else None,
            ),
            ("Time spent measuring", duration(spent)),
            ("Cells", counted(len(results.measured("speedup")), "cell")),
        ]
    )


def noise(results: Results) -> Html:
    """Sequential against its neighbouring self in every block: 1 apart from noise."""
    speedups = results.measured("speedup")
    controls = speedups[speedups["strategy"] == "sequential"]
    rows = [
        (
            row["workload"],
            *([row["runtime"]] if len(results.runtimes) > 1 else []),
            row["size"],
            f"{number(row['parameter'])} {row['unit'] or ''}" if not missing(row["parameter"]) else "–",
            interval(row["estimate"], row["low"], row["high"], "x"),
            "–" if missing(row["noise_floor"]) else f"{100 * row['noise_floor']:.2g} %",
            f"{row['rounds']:.0f}",
            row["flags"] or "",
        )
        for _, row in controls.sort_values(["runtime", "workload", "parameter"]).iterrows()
    ]
    if not rows:
        return note("warn", "No controls.", "No block has a sequential cell to compare with itself.")
    middle = (controls["estimate"] - 1).abs().median()
    headings = [
        "Workload",
        *(["Runtime"] if len(results.runtimes) > 1 else []),
        "Size",
        "One task",
        "A/A ratio",
        "Noise floor",
    ]
    said = Html("<p>In the median block, sequential differs from itself by <strong>{}</strong>.</p>").format(
        f"{100 * middle:.2g} %"
    )
    return said + folded(
        f"A/A ratio and noise floor of {counted(len(rows), 'block')}", table([*headings, "Rounds", "Flags"], rows)
    )


def environment(results: Results) -> Html:
    """What the machine did besides, and which rounds that disturbed."""
    rounds = results.timed_rounds
    if rounds.empty:
        return note("warn", "No readings.", "No round has recorded what the machine was doing.")
    marked = results.disturbed_rounds
    limits = results.config.get("limits") or {}
    if len(marked):
        text = f"{len(marked)} of {counted(len(rounds), 'round')} and the labs: flagged, neither repeated nor left out."
        verdict = note("warn", "Disturbed:", text)
    else:
        verdict = note("good", "No round was disturbed", f"beyond the limits; {len(rounds)} were watched.")
    rows = []
    for name, (title, shape, scale) in SENSORS.items():
        values = rounds[name].dropna().astype(float) * scale
        limit = limits.get("load_per_core" if name == "load_before" else name)
        if name == "load_before" and limit is not None:
            limit *= results.machine.get("usable_cores") or 1
        shown = [shape.format(values.median()), shape.format(values.max())] if len(values) else ["unknown", "unknown"]
        rows.append((title, *shown, "–" if limit is None else shape.format(limit * scale)))
    frequencies = rounds["frequency_mhz"].dropna().astype(float)
    if len(frequencies):
        lowest, usual = frequencies.min(), frequencies.median()
        share = limits.get("frequency_share")
        limit_mhz = "–" if share is None else f"not below {share * usual:,.0f} MHz"
        rows.append(("Frequency", f"{usual:,.0f} MHz", f"{lowest:,.0f} MHz at the lowest", limit_mhz))
    else:
        rows.append(("Frequency", "unknown", "unknown", "–"))
    content = table(("Reading", "Median round", "Worst round", "Limit"), rows, "cards")
    if len(marked):
        several = len(results.runtimes) > 1
        listed = [
            (
                row["workload"],
                *([row["runtime"]] if several else []),
                row["size"] or "a lab",
                f"{row['round']:.0f}" if row["round"] else "",
                row["flags"],
            )
            for row in marked.to_dict("records")
        ]
        headings = ("Workload or lab", *(["Runtime"] if several else []), "Size", "Round", "What disturbed it")
        content += folded("Disturbed rounds", table(headings, listed))
    return verdict + content


def hidden_parallelism(results: Results) -> Html:
    """How many threads BLAS and OpenMP had, as read back inside the workers."""
    told = [row for row in results.workers if row.get("hidden_threads")]
    if not told:
        silent = "No worker could tell how many BLAS threads it would use: threadpoolctl was not there, or no library."
        return note("warn", "Unknown.", silent)
    meant = [row for row in told if "blas-threads" in row["cell"]]
    counts = [max(row["hidden_threads"].values()) for row in told if row not in meant]
    several = [count for count in counts if count > 1]
    if several:
        text = f"{counted(len(several), 'cell')} of {len(counts)} ran with up to {max(several)} BLAS threads unasked."
        verdict = note("bad", "Hidden parallelism.", text)
    else:
        libraries = sorted({name for row in told for name in row["hidden_threads"]})
        text = f"Read back inside the workers of {counted(len(counts), 'cell')} ({', '.join(libraries)})."
        verdict = note("good", "One BLAS thread everywhere.", text)
    on = {name: f", {name}" if len(results.runtimes) > 1 else "" for name in results.runtimes}
    rows = [
        (
            row["workload"],
            row["size"] + on.get(row["runtime"], ""),
            row["cell"],
            ", ".join(f"{k}: {v}" for k, v in row["hidden_threads"].items()),
        )
        for row in meant
    ]
    shown = table(("Workload", "Size", "Cell", "Threads in each worker"), rows)
    return verdict + (folded("Cells that have BLAS at its default on purpose", shown) if rows else Html(""))


def order_of_measurement(results: Results) -> Html:
    """Whether any two measurements ran at the same time, from the times that they recorded."""
    rounds = results.rounds.dropna(subset=["started", "ended"]).sort_values("started").reset_index(drop=True)
    if rounds.empty:
        return note("warn", "No times.", "No round has recorded when it ran.")
    busy_until = rounds["ended"].cummax().shift()
    overlaps = int((rounds["started"] < busy_until).sum())
    first, last = rounds["started"].min(), rounds["ended"].max()
    whole = max(last - first, 1e-9)
    disturbed = set(rounds.index[rounds["flags"].fillna("").astype(str) != ""])
    strip = order_strip(
        [
            (
                (row["started"] - first) / whole,
                (row["ended"] - first) / whole,
                "disturbed" if place in disturbed else f"turn-{int(row['round']) % 2}",
            )
            for place, row in enumerate(rounds.to_dict("records"))
        ]
    )
    gap = (rounds["started"] - busy_until).min()
    kinds = rounds["job"].map(JOBS).value_counts()
    spoken = f"{', '.join(counted(count, str(kind)) for kind, count in kinds.items())} in {duration(whole)}"
    if overlaps:
        verdict = note(
            "bad",
            "Measurements overlapped.",
            f"{overlaps} of {spoken} began before another had ended. Do not trust this run.",
        )
    elif len(rounds) == 1:
        verdict = note("good", "One measurement.", "There was no other that it could have met.")
    else:
        verdict = note(
            "good", "No two measurements overlapped.", f"{spoken}; the shortest pause between two was {duration(gap)}."
        )
    key = "Each bar is a measuring job, in the order measured. Shades alternate: round 1 of all blocks, then round 2."
    key += " Marked bars were disturbed." if disturbed else ""
    waited = rounds["waited_s"].fillna(0).sum()
    key += f" Waiting for the machine-wide lock: {duration(waited)} in all."
    return verdict + strip + Html('<p class="small">{}</p>').format(key)
