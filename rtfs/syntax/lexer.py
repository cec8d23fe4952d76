"""The lexer that Lark is given: one regular expression over the text, atoms turned into values on the way.

It is built from the terminals of the grammar and knows nothing of what tokens may follow each other. Invariant: every
character of the text is in exactly one token, white space, a comment, or a reported error; reading on is always
possible, so a faulty piece yields the atom nil in its place.
"""

from __future__ import annotations

import re
from sys import intern

from lark.lexer import Lexer

from rtfs.syntax.comments import block_end
from rtfs.syntax.strings import unescape
from rtfs.syntax.tokens import CLOSERS, OPENERS, PREFIXES, Atom, Mark, Reading
from rtfs.syntax.words import SYMBOL, WordError, character, classify, shorten
from rtfs.values import Regex, Symbol
from rtfs.values.info import FormInfo
from rtfs.values.keyword import is_keyword_name
from rtfs.values.step_account import look

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from lark.lexer import LexerState

MAX_ARGUMENT = 20
"""Highest `%n` of a `#(…)`, as in Clojure."""

FAULTY = object()
"""The result of `read_word` for a word with an error."""
LOOKS = 5_000
"""Characters between two looks at the clock: a few milliseconds."""
MOST_WORDS = 10_000
_symbols: dict[str, str] = {}
_constants: dict[str, Any] = {}
"""Words read lately that are symbols, and the values of others: most words of a text have been seen before."""
_SPACE = " \t\r\n,"
_SYMBOLIC = {"##Inf": float("inf"), "##-Inf": float("-inf"), "##NaN": float("nan")}
_FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff"
    + "".join(f"\\U{plane:04x}fffe\\U{plane:04x}ffff" for plane in range(1, 17))
    + "]"
)
_CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]")
_UNREADABLE = re.compile(
    r"""(?P<string>\#?")|(?P<colons>:{2,}[^\s()\[\]{}"';,]*)|(?P<block_end>\|\#)|(?P<backslash>\\)
    |\#(?::(?P<namespace>[^\s()\[\]{}"';,]*)\{|(?P<var>')|(?P<conditional>\?@?)|(?P<printed><[^>\n]*>?)|(?P<oldmeta>\^)
        |(?P<tag>[^\s()\[\]{}"';,]*))|(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_TAGGED = re.compile(r'[ \t\r\n,]*"([^"\\]*)"')
_INSTANT = re.compile(
    r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}(?::[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)?)?)?)?(?:Z|[-+][0-9]{2}:[0-9]{2})?"
)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_EXAMPLES = {
    "#inst": '#inst "2023-12-25T10:30:45Z"',
    "#uuid": '#uuid "550e8400-e29b-41d4-a716-446655440000"',
}
_STRING = re.compile(r'"(?:[^"\\]|\\.)*+"|;[^\n]*', re.DOTALL)
_ARGUMENT = re.compile(r"%([0-9]*)")


class FormLexer(Lexer):
    """Lark's `lexer=` class: `lex` takes a `Reading` where Lark would have a text."""

    __future_interface__ = 1

    def __init__(self, conf: Any) -> None:
        patterns = {intern(str(terminal.name)): terminal.pattern.to_regexp() for terminal in conf.terminals}
        space = patterns.pop("SPACE")
        names = sorted(patterns, key=lambda name: (name != "ATOM", -len(patterns[name]), name))
        joined = "|".join(f"({patterns[name]})" for name in names)
        self._regex = re.compile(f"(?:{space})?+(?:{joined}|(.))", re.DOTALL)
        self._names = ["", *names, "UNREADABLE"]
        if self._regex.groups != len(names) + 1:
            raise ValueError("a terminal of the grammar has a capturing group")

    def lex(self, lexer_state: LexerState, parser_state: Any) -> Iterator[Any]:
        """Tokens of `lexer_state.text`, a `Reading`."""
        reading: Any = lexer_state.text
        found: list[Any] = []
        self.read(reading, found)
        return iter(found)

    def read(self, reading: Reading, found: list[Any]) -> None:
        """Add the tokens of a reading to `found`, as `Atom` and `Mark`. Raises TooManyErrors."""
        add = found.append
        source = reading.source
        text = source.text
        for wrong in _not_text(text).finditer(text):
            _forbidden(reading, wrong.start())
        at, stop = first_and_last(text)
        names = self._names
        scan = self._regex.finditer
        symbols, constants = known_words()
        symbol_name = symbols.get
        run: list[Any] | None = None  # `after` of the bracket before, if atoms may be added to it
        need = 0  # operands that prefixes still wait for
        needs: list[int] = []  # of each open bracket `need` after it, or -1 if it is not an operand
        depth = 0  # of brackets since the outermost `#(` that is open
        function: Mark | None = None
        due = LOOKS
        while at < stop:
            for match in scan(text, at, stop):
                index = match.lastindex
                start, end = match.span(index)  # type: ignore[arg-type]
                if start > due:
                    look()
                    due = start + LOOKS
                if index == 1:
                    word = match[1]
                    if depth and word[0] == "%" and function is not None:
                        word = argument(reading, function, word, start)
                    name = symbol_name(word)
                    value: Any
                    if name is not None:
                        value = Symbol(name, FormInfo(source, start, end))
                    elif word in constants:
                        value = constants[word]
                    elif word[0] == '"':
                        value = text_of_string(reading, word, start)
                    else:
                        value = read_word(reading, word, start, end)
                        if value is SYMBOL:
                            symbols[word] = word
                            value = Symbol(word, FormInfo(source, start, end))
                        elif value is FAULTY:
                            value = None
                        else:
                            constants[word] = value
                    if run is not None:
                        run += (value, start, end)
                        continue
                    if need:
                        need -= 1
                    add(Atom(value, start, end))
                    continue
                kind = names[index]  # type: ignore[index]
                if kind in OPENERS:
                    run = []
                    mark = Mark(kind, start, end, reading, run)
                    needs.append(need - 1)
                    need = 0
                    if kind == "FN":
                        mark.arguments, mark.rest = 0, False
                        if depth:
                            hint = "write the inner or the outer one as `(fn [x] …)`"
                            reading.error("reader/nested-function", "`#(…)` within another", start, end, hint)
                        else:
                            function = mark
                            depth = 1
                    elif depth:
                        depth += 1
                    add(mark)
                elif kind in CLOSERS:
                    if depth:
                        depth -= 1
                    need = needs.pop() if needs else 0
                    if need < 0:
                        need = 0
                        run = []
                        add(Mark(kind, start, end, reading, run))
                    else:
                        run = None
                        add(Mark(kind, start, end, reading))
                elif kind in PREFIXES:
                    run = None
                    if kind == "META":
                        need += 1 if need else 2
                    elif kind == "DISCARD":
                        need += 1
                    elif not need:
                        need = 1
                    add(Mark(kind, start, end, reading))
                elif kind == "BLOCK":
                    at = _block_end(reading, start, stop)
                    break
                elif kind == "UNREADABLE":
                    at, token = _unreadable(reading, start, stop)
                    if token is not None:
                        run = None
                        if token.type in OPENERS:
                            needs.append(need - 1)
                            need = 0
                            depth += 1 if depth else 0
                        elif token.type == "META":
                            need += 1 if need else 2
                        elif need:
                            need -= 1
                        add(token)
                    break
            else:
                return


def known_words() -> tuple[dict[str, str], dict[str, Any]]:
    """The words read lately that are symbols, and the values of others; both are to be added to."""
    if len(_symbols) + len(_constants) > MOST_WORDS:
        _symbols.clear()
        _constants.clear()
    return _symbols, _constants


def first_and_last(text: str) -> tuple[int, int]:
    """The range of a text that holds tokens: without a byte order mark, a leading `#!` line, and trailing white
    space."""
    at = 1 if text.startswith("\ufeff") else 0
    if text.startswith("#!", at):
        at = text.find("\n", at)
        at = len(text) if at < 0 else at
    return at, len(text.rstrip(_SPACE))


def is_text(text: str) -> bool:
    """Whether a source has no character that may not be in it."""
    return _not_text(text).search(text) is None


def _not_text(text: str) -> re.Pattern[str]:
    return _CONTROL if text.isascii() else _FORBIDDEN


def read_word(reading: Reading, word: str, start: int, end: int) -> Any:
    """The value of a word that is not a string, or SYMBOL; FAULTY for one that is wrong, which is reported."""
    if word[0] == "\\":
        return _character(reading, word, start, end)
    if word[0] == "#":
        if word[1] == '"':
            return Regex(word[2:-1])
        if word not in _SYMBOLIC:
            hint = "there are `##Inf`, `##-Inf` and `##NaN`"
            reading.error("reader/unsupported", f"`{shorten(word)}` is not a number", start, end, hint)
        return _SYMBOLIC.get(word, FAULTY)
    if word == ":":
        return SYMBOL
    try:
        return classify(word)
    except WordError as error:
        reading.error(error.code, error.message, start, end, error.hint)
        return FAULTY


def _character(reading: Reading, word: str, start: int, end: int) -> Any:
    try:
        return character(word[1:])
    except WordError as error:
        reading.error(error.code, error.message, start, end, error.hint)
        return FAULTY


def text_of_string(reading: Reading, literal: str, start: int) -> str:
    """The text of a string literal; wrong escapes are reported."""
    if "\\" not in literal:
        return literal[1:-1]
    text, faults = unescape(literal[1:-1])
    for fault in faults:
        reading.error(
            "reader/string-escape", fault.message, start + 1 + fault.start, start + 1 + fault.end, fault.hint
        )  # fmt: skip
    return text


def argument(reading: Reading, function: Mark, word: str, start: int) -> str:
    """Note an argument of a `#(…)`; answers the name of its parameter."""
    if word == "%&":
        function.rest = True
        return word
    match = _ARGUMENT.fullmatch(word)
    number = 0 if match is None or len(match[1]) > 3 else int(match[1] or 1)
    if not 0 < number <= MAX_ARGUMENT:
        reading.error(
            "reader/argument", f"`{shorten(word)}` is not an argument of `#(…)`", start, start + len(word),
            f"there are `%`, `%1` to `%{MAX_ARGUMENT}` and `%&`",
        )  # fmt: skip
        return "%1"
    function.arguments = max(function.arguments, number)
    return f"%{number}"


def _block_end(reading: Reading, start: int, stop: int) -> int:
    """Offset after the block comment that starts at `start`."""
    end, depth = block_end(reading.source.text, start, stop)
    if not depth:
        return end
    reading.swallowed = True
    inner = f", {depth} deep at the end" if depth > 1 else ""
    reading.error(
        "reader/unterminated-comment", f"the comment `#|` of {reading.place(start)} is never closed{inner}",
        start, start + 2, "close it with `|#`; block comments nest",
    )  # fmt: skip
    return end


def _forbidden(reading: Reading, at: int) -> None:
    code = ord(reading.source.text[at])
    if 0xD800 <= code < 0xE000:
        what, hint = "half of a surrogate pair", "the text was decoded wrongly"
    elif code < 0xA0:
        what, hint = "a control character", f"in a string it is written `\\u{code:04x}`"
    else:
        what, hint = "no character", "remove it"
    reading.error("reader/character", f"U+{code:04X} is {what}", at, at + 1, hint)


def _unreadable(reading: Reading, start: int, stop: int) -> tuple[int, Any]:
    """Report what is at `start`. Answers where to read on, and the token to read in its place, if any."""
    text = reading.source.text
    match = _UNREADABLE.match(text, start, stop)
    if match is None:
        raise AssertionError("the pattern has a branch for every character")
    kind = match.lastgroup
    end = match.end()
    piece = shorten(match[0])
    code = "reader/unsupported"
    token: Any = Atom(None, start, end)
    hint: str | None = None
    if kind == "string":
        reading.swallowed = True
        what = "string" if piece == '"' else "regular expression"
        code, message = "reader/unterminated-string", f"the {what} of {reading.place(start)} is never closed"
        hint = _where_a_quote_is_missing(reading, start) or 'it ends with `"`; a quote within it is written `\\"`'
        token.end = stop
        reading.error(code, message, start, end, hint)
        return stop, token
    if kind == "colons":
        code, message = "reader/keyword", f"`{piece}` is not a keyword"
        name = match[0].lstrip(":")
        hint = f"write `:{shorten(name)}`" if name else "a type annotation has one colon"
    elif kind == "block_end":
        code, message, token = "reader/unexpected-close", "`|#` closes no comment", None
    elif kind == "backslash":
        message, hint = "a backslash has no meaning here", "a space is written `\\space`, a line end `\\newline`"
    elif kind == "namespace":
        namespace = match["namespace"]
        token = Mark("LBRACE", start, end, reading, [])
        token.namespace = namespace
        if is_keyword_name(namespace) and "/" not in namespace:
            return end, token
        code, message = "reader/keyword", f"`{piece}` names no namespace"
        hint = "write `#:name{:key value}`, or each key with its namespace: `{:name/key value}`"
    elif kind == "var":
        message, token, hint = "there are no vars", None, "write the name without `#'`: it is its value"
    elif kind == "conditional":
        message, token, hint = "there are no reader conditionals", None, "write the form of `:clj` or `:default` alone"
    elif kind == "printed":
        message, hint = "what is printed like this cannot be read back", "functions and errors have no literals"
    elif kind == "oldmeta":
        message, token, hint = "metadata is written `^`, without `#`", Mark("META", start, end, reading), None
    elif kind == "tag":
        tagged = _TAGGED.match(text, end, stop) if match[0] in ("#inst", "#uuid") else None
        if tagged is not None:
            return _tagged(reading, match[0], tagged, start)
        message, token = f"there are no tagged literals: `{piece}`", None
        if match[0] in ("#inst", "#uuid"):
            message, hint = f"after `{piece}` a string must follow", f"write `{_EXAMPLES[match[0]]}`"
        elif match[0] == "#":
            message = "`#` has no meaning here"
            hint = 'write `#{…}`, `#"…"`, `#(…)`, `#_form` or `#| comment |#`'
        else:
            hint = "write its value: a map, a vector, or the call that makes it"
    else:
        _stray(reading, start, end, piece)
        return end, None
    reading.error(code, message, start, end, hint)
    return end, token


def _tagged(reading: Reading, tag: str, string: re.Match[str], start: int) -> tuple[int, Atom]:
    """`#inst "…"` and `#uuid "…"`: like timestamps and UUIDs without quotes, they denote their text."""
    text = string[1]
    pattern, what = (_INSTANT, "a timestamp") if tag == "#inst" else (_UUID, "a UUID")
    if pattern.fullmatch(text) is None:
        message = f"`{shorten(text)}` is not {what}"
        reading.error("reader/unsupported", message, string.start(1) - 1, string.end(), f"write `{_EXAMPLES[tag]}`")
    return string.end(), Atom(text.lower() if tag == "#uuid" else text, start, string.end())


def _where_a_quote_is_missing(reading: Reading, start: int) -> str | None:
    """A hint about a string before `start` that goes over several lines: what looks like its end may be the beginning
    of the next."""
    for literal in _STRING.finditer(reading.source.text, 0, start):
        if literal[0][0] == '"' and "\n" in literal[0]:
            last = reading.source.position(literal.end())[0]
            return f'the string of {reading.place(literal.start())} continues to line {last}: is its `"` missing?'
    return None


def _stray(reading: Reading, start: int, end: int, piece: str) -> None:
    if _FORBIDDEN.match(piece):
        return  # reported before reading began
    if piece == "|":
        message, hint = "`|` cannot be part of a symbol", "a comment is written `#| … |#`, with white space before it"
    elif piece.isspace():
        message = f"U+{ord(piece):04X} is not white space"
        hint = "write a space"
    else:
        message, hint = f"the invisible character U+{ord(piece):04X} appears outside a string", "remove it"
    reading.error("reader/character", message, start, end, hint)
