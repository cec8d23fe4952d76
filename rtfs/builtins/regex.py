r"""Regular expressions: `re-matches re-find re-seq re-groups re-split re-pattern`, and splitting and replacing by them.

A pattern is a `#"…"` (Clojure's answers: a vector of the match and its groups where the pattern has groups) or a plain
string (the specification's: whole matches). Patterns are RE2's (see `rtfs.syntax.patterns`), so a program cannot hang
the host with one. Must not know other string functions. Invariants: positions are characters, not bytes; what a
function goes through is accounted for.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import (
    MAX_ITEMS,
    MAX_TEXT,
    argument_error,
    need_int,
    need_string,
    size_error,
    type_error,
)
from rtfs.builtins.calling import call_with
from rtfs.builtins.declare import builtin
from rtfs.syntax.patterns import PatternError, compile_pattern
from rtfs.syntax.plain_patterns import LONGEST_TEXT, plain_pattern
from rtfs.values import EvalError, Regex, Vector
from rtfs.values.step_account import look, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def compiled(function: str, pattern: Any) -> Any:
    """The compiled pattern of a regular expression or a string. TypeMismatch if it is neither, EvalError
    `regex/invalid` if RE2 does not take it."""
    try:
        if pattern.__class__ is Regex:
            return compile_pattern(pattern.pattern, java=True)
        if pattern.__class__ is not str:
            raise type_error(function, "the pattern", 'a regular expression #"…" or a string', pattern)
        return compile_pattern(pattern)
    except PatternError as error:
        raise EvalError(
            "regex/invalid", f"({function} …): the pattern is not valid: {error.reason}", hint=error.hint
        ) from None


def plain(function: str, pattern: Any, text: Any) -> Any:
    """Python's compiled pattern where that finds in the text what RE2 would (see `rtfs.syntax.plain_patterns`), paid
    for; else None. The errors are those of `compiled`."""
    if text.__class__ is not str or len(text) > LONGEST_TEXT or not text.isascii():
        return None
    java = pattern.__class__ is Regex
    source = pattern.pattern if java else pattern
    if source.__class__ is not str:
        return None
    try:
        found = plain_pattern(source, java)
    except PatternError:
        compiled(function, pattern)
        raise
    if found is not None:
        spend(len(text) >> 4)
    return found


def surrogates(function: str) -> EvalError:
    """The error for text with half a surrogate pair in it, which is not a text to RE2."""
    return argument_error(function, "cannot search text that has half a surrogate pair in it")


class Match:
    """One match in a text: `spans` of the whole and of each group, (-1, -1) for a group that took no part."""

    __slots__ = ("spans", "text")

    def __init__(self, text: str, spans: list[tuple[int, int]]) -> None:
        self.text = text
        self.spans = spans

    @property
    def span(self) -> tuple[int, int]:
        """The start and end of the match."""
        return self.spans[0]

    @property
    def whole(self) -> str:
        """The text of the match."""
        start, end = self.spans[0]
        return self.text[start:end]

    def groups(self) -> list[str | None]:
        """The texts of the groups, nil for one that took no part."""
        text = self.text
        return [None if start < 0 else text[start:end] for start, end in self.spans[1:]]


def matches(function: str, pattern: Any, text: Any, most: int = MAX_ITEMS) -> list[Match]:
    """The first `most` matches, first to last, not overlapping. LimitError `limit/size` if there are too many."""
    quick = plain(function, pattern, text)
    if quick is not None and most >= len(text):
        spans = [match.span() for match in quick.finditer(text)]
        spend(16 * len(spans))
        return [Match(text, [span]) for span in spans]
    regex = compiled(function, pattern)
    spend(len(need_string(function, "the text", text)) >> 4)
    places = range(regex.groups + 1)
    found: list[Match] = []
    last: tuple[int, int] | None = None
    try:
        # bytes of ASCII are found at the places of its characters, without counting these
        for match in regex.finditer(text.encode() if text.isascii() else text):
            span = match.span()
            if span == last:  # RE2's module reports an empty match twice if it is found from the place before
                continue
            last = span
            if len(found) >= most:
                if most < MAX_ITEMS:
                    break
                raise size_error(function, "a vector", MAX_ITEMS, "elements")
            found.append(Match(text, [span] if len(places) == 1 else [match.span(place) for place in places]))
            spend(16)
    except UnicodeEncodeError:
        raise surrogates(function) from None
    return found


def first_match(function: str, pattern: Any, text: Any, *, whole: bool = False) -> Match | None:
    """The first match in the text, or the match of all of it (`whole`), or None."""
    quick = plain(function, pattern, text)
    if quick is not None:
        match = quick.fullmatch(text) if whole else quick.search(text)
        return None if match is None else Match(text, [match.span()])
    regex = compiled(function, pattern)
    spend(len(need_string(function, "the text", text)) >> 4)
    try:
        given = text.encode() if text.isascii() else text
        match = regex.fullmatch(given) if whole else regex.search(given)
    except UnicodeEncodeError:
        raise surrogates(function) from None
    return None if match is None else Match(text, [match.span(place) for place in range(regex.groups + 1)])


def groups_of(match: Match) -> Any:
    """A match as in Clojure: its text, or a vector of the text and the groups if the pattern has groups."""
    return Vector.of([match.whole, *match.groups()]) if len(match.spans) > 1 else match.whole


def _answer(pattern: Any, match: Match) -> Any:
    return groups_of(match) if pattern.__class__ is Regex else match.whole


@builtin(
    "re-matches",
    "(re-matches pattern text)",
    'The text, if the pattern matches all of it, else nil; of a #"…" with groups a vector of the text and the groups.',
    '(re-matches #"[a-z]+" "abc")',
    '"abc"',
    '(re-matches #"(\\d+)-(\\d+)" "12-34")',
    '["12-34" "12" "34"]',
    '(re-matches "[a-z]+" "abc1")',
    "nil",
)
def re_matches(pattern: Any, text: Any, /) -> Any:
    match = first_match("re-matches", pattern, text, whole=True)
    return None if match is None else _answer(pattern, match)


@builtin(
    "re-find",
    "(re-find pattern text)",
    'The first match in the text, or nil; of a #"…" with groups a vector of the match and the groups.',
    '(re-find #"[0-9]+" "ab12cd34")',
    '"12"',
    '(re-find #"([a-z])(\\d)?" "a1")',
    '["a1" "a" "1"]',
)
def re_find(pattern: Any, text: Any, /) -> Any:
    match = first_match("re-find", pattern, text)
    return None if match is None else _answer(pattern, match)


@builtin(
    "re-seq",
    "(re-seq pattern text)",
    'All matches in the text, each as `re-find` returns it; without a match nil for a #"…", [] for a string.',
    '(re-seq #"[a-z]+" "ab 1 cd")',
    '["ab" "cd"]',
    '(re-seq #"([a-z])=(\\d)" "a=1 b=2")',
    '[["a=1" "a" "1"] ["b=2" "b" "2"]]',
)
def re_seq(pattern: Any, text: Any, /) -> Vector | None:
    quick = plain("re-seq", pattern, text)
    if quick is not None:
        found = quick.findall(text)
        spend(16 * len(found))
    else:
        found = [_answer(pattern, match) for match in matches("re-seq", pattern, text)]
    return None if not found and pattern.__class__ is Regex else Vector.of(found)


@builtin(
    "re-groups",
    "(re-groups pattern text)",
    "The first match and its groups, nil for a group that took no part; nil without a match.",
    '(re-groups "([a-z])([0-9])?" "1a")',
    '["a" "a" nil]',
)
def re_groups(pattern: Any, text: Any, /) -> Vector | None:
    match = first_match("re-groups", pattern, text)
    return None if match is None else Vector.of([match.whole, *match.groups()])


@builtin(
    "re-pattern",
    "(re-pattern text)",
    "The regular expression of a text.",
    '(re-pattern "\\\\d+")',
    '#"\\d+"',
    '(re-find (re-pattern "a(b)") "xab")',
    '["ab" "b"]',
)
def re_pattern(text: Any, /) -> Regex:
    if isinstance(text, Regex):
        return text
    made = Regex(need_string("re-pattern", "the text", text))
    compiled("re-pattern", made)
    return made


@builtin(
    "re-split",
    "(re-split pattern text)",
    "The parts of the text between the matches, empty ones too.",
    '(re-split "[,;] *" "a, b;c")',
    '["a" "b" "c"]',
    '(re-split "" "abc")',
    '["a" "b" "c"]',
)
def re_split(pattern: Any, text: Any, /) -> Vector:
    parts: list[str] = []
    last = 0
    for match in matches("re-split", pattern, text):
        start, end = match.span
        if start == end and (start == last or start == len(text)):
            continue
        parts.append(text[last:start])
        last = end
    parts.append(text[last:])
    return Vector.of(parts)


def split_by(name: str, text: str, pattern: Any, limit: Any) -> Vector:
    """The parts of a text between the matches of a regular expression, as in Java's `split`."""
    quick = plain(name, pattern, text) if limit.__class__ is int and limit == 0 else None
    if quick is None:
        return split_at(name, text, (match.span for match in matches(name, pattern, text)), limit)
    parts = quick.split(text)
    spend(16 * len(parts))
    if len(parts) > 1:
        while parts and not parts[-1]:
            parts.pop()
    return Vector.of(parts)


