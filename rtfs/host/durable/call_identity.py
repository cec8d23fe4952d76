"""One call in two spellings: arguments by name and by position.

Must not know runs. Invariant: only the spelling may differ; the values are equal, each under its own name where both
have names.
"""

from __future__ import annotations

from rtfs.host.durable.codec import decode
from rtfs.values import Keyword, Map, Vector, equal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def same_call(recorded: str, made: str) -> bool:
    """Whether encoded arguments are those of one call: a function that names its parameters may be registered in one
    process and not, or otherwise, in another. What cannot be decoded (functions) is another call."""
    try:
        first, second = list(decode(recorded)), list(decode(made))
    except ValueError:
        return False
    return _fits(first, second) or _fits(second, first)


def _fits(named: list[Any], given: list[Any]) -> bool:
    """Whether arguments given by name are those that are given in another way."""
    if len(named) != 1 or named[0].__class__ is not Map:
        return False
    if len(given) == 1 and given[0].__class__ is Map:
        return equal(_by_text(named[0]), _by_text(given[0]))
    return equal(Vector(named[0].values()), Vector(given))


def _by_text(arguments: Map) -> Map:
    return Map([(key.name if key.__class__ is Keyword else key, value) for key, value in arguments.items()])
