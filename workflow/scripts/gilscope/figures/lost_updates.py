"""What do threads lose that change the same data? Every trial of the race, with the GIL and without it."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from gilscope.analysis.counterparts import identify
from gilscope.figures import Results
from gilscope.figures._axes import Axis
from gilscope.figures._grammar import finish, inner, nothing, panels, samples
from gilscope.figures._look import LOCK
from gilscope.figures._runtimes import named
from gilscope.figures._trials import BOUNDS, SPREAD, Ladder, beside, needed, observed, plotted, share, unanswered
from gilscope.labs import load_lab

TITLE = "Updates that threads lose"
SECTION = "labs"
SHOWS = ("lab:race",)
LAB = "race"
GIL = {"with": LOCK["lock on"], "without": LOCK["lock off"]}
MOST_ROWS = 48
COLUMNS = ["runtime", "gil", "case", "wrong_totals", "threads_met", "metric", *BOUNDS, "no_answer"]
COLUMNS += ["lost_median", "lost_most"]


def needs(results: Results) -> str:
    """What the run would have to hold."""
    return needed(LAB) if outcomes(results).empty else ""


def claimed(results: Results) -> set[str]:
    """The cases of the lab that a claim of the run is about."""
    cells = [cell for verdict in results.verdicts for case in verdict["cases"] for cell in case.get("cells") or []]
    parts = [cell.split("/", 3) for cell in cells]
    return {part[3] for part in parts if part[1:3] == ["labs", LAB]}


def in_order(results: Results, cases: set[str]) -> list[str]:
    """These cases: the claimed ones first, else as the lab has them; those that it does not have come last."""
    own, about = list(load_lab(LAB).cases), claimed(results)
    ordered = [case for case in own if case in cases] + sorted(cases - set(own))
    return sorted(ordered, key=lambda case: case not in about)


def gil_of(results: Results, runtime: str) -> str:
    """``with`` or ``without``; a runtime that has reported nothing has it."""
    off = identify(runtime, {"gil": True, **results.runtimes.get(runtime, {})}).lock_off
    return "without" if off else "with"


def outcomes(results: Results) -> pd.DataFrame:
    """The share of trials with a wrong total, a row for each case that counts updates and each runtime.

    wrong_totals: in how many trials. threads_met: in how many at least two threads were at it at the same time.
    no_answer: further trials, which are not counted. lost_median, lost_most: shares of the updates, over trials.
    """
    seen = observed(results, LAB, ["total_wrong", "overlapped", "lost_share"])
    without = unanswered(results, LAB)
    counting = seen[seen["metric"] == "total_wrong"]
    rows = []
    for case in in_order(results, set(counting["case"])):
        for runtime in results.ordered(counting.loc[counting["case"] == case, "runtime"]):
            own = seen[(seen["case"] == case) & (seen["runtime"] == runtime)]
            about = {"runtime": runtime, "gil": gil_of(results, runtime), "case": case}
            rows.append({**about, **outcome(own, without[runtime, case])})
    return pd.DataFrame(rows, columns=COLUMNS)


def outcome(own: pd.DataFrame, lost: int) -> dict[str, Any]:
    """What the trials of one case and runtime came to. lost: how many more gave no answer."""
    wrong, met, gone = (own.loc[own["metric"] == name, "value"] for name in ("total_wrong", "overlapped", "lost_share"))
    return {
        "wrong_totals": round(wrong.sum()),
        "threads_met": met.sum() if len(met) else math.nan,
        "metric": "share of trials with a wrong total",
        **share(wrong, lost),
        "no_answer": lost,
        "lost_median": gone.median(),
        "lost_most": gone.max(),
    }


def draw(results: Results) -> Figure:
    every = outcomes(results)
    if every.empty:
        return nothing(f"No trials of the lab {LAB} that count updates.")
    runtimes, cases = results.ordered(every["runtime"]), list(dict.fromkeys(every["case"]))
    most = max(1, MOST_ROWS // (len(runtimes) + 1))
    table = every[every["case"].isin(cases[:most])]
    ladder, about = Ladder.of(table, "case", cases[:most], runtimes), claimed(results) & set(table["case"])
    table = table.assign(line=ladder.rows(table, "case"), row=0, col=1)
    trials = observed(results, LAB, ["lost_share"]).merge(table[["runtime", "case", "gil", "line"]])
    plot = plotted(table, trials.assign(row=0, col=0), "line", "gil", GIL, spread=SPREAD, width=2.2)
    height = 0.75 + (0.27 if len(runtimes) == 1 else 0.2) * len(ladder.labels)
    figure, ((left, right),) = panels(plot, [height], 2)
    shares = Axis("", -0.03, 1.03, [0, 0.25, 0.5, 0.75, 1], words=lambda value: f"{100 * value:g} %")
    for axes in (left, right):
        shares.lay(axes, "x")
        ladder.lay(axes, about)
    inner(right)
    left.set(title="Lost updates, each trial", xlabel="share of its updates that a trial lost")
    right.set(title="Trials with a wrong total", xlabel="share of trials, with 95 % interval")
    rows = table.set_index("line")
    beside(right, "wrong", dict(rows["wrong_totals"].astype(str) + " of " + rows["trials"].astype(str)), 52)
    beside(right, "met", dict(rows["threads_met"].map(lambda met: "–" if math.isnan(met) else f"{met:.0f}")), 82)
    key = samples({f"{name} the GIL": drawn for name, drawn in GIL.items() if (table["gil"] == name).any()})
    note = reading(about, round(table["no_answer"].sum()), cases[most:])
    return finish(figure, key, note)


def reading(about: set[str], lost: int, left_out: list[str]) -> str:
    """What the columns of words, the intervals and the dots are, and what is missing."""
    said = (
        "wrong: trials with a wrong total. met: trials in which threads were at it at the same time; others lose none."
    )
    said += "\nExact binomial intervals. Dots are spread within their row."
    said += " Bold: a claim is about it." if about else ""
    if lost:
        said += f" {lost} more trials gave no answer: the intervals span either outcome."
    if left_out:
        said += (
            f"\nFor want of room without {named([f'“{case}”' for case in left_out])}: see the numbers of this figure."
        )
    return said


def data(results: Results) -> pd.DataFrame:
    return outcomes(results)


def alt(results: Results) -> str:
    table = outcomes(results)
    if table.empty:
        return f"Nothing to draw: no trial of the lab {LAB} has counted updates."
    parts = [
        f"{case}: {'; '.join(map(spoken, rows.to_dict('records')))}" for case, rows in table.groupby("case", sort=False)
    ]
    return "Trials in which threads that change the same data end with a wrong total. " + ". ".join(parts) + "."


def spoken(row: dict[Any, Any]) -> str:
    """``0 of 20 trials on cp311 (threads met in 3)``."""
    said = f"{row['wrong_totals']} of {row['trials']} trials on {row['runtime']}"
    if row["threads_met"] < row["trials"]:
        said += f" (threads met in {row['threads_met']:.0f})"
    return said + (f", losing up to {100 * row['lost_most']:.3g} % of the updates" if row["lost_most"] > 0 else "")
