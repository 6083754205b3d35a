"""Trace one round of one block (rule record)."""

import argparse
import os
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="the block as JSON")
    parser.add_argument("--calibration", required=True)
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--trace", required=True)
    parser.add_argument("--events", required=True, help="the same for Perfetto")
    arguments = parser.parse_args()

    from gilscope.cells import Block
    from gilscope.measuring.hidden import turn_off_hidden_threads
    from gilscope.measuring.job import WrongAnswer
    from gilscope.measuring.lock import Orphaned

    turn_off_hidden_threads()
    from gilscope.measuring.rounds import read_json, write_json
    from gilscope.measuring.trace_events import trace_events
    from gilscope.measuring.tracing import record_round

    calibration = read_json(arguments.calibration)
    try:
        block = Block.from_json(arguments.block)
        trace = record_round(block, arguments.round, calibration, os.path.dirname(arguments.trace))
    except (WrongAnswer, Orphaned) as error:
        sys.exit(f"gilscope: {error}")
    write_json(arguments.trace, trace)
    write_json(arguments.events, trace_events(trace))


if __name__ == "__main__":
    main()
