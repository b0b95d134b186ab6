"""What a person sees while a run works: a line a stage, a bar for what takes long. On standard error."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


class Progress:
    """Prints stages and bars, or, when `quiet`, nothing."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self._began = time.monotonic()

    def say(self, line: str) -> None:
        """Print one line with the time since the start."""
        if not self.quiet:
            seconds = time.monotonic() - self._began
            print(f"[{seconds:6.1f} s] {line}", file=sys.stderr, flush=True)

    @contextlib.contextmanager
    def bar(self, title: str, total: int) -> Iterator[Callable[[int, str], None]]:
        """Give a function that moves a bar to a position and says something beside it."""
        if self.quiet:
            yield lambda position, text: None
            return
        from rich.console import Console
        from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        console = Console(stderr=True)
        if not console.is_terminal:
            yield _Lines(self, title, total).at
            return
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Bars(*columns, TextColumn("{task.fields[said]}"), console=console, transient=True) as bars:
            task = bars.add_task(title, total=total, said="")
            yield lambda position, text: bars.update(task, completed=position, said=text)

    def over(self, title: str, items: Iterable[Item], total: int) -> Iterator[Item]:
        """Yield items and move a bar with them."""
        with self.bar(title, total) as at:
            for position, item in enumerate(items, start=1):
                yield item
                at(position, "")


class _Lines:
    """Where there is no terminal: a line every tenth of the way, none for what is done in two seconds."""

    def __init__(self, progress: Progress, title: str, total: int) -> None:
        self.progress, self.title, self.total = progress, title, max(total, 1)
        self.said, self.began = 0, time.monotonic()

    def at(self, position: int, text: str) -> None:
        tenth = 10 * position // self.total
        if tenth > self.said and time.monotonic() - self.began > 2:
            self.progress.say(f"{self.title} {10 * tenth} % {text}")
        self.said = max(self.said, tenth)
