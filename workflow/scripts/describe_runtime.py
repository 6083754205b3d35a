"""Write what the interpreter that runs this says about itself (rule describe_runtime)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workloads", nargs="*", default=[])
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.measuring.rounds import write_json
    from gilscope.runtimes import describe_runtime

    write_json(arguments.output, describe_runtime(f"gilscope.workloads.{name}" for name in arguments.workloads))


if __name__ == "__main__":
    main()
