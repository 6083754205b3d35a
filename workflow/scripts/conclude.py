"""Say what a run lacks and how to get it; ends with 1 where answers were wrong (rule conclude)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gaps", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()

    from gilscope.invoking.printing import print_anything, say
    from gilscope.rendering.missing import to_be_tried_again, wrong_answers
    from gilscope.running.files import Damaged, making_sense_of, read_json, write_json

    print_anything()
    try:
        gaps = read_json(arguments.gaps)
        with making_sense_of(arguments.gaps):
            missing, wrong = to_be_tried_again(gaps), wrong_answers(gaps)
    except Damaged as damaged:
        sys.exit(f"gilscope: {damaged}")
    for line in missing + wrong:
        say(f"gilscope: {line}")
    if wrong:
        sys.exit(1)
    write_json(str(arguments.output), missing)


if __name__ == "__main__":
    main()
