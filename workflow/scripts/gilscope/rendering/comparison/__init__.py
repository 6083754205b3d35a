"""The page of several runs side by side: its parts, which ``report/comparison.ipynb`` puts in order.

Everything here returns HTML in which text from the bundles (labels, claims, reasons …) is escaped.
"""

from gilscope.rendering.comparison.break_even import break_even
from gilscope.rendering.comparison.claims import claims
from gilscope.rendering.comparison.differences import differences
from gilscope.rendering.comparison.gate import gate
from gilscope.rendering.comparison.opening import counts, opening, sides, warnings
from gilscope.rendering.comparison.rendering import render_comparison
from gilscope.rendering.comparison.speeds import speeds
from gilscope.rendering.comparison.unmatched import unmatched

__all__ = [
    "break_even",
    "claims",
    "counts",
    "differences",
    "gate",
    "opening",
    "render_comparison",
    "sides",
    "speeds",
    "unmatched",
    "warnings",
]
