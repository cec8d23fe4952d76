"""Replacements for what a diagnostic complains of, where only one can be meant, and texts with them made.

Knows diagnostics and texts, nothing of how either was found out. Invariant: a fix replaces what is written at the place
and nothing else; where the same word is there twice, there is no fix.
"""

from __future__ import annotations

import re

from rtfs.checker.diagnostics import Diagnostic, Fix
from rtfs.source import Span

MEANT = re.compile(r"did you mean (?P<quote>`?)(?P<name>[^`\s]+)(?P=quote)\?$")
INSTEAD = re.compile(r"^write `(?P<name>[^`\s]+)`(?:$|,)")
OTHER_KEY = re.compile(r"^there is a (?P<wrong>\S+); did you mean (?P<name>\S+)\?$")
USE = re.compile(r"^use \((?P<name>\S+)(?P<parameters>(?: [a-z]+)*)\)$")
CLOSED_BY = re.compile(r"^`.` is closed by `(?P<name>.)`$")
UNKNOWN = re.compile(r"(?:there is no key|no type is called|there is no capability|the map has no|got string) (\S+)")
_PART = r"[^\s()\[\]{}\",;`]"
"""A character of a name or a keyword."""


def fix_of(one: Diagnostic) -> Fix | None:
    """The replacement for what a diagnostic is about, or None where it is not certain."""
    span = one.span
    if span is None or span.source.library:
        return None
    if one.code == "undefined":
        return _name(one, span)
    if one.code == "reader/mismatched":
        closed = CLOSED_BY.match(one.hint or "")
        return None if closed is None else Fix(span, closed["name"])
    if one.code == "reader/unexpected-close":
        return Fix(span, "")
    return _word(one, span)


def _name(one: Diagnostic, span: Span) -> Fix | None:
    hint = one.hint or ""
    found = MEANT.search(hint) or INSTEAD.match(hint)
    if found is not None:
        return Fix(span, found["name"])
    use = USE.match(hint)
    if use is None or _arguments(span) != len(use["parameters"].split()):
        return None
    return Fix(span, use["name"])


def _arguments(head: Span) -> int | None:
    """The number of written arguments of the call that a name heads."""
    from rtfs.syntax.reader import read_forms
    from rtfs.values import List, UserError

    text = head.source.text
    if head.start == 0 or text[head.start - 1] != "(":
        return None
    depth, at = 0, head.start - 1
    while at < len(text):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        at += 1
        if depth == 0:
            break
    from rtfs.source import Source

    try:
        forms = read_forms(Source(text[head.start - 1 : at], head.source.name))
    except UserError:
        return None
    return len(forms[0]) - 1 if len(forms) == 1 and forms[0].__class__ is List else None


def _word(one: Diagnostic, span: Span) -> Fix | None:
    """A key, a type or an id that is written in the place once."""
    hint = one.hint or ""
    other = OTHER_KEY.match(hint)
    meant = other or MEANT.search(hint)
    if meant is None:
        return None
    unknown = UNKNOWN.search(one.message)
    wrong = other["wrong"] if other is not None else None if unknown is None else unknown[1].rstrip(",;")
    if wrong is None:
        return None
    right = meant["name"]
    spellings = [(wrong, right)]
    if one.code == "capability/unknown":
        spellings.append((":" + wrong.strip('"'), ":" + right.strip('"')))
    if one.code == "type/unknown":
        spellings = [(":" + wrong, right), (wrong, right.lstrip(":"))]
    for spelled, instead in spellings:
        for place in (span, _enclosing(span)):
            found = _places(place, spelled)
            if len(found) == 1:
                start = place.start + found[0]
                return Fix(Span(span.source, start, start + len(spelled)), instead)
            if found:
                return None
    return None


def _places(span: Span, word: str) -> list[int]:
    """The positions of a whole word within a place."""
    pattern = re.escape(word)
    if not word.startswith('"'):
        pattern = rf"(?<!{_PART}){pattern}(?!{_PART})"
    return [one.start() for one in re.finditer(pattern, span.text)]


def _enclosing(span: Span) -> Span:
    """The map around a value, as far as it is written before it on the same level: `{:key value`."""
    text = span.source.text
    depth, at = 0, span.start
    while at > 0 and depth >= 0:
        at -= 1
        depth += (text[at] in ")]}") - (text[at] in "([{")
    return Span(span.source, at, span.end)


def apply(text: str, diagnostics: list[Diagnostic]) -> tuple[str, list[Diagnostic]]:
    """The text with the fixes of the diagnostics made, and those whose fixes were: of two that overlap the first; of
    brackets the first alone, as those that follow may be right then."""
    made: list[Diagnostic] = []
    end = -1
    fixes = [one for one in diagnostics if one.fix is not None]
    fixes = [one for one in fixes if one.code.startswith("reader/")][:1] or fixes
    for one in sorted(fixes, key=lambda each: each.fix.span.start if each.fix is not None else 0):
        assert one.fix is not None
        if one.fix.span.start >= end:
            made.append(one)
            end = one.fix.span.end
    for one in reversed(made):
        assert one.fix is not None
        text = text[: one.fix.span.start] + one.fix.text + text[one.fix.span.end :]
    return text, made
