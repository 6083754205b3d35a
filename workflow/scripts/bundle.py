import sys
from pathlib import Path

from gilscope.bundles import CannotPack, pack

if __name__ == "__main__":
    try:
        pack(Path(snakemake.params.folder), Path(snakemake.output[0]))
    except CannotPack as reason:
        sys.exit(f"gilscope: {reason}")
