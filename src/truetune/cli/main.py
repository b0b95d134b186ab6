"""The entry point: parse, call the command's module, turn errors into one message and an exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from truetune.cli.parser import commands_of, parser
from truetune.errors import TruetuneError, nearest

# Threads that wait for each other sleep, and do not spin: where anything else runs, spinning made training up to ten
# times slower; on a quiet machine it gains little. It must stand before PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

FINE, FINDINGS, ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 fine, 1 findings or not better, 2 error."""
    args = _parsed(argv)
    module = importlib.import_module(f"truetune.cli.{args.command.replace('-', '_')}")
    try:
        status: int = module.run(args)
        sys.stdout.flush()
    except TruetuneError as error:
        _trace_where_asked(args)
        print(f"truetune {args.command}: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        print(f"truetune {args.command}: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader went away (`| head`): nothing is left to say, and Python must not try to at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINE
    except OSError as error:
        # A folder that is not to be written, a full disk: Python's own words name the file and what is wrong.
        _trace_where_asked(args)
        print(f"truetune {args.command}: {_told(error)}", file=sys.stderr)
        return ERROR
    except Exception:
        # Never status 1, which a gate would read as "not better".
        traceback.print_exc()
        print(f"truetune {args.command}: this is a fault of truetune; please report it", file=sys.stderr)
        return ERROR
    return status


def _trace_where_asked(args: argparse.Namespace) -> None:
    if args.debug:
        traceback.print_exc()


def _told(error: OSError) -> str:
    """Return where and what, and what to do."""
    if error.filename is None or error.strerror is None:
        return str(error)
    return f"{error.filename}: {error.strerror}; expected a place that can be read and written. Name another one"


def _refuse_unknown(words: Sequence[str], grammar: argparse.ArgumentParser) -> None:
    """Answer a misspelt command with the nearest ones, where argparse would list them all."""
    known = commands_of(grammar)
    named = next((word for word in words if not word.startswith("-")), None)
    if named is not None and named not in known:
        grammar.error(f"unknown command {named!r}; {nearest(named, known)}")


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse, letting overrides stand behind options too, which argparse alone refuses."""
    grammar = parser()
    _refuse_unknown(sys.argv[1:] if argv is None else argv, grammar)
    args, rest = grammar.parse_known_args(argv)
    if args.command in ("finetune", "optimize") and all("=" in word and not word.startswith("-") for word in rest):
        args.overrides += rest
    elif rest:
        grammar.error(f"unrecognized arguments: {' '.join(rest)}")
    return args


if __name__ == "__main__":
    sys.exit(main())
