"""The report: what was found in words and tables, which the notebook in ``report/`` puts in order, and the page around.

Everything here returns HTML in which text from outside (labels, claims, reasons …) is escaped.
"""

from gilscope.rendering.across import claims_by_runtime
from gilscope.rendering.budget import time_spent
from gilscope.rendering.claims import claims, irrefutable
from gilscope.rendering.controls import environment, hidden_parallelism, noise, order_of_measurement, rounds_in_words
from gilscope.rendering.data import block_data, lab_data
from gilscope.rendering.decisions import decisions
from gilscope.rendering.evidence import cite, gaps, machine, reproduce
from gilscope.rendering.opening import at_a_glance, counts, opening, warnings
from gilscope.rendering.page import render
from gilscope.rendering.pictures import read_pictures, show
from gilscope.rendering.runtimes import lock, runtimes
from gilscope.rendering.traces import scaling_laws, traces

__all__ = [
    "at_a_glance",
    "block_data",
    "cite",
    "claims",
    "claims_by_runtime",
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
    "read_pictures",
    "render",
    "reproduce",
    "rounds_in_words",
    "runtimes",
    "scaling_laws",
    "show",
    "time_spent",
    "traces",
    "warnings",
]
