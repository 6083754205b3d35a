"""Measure and trace one round of one block; the first also decides what all of them share (rules begin and measure)."""

from __future__ import annotations

import argparse
import os
from typing import Any


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("block", help="the block as JSON")
    # Absolute, since a task may go to another folder and stay there.
    path: dict[str, Any] = {"type": os.path.abspath, "required": True}
    parser.add_argument("--machine", help="the machine.json of the results that this belongs to", **path)
    parser.add_argument("--calibration", help="what the rounds share: round 1 writes it, others read it", **path)
    parser.add_argument("--round", type=int, required=True)
    parser.add_argument("--raw", **path)
    parser.add_argument("--facts", **path)
    parser.add_argument("--trace", **path)
    parser.add_argument("--events", help="the trace for Perfetto", **path)
    parser.add_argument("--stage", type=int, default=1)
    parser.add_argument("--laps", type=int, help="how many laps; as many as calibrated by default")
    parser.add_argument("--only", nargs="*", metavar="CELL", help="the cells beside the sequential one; all by default")
    parser.add_argument("--untraced", action="store_true", help="only time, write an empty trace")
    parser.add_argument("--log", type=os.path.abspath, help="the file that standard error goes to")
    return parser.parse_args()


def main() -> None:
    arguments = parsed()
    from gilscope.running.cells import Block, Turn
    from gilscope.running.records import Record
    from gilscope.running.supervising import supervise
    from gilscope.running.temporary import temporary_files_apart

    block = Block.from_json(arguments.block)
    only = None if arguments.only is None else tuple(arguments.only)
    turn = Turn(arguments.round, arguments.stage, only, arguments.laps, not arguments.untraced)

    def calibration() -> Any:
        from gilscope.running.files import making_sense_of, read_json

        if turn.first:
            return None
        with making_sense_of(arguments.calibration):
            found = read_json(arguments.calibration)
            given_up = found.get("not_applicable") or found.get("wrong")
            return found if given_up else {**found, "cells": found["cells"], "laps": found["laps"]}

    def attempt(left_out: dict[str, str]) -> None:
        from gilscope.running.place import stay_on

        stay_on(arguments.machine)
        from gilscope.running.hidden import turn_off_hidden_threads

        turn_off_hidden_threads()
        from gilscope.measuring.raw import write_suite
        from gilscope.measuring.rounds import take_round

        taken = take_round(block, turn, os.path.dirname(arguments.raw), calibration(), left_out)
        write_suite(arguments.raw, taken.values)
        write(taken.calibration, taken.facts, taken.trace)

    def surrender(reason: str, left_out: dict[str, str]) -> None:
        from gilscope.running.files import EMPTY_SUITE, write_json
        from gilscope.running.surrendering import empty_calibration, empty_round, empty_trace

        shared = calibration() or empty_calibration(block, left_out, reason)
        write_json(arguments.raw, EMPTY_SUITE)
        write(
            shared,
            empty_round(block, turn, shared, left_out, reason),
            empty_trace(block, turn.number, left_out, reason),
        )

    def write(shared: dict[str, Any], facts: dict[str, Any], trace: dict[str, Any]) -> None:
        from gilscope.measuring.trace_events import trace_events
        from gilscope.running.again import note_lacks
        from gilscope.running.files import write_json

        note_lacks(arguments.raw, [facts["not_applicable"], *facts["failed"].values(), *trace["failed"].values()])
        if turn.first:
            write_json(arguments.calibration, shared)
        write_json(arguments.trace, trace)
        write_json(arguments.events, trace_events(trace))
        write_json(arguments.facts, facts)

    record = Record(arguments.machine, arguments.raw)
    record.forget()
    supervise(attempt, surrender, arguments.log, temporary_files_apart)
    made = [arguments.raw, arguments.facts, arguments.trace, arguments.events]
    record.write([*made, arguments.calibration] if turn.first else made)


if __name__ == "__main__":
    main()
