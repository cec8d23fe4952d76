r"""Patterns so plain that Python's own matcher takes time linear in the text for them, and costs a tenth of RE2's.

Such a pattern is characters and classes, of which the last may be repeated by `+`: `,`, `\s+`, `[a-z]+`, and
alternatives of these as `\d+|[-+*]`. Nothing comes after a repetition, so nothing is ever tried again. Must not know
values or functions of the language. Invariants: a pattern is plain only if RE2 takes it; on text of ASCII the matches
are those of RE2; no match is empty, and there are no groups.
"""

from __future__ import annotations

from rtfs.syntax.patterns import CACHE_SIZE, compile_pattern, from_java

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST_TEXT = 1 << 18
"""Characters of a text up to which a plain pattern is used: one search through them takes some milliseconds."""
LONGEST_PATTERN = 64

_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_CONTROLS = frozenset("ntrf")
_SPECIAL = frozenset(r"\.[]{}()*+?^$|")
_IN_CLASS = frozenset(r"\[]^-&:~")
"""Characters with a meaning between brackets, now or later."""

_cache: dict[str, Any] = {}


def plain_pattern(pattern: str, java: bool = False) -> Any:
    """Python's compiled pattern if the pattern is plain, else None. java: it has Java's spellings, as in a `#"…"`.
    Raises PatternError if it is not a pattern."""
    key = "j" + pattern if java else "r" + pattern
    if key in _cache:
        return _cache[key]
    compile_pattern(pattern, java)
    if len(_cache) >= CACHE_SIZE:
        _cache.clear()
    found = None
    if 0 < len(pattern) <= LONGEST_PATTERN and pattern.isascii() and pattern.isprintable():
        translated = _translated(from_java(pattern) if java else pattern)
        if translated is not None:
            import re

            found = re.compile(translated)
    _cache[key] = found
    return found


def _translated(pattern: str) -> str | None:
    """The pattern as Python spells it; None if it is not plain."""
    out: list[str] = []
    at = 0
    atoms = 0  # of the alternative at hand
    repeated = False
    while at < len(pattern):
        char = pattern[at]
        if char == "|":
            if not atoms:
                return None
            out.append(char)
            atoms, repeated = 0, False
            at += 1
            continue
        if repeated:
            return None
        if char == "+" and atoms:
            out.append(char)
            repeated = True
            at += 1
            continue
        found = _class(pattern, at) if char == "[" else _atom(pattern, at)
        if found is None:
            return None
        text, at = found
        out.append(text)
        atoms += 1
    return "".join(out) if atoms else None


def _atom(pattern: str, at: int) -> tuple[str, int] | None:
    """One character, or what an escape means, and where it ends."""
    char = pattern[at]
    if char != "\\":
        return None if char in _SPECIAL else (_quoted(char), at + 1)
    letter = pattern[at + 1 : at + 2]
    if letter in _CONTROLS:
        return "\\" + letter, at + 2
    if letter in _CLASSES:
        return f"[{_CLASSES[letter]}]", at + 2
    if letter.lower() in _CLASSES:
        return f"[^{_CLASSES[letter.lower()]}]", at + 2
    if not letter or letter.isalnum():
        return None
    return _quoted(letter), at + 2


def _class(pattern: str, at: int) -> tuple[str, int] | None:
    """A character class, and where it ends; None for one with more in it than characters, ranges and `\\d \\w \\s`."""
    out = ["["]
    at += 1
    if pattern.startswith("^", at):
        out.append("^")
        at += 1
    start = at
    while at < len(pattern):
        char = pattern[at]
        if char == "]":
            return ("".join([*out, "]"]), at + 1) if at > start else None
        if char == "-":
            if at > start and not pattern.startswith("]", at + 1):
                return None  # a range is read with its first character
            out.append("\\-")
            at += 1
        elif char == "\\":
            letter = pattern[at + 1 : at + 2]
            if letter in _CLASSES or letter in _CONTROLS:
                out.append(_CLASSES.get(letter, "\\" + letter))
            elif letter and not letter.isalnum():
                out.append(_quoted(letter))
            else:
                return None
            at += 2
            if pattern.startswith("-", at) and not pattern.startswith("]", at + 1):
                return None
        elif char in _IN_CLASS:
            return None
        elif pattern.startswith("-", at + 1) and not pattern.startswith("]", at + 2):
            last = pattern[at + 2 : at + 3]
            if not (char.isalnum() and last.isalnum() and char <= last):
                return None
            out.append(f"{char}-{last}")
            at += 3
            if pattern.startswith("-", at) and not pattern.startswith("]", at + 1):
                return None
        else:
            out.append(_quoted(char))
            at += 1
    return None


def _quoted(char: str) -> str:
    """A character that means itself, between brackets too."""
    return char if char.isalnum() or char == "_" else "\\" + char
