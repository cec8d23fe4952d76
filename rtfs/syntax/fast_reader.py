"""Reads texts without faults by one loop over one `findall`; all others, and block comments, are left to the parser.

It knows as much of the grammar as brackets and prefixes are: what may follow what. Atoms are those of the lexer's
terminals. Invariant: `read_plain` answers what the parser would, or None and then nothing is noted in the reading; what
is wrong with a text only the parser says. Places of children are not noted: they are found when they are asked for (see
`FormInfo.kids`). Symbols and sequences are made here without a call of their classes: that takes a third of the time.
"""

from __future__ import annotations

import re

from rtfs.syntax.builder import annotate, function_form, prefixed, whole_map, whole_set
from rtfs.syntax.lexer import (
    FAULTY,
    argument,
    first_and_last,
    is_text,
    read_word,
    text_of_string,
)
from rtfs.syntax.tokens import CLOSED_BY, CLOSERS, PREFIXES, Mark, TooManyErrors
from rtfs.syntax.words import SYMBOL
from rtfs.values import List, Symbol, Vector
from rtfs.values.info import FormInfo
from rtfs.values.step_account import LARGE, paced, stretches

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from rtfs.syntax.builder import Item
    from rtfs.syntax.tokens import Reading

    Waiting = list[Any]  # [prefix, start, end, operand of `^` or None]

_new = object.__new__


class _Closer:
    """A closing bracket."""

    __slots__ = ()


class _Opener:
    """An opening bracket, and the one that closes it. text: `(`, `[`, `{`, `#{` or `#(`. sequence: the class of what it
    opens, if that is a sequence."""

    __slots__ = ("closer", "sequence", "text")

    def __init__(self, text: str, closer: _Closer) -> None:
        self.text = text
        self.closer = closer
        self.sequence = {"(": List, "[": Vector}.get(text)


