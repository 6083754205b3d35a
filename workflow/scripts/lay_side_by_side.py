"""Read the bundles and compare them (rule lay_side_by_side)."""

import sys

from gilscope.bundles.several import read_bundles
from gilscope.comparison.sides import NoBaseline
from gilscope.comparison.tables import lay_side_by_side
from gilscope.configuring.mistakes import Mistakes
from gilscope.configuring.models import BundleLimits
from gilscope.invoking.making import making
from gilscope.invoking.printing import say

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
