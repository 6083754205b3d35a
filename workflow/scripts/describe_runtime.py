"""Write what the interpreter that runs this says about itself (rule describe_runtime)."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", required=True, help="the machine.json of the results that this belongs to")
    parser.add_argument("--name", required=True, help="what the configuration calls it")
    parser.add_argument("--current", action="store_true", help="it runs the workflow, too")
    parser.add_argument("--claims", nargs="*", help="the only claims that it is measured for")
    parser.add_argument("--workloads", nargs="*", default=[])
    parser.add_argument("--log", type=os.path.abspath, help="the file that standard error goes to")
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.running.records import Record
    from gilscope.running.supervising import supervise

    def describe(modules: Iterable[str], imports: str | None) -> None:
        from gilscope.running.files import write_json
        from gilscope.running.identity import describe_runtime

        called = {"name": arguments.name, "current": arguments.current, "claims": arguments.claims}
        called["imports_ended_with"] = imports
        write_json(arguments.output, {**describe_runtime(modules), **called})

    def attempt(left_out: dict[str, str]) -> None:
        from gilscope.running.place import stay_on

        stay_on(arguments.machine)
        from gilscope.workloads import file_of

        describe(sorted({f"gilscope.workloads.{file_of(name)}" for name in arguments.workloads}), None)

    def surrender(reason: str, left_out: dict[str, str]) -> None:
        describe([], reason)

    record = Record(arguments.machine, arguments.output)
    record.forget()
    supervise(attempt, surrender, arguments.log)
    record.write([arguments.output])


if __name__ == "__main__":
    main()
