"""Trace one round of one block (rule record)."""

from __future__ import annotations

import argparse
import os
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="the block as JSON")
    parser.add_argument("--machine", required=True, help="the machine.json of the results that this belongs to")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--trace", required=True)
    parser.add_argument("--events", required=True, help="the same for Perfetto")
    arguments = parser.parse_args()

    from gilscope.cells import Block
    from gilscope.running.supervising import supervise

    block = Block.from_json(arguments.block)

    def attempt(left_out: dict[str, str]) -> None:
        from gilscope.running.place import stay_on

        stay_on(arguments.machine)
        from gilscope.measuring.hidden import turn_off_hidden_threads

        turn_off_hidden_threads()
        from gilscope.measuring.tracing import record_round
        from gilscope.running.files import read_json

        calibration = read_json(arguments.calibration)
        write(record_round(block, arguments.round, calibration, os.path.dirname(arguments.trace), left_out))

    def surrender(reason: str, left_out: dict[str, str]) -> None:
        from gilscope.running.surrendering import empty_trace

        write(empty_trace(block, arguments.round, left_out, reason))

    def write(trace: dict[str, Any]) -> None:
        from gilscope.measuring.trace_events import trace_events
        from gilscope.running.files import write_json

        write_json(arguments.trace, trace)
        write_json(arguments.events, trace_events(trace))

    supervise(attempt, surrender)


if __name__ == "__main__":
    main()
