"""Take away the lock that a killed run left behind, unless a run is alive in this folder."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    from gilscope.invoking.resuming import is_locked, living_runs

    folder = Path.cwd()
    if not is_locked(folder):
        return
    runs = living_runs(folder)
    if runs:
        sys.exit(f"gilscope: a run is already under way here (process {runs[0]}); wait for it, or stop it first.")
    print("gilscope: the last run was killed; resuming it")
    subprocess.run([sys.executable, "-m", "snakemake", "--unlock", "--quiet", "all"], check=True)


if __name__ == "__main__":
    main()
