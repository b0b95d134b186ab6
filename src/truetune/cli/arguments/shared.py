"""Arguments that several commands share, and the types of their values."""

from __future__ import annotations

import argparse

EPILOG = "exit status: 0 fine, 1 findings or not shown better, 2 error"


def added(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, about: str
) -> argparse.ArgumentParser:
    """Add a command and return it."""
    command = commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".", epilog=EPILOG)
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def add_files(command: argparse.ArgumentParser) -> None:
    """Add where the right answers stand."""
    command.add_argument("--task", help="the task of the files (`truetune tasks`)")
    command.add_argument("--gold", metavar="FILE", help="the right answers")
    command.add_argument(
        "--group",
        metavar="COLUMN",
        help="column that groups examples: the unit of resampling and testing (default: `group` "
        "where it is there; `none` for none)",
    )


def add_tokenizer(command: argparse.ArgumentParser) -> None:
    """Add how texts are cut into words."""
    command.add_argument(
        "--tokenizer",
        metavar="T",
        help="of BLEU and TER: 13a, zh, char, intl, none or ja-mecab (default: by the script of the references)",
    )


def add_ledger(command: argparse.ArgumentParser) -> None:
    """Add where openings of a test set are written down."""
    command.add_argument(
        "--ledger",
        metavar="FILE",
        help="write down here that the test set was opened, and for how many systems (runs, and RUN --data: the one "
        "beside them)",
    )


def add_sureness(command: argparse.ArgumentParser) -> None:
    """Add how sure the numbers say they are."""
    command.add_argument("--level", type=level, default=0.95, metavar="L", help="confidence level (default: 0.95)")
    command.add_argument("--resamples", type=resamples, default=10_000, metavar="N", help="default: 10,000")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="seed of resampling (default: 0)")


def share(text: str) -> float:
    """Return a share between 0 and 1."""
    value = number(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a share between 0 and 1")
    return value


def level(text: str) -> float:
    """Return a level between 0 and 1, both left out."""
    value = number(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected a level between 0 and 1, such as 0.95, found {text}")
    return value


def margin(text: str) -> float:
    """Return a finite number above 0."""
    value = number(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a margin above 0, such as 0.01, found {text}")
    return value


def count(text: str) -> int:
    """Return a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found {text}")
    return int(text)


def resamples(text: str) -> int:
    """Return a whole number of at least 100."""
    if not text.isdecimal() or int(text) < 100:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 100, found {text}")
    return int(text)


def number(text: str) -> float:
    """Return a number."""
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, found {text!r}") from None
