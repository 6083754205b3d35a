"""Measure one round of one block, or calibrate it (rules measure and calibrate)."""

from __future__ import annotations

import argparse
import os


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="the block as JSON")
    parser.add_argument("--machine", required=True, help="the machine.json of the results that this belongs to")
    parser.add_argument("--calibration", required=True, help="read it, or write it where no round is given")
    parser.add_argument("--round", type=int)
    parser.add_argument("--raw")
    parser.add_argument("--facts")
    arguments = parser.parse_args()

    from gilscope.cells import Block
    from gilscope.running.supervising import supervise

    block = Block.from_json(arguments.block)

    def attempt(left_out: dict[str, str]) -> None:
        from gilscope.running.place import stay_on

        stay_on(arguments.machine)
        from gilscope.measuring.hidden import turn_off_hidden_threads

        turn_off_hidden_threads()
        from gilscope.running.files import read_json, write_json

        if arguments.round is None:
            from gilscope.measuring.rounds import calibrate

            calibrate(block, arguments.calibration, left_out)
            return
        from gilscope.measuring.raw import write_suite
        from gilscope.measuring.rounds import measure_round

        calibration = read_json(arguments.calibration)
        values, facts = measure_round(block, arguments.round, calibration, os.path.dirname(arguments.raw), left_out)
        write_suite(arguments.raw, values)
        write_json(arguments.facts, facts)

    def surrender(reason: str, left_out: dict[str, str]) -> None:
        from gilscope.running.files import EMPTY_SUITE, read_json, write_json
        from gilscope.running.surrendering import empty_calibration, empty_round

        if arguments.round is None:
            write_json(arguments.calibration, empty_calibration(block, reason))
            return
        calibration = read_json(arguments.calibration)
        write_json(arguments.raw, EMPTY_SUITE)
        write_json(arguments.facts, empty_round(block, arguments.round, calibration, left_out, reason))

    supervise(attempt, surrender)


if __name__ == "__main__":
    main()
