"""JSON values one after another, decoded from a file of which a little is in memory at a time."""

from __future__ import annotations

import json
from typing import Any, TextIO

BLOCK = 1 << 20
"""Characters that are read at a time, more where one value is longer."""
_BETWEEN = " \t\n\r,"
_LONGEST_WORD = 16
"""Characters within which the end of a block can cut a word, a number or an escape sequence (`\\ud83d\\ude00`: 12)."""
_AFTER_NUMBER = 3
"""Characters after a number from which on it cannot go on: in `1e+` the next one says whether there is an exponent."""
_decoded = json.JSONDecoder().raw_decode


class BrokenJsonError(ValueError):
    """Text that is no JSON, with the line of the file; the message says what and in which column."""

    def __init__(self, line: int, message: str) -> None:
        self.line = line
        super().__init__(f"is no JSON ({message})")


class JsonStream:
    """Reads the next character that says something, or the next value; commas and white space are passed over."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._place = 0
        """Where in `_text` is read next; what stands before has been read."""
        self._counted, self._line = 0, 1
        """A place in `_text` up to which line ends were counted, and its line in the file."""
        self._column = 0
        """Characters of the first line of `_text` that stood before it."""
        self._ended = False

    def line(self) -> int:
        """Return the line of what is read next."""
        self._line += self._text.count("\n", self._counted, self._place)
        self._counted = self._place
        return self._line

    def next_character(self) -> str:
        """Return the character that comes next, which stays to be read; empty at the end of the file."""
        while True:
            while self._place < len(self._text) and self._text[self._place] in _BETWEEN:
                self._place += 1
            if self._place < len(self._text):
                return self._text[self._place]
            if self._ended:
                return ""
            self._read_on()

    def skip(self) -> None:
        """Pass over the character that comes next."""
        self._place += 1

    def value(self) -> Any:
        """Return the value that comes next; raises `BrokenJsonError` where none does."""
        while True:
            try:
                value, end = _decoded(self._text, self._place)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _LONGEST_WORD
                if self._ended or not cut:
                    raise self._broken(error) from None
            except RecursionError:
                raise BrokenJsonError(self.line(), "values lie too deep in each other") from None
            except ValueError as error:  # a number of thousands of digits
                raise BrokenJsonError(self.line(), str(error)) from None
            else:
                if self._ended or end + _AFTER_NUMBER <= len(self._text):
                    self._place = end
                    return value
            self._read_on()

    def _broken(self, error: json.JSONDecodeError) -> BrokenJsonError:
        line = self.line() + self._text.count("\n", self._place, error.pos)
        last = self._text.rfind("\n", 0, error.pos)
        column = error.pos - last if last >= 0 else self._column + error.pos + 1
        return BrokenJsonError(line, f"{error.msg} at column {column}")

    def _read_on(self) -> None:
        """Drop what has been read, and read as much again as is left, or a block."""
        self._line = self.line()
        last = self._text.rfind("\n", 0, self._place)
        self._column = self._place - last - 1 if last >= 0 else self._column + self._place
        rest = self._text[self._place :]
        more = self._file.read(max(BLOCK, len(rest)))
        self._ended = not more
        self._text, self._place, self._counted = rest + more, 0, 0
