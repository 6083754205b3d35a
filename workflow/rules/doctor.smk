"""What to know before a run."""


rule doctor:
    """Prints what on this machine will hurt measurements, and how to mend it: snakemake doctor --cores 1"""
    input:
        script="workflow/scripts/doctor.py",
    log:
        f"results/{ANY_RUN.folder}/logs/doctor.log",
    localrule: True
    conda:
        "../../environment.yml"
    params:
        limits=CONFIG.limits.model_dump_json(),
    shell:
        '"$GILSCOPE_PYTHON" {input.script} --limits {params.limits:q} | tee {log}'
