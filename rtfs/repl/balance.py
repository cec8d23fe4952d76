"""Counts brackets line by line, so that a long input is not read again at every line.

Only a guess; the reader decides. Invariant: while it says that something is open, the text so far is not a complete
form.
"""

from __future__ import annotations

_BEFORE_COMMENT = frozenset(' \t,()[]{}"')
"""A `#` behind anything else belongs to a word."""


class Balance:
    """The brackets and strings that are open after the lines fed so far."""

    __slots__ = ("_comments", "_depth", "_string")

    def __init__(self) -> None:
        self._depth = 0
        self._comments = 0
        self._string = False

    @property
    def open(self) -> bool:
        """Whether a bracket, a string or a comment is open."""
        return self._depth > 0 or self._string or self._comments > 0

    def feed(self, line: str) -> None:
        """Take in the next line."""
        at, end = 0, len(line)
        while at < end:
            char = line[at]
            if self._string:
                if char == "\\":
                    at += 1
                elif char == '"':
                    self._string = False
            elif char == "\\" and not self._comments:
                at += 1  # a character such as `\(`
            elif char == "#" and line.startswith("#|", at) and (at == 0 or line[at - 1] in _BEFORE_COMMENT):
                self._comments += 1
                at += 1
            elif self._comments:
                if line.startswith("|#", at):
                    self._comments -= 1
                    at += 1
            elif char == '"':
                self._string = True
            elif char == ";":
                return
            elif char in "([{":
                self._depth += 1
            elif char in ")]}":
                self._depth -= 1
            at += 1
