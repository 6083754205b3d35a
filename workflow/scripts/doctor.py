"""Print what on this machine will hurt measurements, and how to mend it (rule doctor)."""

import argparse


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limits", required=True, help="the configuration's limits as JSON")
    arguments = parser.parse_args()

    from gilscope.configuring.models import Limits
    from gilscope.doctor import examine, in_words
    from gilscope.invoking.printing import say
    from gilscope.machine.facts import describe_machine

    say(in_words(examine(describe_machine(), Limits.model_validate_json(arguments.limits))))


if __name__ == "__main__":
    main()
