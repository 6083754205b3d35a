"""Run one lab (rule observe)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--descriptive", choices=["small", "full"], required=True)
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.measuring.rounds import write_json
    from gilscope.measuring.trials import observe

    write_json(arguments.output, observe(arguments.lab, small=arguments.descriptive == "small"))


if __name__ == "__main__":
    main()
