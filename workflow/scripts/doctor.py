"""Print what on this machine will hurt measurements, and how to mend it (rule doctor)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--busy-cores", type=float, required=True, help="cores that others may keep busy")
    arguments = parser.parse_args()

    from gilscope.doctor import examine, in_words
    from gilscope.machine import describe_machine

    print(in_words(examine(describe_machine(), arguments.busy_cores)))


if __name__ == "__main__":
    main()
