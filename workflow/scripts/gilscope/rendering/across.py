"""What differs between runtimes: claims by runtime at a glance."""

from __future__ import annotations

from gilscope.analysis.across import overall
from gilscope.figures import Results
from gilscope.figures._runtimes import whole
from gilscope.rendering.claims import Verdict, anchor, by_claim, spread
from gilscope.rendering.markup import EMPTY, SIGNS, Html, counted, folded, table

MOST_BESIDE = 4
"""The names of more runtimes than this stand upright above their columns."""


def claims_by_runtime(results: Results) -> Html:
    """A section for runs of several runtimes: claims down, runtimes across; those on which they differ first."""
    everywhere = {row["runtime"] for row in results.verdicts} & set(whole(results.runtimes))
    if len(everywhere) < 2:
        return EMPTY
    found = ([row for row in rows if row["runtime"] in everywhere] for rows in by_claim(results))
    claims = [rows for rows in found if rows and overall(rows) != "not tested"]
    differ = [rows for rows in claims if len({row["verdict"] for row in rows} - {"not tested"}) > 1]
    alike = [rows for rows in claims if rows not in differ]
    content = Html("<h3>Where the runtimes differ <small>{}</small></h3>{}").format(
        counted(len(differ), "claim"),
        matrix(differ, results) or Html("<p>Nowhere: what was tested came out alike.</p>"),
    )
    if alike:
        title = f"The same on every runtime that could be tested: {counted(len(alike), 'claim')}"
        content += folded(title, matrix(alike, results))
    return Html("<h2>Claims by runtime</h2><p>Each sign leads to what was measured on that runtime: {}.</p>{}").format(
        ", ".join(f"{sign}\u00a0{verdict}" for verdict, sign in SIGNS.items()), content
    )


def matrix(claims: list[list[Verdict]], results: Results) -> Html:
    """A row per claim: in words over the runtimes, and a sign for each."""
    runtimes = results.ordered(row["runtime"] for verdicts in claims for row in verdicts)
    rows = []
    for verdicts in claims:
        found = {row["runtime"]: linked_sign(row) for row in verdicts}
        words = Html('<span class="says">{}</span><small class="spread">{}</small>').format(
            verdicts[0]["says"], spread(verdicts, results)
        )
        rows.append((words, *(found.get(runtime, EMPTY) for runtime in runtimes)))
    many = " many" if len(runtimes) > MOST_BESIDE else ""
    return table(("Claim", *runtimes), rows, f"cards matrix{many}")


def linked_sign(row: Verdict) -> Html:
    """The sign of a verdict, which leads to its details."""
    return Html('<a aria-label="{}: {}" class="sign {}" href="#{}">{}</a>').format(
        row["runtime"], row["verdict"], row["verdict"].replace(" ", "-"), anchor(row), SIGNS.get(row["verdict"], "–")
    )
