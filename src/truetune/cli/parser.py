"""The command line's grammar. Standard library only, so that `truetune --help` answers at once."""

from __future__ import annotations

import argparse

from truetune import __version__

DESCRIPTION = "Fine-tune language models, steered by evaluation metrics that can be trusted."
EPILOG = "exit status: 0 fine, 1 findings or not shown better, 2 error"


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `args.command` names the module in `truetune.cli` that runs it."""
    root = argparse.ArgumentParser(prog="truetune", description=DESCRIPTION, epilog=EPILOG)
    root.add_argument("--version", action="version", version=f"truetune {__version__}")
    root.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)

    demo = _command(commands, "demo", "fine-tune an embedded model on embedded data, start to verdict")
    demo.add_argument("task", nargs="?", default="classification", choices=("classification", "ner"))
    demo.add_argument("--lang", choices=("zh", "en"), help="language of data and report (default: the locale's)")
    demo.add_argument("--output", default="runs", metavar="DIR", help="folder for the run (default: runs)")

    init = _command(commands, "init", "write a commented config for a data file that it looks at")
    init.add_argument("data", metavar="DATA", help="file, folder, hub:NAME or builtin:NAME")
    init.add_argument("--task", help="the task, where the data leaves it open")
    init.add_argument("--output", "-o", metavar="FILE", help="config to write (default: the data's name with .yaml)")

    audit = _command(commands, "audit", "examine data before money is spent on it")
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

    finetune = _command(commands, "finetune", "audit, split, measure, fine-tune, measure again, report")
    finetune.add_argument("config", metavar="CONFIG")
    finetune.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    finetune.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")

    pretrain = _command(commands, "pretrain", "learn from unlabelled text: a model that finetune takes")
    pretrain.add_argument("config", metavar="CONFIG")
    pretrain.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    pretrain.add_argument("--resume", action="store_true", help="go on with the run that was interrupted")

    optimize = _command(commands, "optimize", "search for better settings, confirm them, fine-tune with them")
    optimize.add_argument("config", metavar="CONFIG")
    optimize.add_argument("overrides", nargs="*", metavar="section.key=value", help="settings that replace the file's")
    optimize.add_argument("--trials", type=int, metavar="N", help="at most so many trials (optimize.trials)")
    optimize.add_argument("--minutes", type=float, metavar="M", help="minutes of training (optimize.minutes)")

    evaluate = _command(commands, "evaluate", "score predictions: anybody's files, or a run")
    evaluate.add_argument("run", nargs="?", metavar="RUN", help="a run folder")
    evaluate.add_argument("--data", metavar="FILE", help="labelled file for RUN's model (default: RUN's test part)")
    _files(evaluate)
    evaluate.add_argument("--predicted", metavar="FILE", help="what the system said")
    evaluate.add_argument("--slice", metavar="COLUMN", help="score each value of this gold column by itself too")
    _tokenizer(evaluate)
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
    _ledger(evaluate)
    evaluate.add_argument("--html", metavar="FILE", help="also write a page")
    evaluate.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")
    _sureness(evaluate)

    compare = _command(commands, "compare", "is the candidate shown better than the baseline? a gate")
    compare.add_argument("runs", nargs="*", metavar="RUN", help="run folders, the baseline first")
    _files(compare)
    compare.add_argument("--predicted", nargs="+", metavar="FILE", help="predictions, the baseline's first")
    compare.add_argument("--metric", metavar="M", help="the metric that decides (default: the task's primary one)")
    compare.add_argument("--margin", type=_margin, metavar="D", help="pass when shown not worse by more than D")
    compare.add_argument("--slice", metavar="COLUMN", help="compare on each value of this gold column by itself too")
    _tokenizer(compare)
    _ledger(compare)
    compare.add_argument("--html", metavar="FILE", help="also write a page")
    compare.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")
    _sureness(compare)

    behave = _command(commands, "check", "does a model answer the same when texts change in small ways?")
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
        "--most", type=_share, default=0.1, metavar="S", help="exit 1 where a rate is shown above this (default: 0.1)"
    )
    behave.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, mps")
    _sureness(behave)

    check = _command(commands, "check-report", "can this classification report be true?")
    check.add_argument(
        "file", metavar="FILE", help="text of scikit-learn's or seqeval's report; - reads standard input"
    )

    agreement = _command(commands, "agreement", "how far do raters agree? Cohen, Fleiss, Krippendorff")
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
    _sureness(agreement)

    preference = _command(commands, "preference", "which system do judges prefer? Bradley-Terry, Elo, win rates")
    preference.add_argument("file", metavar="FILE", help="a line a game: a, b, winner (a, b or tie)")
    preference.add_argument("--group", metavar="COLUMN", help="column of judge or prompt (default: `group`; `none`)")
    preference.add_argument(
        "--prior", type=_number, default=0.0, metavar="N", help="ties of each system with a mean one (default: 0)"
    )
    _sureness(preference)

    seeds = _command(commands, "seeds", "several training runs of a recipe, and what another run would score")
    _files(seeds)
    seeds.add_argument("--predicted", nargs="+", default=[], metavar="FILE", help="what each run said")
    seeds.add_argument("--baseline", nargs="+", default=[], metavar="FILE", help="what runs of another recipe said")
    seeds.add_argument("--level", type=_level, default=0.95, metavar="L", help="confidence level (default: 0.95)")

    predict = _command(commands, "predict", "label the texts of a file with a run's model")
    predict.add_argument("run", metavar="RUN")
    predict.add_argument("file", metavar="FILE")
    predict.add_argument("--output", "-o", metavar="FILE", help="JSONL to write (default: standard output)")
    predict.add_argument("--resume", action="store_true", help="go on with an --output that was interrupted")

    export = _command(commands, "export", "write a run's model as ONNX, if its answers are shown to be the same")
    export.add_argument("run", metavar="RUN")
    export.add_argument("folder", metavar="DIR", help="folder to write; it is made only where parity is shown")
    export.add_argument("--format", choices=("onnx",), default="onnx", help="default: onnx")
    export.add_argument(
        "--int8",
        nargs="?",
        const="dynamic",
        choices=("dynamic", "static"),
        help="weights as 8-bit integers; activations rounded as they come, or (static) by ranges over training texts",
    )
    export.add_argument(
        "--engine",
        choices=("auto", "onnxruntime", "openvino"),
        default="auto",
        help="what runs it (default: faster)",
    )
    export.add_argument("--metric", metavar="M", help="the metric that decides (default: the run's)")
    export.add_argument("--margin", type=_margin, default=0.01, metavar="D", help="what may be lost (default: 0.01)")
    export.add_argument("--data", metavar="FILE", help="labelled examples to compare on (default: the validation part)")
    _sureness(export)

    serve = _command(commands, "serve", "answer over HTTP with a run's model, or an exported one")
    serve.add_argument("path", metavar="PATH", help="a run, its model folder, an exported folder, or a link to one")
    serve.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, this machine only")
    serve.add_argument("--port", type=int, default=8000, help="default: 8000")
    serve.add_argument("--workers", type=int, default=1, metavar="N", help="processes (default: 1)")
    serve.add_argument(
        "--scale", choices=("here", "ray"), default="here", help="ray: the workers are replicas of Ray Serve"
    )
    serve.add_argument("--keys", metavar="FILE", help="API keys, one a line; needed beyond this machine")
    serve.add_argument("--rate", type=_number, default=0.0, metavar="N", help="requests a client a second")
    serve.add_argument("--largest", type=int, default=1_000_000, metavar="BYTES", help="of a request (default: 10^6)")
    serve.add_argument("--texts", type=int, default=256, metavar="N", help="of a request (default: 256)")
    serve.add_argument("--timeout", type=_number, default=30.0, metavar="S", help="seconds for a request (default: 30)")
    serve.add_argument("--tokens", type=int, default=4096, metavar="N", help="of one batch, about (default: 4,096)")
    serve.add_argument("--waiting", type=int, default=1024, metavar="N", help="texts that may wait (default: 1,024)")
    serve.add_argument(
        "--target", type=_number, default=2.0, metavar="S", help="refuse what would be answered later (default: 2)"
    )
    serve.add_argument("--device", default="auto", help="of a PyTorch model (default: auto)")
    serve.add_argument("--log-texts", action="store_true", help="write texts into the log, too")

    serve.add_argument("--live", metavar="DIR", help="watch drift and, with labels, accuracy; kept in this folder")
    serve.add_argument("--shadow", metavar="PATH", help="another model answers too, never returned, kept in --live")
    serve.add_argument("--ab", metavar="PATH", help="another model answers a --share of clients")
    serve.add_argument("--share", type=_share, default=0.1, metavar="S", help="of --ab (default: 0.1)")

    drift = _command(commands, "drift", "do texts or predictions differ from those that the model was validated on?")
    drift.add_argument("path", metavar="BUNDLE", help="a run, its model folder, or an exported folder")
    drift.add_argument("file", nargs="?", metavar="FILE", help="inputs, or predictions as `predict` writes them")
    drift.add_argument(
        "--reference", action="store_true", help="make the reference of a run's validation part first (older runs)"
    )
    drift.add_argument(
        "--alpha", type=_level, default=0.05, metavar="A", help="chance of any false alarm (default: 0.05)"
    )
    drift.add_argument("--seed", type=int, default=0, metavar="S", help="seed of permutations (default: 0)")
    drift.add_argument("--html", metavar="FILE", help="also write a page")
    drift.add_argument("--language", choices=("en", "zh"), default="en", help="language of the page")

    live = _command(commands, "live-compare", "is the second model of a server shown better? to be asked at any time")
    live.add_argument("log", metavar="LOG", help="folder of `serve --live`, or the journal in it")
    live.add_argument(
        "--alpha",
        type=_level,
        default=0.05,
        metavar="A",
        help="chance that equally good models are ever told apart (default: 0.05)",
    )
    live.add_argument("--language", choices=("en", "zh"), default="en", help="language of the words")

    push = _command(commands, "push", "send a run's model to a repository of the Hugging Face Hub")
    push.add_argument("run", metavar="RUN", help="a run, its model folder, or an exported folder")
    push.add_argument("name", metavar="NAME", help="USER/NAME")
    push.add_argument("--public", action="store_true", help="for everybody to see (default: private)")
    push.add_argument("--endpoint", metavar="URL", help="another Hub (default: HF_ENDPOINT, or huggingface.co)")

    diagnose = _command(commands, "diagnose", "what holds a run's score back, and what that costs")
    diagnose.add_argument("run", metavar="RUN")
    diagnose.add_argument(
        "--minutes", type=_number, default=10.0, metavar="M", help="for trainings with one thing changed (default: 10)"
    )
    diagnose.add_argument(
        "--worth", type=_number, default=0.01, metavar="D", help="gains below this are not looked for (default: 0.01)"
    )

    report = _command(commands, "report", "write a run's page again from its saved files")
    report.add_argument("run", metavar="RUN")
    report.add_argument("--language", choices=("en", "zh"), help="language (default: the run's)")
    report.add_argument("--output", "-o", metavar="FILE", help="page to write (default: RUN/report.html)")

    _command(commands, "tasks", "list the tasks")
    _command(commands, "models", "list the embedded models and the other ways to name one")
    metrics = _command(commands, "metrics", "list the metrics")
    metrics.add_argument("--task", help="only those of this task")
    _command(commands, "schema", "print the JSON schema of the config file, for editors")
    return root


def commands_of(root: argparse.ArgumentParser) -> tuple[str, ...]:
    """Return the names of a parser's commands."""
    return tuple(
        name for action in root._actions if isinstance(action, argparse._SubParsersAction) for name in action.choices
    )


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", epilog=EPILOG)
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _files(command: argparse.ArgumentParser) -> None:
    command.add_argument("--task", help="the task of the files (`truetune tasks`)")
    command.add_argument("--gold", metavar="FILE", help="the right answers")
    command.add_argument(
        "--group",
        metavar="COLUMN",
        help="column that groups examples: the unit of resampling and testing (default: `group` "
        "where it is there; `none` for none)",
    )


def _share(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a share between 0 and 1")
    return value


def _tokenizer(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tokenizer",
        metavar="T",
        help="of BLEU and TER: 13a, zh, char, intl, none or ja-mecab (default: by the script of the references)",
    )


def _ledger(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--ledger",
        metavar="FILE",
        help="write down here that the test set was opened, and for how many systems (runs, and RUN --data: the one "
        "beside them)",
    )


def _sureness(command: argparse.ArgumentParser) -> None:
    command.add_argument("--level", type=_level, default=0.95, metavar="L", help="confidence level (default: 0.95)")
    command.add_argument("--resamples", type=_resamples, default=10_000, metavar="N", help="default: 10,000")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="seed of resampling (default: 0)")


def _level(text: str) -> float:
    value = _number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a level between 0 and 1, such as 0.95, found {text}")
    return value


def _margin(text: str) -> float:
    value = _number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a margin above 0, such as 0.01, found {text}")
    return value


def _resamples(text: str) -> int:
    if not text.isdecimal() or int(text) < 100:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 100, found {text}")
    return int(text)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, found {text!r}") from None
