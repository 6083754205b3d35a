"""The run, planned before any job: mistakes in the configuration end it here, a line for each."""

import os
import sys
from pathlib import Path

SCRIPTS = Path(workflow.basedir) / "workflow/scripts"
sys.path.insert(0, str(SCRIPTS))
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [str(SCRIPTS), os.environ.get("PYTHONPATH", "")])
)
# The interpreter is resolved inside the command: a rebuilt environment must not measure everything anew.
os.environ["GILSCOPE_PYTHON"] = sys.executable

from gilscope.config import LABEL, Mistakes
from gilscope.planning import plan_run

try:
    RUN = plan_run(config, workflow.configfiles, workflow.config_settings.config)
except Mistakes as mistakes:
    print(mistakes, file=sys.stderr)
    sys.exit(1)

FIGURES = sorted(
    path.stem
    for path in (SCRIPTS / "gilscope/figures").glob("*.py")
    if not path.stem.startswith("_")
)


wildcard_constraints:
    machine=LABEL,
    runtime=r"[a-z0-9-]+",
    workload=r"[a-z][a-z0-9_]*",
    size="small|medium|large|deck",
    round=r"\d+",


def package(*patterns):
    """Files of the package that a rule depends on, by patterns below it; Snakemake does not see imports."""
    root = Path("workflow/scripts/gilscope")
    return sorted(
        {str(path) for pattern in patterns for path in root.glob(pattern)}
    )
