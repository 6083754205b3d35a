"""Run Snakemake with the arguments given, as `make` does: say where it cannot, and at its end what came of it."""

import subprocess
import sys
from pathlib import Path


def main() -> None:
    from gilscope.configuring.mistakes import Mistakes
    from gilscope.invoking.asking import asks_to_measure
    from gilscope.invoking.attending import attend
    from gilscope.invoking.printing import print_anything
    from gilscope.invoking.surroundings import check_executor, check_folder, make_do

    print_anything()
    arguments = sys.argv[1:]
    try:
        check_folder(Path.cwd())
        check_executor(arguments)
    except Mistakes as mistakes:
        sys.exit(f"gilscope: {mistakes}")
    make_do()
    unlocked = subprocess.run([sys.executable, "workflow/scripts/unlock.py"], check=False)
    if unlocked.returncode:
        sys.exit(unlocked.returncode)
    status = attend([sys.executable, "-m", "snakemake", *arguments])
    if asks_to_measure(arguments):
        announce = [sys.executable, "workflow/scripts/announce.py", "--status", str(status), *arguments]
        subprocess.run(announce, check=False)
    sys.exit(status)


if __name__ == "__main__":
    main()
