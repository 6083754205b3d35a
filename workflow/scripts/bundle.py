import sys
from pathlib import Path

from gilscope.bundles import CannotPack, pack
from gilscope.running.plain_text import plain

if __name__ == "__main__":
    try:
        pack(Path(snakemake.params.folder), Path(snakemake.output[0]))
    except CannotPack as reason:
        sys.exit(plain(f"gilscope: {reason}"))
