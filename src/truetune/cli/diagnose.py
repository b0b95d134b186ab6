"""`truetune diagnose RUN`: what holds a run's score back."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from truetune.cli import show
from truetune.optimization.diagnosis.run import Diagnosis, diagnose


def run(args: argparse.Namespace) -> int:
    """Print what was found; 1 when a cause is named."""
    found = diagnose(args.run, minutes=args.minutes, worth=args.worth)
    if args.json:
        show.as_json(found.to_dict())
    else:
        _print(found)
    return 1 if found.causes else 0


def _print(found: Diagnosis) -> None:
    saved = found.saved
    score, gap, share = saved["score"], saved["gap"], f"{saved['level']:.0%}"
    print(
        f"{saved['metric']} on validation {score['value']:.4f} ({share} {score['low']:.4f} to {score['high']:.4f}), on "
        f"training examples {score['train']:.4f}: {gap['value']:+.4f} ({gap['low']:+.4f} to {gap['high']:+.4f})"
    )
    for place, cause in enumerate(saved["causes"], start=1):
        print(f"{place}. {cause['name']}{_gain(cause['gain'], share)}")
        for line in cause["evidence"]:
            print(f"   {line}")
        for move in cause["moves"]:
            print(f"   try: {_move(move)}")
    if not saved["causes"]:
        print("nothing is named: no check found anything that costs what is sought")
    for more in (saved["learning_curve"] or {}).get("more", ()):
        print(
            f"{more['examples']:,} more labels would bring {more['low']:+.4f} to {more['high']:+.4f} (as far as "
            "frozen features tell)"
        )
    for line in saved["not_tried"]:
        print(line)
    print(found.run / "report.html")


def _gain(gain: Mapping[str, Any] | None, share: str) -> str:
    if gain is None:
        return ""
    bounds = "" if gain["low"] is None else f" ({share} {gain['low']:+.4f} to {gain['high']:+.4f})"
    return f": {gain['metric']} {gain['value']:+.4f}{bounds} better, {gain['how']}"


def _move(move: Mapping[str, Any]) -> str:
    if move["key"] is None:
        return str(move["what"])
    values = " or ".join("null" if value is None else str(value) for value in move["values"])
    return f"{move['key']}: {values} ({move['what']})"
