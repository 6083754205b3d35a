"""Write what this machine is (rule describe_machine)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--label", required=True)
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.machine import describe_machine
    from gilscope.running.files import write_json

    write_json(arguments.output, describe_machine(arguments.label).facts())


if __name__ == "__main__":
    main()
