"""Commands of scoring answers, whoever gave them."""

from __future__ import annotations

import argparse

from truetune.cli.arguments.shared import (
    add_files,
    add_ledger,
    add_sureness,
    add_tokenizer,
    added,
    level,
    margin,
    number,
    share,
)


def add_scoring(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add their grammar."""
    evaluate = added(commands, "evaluate", "score predictions: anybody's files, or a run")
    evaluate.add_argument("run", nargs="?", metavar="RUN", help="a run folder")
    evaluate.add_argument("--data", metavar="FILE", help="labelled file for RUN's model (default: RUN's test part)")
    add_files(evaluate)
    evaluate.add_argument("--predicted", metavar="FILE", help="what the system said")
    evaluate.add_argument("--slice", metavar="COLUMN", help="score each value of this gold column by itself too")
    add_tokenizer(evaluate)
    evaluate.add_argument("--metric", action="append", metavar="M", help="only this metric (may be repeated)")
    evaluate.add_argument(
        "--claimed",
        action="append",
        metavar="M=VALUE",
        help="a score that somebody states, as printed: exit 1 unless it is that of the predictions (may be repeated)",
    )
    evaluate.add_argument(
        "--weak", action="store_true", help="look for rules of one or two conditions where the system is worst"
    )
    add_ledger(evaluate)
    evaluate.add_argument("--html", metavar="FILE", help="also write a page")
    evaluate.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")
    add_sureness(evaluate)

    compare = added(commands, "compare", "is the candidate shown better than the baseline? a gate")
    compare.add_argument("runs", nargs="*", metavar="RUN", help="run folders, the baseline first")
    add_files(compare)
    compare.add_argument("--predicted", nargs="+", metavar="FILE", help="predictions, the baseline's first")
    compare.add_argument("--metric", metavar="M", help="the metric that decides (default: the task's primary one)")
    compare.add_argument("--margin", type=margin, metavar="D", help="pass when shown not worse by more than D")
    compare.add_argument("--slice", metavar="COLUMN", help="compare on each value of this gold column by itself too")
    add_tokenizer(compare)
    add_ledger(compare)
    compare.add_argument("--html", metavar="FILE", help="also write a page")
    compare.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")
    add_sureness(compare)

    behave = added(commands, "check", "does a model answer the same when texts change in small ways?")
    behave.add_argument("path", metavar="RUN|PATH", help="a run, or an exported model")
    behave.add_argument("--data", metavar="FILE", help="texts to change (default: the run's validation part)")
    behave.add_argument(
        "--judged",
        nargs="+",
        default=[],
        metavar="LABEL",
        help="labels that a negation turns round (positive negative): texts with them are negated too",
    )
    behave.add_argument("--limit", type=int, default=500, metavar="N", help="change at most N texts (default: 500)")
    behave.add_argument(
        "--most", type=share, default=0.1, metavar="S", help="exit 1 where a rate is shown above this (default: 0.1)"
    )
    behave.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, mps")
    add_sureness(behave)

    check = added(commands, "check-report", "can this classification report be true?")
    check.add_argument(
        "file", metavar="FILE", help="text of scikit-learn's or seqeval's report; - reads standard input"
    )

    agreement = added(commands, "agreement", "how far do raters agree? Cohen, Fleiss, Krippendorff")
    agreement.add_argument(
        "file", metavar="FILE", help="columns item, rater, rating; or a column for each rater and a line for each item"
    )
    agreement.add_argument(
        "--scale",
        choices=("nominal", "ordinal", "interval"),
        default="nominal",
        help="default: nominal",
    )
    agreement.add_argument("--values", nargs="+", metavar="V", help="the possible values, in order if ordinal")
    agreement.add_argument("--raters", nargs="+", metavar="COLUMN", help="the columns of the raters (default: all)")
    agreement.add_argument("--group", metavar="COLUMN", help="column that groups items (default: `group`; `none`)")
    add_sureness(agreement)

    preference = added(commands, "preference", "which system do judges prefer? Bradley-Terry, Elo, win rates")
    preference.add_argument("file", metavar="FILE", help="a line a game: a, b, winner (a, b or tie)")
    preference.add_argument("--group", metavar="COLUMN", help="column of judge or prompt (default: `group`; `none`)")
    preference.add_argument(
        "--prior", type=number, default=0.0, metavar="N", help="ties of each system with a mean one (default: 0)"
    )
    add_sureness(preference)

    seeds = added(commands, "seeds", "several training runs of a recipe, and what another run would score")
    add_files(seeds)
    seeds.add_argument("--predicted", nargs="+", default=[], metavar="FILE", help="what each run said")
    seeds.add_argument("--baseline", nargs="+", default=[], metavar="FILE", help="what runs of another recipe said")
    seeds.add_argument("--level", type=level, default=0.95, metavar="L", help="confidence level (default: 0.95)")
