"""Values of data that nobody else has, as a JSON reader makes it: its dicts become maps and its lists vectors, most
without a copy.

Must not know texts. Invariants: the data must not be used afterwards, not even where it nests too deep; keys keep their
order; the machine looks at the clock and the memory while it goes through much data.
"""

from __future__ import annotations

from gc import is_tracked
from itertools import chain

from rtfs.values.keyword import Keyword, is_keyword_name
from rtfs.values.map import Map, new_map
from rtfs.values.sequence import Vector
from rtfs.values.short_vector import SHORT, ShortVector
from rtfs.values.step_account import in_stretches, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_STRETCH = 512
_PACE = 1024
"""Steps between two looks at the account."""
_FEW, _WIDEST = 8, 32
"""Rows from which on they are made together, and the keys that they have at most."""


class TooDeep(Exception):
    """The data nests deeper than it may."""


class Adoption:
    """The adoption of one value. depth: how many lists and dicts may be inside each other; each takes up to three
    Python calls."""

    __slots__ = ("depth", "steps")

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.steps = 0

    def value(self, read: Any) -> Any:
        """The value of what was read. Raises TooDeep, as all these functions."""
        kind = type(read)
        if kind is dict:
            return self.map(read, self.depth)
        return self.vector(read, self.depth) if kind is list else read

    def vector(self, items: list[Any], depth: int) -> Any:
        """The vector of a list. depth: levels that it may have, as in all these functions."""
        if not depth:
            raise TooDeep
        if len(items) > SHORT:
            self.elements(items, depth - 1)
            return Vector.adopt(items)
        for item in items:
            if type(item) is dict or type(item) is list:
                self.elements(items, depth - 1)
                break
        return ShortVector(items)

    def elements(self, items: list[Any], depth: int) -> None:
        """Make values of the elements of a list, in place."""
        for start in range(0, len(items), _STRETCH):
            part = items if len(items) <= _STRETCH else items[start : start + _STRETCH]
            kinds = {*map(type, part)}
            self.pace(len(part) if list not in kinds and dict not in kinds else len(part) * 8)
            if dict in kinds:
                if not depth:
                    raise TooDeep
                if len(kinds) == 1:
                    items[start : start + _STRETCH] = self.maps(part, depth)
                    continue
            elif list not in kinds:
                continue
            elif len(kinds) == 1 and depth and max(map(len, part)) <= SHORT:
                flat = [*chain.from_iterable(part)]
                inner = {*map(type, flat)}
                if dict not in inner and list not in inner:
                    self.pace(len(flat))
                    items[start : start + _STRETCH] = map(ShortVector, part)
                    continue
            items[start : start + _STRETCH] = [
                self.vector(item, depth)
                if type(item) is list
                else self.map(item, depth)
                if type(item) is dict
                else item
                for item in part
            ]

    def map(self, read: dict[str, Any], depth: int) -> Map:
        """The map of a dict."""
        if not depth:
            raise TooDeep
        self.pace(8)
        made: Map = self.maps((read,), depth)[0]
        return made

    def maps(self, rows: Sequence[dict[str, Any]], depth: int) -> list[Any]:
        """The maps of some dicts."""
        made = []
        depth -= 1
        for read in rows:
            if is_tracked(read):  # else there is no list or dict in it
                for key, item in read.items():
                    if type(item) is list:
                        read[key] = self.vector(item, depth)
                    elif type(item) is dict:
                        if is_tracked(item):
                            read[key] = self.map(item, depth)
                        else:
                            read[key] = one = new_map()
                            one._d = item
                            one._odd = False
                            one.info = None
            one = new_map()  # Map.of_plain, written out: this is what an object costs
            one._d = read
            one._odd = False
            one.info = None
            made.append(one)
        return made

    def pace(self, steps: int) -> None:
        """Account for elements: one step for each, and eight for a collection."""
        self.steps = steps = self.steps + steps
        if steps >= _PACE:
            self.steps = 0
            spend(steps)


class KeywordAdoption(Adoption):
    """As its base; with keywords as keys where the names read back as such."""

    __slots__ = ("names",)

    def __init__(self, depth: int) -> None:
        super().__init__(depth)
        self.names = Names()

    def map(self, read: dict[str, Any], depth: int) -> Map:
        if not depth:
            raise TooDeep
        self.pace(8)
        depth -= 1
        names = self.names
        made: dict[Any, Any] = {}
        for part in in_stretches(read.items()):
            for name, item in part:  # each new name takes some microseconds
                if type(item) is list:
                    item = self.vector(item, depth)
                elif type(item) is dict:
                    item = self.map(item, depth)
                made[names[name]] = item
        return Map.of_plain(made)

    def maps(self, rows: Sequence[dict[str, Any]], depth: int) -> list[Any]:
        found = None if len(rows) < _FEW else columns_of(rows)
        if found is None:
            return [self.map(read, depth) for read in rows]
        keys, columns = found
        for column in columns:
            self.elements(column, depth - 1)
        return rows_of(len(keys))([self.names[key] for key in keys], columns)


class Names(dict):  # type: ignore[type-arg]
    """The key for each name that was met: a keyword, or the name itself where it does not read back as one."""

    def __missing__(self, name: str) -> Any:
        key = self[name] = Keyword(name) if is_keyword_name(name) else name
        return key


def columns_of(rows: Sequence[dict[Any, Any]]) -> tuple[list[Any], list[list[Any]]] | None:
    """The keys of rows, and the values of each; None where the rows are wide, or do not all have these keys in this
    order."""
    keys = [*rows[0]]
    width = len(keys)
    if not 0 < width <= _WIDEST or [*chain.from_iterable(rows)] != keys * len(rows):
        return None
    items = [*chain.from_iterable(map(dict.values, rows))]
    return keys, [items[start::width] for start in range(width)]


_makers: dict[int, Callable[[Sequence[Any], Sequence[list[Any]]], list[Any]]] = {}


def rows_of(width: int) -> Callable[[Sequence[Any], Sequence[list[Any]]], list[Any]]:
    """A function from keys and the columns of their values to maps: written out for a number of keys, since displays
    make a dict in half the time."""
    made = _makers.get(width)
    if made is None:
        keys, values = ([f"{letter}{number}" for number in range(width)] for letter in "kv")
        text = (
            "def rows(keys, columns):\n"
            f"    {', '.join(keys)}, = keys\n"
            "    made = []\n"
            f"    for {', '.join(values)}, in zip(*columns):\n"
            "        one = new()\n"
            f"        one._d = {{{', '.join(map(':'.join, zip(keys, values, strict=True)))}}}\n"
            "        one._odd = False\n"
            "        one.info = None\n"
            "        made.append(one)\n"
            "    return made\n"
        )
        scope: dict[str, Any] = {"new": new_map}
        exec(text, scope)
        made = _makers[width] = scope["rows"]
    return made
