"""The report: what was found in words and tables, which the notebook in ``report/`` puts in order, and the page around.

Everything here returns HTML in which text from outside (labels, claims, reasons …) is escaped.
"""

from gilscope.rendering.evidence import (
    all_pictures,
    gaps,
    machine,
    noise,
    order_of_measurement,
    reproduce,
    rounds_in_words,
    runtimes,
)
from gilscope.rendering.findings import claims_not_tested, claims_tested, counts, decisions, opening, warnings
from gilscope.rendering.page import render

__all__ = [
    "all_pictures",
    "claims_not_tested",
    "claims_tested",
    "counts",
    "decisions",
    "gaps",
    "machine",
    "noise",
    "opening",
    "order_of_measurement",
    "render",
    "reproduce",
    "rounds_in_words",
    "runtimes",
    "warnings",
]
