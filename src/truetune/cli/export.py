"""`truetune export RUN DIR`: the model as ONNX or SavedModel behind the parity gate; 1 where parity is not shown."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from truetune.backbones.onnx_model import Precision
from truetune.cli import show
from truetune.parity.export import ExportResult, Wanted, exported
from truetune.parity.gate import Parity
from truetune.stats.plan import Plan
from truetune.workflows.progress import Progress

PRECISIONS: Mapping[str | None, Precision] = {None: "float32", "dynamic": "int8", "static": "int8-static"}


def run(args: argparse.Namespace) -> int:
    """Export, print what the gate found."""
    wanted = Wanted(
        format=args.format,
        precision=PRECISIONS[args.int8],
        engine=args.engine,
        margin=args.margin,
        metric=args.metric,
        data=args.data,
        vector_size=args.vector_size,
        plan=Plan(args.level, args.resamples, args.seed),
    )
    result = exported(Path(args.run), Path(args.folder), wanted, Progress(quiet=args.json))
    if args.json:
        show.as_json(result.to_dict())
    else:
        _print(result, args.level)
    return 0 if result.parity.passed else 1


def _print(result: ExportResult, level: float) -> None:
    print_parity(result.parity, level)
    sizes = ", ".join(f"{name} {size:,} bytes" for name, size in result.sizes.items())
    times = ", ".join(f"{name} {value:g} ms" for name, value in result.milliseconds.items())
    print(f"weights: {sizes}")
    print(f"engine: {result.engine} (one text, and eight small batches, two at a time: {times})")
    if result.parity.passed:
        print(result.folder)


def print_parity(found: Parity, level: float) -> None:
    """Print how far answers are the same, every metric's difference, and the verdict of the gate."""
    share = f"{level:.0%}"
    rows = [
        [
            one.system,
            f"{one.same:,} of {one.examples:,}",
            show.number(one.low),
            show.number(one.high),
            "" if one.largest is None else f"{one.largest:.2g}",
        ]
        for one in found.agreements
    ]
    table = ["system", "same answers", f"{share} low", f"{share} high", "largest difference of a number"]
    show.table("", table, rows)
    show.comparisons(found.comparison.comparisons, level)
    deciding = f"{found.comparison.primary}, margin {found.margin:g}"
    for name in found.failing:
        print(
            f"not shown: {name} may be worse by the margin ({deciding}); nothing is written. "
            "Give more labelled examples with --data, or a wider --margin that you can bear"
        )
    if found.passed:
        print(f"shown not worse ({deciding})")