class _Prefix:
    """A prefix."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


_TOP = _Opener("", _Closer())
"""What the top level is within: no token closes it."""
_CLOSERS = {text: _Closer() for text in CLOSERS.values()}
_MARKS: dict[str, Any] = {
    **_CLOSERS,
    **{text: _Opener(text, _CLOSERS[closer]) for text, closer in CLOSED_BY.items()},
    **{text: _Prefix(text) for text in PREFIXES.values()},
}
_NEW = object()
"""The meaning of a word that was not read lately."""
MOST_WORDS = 10_000
_words = dict(_MARKS)
"""Words read lately with their values, a symbol without a place; and the marks. Most words of a text are known."""


def _known_words() -> dict[str, Any]:
    """The known words, to be added to."""
    global _words
    if len(_words) > MOST_WORDS:
        _words = dict(_MARKS)
    return _words


class PlainReader:
    """terminals: name → regular expression, of the grammar."""

    def __init__(self, terminals: dict[str, str]) -> None:
        space, comment = terminals["SPACE"], terminals["COMMENT"]
        atom = terminals["ATOM"]
        marks = "|".join(re.escape(mark) for mark in sorted((*_MARKS, "#|"), key=len, reverse=True))
        plain = f"[()\\[\\]{{}}]|{_plain_word(re.compile(atom))}"
        before = f"(?:{space})?+(?:{comment}(?:{space})?+)*+"
        self._scan = re.compile(f"({before})(?:({plain}|{atom}|{marks})|.|\\Z)", re.DOTALL)

    def read(self, reading: Reading) -> list[Any] | None:
        """The flat items `[value, start, end, …]` of the reading's source; None for a text that is not plain."""
        try:
            items = self._read(reading)
        except TooManyErrors:
            items = None
        if items is None or reading.errors:
            reading.restart()
            return None
        return items

    def _tokens(self, text: str, at: int, stop: int) -> Iterable[tuple[str, str]]:
        """The tokens of a text as (what is before it, token), with looks at the clock in between; the
        token is empty at the end, and where there is none."""
        if stop - at <= LARGE:
            return paced(self._scan.findall(text, at, stop))
        found = stretches(self._scan.finditer(text, at, stop))
        return (match.groups("") for part in found for match in part)

    def _read(self, reading: Reading) -> list[Any] | None:
        source = reading.source
        text = source.text
        if not is_text(text):
            return None
        at, stop = first_and_last(text)
        words = _known_words()
        known = words.get
        new = _new
        opened: list[tuple[_Opener, int, list[Any], list[Waiting] | None]] = []
        opener, begun = _TOP, 0  # the innermost form that is open, and where it began
        top: list[Any] = []  # the flat items of the top level
        values = top  # of the innermost form
        waiting: list[Waiting] | None = None  # its prefixes that have no operand yet
        function: Mark | None = None  # the `#(` that is open
        for space, word in self._tokens(text, at, stop):
            start = at + len(space)
            at = start + len(word)
            if function is not None and word[:1] == "%":
                word = argument(reading, function, word, start)
            value = known(word, _NEW)
            kind = value.__class__
            if kind is Symbol:
                name = value.name
                value = new(Symbol)
                value.name, value._info = name, None
                value.source, value.start, value.end = source, start, at
            elif kind is _Opener:
                if value.text == "#(":
                    if function is not None:
                        return None
                    function = Mark("FN", start, at, reading)
                    function.arguments, function.rest = 0, False
                opened.append((opener, begun, values, waiting))
                opener, begun = value, start
                values, waiting = [], None
                continue
            elif kind is _Closer:
                if value is not opener.closer or waiting:
                    return None
                start = begun
                sequence = opener.sequence
                if sequence is not None:
                    info = new(FormInfo)
                    info.source, info.start, info.end = source, start, at
                    info.found = info.meta = None
                    value = new(sequence)  # `adopt`, spelled out
                    value._items, value._start, value._stop = values, 0, len(values)
                    value._more, value._at = None, 0
                    value.info = info
                elif opener.text == "#(":
                    assert function is not None
                    value, function = function_form(function, values, at), None
                else:
                    value = (whole_map if opener.text == "{" else whole_set)(reading, values, start, at)
                    if value is None:
                        return None
                opener, begun, values, waiting = opened.pop()
            elif kind is _Prefix:
                waiting = waiting or []
                waiting.append([value.text, start, at, None])
                continue
            elif value is _NEW:
                if not word and start == stop:
                    break  # nothing follows but comments
                if not word or word == "#|":
                    return None
                if word[0] == '"':
                    value = text_of_string(reading, word, start)
                else:
                    value = read_word(reading, word, start, at)
                    if value is FAULTY:
                        return None
                    if value is SYMBOL:
                        words[word] = Symbol(word)
                        value = Symbol(word, FormInfo(source, start, at))
                    else:
                        words[word] = value
            if waiting:
                operand: Item | None = (value, start, at)
                while operand is not None and waiting:
                    operand = _applied(reading, waiting, operand)
                if operand is None:
                    continue
                value, start, end = operand
                if values is top:
                    top += (value, start, end)
                    continue
            elif values is top:
                top += (value, start, at)
                continue
            values.append(value)
        return None if opened or waiting else top


def _plain_word(atom: re.Pattern[str]) -> str:
    """The expression of words of letters and signs that are words alone too, before what ends any word: most words are
    such, and found in half the time."""
    signs = [chr(code) for code in range(33, 127)]
    plain = re.escape("".join([sign for sign in signs if atom.fullmatch(sign) and atom.fullmatch(sign * 2)]))
    ending = re.escape("".join([sign for sign in " \n,()[]{}" if not atom.fullmatch(f"a{sign}")]))
    return f"[:{plain}][{plain}]*+(?=[{ending}])"


def _applied(reading: Reading, waiting: list[Waiting], operand: Item) -> Item | None:
    """The result of applying the innermost pending prefix to its operand; None if more must follow."""
    prefix, start, end, note = waiting[-1]
    if prefix == "^" and note is None:
        waiting[-1][3] = operand
        return None
    waiting.pop()
    if prefix == "#_":
        return None
    if prefix == "^":
        annotate(reading, note, operand[0])
        return operand
    return prefixed(reading.source, prefix, start, end, operand)
