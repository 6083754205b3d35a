"""Where the time of a sweep went: to the rounds that every block gets, the labs, and the cases that were still open."""

from __future__ import annotations

from gilscope.figures import Results
from gilscope.rendering.markup import Html, counted, duration, facts, folded, note, table


def time_spent(results: Results) -> Html:
    """What was spent on what, and what the rounds were for that were added."""
    rounds = results.rounds.dropna(subset=["started", "ended"])
    if rounds.empty:
        return note("warn", "No times.", "Nothing has been measured, so no time was spent.")
    seconds = (rounds["ended"] - rounds["started"]).astype(float)
    labs, added = rounds["job"] == "observe", rounds["stage"].fillna(1).astype(float) > 1
    whole = rounds["ended"].max() - rounds["started"].min()
    budget = results.config.get("budget_minutes")
    content = facts(
        [
            ("Budget", f"{budget:g} min" if budget else "none: the fixed rounds alone"),
            ("First to last measurement", duration(whole)),
            ("Rounds that every block gets", duration(seconds[~labs & ~added].sum())),
            ("Labs", duration(seconds[labs].sum()) if labs.any() else None),
            ("Rounds that were added", duration(seconds[added].sum()) if budget else None),
        ]
    )
    asked = results.allocation.get("open") or []
    if not asked:
        return content
    several = len(results.runtimes) > 1
    rows = [
        (
            one["claim"],
            f"{one['case']}{', ' + one['runtime'] if several else ''}",
            f"±{100 * one['half_width']:.2g} %",
            f"±{100 * one['allowed']:.2g} %",
            f"{one['rounds']}",
        )
        for one in asked
    ]
    said = Html(
        "<p>After the rounds that every block gets, {} still open. Their blocks got rounds in turn, but for those "
        "whose interval was much narrower than asked for: half the way from the threshold to no effect.</p>"
    ).format(counted(len(asked), "case") + (" was" if len(asked) == 1 else " were"))
    headings = ("Claim", "Case", "Interval then", "Asked for", "Rounds added")
    return content + said + folded("What the added rounds were for", table(headings, rows))
