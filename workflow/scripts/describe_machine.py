"""Write what this machine is, if it is the one that was planned for (rule describe_machine)."""

import argparse
import sys
from dataclasses import replace


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label", required=True)
    parser.add_argument("--cores", type=int, required=True, help="how many usable ones the run was planned for")
    parser.add_argument("--origin", choices=["automatic", "named", "configured"], required=True)
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.machine.facts import describe_machine
    from gilscope.planning.destinations import why_not_here
    from gilscope.running.files import write_json
    from gilscope.running.plain_text import plain
    from gilscope.running.records import Record

    here = describe_machine()
    reason = why_not_here(here, arguments.label, arguments.cores, arguments.origin)
    if reason:
        sys.exit(plain(f"gilscope: {reason}"))
    record = Record(arguments.output, arguments.output)
    record.forget()
    write_json(arguments.output, replace(here, label=arguments.label).facts())
    record.write([arguments.output])


if __name__ == "__main__":
    main()
