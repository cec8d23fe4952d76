"""Runs Lark over one source: builds the parser once a process, feeds it tokens, repairs what it rejects.

Knows nothing of what forms mean. Invariant: whatever the text, `parse` ends with items and a list of errors; the
parser itself never gives up, for `_Repair` supplies or drops the bracket or operand that it misses.
"""

from __future__ import annotations

from _thread import allocate_lock
from sys import intern

from rtfs.source import Source
from rtfs.syntax.tokens import CLOSERS, OPENERS, PREFIXES, Atom, Mark, Reading, TooManyErrors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_ENDS = {*CLOSERS, "$END"}
_lock = allocate_lock()
_parser: Any = None


def _lark() -> Any:
    """The parser of the grammar. Building it takes some 50 ms with the import of Lark, so only readers of text pay."""
    global _parser
    if _parser is None:
        with _lock:
            if _parser is None:
                from lark import Lark

                from rtfs.syntax.builder import FormBuilder
                from rtfs.syntax.lexer import FormLexer
                from rtfs.syntax.resources import resource_text

                parser = Lark(
                    resource_text("grammar/rtfs.lark"),
                    parser="lalr",
                    start="program",
                    lexer=FormLexer,
                    transformer=FormBuilder(),
                    propagate_positions=False,
                )
                _quicken(parser)
                _parser = parser
    return _parser


class _Origin:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class _Rule:
    """What Lark's loop asks of a rule. Hashed by identity: Lark's own hashes its parts anew at each reduction."""

    __slots__ = ("expansion", "origin")

    def __init__(self, expansion: Any, origin: str) -> None:
        self.expansion = expansion
        self.origin = _Origin(origin)


def _quicken(parser: Any) -> None:
    """Replace rules and names in the parse table by such as dicts find without calling Python code.

    Halves the parser's time. The table means the same before and after.
    """
    conf = parser.parse_interactive(Reading(Source(""))).parser_state.parse_conf
    rules = {rule: _Rule(rule.expansion, intern(str(rule.origin.name))) for rule in conf.callbacks}
    for state, actions in conf.states.items():
        conf.states[state] = {
            intern(str(name)): (action, rules.get(argument, argument)) for name, (action, argument) in actions.items()
        }
    conf.callbacks.update({quick: conf.callbacks[rule] for rule, quick in rules.items()})


def parse(reading: Reading) -> list[Any]:
    """The flat items `[value, start, end, …]` of the reading's source. Errors are added to `reading`."""
    from lark.exceptions import UnexpectedToken

    interactive = _lark().parse_interactive(reading)
    repair = _Repair(reading, interactive)
    feed = interactive.parser_state.feed_token
    try:
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
    except TooManyErrors:
        return []


def tokens(reading: Reading) -> list[Any]:
    """The tokens of the reading's source as the parser gets them, `Atom` and `Mark`, wrong or not: for whoever shows
    text rather than reads it. Faulty words are noted in the reading's errors; brackets are not looked at."""
    found: list[Any] = []
    try:
        found.extend(_lark().parse_interactive(reading).lexer_thread.lex(None))
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
                supplied = self._missing_operand()
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
            self.feed(self._missing_operand())
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
                self.feed(self._missing_operand())

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

    def _missing_operand(self) -> Atom:
        """Report the innermost prefix that lacks an operand; answers one in its place."""
        mark = next(v for v in reversed(self.stack) if v.__class__ is Mark and v.type in PREFIXES)
        if not self.reading.swallowed:
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
