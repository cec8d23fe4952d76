"""The signature of a capability, and the canonical form of a call's arguments.

Must not know policies, providers or any particular capability. Invariant: all spellings of a call (by position, as one
map with keyword or text keys, by keyword arguments) have one canonical form, and arranging that form again changes
nothing, so that whatever looks at a call sees the same arguments as whatever carries it out.
"""

from __future__ import annotations

from rtfs.capabilities.registry import SESSION
from rtfs.values import EvalError, Keyword, List, Map, Vector
from rtfs.values.keyword import is_keyword_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.capabilities.registry import Entry


_UNKNOWN: Any = object()
_ORDERS, _KEYS = 64, 24
"""How many sequences of how many keys a signature knows at most."""


class Signature:
    """The parameters of a capability, in order.

    names: of the parameters. required: how many of them, from the first, a call must give (and the rest, if there is
    one), or their names; the others are left out of the canonical form where they are nil. rest: the name of the
    parameter that takes all further arguments as a vector, or None. positional: how many of the names are given by
    position; None for all.
    any_first: whether the first parameter may itself be a map, so that a map with other keys is its value. pair:
    whether a map of one entry with another key means the first two parameters (`(call id :k v)` makes such a map).
    map_names: whether one map always names the arguments; keys that are not parameters are left to the type check.
    """

    __slots__ = (
        "_all_needed", "_keywords", "_least", "_most", "_orders", "any_first", "map_names", "names", "needed", "pair",
        "positional", "rest",
    )  # fmt: skip

    def __init__(
        self,
        names: tuple[str, ...],
        required: int | tuple[str, ...],
        *,
        rest: str | None = None,
        any_first: bool = False,
        pair: bool = False,
        map_names: bool = False,
        positional: int | None = None,
    ) -> None:
        self.names = names
        if isinstance(required, int):
            required = names[:required] if rest is None else (*names, rest)
        self.needed = required
        self.positional = len(names) if positional is None else positional
        self.rest = rest
        self.any_first = any_first
        self.pair = pair
        self.map_names = map_names
        by_position = names[: self.positional]
        simple = rest is None and all(name in by_position for name in required)
        self._least = max([1, *[by_position.index(name) + 1 for name in required]]) if simple else 1
        self._most = self.positional if simple else 0
        """Of so many arguments each has its name, and none is missing, unless a single one is a map."""
        self._all_needed = next((place for place, name in enumerate(names) if name not in required), len(names))
        """None of so many arguments is left out if it is nil."""
        self._keywords: list[Keyword] | None = None
        self._orders: dict[tuple[Any, ...], tuple[tuple[Keyword, ...], tuple[Keyword, ...]] | None] = {}
        """The keys of maps that name the arguments, as they came → in the order of the parameters, and those that are
        left out if they are nil; None where more has to be looked at."""

    def arrange(self, id: str, arguments: tuple[Any, ...]) -> Map:
        """The canonical map of a call's arguments. Raises EvalError `arity` if one is missing or too much."""
        count = len(arguments)
        if self._least <= count <= self._most and (count > 1 or arguments[0].__class__ is not Map):
            if self._keywords is None:
                self._keywords = [Keyword(name) for name in self.names]
            plain = dict(zip(self._keywords, arguments, strict=False))
            if count > self._all_needed:
                plain = {key: value for key, value in plain.items() if value is not None or key.name in self.needed}
            return Map.of_plain(plain)
        if count == 1 and arguments[0].__class__ is Map:
            arranged = self._in_order(arguments[0])
            if arranged is not None:
                return arranged
        given = self._named(arguments)
        if given is None:
            names = self.names[: self.positional]
            if len(arguments) > len(names) and self.rest is None:
                shown = f"at most {_count(len(names))} ({' '.join(names)})" if names else "named arguments only"
                raise EvalError("arity", f'"{id}" takes {shown}, not {len(arguments)}')
            given = dict(zip(names, arguments, strict=False))
            if self.rest is not None and len(arguments) > len(names):
                given[self.rest] = Vector(arguments[len(names) :])
        needed = self.needed
        missing = [name for name in needed if name not in given]
        if missing:
            raise EvalError("arity", f'"{id}" needs {" and ".join(missing)}')
        order = self.names if self.rest is None else (*self.names, self.rest)
        known = [
            (Keyword(name), given[name])
            for name in order
            if name in given and (given[name] is not None or name in needed)
        ]
        if not self.map_names:
            return Map(known)
        return Map(known + [(_keyed(name), value) for name, value in given.items() if name not in order])

    def _in_order(self, value: Map) -> Map | None:
        """The canonical map of arguments that a map with keywords names, None where there is more to it."""
        raw = value.raw()
        keys = (*raw,)
        order = self._orders.get(keys, _UNKNOWN)
        if order is _UNKNOWN:
            if len(keys) > _KEYS:
                return None
            if len(self._orders) >= _ORDERS:
                self._orders.clear()
            order = self._orders[keys] = self._order(keys)
        if order is None:
            return None
        ordered, optional = order
        for key in optional:
            if raw[key] is None:
                return None
        return value if ordered == keys and value.info is None else Map.of_plain({key: raw[key] for key in ordered})

    def _order(self, keys: tuple[Any, ...]) -> tuple[tuple[Keyword, ...], tuple[Keyword, ...]] | None:
        if self.rest is not None or not all(key.__class__ is Keyword for key in keys):
            return None
        given = {key.name: key for key in keys}
        if not (given.keys() <= {*self.names} and {*self.needed} <= given.keys()):
            return None
        ordered = tuple([given[name] for name in self.names if name in given])
        return ordered, tuple([key for key in ordered if key.name not in self.needed])

    def place(self, index: int) -> list[str]:
        """The place in the canonical map of the argument at a position."""
        if index < self.positional or self.rest is None:
            return [self.names[index]] if index < self.positional else []
        return [self.rest, str(index - self.positional)]

    def _named(self, arguments: tuple[Any, ...]) -> dict[str, Any] | None:
        """The arguments by name where they are given as one map, None where they are given by position."""
        if len(arguments) != 1 or arguments[0].__class__ is not Map:
            return None
        value: Map = arguments[0]
        named = {_plain(key): item for key, item in value.items()}
        known = self.names if self.rest is None else (*self.names, self.rest)
        needed = self.needed
        if self.map_names and len(named) == len(value):
            return named
        if len(named) == len(value) and set(named) <= set(known) and (not self.any_first or set(needed) <= set(named)):
            wanted = self.rest is not None and (self.rest in named or self.rest in needed)
            if wanted and named.get(self.rest).__class__ not in (Vector, List):
                return None
            return named
        if self.pair and len(value) == 1:
            return dict(zip(self.names, *value.items(), strict=False))
        return None


def canonical(entry: Entry, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    """The arguments of a call in canonical form: one map where the capability's parameters have names, else as they
    are; with sets where the input type wants them and an array was given. Raises EvalError `arity` where they do not
    fit the parameters."""
    signature = entry.signature
    if signature is not None:
        arguments = (signature.arrange(entry.id, arguments),)
    elif not arguments and entry.route == SESSION:
        arguments = (_NOTHING,)
    if not entry.takes_sets or not arguments or entry.fields.input_type is None:
        return arguments
    from rtfs.types.arrays import arrays_as_sets

    if len(arguments) == 1:
        return (arrays_as_sets(entry.fields.input_type, arguments[0]),)
    return tuple(arrays_as_sets(entry.fields.input_type, Vector(arguments)))


_NOTHING = Map()


def _count(number: int) -> str:
    return f"{number} argument" if number == 1 else f"{number} arguments"


def _plain(key: Any) -> Any:
    return key.name if key.__class__ is Keyword else key


def _keyed(key: Any) -> Any:
    return Keyword(key) if key.__class__ is str and is_keyword_name(key) else key
