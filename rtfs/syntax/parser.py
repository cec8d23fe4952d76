"""Parses one source by Lark's grammar and table: builds them once a process, repairs what they reject.

Knows nothing of what forms mean. Invariant: whatever the text, `parse` ends with items and a list of errors; the
parser itself never gives up, for `_Repair` supplies or drops the bracket or operand that it misses.
"""

from __future__ import annotations

from _thread import allocate_lock
from sys import intern

from rtfs.source import Source
from rtfs.syntax.collector import CollectorPaused
from rtfs.syntax.tokens import CLOSERS, OPENERS, PREFIXES, Atom, Mark, Reading, TooManyErrors
from rtfs.values.info import places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from rtfs.values.info import FormInfo

_ENDS = {*CLOSERS, "$END"}
_lock = allocate_lock()
_grammar: _Grammar | None = None


class _Grammar:
    """The parser of the grammar, and its parse table as plain dictionaries.

    table: state -> name of a token or rule -> the next state (an int), or the rule that ends here. start, end: states.
    """

    __slots__ = ("end", "lark", "lexer", "plain", "start", "table")

    def __init__(self) -> None:
        from lark import Lark

        from rtfs.syntax.builder import FormBuilder
        from rtfs.syntax.fast_reader import PlainReader
        from rtfs.syntax.lexer import FormLexer
        from rtfs.syntax.resources import resource_text

        self.lark: Any = Lark(
            resource_text("grammar/rtfs.lark"),
            parser="lalr",
            start="program",
            lexer=FormLexer,
            transformer=FormBuilder(),
            propagate_positions=False,
        )
        conf = self.lark.parse_interactive(Reading(Source(""))).parser_state.parse_conf
        self.lexer = FormLexer(self.lark.parser.lexer_conf)
        terminals = self.lark.parser.lexer_conf.terminals
        self.plain = PlainReader({str(one.name): one.pattern.to_regexp() for one in terminals})
        self.start: int = conf.start_state
        self.end: int = conf.end_state
        callbacks: dict[Any, Any] = conf.callbacks
        rules = {
            rule: _Rule(len(rule.expansion), intern(str(rule.origin.name)), callback)
            for rule, callback in callbacks.items()
            if hasattr(rule, "expansion")  # not of a token
        }
        self.table: dict[int, dict[str, Any]] = {
            state: {intern(str(name)): rules.get(argument, argument) for name, (_, argument) in actions.items()}
            for state, actions in conf.states.items()
        }


class _Rule:
    """A rule that is reduced: how many values it takes, what makes its value of them, and the name of what that is."""

    __slots__ = ("build", "name", "size")

    def __init__(self, size: int, name: str, build: Any) -> None:
        self.size = size
        self.name = name
        self.build = build


def _the_grammar() -> _Grammar:
    """The grammar. Building it takes some 50 ms with the import of Lark, so only readers of text pay."""
    global _grammar
    if _grammar is None:
        with _lock:
            if _grammar is None:
                _grammar = _Grammar()
    return _grammar


def parse_source(source: Source) -> tuple[list[Any], Reading]:
    """The flat items `[value, start, end, …]` of a source, and what else was found in it."""
    reading = Reading(source)
    with CollectorPaused():
        return parse(reading), reading


def parse(reading: Reading) -> list[Any]:
    """The flat items `[value, start, end, …]` of the reading's source. Errors are added to `reading`."""
    grammar = _the_grammar()
    items = grammar.plain.read(reading)
    if items is not None:
        return items
    try:
        items = _reduce(grammar, reading)
        return items if items is not None else _parse_with_repairs(grammar, reading)
    except TooManyErrors:
        return []


def _reduce(grammar: _Grammar, reading: Reading) -> list[Any] | None:
    """The result of `parse` for a text that the grammar accepts; None for any other text.

    Lark's loop over its own table, in a quarter of its time.
    """
    found: list[Any] = []
    grammar.lexer.read(reading, found)
    found.append(_END)
    table, end = grammar.table, grammar.end
    state = grammar.start
    states = [state]
    values: list[Any] = []
    for token in found:
        kind = token.type
        while True:
            action = table[state].get(kind)
            if action.__class__ is int:
                state = action
                states.append(state)
                values.append(token)
                break
            if action is None:
                return None
            size = action.size
            if size:
                parts = values[-size:]
                del values[-size:], states[-size:]
            else:
                parts = []
            values.append(action.build(parts))
            state = table[states[-1]][action.name]
            states.append(state)
            if state == end:
                items: list[Any] = values[-1]
                return items
    raise AssertionError("the end of a text was no end")


def _places_of_children(info: FormInfo) -> tuple[int, ...]:
    """Start and end of each child of a form that was read without them, flat."""
    begin = info.start
    reading = Reading(Source(info.source.text[begin : info.end]))
    items = _reduce(_the_grammar(), reading)
    if items is None or reading.errors:
        raise AssertionError("the text of a form is not one")
    return tuple([begin + place for place in items[0].info.kids])


places.find = _places_of_children


class _End:
    """The token after the last."""

    type = "$END"


_END = _End()


