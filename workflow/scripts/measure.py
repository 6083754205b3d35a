"""Measure one round of one block, or calibrate it (rules measure and calibrate)."""

import argparse
import os
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="the block as JSON")
    parser.add_argument("--calibration", required=True, help="read it, or write it where no round is given")
    parser.add_argument("--round", type=int)
    parser.add_argument("--raw")
    parser.add_argument("--facts")
    arguments = parser.parse_args()

    from gilscope.cells import Block
    from gilscope.measuring.hidden import turn_off_hidden_threads
    from gilscope.measuring.job import WrongAnswer
    from gilscope.measuring.lock import Orphaned

    turn_off_hidden_threads()
    block = Block.from_json(arguments.block)
    try:
        if arguments.round is None:
            from gilscope.measuring.rounds import calibrate

            calibrate(block, arguments.calibration)
        else:
            from gilscope.measuring.raw import write_suite
            from gilscope.measuring.rounds import measure_round, read_json, write_json

            calibration = read_json(arguments.calibration)
            folder = os.path.dirname(arguments.raw)
            values, facts = measure_round(block, arguments.round, calibration, folder)
            write_suite(arguments.raw, values)
            write_json(arguments.facts, facts)
    except (WrongAnswer, Orphaned) as error:
        sys.exit(f"gilscope: {error}")


if __name__ == "__main__":
    main()
