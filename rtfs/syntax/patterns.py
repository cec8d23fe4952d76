r"""Regular expressions: compiled by RE2 within limits, also from Java's syntax.

RE2 takes time linear in the text, whatever the pattern. Its memory is limited here, by the length of a pattern, its
groups and RE2's own budget. Must not know values or functions of the language. Invariants: `re2` is
imported on first use; nothing is written to standard error; a pattern that means something else to RE2 than to Java
(`[a-z&&[^b]]`) is refused, not misread.

Source: https://github.com/google/re2/wiki/Syntax and `java.util.regex.Pattern`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAX_LENGTH = 5_000
"""Characters of the longest pattern: RE2 takes a tenth of a second for the worst of this length."""

MAX_GROUPS = 200
"""Groups of a pattern: RE2 keeps the places of all of them for each state that it is in."""

MAX_MEMORY = 2 << 20
"""Bytes that one compiled pattern may take."""

CACHE_SIZE = 128
"""Compiled patterns kept; beyond it the cache is emptied."""

_cache: dict[str, Any] = {}
_UNSUPPORTED = "patterns are RE2's: no look-around, no back references, no possessive quantifiers"

# Java's names of character classes: what they are between brackets, what their complement is.
_POSIX = ("Lower", "Upper", "ASCII", "Alpha", "Digit", "Alnum", "Punct", "Graph", "Print", "Blank", "Cntrl", "XDigit",
          "Space")  # fmt: skip
_UNICODE = {
    "IsAlphabetic": "L", "IsLetter": "L", "javaLetter": "L", "IsDigit": "Nd", "javaDigit": "Nd", "IsPunctuation": "P",
    "IsUppercase": "Lu", "javaUpperCase": "Lu", "IsLowercase": "Ll", "javaLowerCase": "Ll",
}  # fmt: skip
_BLANKS = r"\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"
_LINE_ENDS = r"\n\x0b\f\r\x{85}\x{2028}\x{2029}"


class PatternError(Exception):
    """A pattern that is not taken. `reason` and `hint` are for people."""

    def __init__(self, reason: str, hint: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def compile_pattern(pattern: str, java: bool = False) -> Any:
    """RE2's compiled pattern. java: with Java's spellings, as in a `#"…"`. Raises PatternError."""
    key = "j" + pattern if java else "r" + pattern
    found = _cache.get(key)
    if found is None:
        found = _compile(from_java(pattern) if java else pattern)
        if len(_cache) >= CACHE_SIZE:
            _cache.clear()
        _cache[key] = found
    return found


def _compile(pattern: str) -> Any:
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"it has {len(pattern):,} characters; {MAX_LENGTH:,} is the most")
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        found = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a pattern"
        if isinstance(reason, bytes):
            reason = reason.decode("utf-8", "replace")
        foreign = "perl operator" in reason or "escape" in reason or "repetition operator" in reason
        raise PatternError(reason, _UNSUPPORTED if foreign else None) from None
    except UnicodeEncodeError:
        raise PatternError("it holds half of a surrogate pair") from None
    if found.groups > MAX_GROUPS:
        raise PatternError(f"it has {found.groups:,} groups; {MAX_GROUPS} is the most", "write `(?:…)` for groups")
    return found


def from_java(pattern: str) -> str:
    r"""The pattern as RE2 spells it.

    `\uXXXX`, `\p{Alpha}` and its kin, `\h`, `\v`, `\R`, `\e` and a leading `(?x)` are translated. Raises PatternError
    for an intersection or a class within a class, which RE2 would read as something else.
    """
    if "\\" not in pattern and "&&" not in pattern and pattern.count("[") < 2 and not pattern.startswith("(?"):
        return pattern
    if len(pattern) > MAX_LENGTH:
        raise PatternError(f"it has {len(pattern):,} characters; {MAX_LENGTH:,} is the most")
    pattern, spaced = _without_comment_flag(pattern)
    out: list[str] = []
    at = 0
    inside = False  # a character class
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("\\Q", at):
            end = pattern.find("\\E", at)
            end = len(pattern) if end < 0 else end + 2
            out.append(pattern[at:end])
            at = end
        elif char == "\\":
            text, at = _escape(pattern, at, inside)
            out.append(text)
        elif spaced and char.isspace():
            at += 1
        elif spaced and char == "#" and not inside:
            end = pattern.find("\n", at)
            at = len(pattern) if end < 0 else end
        elif inside:
            at = _in_class(pattern, at, out)
            inside = char != "]"
        else:
            out.append(char)
            at += 1
            if char == "[":
                inside = True
                for first in ("^", "]"):
                    if pattern.startswith(first, at):
                        out.append(first)
                        at += 1
    return "".join(out)


def _without_comment_flag(pattern: str) -> tuple[str, bool]:
    """The pattern without a leading flag `x`, and whether it had it."""
    end = pattern.find(")")
    flags = pattern[2:end]
    if not pattern.startswith("(?") or "x" not in flags or not flags.isalpha():
        return pattern, False
    others = flags.replace("x", "")
    return (f"(?{others})" if others else "") + pattern[end + 1 :], True


def _in_class(pattern: str, at: int, out: list[str]) -> int:
    """One piece of a character class that is not an escape; where the next begins."""
    if pattern.startswith("[:", at):
        end = pattern.find(":]", at)
        if end > 0:
            out.append(pattern[at : end + 2])
            return end + 2
    if pattern.startswith("&&", at):
        raise PatternError("there are no intersections of character classes (`&&`)", "write the class out")
    if pattern[at] == "[":
        raise PatternError("`[` within a character class", "write `\\[` for the bracket; for a union, one class")
    out.append(pattern[at])
    return at + 1


def _escape(pattern: str, at: int, inside: bool) -> tuple[str, int]:
    """RE2's spelling of an escape, and the position after it."""
    letter = pattern[at + 1 : at + 2]
    after = at + 2
    if letter == "u":
        digits = pattern[after : after + 4]
        if len(digits) == 4 and all(digit in "0123456789abcdefABCDEF" for digit in digits):
            return f"\\x{{{digits}}}", after + 4
    elif letter in ("p", "P") and pattern.startswith("{", after):
        end = pattern.find("}", after)
        if end > 0:
            return _property(letter == "P", pattern[after + 1 : end], inside), end + 1
    elif letter == "h":
        return _BLANKS if inside else f"[{_BLANKS}]", after
    elif letter == "v":
        return _LINE_ENDS if inside else f"[{_LINE_ENDS}]", after
    elif letter == "R" and not inside:
        return f"(?:\\r\\n|[{_LINE_ENDS}])", after
    elif letter == "e":
        return "\\x1b", after
    return pattern[at:after], after


def _property(negated: bool, name: str, inside: bool) -> str:
    if name in _POSIX:
        named = f"[:{'^' if negated else ''}{name.lower()}:]"
        return named if inside else f"[{named}]"
    known = _UNICODE.get(name)
    if known is None and name.startswith("Is") and len(name) > 3:
        known = name[2:]  # a script, as in \p{IsGreek}
    return f"\\{'P' if negated else 'p'}{{{known or name}}}"
