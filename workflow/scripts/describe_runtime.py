"""Write what the interpreter that runs this says about itself (rule describe_runtime)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what the configuration calls it")
    parser.add_argument("--current", action="store_true", help="it runs the workflow, too")
    parser.add_argument("--workloads", nargs="*", default=[])
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.measuring.files import write_json
    from gilscope.runtimes import describe_runtime
    from gilscope.workloads import file_of

    modules = sorted({f"gilscope.workloads.{file_of(name)}" for name in arguments.workloads})
    called = {"name": arguments.name, "current": arguments.current}
    write_json(arguments.output, {**describe_runtime(modules), **called})


if __name__ == "__main__":
    main()
