"""Regular expressions: `re-matches re-find re-seq re-groups re-split`, on RE2.

RE2 takes time linear in the text, whatever the pattern, so a program cannot hang the host with one; it has neither back
references nor look-around (syntax: https://github.com/google/re2/wiki/Syntax). Must not know other string functions.
Invariants: `re2` is imported on first use; compiled patterns are kept in a cache of bounded size; positions are
characters, not bytes.
"""

from __future__ import annotations

from rtfs.builtins.checks import MAX_ITEMS, argument_error, need_string, size_error
from rtfs.builtins.declare import builtin
from rtfs.values import EvalError, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CACHE_SIZE = 256
"""Compiled patterns kept; beyond it the cache is emptied."""

_cache: dict[str, Any] = {}


def compiled(function: str, pattern: Any) -> Any:
    """The compiled pattern. TypeMismatch if it is no string, EvalError `regex/invalid` if RE2 does not take it."""
    found = _cache.get(pattern) if pattern.__class__ is str else None
    if found is not None:
        return found
    need_string(function, "the pattern", pattern)
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        foreign = "(?" in pattern or "escape" in reason
        hint = "patterns are RE2's: no look-around and no back references" if foreign else None
        raise EvalError("regex/invalid", f"({function} …): the pattern is not valid: {reason}", hint=hint) from None
    except UnicodeEncodeError:
        raise surrogates(function) from None
    if len(_cache) >= CACHE_SIZE:
        _cache.clear()
    _cache[pattern] = found
    return found


def surrogates(function: str) -> EvalError:
    """The error for text with half a surrogate pair in it, which is no text to RE2."""
    return argument_error(function, "cannot search text that has half a surrogate pair in it")


def matches(function: str, pattern: Any, text: Any) -> list[Any]:
    """All matches, first to last, not overlapping. LimitError `limit/size` if they are too many."""
    regex = compiled(function, pattern)
    found: list[Any] = []
    try:
        for match in regex.finditer(need_string(function, "the text", text)):
            if len(found) >= MAX_ITEMS:
                raise size_error(function, "a vector", MAX_ITEMS, "elements")
            found.append(match)
    except UnicodeEncodeError:
        raise surrogates(function) from None
    return found


def first_match(function: str, pattern: Any, text: Any, *, whole: bool = False) -> Any:
    """The first match in the text, or the match of all of it (`whole`), or None."""
    regex = compiled(function, pattern)
    need_string(function, "the text", text)
    try:
        return regex.fullmatch(text) if whole else regex.search(text)
    except UnicodeEncodeError:
        raise surrogates(function) from None


@builtin(
    "re-matches",
    "(re-matches pattern text)",
    "The text, if the pattern matches all of it, else nil.",
    '(re-matches "[a-z]+" "abc")',
    '"abc"',
    '(re-matches "[a-z]+" "abc1")',
    "nil",
)
def re_matches(pattern: Any, text: Any, /) -> str | None:
    return None if first_match("re-matches", pattern, text, whole=True) is None else text


@builtin(
    "re-find",
    "(re-find pattern text)",
    "The first part of the text that the pattern matches, or nil.",
    '(re-find "[0-9]+" "ab12cd34")',
    '"12"',
)
def re_find(pattern: Any, text: Any, /) -> str | None:
    match = first_match("re-find", pattern, text)
    return None if match is None else match.group(0)


@builtin(
    "re-seq",
    "(re-seq pattern text)",
    "All parts of the text that the pattern matches, in order.",
    '(re-seq "[a-z]+" "ab 1 cd")',
    '["ab" "cd"]',
)
def re_seq(pattern: Any, text: Any, /) -> Vector:
    return Vector.of([match.group(0) for match in matches("re-seq", pattern, text)])


@builtin(
    "re-groups",
    "(re-groups pattern text)",
    "The first match and its groups, nil for a group that took no part; nil without a match.",
    '(re-groups "([a-z])([0-9])?" "1a")',
    '["a" "a" nil]',
)
def re_groups(pattern: Any, text: Any, /) -> Vector | None:
    match = first_match("re-groups", pattern, text)
    return None if match is None else Vector.of([match.group(0), *match.groups()])


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
        start, end = match.span()
        if start == end and (start == last or start == len(text)):
            continue
        parts.append(text[last:start])
        last = end
    parts.append(text[last:])
    return Vector.of(parts)