def _parse_with_repairs(grammar: _Grammar, reading: Reading) -> list[Any]:
    """Parse a text that the grammar rejects: Lark says what it expects, and continues with what it gets instead."""
    from lark.exceptions import UnexpectedToken

    reading.restart()
    interactive = grammar.lark.parse_interactive(reading)
    repair = _Repair(reading, interactive)
    feed = interactive.parser_state.feed_token
    for token in interactive.lexer_thread.lex(interactive.parser_state):
        try:
            feed(token)
        except UnexpectedToken as error:
            repair.token(token, error.expected)
    while True:
        try:
            items: list[Any] = interactive.feed_eof()
            return items
        except UnexpectedToken as error:
            repair.end(error.expected)


def tokens(reading: Reading) -> list[Any]:
    """The tokens of the reading's source as the parser gets them, `Atom` and `Mark`, wrong or not: for code that shows
    text rather than reads it. Faulty words are noted in the reading's errors; brackets are not looked at."""
    found: list[Any] = []
    try:
        _the_grammar().lexer.read(reading, found)
    except TooManyErrors:
        pass
    return found


class _Repair:
    """Reports what the parser rejects, and brings it into a state from which it can go on."""

    def __init__(self, reading: Reading, interactive: Any) -> None:
        self.reading = reading
        self.feed = interactive.parser_state.feed_token
        self.stack = interactive.parser_state.value_stack
        self.ended = False

    def token(self, token: Mark, expected: set[str]) -> None:
        """Deal with a closing bracket that does not fit: nothing else can be rejected."""
        from lark.exceptions import UnexpectedToken

        reported = False
        while True:
            supplied: Any = None
            if expected.isdisjoint(_ENDS):
                supplied = self._missing_operand(False)
            else:
                opener = self._innermost()
                if opener is None:
                    text = CLOSERS[token.type]
                    self.reading.error("reader/unexpected-close", f"`{text}` closes nothing", token.start, token.end)
                    return
                fitting = OPENERS[opener.type][1]
                if fitting == token.type:
                    raise AssertionError(f"{token.type} was rejected after {opener.type}")
                if not reported:
                    reported = True
                    self._mismatched(token, opener)
                if self._opened_by_another(token):
                    supplied = self._closer(fitting, token.start, token.start)
                else:
                    token = self._closer(fitting, token.start, token.end, token.after)
            try:
                if supplied is not None:
                    self.feed(supplied)
                self.feed(token)
                return
            except UnexpectedToken as error:
                expected = error.expected

    def end(self, expected: set[str]) -> None:
        """Deal with the end of the text where something is still open."""
        from lark.exceptions import UnexpectedToken

        if expected.isdisjoint(_ENDS):
            self.feed(self._missing_operand(True))
            return
        opener = self._innermost()
        if opener is None:
            raise AssertionError("the end was rejected though nothing is open")
        if not self.ended:
            self.ended = True
            self._unclosed()
        at = len(self.reading.source.text)
        closer = self._closer(OPENERS[opener.type][1], at, at)
        while True:
            try:
                self.feed(closer)
                return
            except UnexpectedToken:
                self.feed(self._missing_operand(True))

    def _closer(self, type: str, start: int, end: int, after: Any = ()) -> Mark:
        mark = Mark(type, start, end, self.reading, after)
        mark.invented = True
        return mark

    def _openers(self) -> Iterator[Mark]:
        return (value for value in reversed(self.stack) if value.__class__ is Mark and value.type in OPENERS)

    def _innermost(self) -> Mark | None:
        return next(self._openers(), None)

    def _opened_by_another(self, closer: Mark) -> bool:
        return any(OPENERS[opener.type][1] == closer.type for opener in self._openers())

    def _missing_operand(self, at_end: bool) -> Atom:
        """Report the innermost prefix that lacks an operand; answers one in its place."""
        mark = next(v for v in reversed(self.stack) if v.__class__ is Mark and v.type in PREFIXES)
        if not (at_end and self.reading.swallowed):
            text = PREFIXES[mark.type]
            what = "a map or keyword, and a form," if text == "^" else "a form"
            self.reading.error("reader/missing-form", f"after `{text}` {what} must follow", mark.start, mark.end)
        return Atom(None, mark.end, mark.end)

    def _mismatched(self, closer: Mark, opener: Mark) -> None:
        fitting = OPENERS[opener.type][1]
        self.reading.error(
            "reader/mismatched",
            f"`{CLOSERS[closer.type]}` does not close the `{_shown(opener)}` of {self.reading.place(opener.start)}",
            closer.start,
            closer.end,
            f"`{_shown(opener)}` is closed by `{CLOSERS[fitting]}`",
        )

    def _unclosed(self) -> None:
        if self.reading.swallowed:
            return
        text = self.reading.source.text
        for opener in list(self._openers())[::-1]:
            hint = f"close it with `{CLOSERS[OPENERS[opener.type][1]]}`"
            line, column = self.reading.source.position(opener.start)
            following = text.find("\n(", opener.end) + 1 if column == 1 else 0
            if following:
                hint += f", perhaps before the form that begins on line {self.reading.source.position(following)[0]}"
            self.reading.error(
                "reader/unclosed",
                f"the `{_shown(opener)}` of line {line}, column {column} is never closed",
                opener.start,
                opener.end,
                hint,
            )


def _shown(opener: Mark) -> str:
    return f"#:{opener.namespace}{{" if opener.namespace else OPENERS[opener.type][0]
