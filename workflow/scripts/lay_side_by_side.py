"""Read the bundles and compare them (rule lay_side_by_side)."""

import sys

from gilscope.analysis.side_by_side import lay_side_by_side
from gilscope.analysis.sides import NoBaseline
from gilscope.bundles import read_bundles
from gilscope.config import BundleLimits
from gilscope.making import making
from gilscope.mistakes import Mistakes
from gilscope.printing import say

if __name__ == "__main__":
    with making(snakemake, NoBaseline):
        given = snakemake.params
        bundles, left_out, notes = read_bundles(given.bundles, BundleLimits(**given.limits))
        for one in left_out:
            say(f"gilscope: {one['reason']}", file=sys.stderr)
        found = lay_side_by_side(bundles, left_out, notes, given.baseline, given.gate)
        if not bundles:
            raise Mistakes(["there is no bundle to compare; make one with: snakemake bundle --cores 1"])
        found.write(given.folder)
