"""The whole speed table of the metrics in one run: every family beside its reference implementations.

    python -P benchmarks/metrics.py [FOLDER] [--repeats 5]

FOLDER holds `wmt17_en_de` (see metrics_text.py); without it the translation rows are left out, and that is said.
Each part states machine and versions and checks that both sides give the same number before it times them.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("folder", nargs="?", default=os.environ.get("TRUETUNE_ANCHORS"))
    arguments.add_argument("--repeats", type=int, default=5)
    chosen = arguments.parse_args()
    repeats = str(chosen.repeats)
    part("metrics_classification.py", "--repetitions", repeats)
    part("metrics_spans.py", "--repeats", repeats)
    if chosen.folder is None:
        print("\nmetrics_text.py left out: name the folder of the translation anchors")
    else:
        part("metrics_text.py", str(chosen.folder), "--repeats", repeats)


def part(script: str, *arguments: str) -> None:
    """Run one script of this folder in this process, as if it had been called with these arguments."""
    print(f"\n== {script}", flush=True)
    sys.argv = [script, *arguments]
    runpy.run_path(str(HERE / script), run_name="__main__")


if __name__ == "__main__":
    main()
