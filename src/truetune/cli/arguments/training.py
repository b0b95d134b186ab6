"""Commands of the way from data to a better model."""

from __future__ import annotations

import argparse

from truetune.cli.arguments.shared import added, count, number


def add_training(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add their grammar."""
    demo = added(commands, "demo", "fine-tune an embedded model on embedded data, start to verdict")
    demo.add_argument("task", nargs="?", default="classification", choices=("classification", "ner"))
    demo.add_argument("--lang", choices=("zh", "en"), help="language of data and report (default: the locale's)")
    demo.add_argument("--output", default="runs", metavar="DIR", help="folder for the run (default: runs)")

    init = added(commands, "init", "write a commented config for a data file that it looks at")
    init.add_argument("data", metavar="DATA", help="file, folder, hub:NAME or builtin:NAME")
    init.add_argument("--task", help="the task, where the data leaves it open")
    init.add_argument("--output", "-o", metavar="FILE", help="config to write (default: the data's name with .yaml)")

    audit = added(commands, "audit", "examine data before money is spent on it")
    audit.add_argument("files", nargs="+", metavar="CONFIG|FILE")
    audit.add_argument("--task", help="the task of data files (a config names its own)")
    audit.add_argument("--suspects", action="store_true", help="also look for labels that are probably wrong")
    audit.add_argument(
        "--thorough",
        action="store_true",
        help="look for them by the features of the config's model, and for nearly equal texts however many there are",
    )
    audit.add_argument(
        "--folds",
        type=int,
        default=0,
        metavar="K",
        help="look for them also by K models, fine-tuned as the config says on all folds of the training part but one",
    )
    audit.add_argument(
        "--severity",
        choices=("error", "warning", "note"),
        default="error",
        help="exit 1 where a finding is as grave as this (default: error)",
    )
    audit.add_argument("--html", metavar="FILE", help="also write a page")
    audit.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")
    audit.add_argument(
        "--fix",
        metavar="DIR",
        help="write a cleaned copy of the files, and changes.jsonl with every change, to a new folder",
    )

    pairs = added(commands, "pairs", "make the marked pairs that `relations` learns from of texts with triples")
    pairs.add_argument("file", metavar="FILE", help="text, triples and, where it has them, spans (all entities)")
    pairs.add_argument("--output", "-o", required=True, metavar="FILE", help="JSONL to write")
    pairs.add_argument("--none", default="no_relation", metavar="LABEL", help="of pairs without (default: no_relation)")
    pairs.add_argument("--negatives", type=count, metavar="N", help="at most so many of these a text (default: all)")
    pairs.add_argument("--seed", type=int, default=0, metavar="S", help="of which are drawn (default: 0)")

    finetune = added(commands, "finetune", "audit, split, measure, fine-tune, measure again, report")
    finetune.add_argument("config", metavar="CONFIG")
    finetune.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    finetune.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")

    pretrain = added(commands, "pretrain", "learn from unlabelled text: a model that finetune takes")
    pretrain.add_argument("config", metavar="CONFIG")
    pretrain.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    pretrain.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")

    optimize = added(commands, "optimize", "search for better settings, confirm them, fine-tune with them")
    optimize.add_argument("config", metavar="CONFIG")
    optimize.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    optimize.add_argument("--trials", type=int, metavar="N", help="at most so many trials (optimize.trials)")
    optimize.add_argument("--minutes", type=float, metavar="M", help="minutes of training (optimize.minutes)")
    optimize.add_argument(
        "--worker", action="store_true", help="train for a search that another process has begun (optimize.storage)"
    )

    diagnose = added(commands, "diagnose", "what holds a run's score back, and what that costs")
    diagnose.add_argument("run", metavar="RUN")
    diagnose.add_argument(
        "--minutes", type=number, default=10.0, metavar="M", help="for trainings with one thing changed (default: 10)"
    )
    diagnose.add_argument(
        "--worth",
        type=number,
        metavar="D",
        help="gains below this are not looked for (default: a hundredth of the metric's highest value)",
    )

    wanted = added(commands, "label-next", "which of these texts to label next for a run?")
    wanted.add_argument("run", metavar="RUN")
    wanted.add_argument("file", metavar="FILE", help="texts without labels")
    wanted.add_argument("--number", type=count, default=100, metavar="N", help="how many (default: 100)")
    wanted.add_argument("--output", "-o", metavar="FILE", help="JSONL to write, to be labelled")

    report = added(commands, "report", "write a run's page again from its saved files")
    report.add_argument("run", metavar="RUN")
    report.add_argument("--language", choices=("en", "zh"), help="language (default: the run's)")
    report.add_argument("--output", "-o", metavar="FILE", help="page to write (default: RUN/report.html)")
