"""The command line's grammar. Standard library only, so that `truetune --help` answers at once."""

from __future__ import annotations

import argparse

from truetune import __version__
from truetune.cli.arguments.scoring import add_scoring
from truetune.cli.arguments.shared import EPILOG, added
from truetune.cli.arguments.shipping import add_shipping
from truetune.cli.arguments.training import add_training

DESCRIPTION = "Fine-tune language models, steered by evaluation metrics that can be trusted."


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; `args.command` names the module in `truetune.cli` that runs it."""
    root = argparse.ArgumentParser(prog="truetune", description=DESCRIPTION, epilog=EPILOG)
    root.add_argument("--version", action="version", version=f"truetune {__version__}")
    root.add_argument("--debug", action="store_true", help="show where in the code an error arose")
    commands = root.add_subparsers(dest="command", metavar="COMMAND", required=True)

    add_training(commands)
    add_scoring(commands)
    add_shipping(commands)
    added(commands, "tasks", "list the tasks")
    added(commands, "models", "list the embedded models and the other ways to name one")
    metrics = added(commands, "metrics", "list the metrics")
    metrics.add_argument("--task", help="only those of this task")
    added(commands, "schema", "print the JSON schema of the config file, for editors")
    return root


def commands_of(root: argparse.ArgumentParser) -> tuple[str, ...]:
    """Return the names of a parser's commands."""
    return tuple(
        name for action in root._actions if isinstance(action, argparse._SubParsersAction) for name in action.choices
    )
