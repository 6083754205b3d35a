from pathlib import Path

from gilscope.bundles import CannotPack, pack
from gilscope.making import making

if __name__ == "__main__":
    with making(snakemake, CannotPack):
        pack(Path(snakemake.params.folder), Path(snakemake.output[0]))
