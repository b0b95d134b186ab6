"""`truetune models`: the embedded models, and the other ways to name one."""

from __future__ import annotations

import argparse

from truetune.backbones.builtin import MODELS, available_models
from truetune.cli import show


def run(args: argparse.Namespace) -> int:
    """List the embedded models and whether they are on this machine."""
    here = set(available_models())
    found = [
        {
            "model": f"builtin:{model.name}",
            "kind": model.kind,
            "language": model.language,
            "parameters": model.parameters,
            "licence": model.licence,
            "here": model.name in here,
            "about": model.about,
            "about_zh": model.about_zh,
        }
        for model in MODELS.values()
    ]
    if args.json:
        show.as_json({"models": found})
        return 0
    rows = [
        [
            str(one["model"]),
            f"{one['parameters']:,}",
            str(one["language"]),
            "yes" if one["here"] else "no",
            str(one["about"]),
        ]
        for one in found
    ]
    show.table("", ["model", "parameters", "language", "on this machine", "about"], rows)
    print("also: any encoder or decoder of the Hugging Face Hub by name (bert-base-cased), or a local folder")
    return 0
