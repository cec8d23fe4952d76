"""The signatures of the standard functions, read from the table that `rtfs.testing.signatures` makes.

Knows no nodes. Invariant: a kind that is not listed in a place is refused there whatever the other arguments are.
"""

from __future__ import annotations

from rtfs.checker.facts import Kinds
from rtfs.machine.errors.arity import CO_VARARGS

LETTERS = {
    "n": "nil",
    "b": "bool",
    "i": "int",
    "f": "float",
    "s": "string",
    "k": "keyword",
    "y": "symbol",
    "v": "vector",
    "l": "list",
    "z": "lazy",
    "m": "map",
    "t": "set",
    "r": "regex",
    "F": "function",
    "e": "error",
}


class Signature:
    """One number of arguments: the kinds taken in each place and those of the result; None: any."""

    __slots__ = ("result", "taken")

    def __init__(self, taken: tuple[Kinds | None, ...], result: Kinds | None) -> None:
        self.taken = taken
        self.result = result


_parsed: dict[str, dict[int, Signature]] = {}
_counts: dict[str, tuple[int, int | None] | None] = {}


def signature(name: str, count: int) -> Signature | None:
    """The signature of a standard function for `count` arguments, or None if nothing is known of it. Beyond the largest
    number that was tried, each further argument is as the last."""
    found = _parsed.get(name)
    if found is None:
        found = _parsed[name] = _parse(name)
    one = found.get(count)
    if one is None and found:
        most = max(found)
        last = found[most]
        if count > most > 1 and _is_variadic(name):
            further = last.taken[-1] if last.taken[-1] == last.taken[-2] else None
            taken = last.taken if further is not None else (last.taken[0], *[None] * (most - 1))
            one = Signature((*taken, *[further] * (count - most)), last.result)
    return one


def argument_counts(name: str) -> tuple[int, int | None] | None:
    """The fewest and the most arguments (None: any number) that a standard function takes."""
    try:
        return _counts[name]
    except KeyError:
        found = _counts[name] = _count(name)
        return found


def _count(name: str) -> tuple[int, int | None] | None:
    from rtfs.builtins import CORE

    code = getattr(CORE.get(name), "__code__", None)
    if code is None:
        return None
    defaults = len(getattr(CORE[name], "__defaults__", None) or ())
    fewest = code.co_argcount - defaults
    return fewest, None if code.co_flags & CO_VARARGS else code.co_argcount


def _is_variadic(name: str) -> bool:
    counts = argument_counts(name)
    return counts is not None and counts[1] is None


def _parse(name: str) -> dict[int, Signature]:
    from rtfs.checker.signature_data import SIGNATURES

    text = SIGNATURES.get(name)
    found: dict[int, Signature] = {}
    for part in text.split() if text else ():
        count, _, rest = part.partition(":")
        taken, _, result = rest.partition(">")
        places = taken.split(",") if taken else []
        found[int(count)] = Signature(tuple([_kinds(place) for place in places]), _kinds(result))
    return found


def _kinds(letters: str) -> Kinds | None:
    return None if letters == "*" else frozenset([LETTERS[letter] for letter in letters])
