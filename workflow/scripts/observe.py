"""Run one lab (rule observe)."""

from __future__ import annotations

import argparse
import os
from typing import Any


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    about = "the machine.json of the results that this belongs to"
    parser.add_argument("--machine", type=os.path.abspath, required=True, help=about)
    parser.add_argument("--descriptive", choices=["small", "full"], required=True)
    parser.add_argument("--log", type=os.path.abspath, help="the file that standard error goes to")
    parser.add_argument("output", type=os.path.abspath)
    arguments = parser.parse_args()

    from gilscope.running.again import note_lacks
    from gilscope.running.files import write_json
    from gilscope.running.records import Record
    from gilscope.running.supervising import supervise

    small = arguments.descriptive == "small"

    def attempt(left_out: dict[str, str]) -> None:
        from gilscope.running.place import stay_on

        stay_on(arguments.machine)
        from gilscope.observing.trials import observe

        write(observe(arguments.lab, small=small))

    def surrender(reason: str, left_out: dict[str, str]) -> None:
        from gilscope.running.surrendering import empty_lab

        write(empty_lab(arguments.lab, small, reason))

    def write(seen: dict[str, Any]) -> None:
        note_lacks(arguments.output, [gap["reason"] for gap in seen["gaps"]])
        write_json(arguments.output, seen)

    record = Record(arguments.machine, arguments.output)
    record.forget()
    supervise(attempt, surrender, arguments.log)
    record.write([arguments.output])


if __name__ == "__main__":
    main()
