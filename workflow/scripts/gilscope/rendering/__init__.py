"""The report: what was found in words and tables, which the notebook in ``report/`` puts in order, and the page around.

Everything here returns HTML in which text from outside (labels, claims, reasons …) is escaped.
"""

from gilscope.rendering.across import claims_by_runtime, speeds, taxes
from gilscope.rendering.claims import claims_not_tested, claims_tested, irrefutable
from gilscope.rendering.controls import environment, hidden_parallelism, noise, order_of_measurement, rounds_in_words
from gilscope.rendering.data import block_data, lab_data
from gilscope.rendering.evidence import all_pictures, gaps, machine, reproduce
from gilscope.rendering.findings import counts, decisions, opening, warnings
from gilscope.rendering.page import render
from gilscope.rendering.runtimes import lock, runtimes
from gilscope.rendering.traces import scaling_laws, traces

__all__ = [
    "all_pictures",
    "block_data",
    "claims_by_runtime",
    "claims_not_tested",
    "claims_tested",
    "counts",
    "decisions",
    "environment",
    "gaps",
    "hidden_parallelism",
    "irrefutable",
    "lab_data",
    "lock",
    "machine",
    "noise",
    "opening",
    "order_of_measurement",
    "render",
    "reproduce",
    "rounds_in_words",
    "runtimes",
    "scaling_laws",
    "speeds",
    "taxes",
    "traces",
    "warnings",
]
