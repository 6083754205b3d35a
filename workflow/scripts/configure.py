from gilscope.analysis.tables import write_json
from gilscope.invoking.making import making

if __name__ == "__main__":
    with making(snakemake):
        write_json(snakemake.params.config, snakemake.output[0])
