"""Make the environment of one runtime (rule equip)."""

import os
from pathlib import Path

from gilscope.analysis.tables import write_json
from gilscope.interpreters.equipping import equip
from gilscope.interpreters.resolving import interpreter_variable
from gilscope.interpreters.uv import Refused
from gilscope.running.plain_text import plain

if __name__ == "__main__":
    environment = snakemake.wildcards.environment
    given = snakemake.params
    interpreter = os.environ[interpreter_variable(environment)]
    try:
        lacks = equip(interpreter, environment, given.libraries, snakemake.input.locks, given.from_source)
    except Refused as reason:
        Path(snakemake.log[0]).write_text(f"{reason}\n", encoding="utf-8")
        raise SystemExit(plain(f"gilscope: there can be no environment for {given.identity}: {reason}")) from None
    Path(snakemake.log[0]).write_text(f"{lacks}\n", encoding="utf-8")
    write_json(lacks, snakemake.output[0])
