"""Read the bundles and compare them (rule lay_side_by_side)."""

import sys

from gilscope.analysis.side_by_side import lay_side_by_side
from gilscope.analysis.sides import NoBaseline
from gilscope.bundles import read_bundles
from gilscope.config import BundleLimits
from gilscope.printing import say
from gilscope.running.plain_text import plain

if __name__ == "__main__":
    given = snakemake.params
    bundles, left_out, notes = read_bundles(given.bundles, BundleLimits(**given.limits))
    for one in left_out:
        say(f"gilscope: {one['reason']}", file=sys.stderr)
    try:
        found = lay_side_by_side(bundles, left_out, notes, given.baseline, given.gate)
    except NoBaseline as mistake:
        sys.exit(plain(f"gilscope: {mistake}"))
    if not bundles:
        sys.exit("gilscope: there is no bundle to compare; make one with: snakemake bundle --cores 1")
    found.write(given.folder)
