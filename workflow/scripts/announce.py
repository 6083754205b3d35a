"""Say where the reports are and what they found; takes Snakemake's --configfile and --config."""

import argparse
import sys
from pathlib import Path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=int, default=0, help="what the run ended with; beyond 128, somebody ended it")
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--config", "-C", nargs="+", default=[])
    arguments, _ = parser.parse_known_args()

    from gilscope.configuring.files import merge_files, read_config
    from gilscope.configuring.mistakes import Mistakes
    from gilscope.invoking.printing import print_anything, say
    from gilscope.planning.destinations import destinations

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
        say(f"comparison: {comparison}")


def announce(folder: Path, status: int) -> None:
    from gilscope.invoking.printing import say
    from gilscope.rendering.missing import conclusion
    from gilscope.rendering.terminal import verdict_table
    from gilscope.running.files import Damaged, making_sense_of, read_json

    verdicts, gaps = folder / "verdicts.json", folder / "gaps.json"
    try:
        if verdicts.exists():
            runtimes = {path.stem: read_json(path) for path in sorted((folder / "runtimes").glob("*.json"))}
            found = read_json(verdicts)
            with making_sense_of(verdicts):
                say(verdict_table(found, runtimes))
        if gaps.exists():
            found = read_json(gaps)
            with making_sense_of(gaps):
                for line in conclusion(found):
                    say(line)
    except Damaged as damaged:
        say(f"gilscope: {damaged}", file=sys.stderr)
    report = folder / "report.html"
    if report.exists():
        say(f"report: {report}")
    elif 0 < status <= 128:
        say(f"no report: the run has failed; {report} comes when what is said above is mended and it has run again")
    else:
        say(f"no report yet; {report} comes when the sweep is complete")


if __name__ == "__main__":
    main()