def split_at(name: str, text: str, separators: Iterator[tuple[int, int]], limit: Any) -> Vector:
    """The parts of a text between separators, as in Java's `split`.

    limit: at most so many parts; 0 takes the empty ones at the end away, a negative one keeps them.
    """
    most = need_int(name, "limit", limit)
    parts: list[str] = []
    last = 0
    for start, end in separators:
        if most > 0 and len(parts) == most - 1:
            break
        if end == 0:
            continue
        parts.append(text[last:start])
        last = end
        if not len(parts) & 0xFFF:
            look()
        if len(parts) > MAX_ITEMS:
            raise size_error(name, "a vector", MAX_ITEMS, "elements")
    if not parts:
        return Vector.of([text])
    parts.append(text[last:])
    if most == 0:
        while parts and not parts[-1]:
            parts.pop()
    return Vector.of(parts)


def replace_by(function: str, text: Any, pattern: Any, replacement: Any, most: int = MAX_ITEMS) -> str:
    """The text with the first `most` matches replaced: by a text, in which `$1` or `${name}` is a group and a backslash
    takes the next character as it is, or by the result of a function for the match (in the form of `re-find`)."""
    found = matches(function, pattern, text, most)
    if not found:
        return text  # type: ignore[no-any-return]
    if replacement.__class__ is str:
        template = _template(function, replacement, compiled(function, pattern))
        made = [_filled(template, match) for match in found]
    else:
        if not callable(replacement):
            raise type_error(function, "the replacement", "a string or a function", replacement)
        made = []
        for match in found:
            value = call_with(replacement, (groups_of(match),))
            if value.__class__ is not str:
                raise type_error(function, "the replacement function's answer", "a string", value)
            made.append(value)
    parts: list[str] = []
    last = size = 0
    for match, new in zip(found, made, strict=True):
        start, end = match.span
        parts += (text[last:start], new)
        size += len(new)
        if size > MAX_TEXT:
            raise size_error(function)
        last = end
    parts.append(text[last:])
    if size + len(text) > MAX_TEXT:
        raise size_error(function)
    return "".join(parts)


