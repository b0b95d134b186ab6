"""`truetune pretrain CONFIG`: from unlabelled text to a model that `finetune` takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune import config
from truetune.cli.finetune import print_result
from truetune.workflows.pretrain import pretrain


def run(args: argparse.Namespace) -> int:
    """Run it; 0 when it ran, whatever it found."""
    settings = config.load(args.config, args.overrides)
    name = settings.track.name or Path(args.config).stem
    named = settings.model_copy(update={"track": settings.track.model_copy(update={"name": name})})
    print_result(pretrain(named, resume=args.resume), named.track.language, args.json)
    return 0
