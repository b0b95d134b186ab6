"""`truetune optimize CONFIG`: search for better settings, confirm them, fine-tune with them."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune import config
from truetune.cli import show
from truetune.optimization.run import OptimizeResult, help_optimize, optimize
from truetune.tasks.table import TASKS


def run(args: argparse.Namespace) -> int:
    """Run it; 0 when it ran, whatever it found."""
    overrides = list(args.overrides)
    overrides += [f"optimize.trials={args.trials}"] if args.trials is not None else []
    overrides += [f"optimize.minutes={args.minutes}"] if args.minutes is not None else []
    settings = config.load(args.config, overrides, TASKS)
    name = settings.track.name or Path(args.config).stem
    if args.worker:
        trials = help_optimize(settings, name)
        print(f"The search {name}-search has {trials:,} trials, and needs no more of them.")
        return 0
    found = optimize(settings, name)
    if args.json:
        show.as_json(found.to_dict())
    else:
        _print(found, settings.track.language, settings.evaluate.level)
    return 0


def _print(found: OptimizeResult, language: str, level: float) -> None:
    log = found.decisions
    states = [trial["state"] for trial in log["trials"]]
    counts = ", ".join(f"{states.count(state):,} {state}" for state in ("finished", "stopped", "failed"))
    print(f"{len(states):,} trials in {log['seconds'] / 60:.1f} minutes of training: {counts}.")
    if took := log["confirming_seconds"]:
        print(f"The runs that confirm took {took / 60:.1f} minutes more.")
    rows = [
        [
            f"trial {one['number']}",
            show.number(one["difference"]["value"], sign=True),
            show.number(one["difference"]["low"], sign=True),
            show.number(one["difference"]["high"], sign=True),
            show.p_value(one["p_adjusted"]),
            "better" if one["better"] else "not shown better",
        ]
        for one in log["confirmation"]
    ]
    if rows:
        share = f"{level:.0%}"
        head = [
            f"{log['metric']}, new seeds and examples",
            "difference",
            f"{share} low",
            f"{share} high",
            "one-sided adjusted p",
            "",
        ]
        show.table("", head, rows)
    changes = ", ".join(f"{key}={value}" for key, value in log["changes"].items()) or "no change"
    print(f"Taken: trial {log['winner']} ({changes}): {log['why']}.")
    print(f"The best of the trials looks better by about {log['optimism']:.4f} than it is, having been chosen.")
    for line in found.final.verdict["lines"][language]:
        print(line)
    print(found.folder / "report.html")
    print(found.final.run / "report.html")