def _filled(template: list[str | int], match: Match) -> str:
    if len(template) == 1 and template[0].__class__ is str:
        return template[0]
    groups = [match.whole, *match.groups()]
    return "".join([piece if isinstance(piece, str) else groups[piece] or "" for piece in template])


def _template(function: str, replacement: str, regex: Any) -> list[str | int]:
    """A replacement as texts and numbers of groups. EvalError `argument/invalid` for a group that is not there."""
    if "$" not in replacement and "\\" not in replacement:
        return [replacement]
    template: list[str | int] = []
    at = 0
    while at < len(replacement):
        char = replacement[at]
        if char == "\\" and at + 1 < len(replacement):
            template.append(replacement[at + 1])
            at += 2
        elif char == "$":
            group, at = _group(function, replacement, at + 1, regex)
            template.append(group)
        elif char == "\\":
            raise argument_error(function, "takes no replacement that ends with a backslash; a backslash is `\\\\\\\\`")
        else:
            template.append(char)
            at += 1
    return template


def _group(function: str, replacement: str, at: int, regex: Any) -> tuple[int, int]:
    """The number of the group that a `$` before `at` names, and where the replacement continues."""
    there = regex.groups
    if replacement.startswith("{", at) and "}" in replacement[at:]:
        end = replacement.index("}", at)
        name = replacement[at + 1 : end]
        if name in regex.groupindex:
            return regex.groupindex[name], end + 1
        raise argument_error(function, f"has no group `{name}` in its pattern")
    digit = replacement[at : at + 1]
    if not (digit.isascii() and digit.isdigit()):
        hint = "a `$` of the text itself is written `\\\\$`"
        raise argument_error(function, f"needs a group after `$` in the replacement, as in `$1`; {hint}")
    number = int(digit)
    if number > there:
        raise argument_error(function, f"has no group {number}: the pattern has {there}")
    at += 1
    while replacement[at : at + 1] in _DIGITS and number * 10 + int(replacement[at]) <= there:
        number = number * 10 + int(replacement[at])
        at += 1
    return number, at


_DIGITS = frozenset("0123456789")
