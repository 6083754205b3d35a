from gilscope.analysis.tables import write_json

if __name__ == "__main__":
    write_json(snakemake.params.config, snakemake.output[0])
