"""Reads texts without faults by one loop over one `findall`; all others, and block comments, are left to the parser.

It knows as much of the grammar as brackets and prefixes are: what may follow what. Atoms are those of the lexer's
terminals, and compound forms are made by the builder. Invariant: `read_plain` answers what the parser would, or None
and then nothing is noted in the reading; what is wrong with a text only the parser says.
"""

from __future__ import annotations

import re

from rtfs.syntax.builder import annotate, function_form, map_form, prefixed, sequence_form, set_form
from rtfs.syntax.lexer import (
    FAULTY,
    argument,
    first_and_last,
    is_text,
    known_words,
    read_word,
    text_of_string,
)
from rtfs.syntax.tokens import CLOSED_BY, CLOSERS, PREFIXES, Mark, TooManyErrors
from rtfs.syntax.words import SYMBOL
from rtfs.values import List, Symbol, Vector
from rtfs.values.info import FormInfo
from rtfs.values.step_account import paced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.syntax.builder import Item
    from rtfs.syntax.tokens import Reading

    Waiting = list[Any]  # [prefix, start, end, operand of `^` or None]

_PREFIXES = frozenset(PREFIXES.values())
_MARKS = frozenset((*CLOSED_BY, *_PREFIXES, *CLOSERS.values(), "#|"))
_PLAIN_OPENERS = frozenset(CLOSED_BY) - {"#("}
_NOTHING = " "
"""The closer of the top level: no token equals it."""


class PlainReader:
    """terminals: name → regular expression, of the grammar."""

    def __init__(self, terminals: dict[str, str]) -> None:
        space, comment = terminals["SPACE"], terminals["COMMENT"]
        atom = terminals["ATOM"]
        marks = "|".join(re.escape(mark) for mark in sorted(_MARKS, key=len, reverse=True))
        self._scan = re.compile(f"((?:{space}|{comment})*+)(?:({atom}|{marks})|(.)|\\Z)", re.DOTALL).findall

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

    def _read(self, reading: Reading) -> list[Any] | None:
        source = reading.source
        text = source.text
        if not is_text(text):
            return None
        at, stop = first_and_last(text)
        symbols, constants = known_words()
        symbol_name = symbols.get
        opened: list[tuple[str, str, int, list[Any], list[Waiting]]] = []
        closer = _NOTHING  # what closes the innermost form, and where that began
        begun = 0
        items: list[Any] = []  # of it
        waiting: list[Waiting] = []  # its prefixes that have no operand yet
        function: Mark | None = None  # the `#(` that is open
        for space, word, odd in paced(self._scan(text, at, stop)):
            start = at + len(space)
            at = start + len(word)
            if function is not None and word[:1] == "%":
                word = argument(reading, function, word, start)
            name = symbol_name(word)
            if name is not None:
                value: Any = Symbol(name, FormInfo(source, start, at))
            elif word in _PLAIN_OPENERS:
                opened.append((word, closer, begun, items, waiting))
                closer, begun, items, waiting = CLOSED_BY[word], start, [], []
                continue
            elif word == closer and not waiting:
                kind, closer, outer, outer_items, waiting = opened.pop()
                if kind == "(":
                    value = sequence_form(List, reading, items, begun, at)
                elif kind == "[":
                    value = sequence_form(Vector, reading, items, begun, at)
                elif kind == "{":
                    value = map_form(reading, items, begun, at)
                elif kind == "#{":
                    value = set_form(reading, items, begun, at)
                else:
                    assert function is not None
                    value, function = function_form(function, items, at), None
                start, begun, items = begun, outer, outer_items
            elif word in constants:
                value = constants[word]
            elif word in _MARKS:
                if word in _PREFIXES:
                    waiting.append([word, start, at, None])
                    continue
                if word != "#(" or function is not None:
                    return None
                function = Mark("FN", start, at, reading)
                function.arguments, function.rest = 0, False
                opened.append((word, closer, begun, items, waiting))
                closer, begun, items, waiting = CLOSED_BY[word], start, [], []
                continue
            elif odd:
                return None
            elif not word:
                break  # nothing follows but comments
            elif word[0] == '"':
                value = text_of_string(reading, word, start)
            else:
                value = read_word(reading, word, start, at)
                if value is SYMBOL:
                    symbols[word] = word
                    value = Symbol(word, FormInfo(source, start, at))
                elif value is FAULTY:
                    return None
                else:
                    constants[word] = value
            if waiting:
                operand: Item | None = (value, start, at)
                while operand is not None and waiting:
                    operand = _applied(reading, waiting, operand)
                if operand is not None:
                    items += operand
            else:
                items += (value, start, at)
        return None if opened or waiting else items


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
