from pathlib import Path

from gilscope.bundles.packing import CannotPack, pack
from gilscope.invoking.making import making

if __name__ == "__main__":
    with making(snakemake, CannotPack):
        pack(Path(snakemake.params.folder), Path(snakemake.output[0]))
