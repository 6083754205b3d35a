"""Say where the reports are and what they found; takes Snakemake's --configfile and --config."""

import argparse
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=int, default=0, help="what the run ended with")
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="+", default=[])
    arguments, _ = parser.parse_known_args()

    from gilscope.config_files import merge_files, read_config
    from gilscope.destinations import destinations
    from gilscope.mistakes import Mistakes
    from gilscope.printing import print_anything

    print_anything()
    files = ["config/config.yaml", *arguments.configfile]
    try:
        config = read_config(merge_files(files, arguments.config), files)
    except Mistakes as mistakes:
        sys.exit(str(mistakes))
    machines = destinations(config)
    for machine in machines:
        announce(Path("results") / config.folder(machine.label), arguments.status)
    comparison = Path("results/comparison.html")
    if len(machines) > 1 and comparison.exists():
        print(f"comparison: {comparison}")


def announce(folder: Path, status: int) -> None:
    from gilscope.running.files import Damaged, making_sense_of, read_json
    from gilscope.terminal import verdict_table

    verdicts = folder / "verdicts.json"
    try:
        if verdicts.exists():
            runtimes = {path.stem: read_json(path) for path in sorted((folder / "runtimes").glob("*.json"))}
            found = read_json(verdicts)
            with making_sense_of(verdicts):
                print(verdict_table(found, runtimes))
    except Damaged as damaged:
        print(f"gilscope: {damaged}", file=sys.stderr)
    report = folder / "report.html"
    if report.exists():
        print(f"report: {report}")
    elif status:
        print(f"no report: the run has failed; {report} comes when what is said above is mended and it has run again")
    else:
        print(f"no report yet; {report} comes when the sweep is complete")


if __name__ == "__main__":
    main()
