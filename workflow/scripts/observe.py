"""Run one lab (rule observe)."""

import argparse
import sys


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lab")
    parser.add_argument("--descriptive", choices=["small", "full"], required=True)
    parser.add_argument("output")
    arguments = parser.parse_args()

    from gilscope.measuring.lock import Orphaned
    from gilscope.measuring.rounds import write_json
    from gilscope.measuring.trials import observe

    try:
        write_json(arguments.output, observe(arguments.lab, small=arguments.descriptive == "small"))
    except (Orphaned, OSError) as error:
        sys.exit(f"gilscope: {error}")


if __name__ == "__main__":
    main()
