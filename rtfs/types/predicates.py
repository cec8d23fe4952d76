"""The conditions of `[:and T pred…]`, declared as data: name, arguments, words, test.

A predicate says no to a value it makes no sense for (`[:> 0]` of a string). Lengths and counts are one thing, of
strings, vectors, lists, maps and sets, so that the word chosen never makes a type that nothing fits. Patterns are
RE2's, and fit if they match anywhere.
"""

# ruff: noqa: SIM110 - tests call each other in loops: `all(…)` would put a C frame between two of them

from __future__ import annotations

from rtfs.types.formats import is_email, is_url
from rtfs.types.malformed import Malformed
from rtfs.values import List, Map, Set, Vector
from rtfs.values.equality import equal
from rtfs.values.keyword import Keyword

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Test = Callable[[Any], bool]

_COUNTABLE = (str, Vector, List, Map, Set)


class Predicate:
    """One condition. `name` without colon, `args` as written, `words` as in "an integer > 0", `test(value)`."""

    __slots__ = ("args", "name", "test", "words")

    def __init__(self, name: str, args: tuple[Any, ...], words: str, test: Test) -> None:
        self.name = name
        self.args = args
        self.words = words
        self.test = test

    @property
    def form(self) -> Any:
        return Vector([Keyword(self.name), *self.args])

    def _key(self) -> tuple[str, Vector]:
        return self.name, Vector(self.args)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Predicate) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())


def make_predicate(form: Vector) -> Predicate:
    """The predicate that a form such as `[:> 0]` denotes. Raises Malformed."""
    head, args = form[0], tuple(form)[1:]
    name = head.name
    takes, build = _TABLE[name]
    if len(args) != len(takes):
        wanted = " ".join(takes) or "nothing"
        raise Malformed("type/malformed", f"[:{name} …] takes {wanted}, and got {len(args)} arguments", form)
    for kind, arg in zip(takes, args, strict=True):
        if not _KINDS[kind](arg):
            raise Malformed("type/malformed", f"[:{name} …] takes {' '.join(takes)}", form)
    try:
        words, test = build(*args)
    except ValueError as error:
        raise Malformed("type/malformed", f"[:{name} …]: {error}", form) from None
    return Predicate(name, args, words, test)


def is_predicate_name(name: str) -> bool:
    return name in _TABLE


def predicate_names() -> list[str]:
    return list(_TABLE)


def _is_number(value: Any) -> bool:
    return value.__class__ is int or value.__class__ is float


_KINDS: dict[str, Callable[[Any], bool]] = {
    "number": _is_number,
    "bound": lambda value: _is_number(value) or value.__class__ is str,
    "count": lambda value: value.__class__ is int and value >= 0,
    "pattern": lambda value: value.__class__ is str,
    "value": lambda value: True,
    "key": lambda value: True,
    "keys": lambda value: value.__class__ is Vector or value.__class__ is List,
}


def _same_order(bound: Any) -> tuple[type, ...]:
    return (str,) if bound.__class__ is str else (int, float)


def _shown(value: Any) -> str:
    from rtfs.types.show import shorten

    return shorten(value)


def _greater(bound: Any) -> tuple[str, Test]:
    kinds = _same_order(bound)
    return f"> {_shown(bound)}", lambda value: value.__class__ in kinds and value > bound


def _at_least(bound: Any) -> tuple[str, Test]:
    kinds = _same_order(bound)
    return f">= {_shown(bound)}", lambda value: value.__class__ in kinds and value >= bound


def _less(bound: Any) -> tuple[str, Test]:
    kinds = _same_order(bound)
    return f"< {_shown(bound)}", lambda value: value.__class__ in kinds and value < bound


def _at_most(bound: Any) -> tuple[str, Test]:
    kinds = _same_order(bound)
    return f"<= {_shown(bound)}", lambda value: value.__class__ in kinds and value <= bound


def _equal(wanted: Any) -> tuple[str, Test]:
    return f"equal to {_shown(wanted)}", lambda value: bool(equal(value, wanted))


def _different(wanted: Any) -> tuple[str, Test]:
    return f"other than {_shown(wanted)}", lambda value: not equal(value, wanted)


def _in_range(low: Any, high: Any) -> tuple[str, Test]:
    words = f"from {_shown(low)} to {_shown(high)}"
    return words, lambda value: value.__class__ in (int, float) and low <= value <= high


def _minimum(count: int, unit: str) -> tuple[str, Test]:
    words = f"with at least {count} {unit}"
    return words, lambda value: value.__class__ in _COUNTABLE and len(value) >= count


def _maximum(count: int, unit: str) -> tuple[str, Test]:
    words = f"with at most {count} {unit}"
    return words, lambda value: value.__class__ in _COUNTABLE and len(value) <= count


def _exactly(count: int, unit: str) -> tuple[str, Test]:
    return f"with {count} {unit}", lambda value: value.__class__ in _COUNTABLE and len(value) == count


def _non_empty() -> tuple[str, Test]:
    return "that is not empty", lambda value: value.__class__ in _COUNTABLE and len(value) > 0


def _matches(pattern: str) -> tuple[str, Test]:
    search = compile_pattern(pattern)
    return f"matching {_shown(pattern)}", lambda value: value.__class__ is str and search(value)


def _has_key(key: Any) -> tuple[str, Test]:
    return f"with the key {_shown(key)}", lambda value: value.__class__ is Map and _has(value, key)


def _required_keys(keys: Any) -> tuple[str, Test]:
    wanted = tuple(keys)

    def test(value: Any) -> bool:
        if value.__class__ is not Map:
            return False
        for key in wanted:
            if not _has(value, key):
                return False
        return True

    return "with the keys " + " ".join(_shown(key) for key in wanted), test


def _has(value: Map, key: Any) -> bool:
    return key in value or (key.__class__ is Keyword and key.name in value)


def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """A search for an RE2 pattern. ValueError for an invalid pattern."""
    from rtfs.syntax.patterns import PatternError
    from rtfs.syntax.patterns import compile_pattern as compiled

    try:
        found = compiled(pattern)
    except PatternError as error:
        raise ValueError(f"no pattern that RE2 reads: {error.reason}") from None

    def search(text: str) -> bool:
        try:
            return found.search(text) is not None
        except UnicodeEncodeError:
            return False

    return search


_TABLE: dict[str, tuple[tuple[str, ...], Callable[..., tuple[str, Test]]]] = {
    ">": (("bound",), _greater),
    ">=": (("bound",), _at_least),
    "<": (("bound",), _less),
    "<=": (("bound",), _at_most),
    "=": (("value",), _equal),
    "!=": (("value",), _different),
    "in-range": (("number", "number"), _in_range),
    "min-length": (("count",), lambda count: _minimum(count, "characters")),
    "max-length": (("count",), lambda count: _maximum(count, "characters")),
    "length": (("count",), lambda count: _exactly(count, "characters")),
    "matches-regex": (("pattern",), _matches),
    "min-count": (("count",), lambda count: _minimum(count, "elements")),
    "max-count": (("count",), lambda count: _maximum(count, "elements")),
    "count": (("count",), lambda count: _exactly(count, "elements")),
    "non-empty": ((), _non_empty),
    "has-key": (("key",), _has_key),
    "required-keys": (("keys",), _required_keys),
    "is-url": ((), lambda: ("that is a URL", lambda value: value.__class__ is str and is_url(value))),
    "is-email": ((), lambda: ("that is an e-mail address", lambda value: value.__class__ is str and is_email(value))),
}
