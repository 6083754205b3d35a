"""Does the dial come out where theory puts it? Reads a finished run: python benchmarks/dial.py results/<machine>

For each share of waiting the report's own estimates stand beside what a closed queue predicts. The share is the one
that the sequential traces show (a slow core computes for longer, so waits for a smaller share), and
processes are given the computing capacity that the block's ceiling had.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "workflow/scripts"))

import pandas as pd  # noqa: E402
from gilscope.analysis.prediction import predict_dial  # noqa: E402


def compared(folder: Path) -> pd.DataFrame:
    """A row per dial and cell: the share it waited, the speedup measured and predicted, and their ratio."""
    runtimes = [json.loads(path.read_text(encoding="utf-8")) for path in folder.glob("runtimes/*.json")]
    tables = (pd.read_parquet(folder / f"{name}.parquet") for name in ("estimates", "traces"))
    found = predict_dial(*tables, {runtime["runtime"]: runtime["gil"] for runtime in runtimes})
    return found.assign(ratio=found["estimate"] / found["predicted"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    table = compared(parser.parse_args().folder)
    print(table.round(3).to_string(index=False))
    far = (table["ratio"] - 1).abs() > 0.1
    print(f"{(~far).sum()} of {len(table)} within 10 % of the prediction")


if __name__ == "__main__":
    main()
