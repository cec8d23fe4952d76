"""Standard functions of any number of arguments, for one number: what a call in the text calls.

Collecting further arguments costs as much as many of these functions do. Must not decide anything: a function here
answers for the kinds that it is called with most, and leaves every other, and every error, to the function itself.
Invariant: each returns exactly what the standard function of its name returns.
"""

from __future__ import annotations

from rtfs.builtins import building, maps, numbers, searching, sequences, slicing, strings
from rtfs.builtins.comparison import eq2, ge2, gt2, le2, lt2
from rtfs.builtins.declare import MISSING
from rtfs.values import List, Map, Set, Vector
from rtfs.values.lookup import get
from rtfs.values.map import new_map
from rtfs.values.short_vector import SHORT, ShortVector, item
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SMALL = 64
"""Entries up to which a map is copied at once."""

_BEHIND = slice(1, None)
_BEFORE = slice(None, -1)
_BACKWARDS = slice(None, None, -1)
_SIZED: frozenset[Any] = frozenset((Vector, List, Map, Set))


def putting(function: str) -> Any:
    """`(assoc coll key value)`, with errors that name `function`."""

    def put(coll: Any, key: Any, value: Any, /) -> Any:
        if coll.__class__ is Map:
            d = coll._d
            kind = key.__class__
            if d is None or kind is float or kind is bool or len(d) > SMALL:
                return coll.assoc(key, value)
            d = d.copy()
            d[key] = value
            made = new_map()
            made._d = d
            made._odd = coll._odd
            made.info = None
            return made
        if type(coll) is ShortVector and key.__class__ is int and 0 <= key < len(coll):
            items = [*coll]
            items[key] = value
            return ShortVector(items)
        if coll.__class__ is Vector and key.__class__ is int and 0 <= key <= len(coll):
            return coll.assoc(key, value)
        return maps.put(function, coll, key, value)

    return put


def putting_plain(function: str) -> Any:
    """`putting(function)`, for a key that is known to be in dicts as itself."""
    put = putting(function)

    def put_plain(coll: Any, key: Any, value: Any, /) -> Any:
        if coll.__class__ is Map:
            d = coll._d
            if d is not None and len(d) <= SMALL:
                d = d.copy()
                d[key] = value
                made = new_map()
                made._d = d
                made._odd = coll._odd
                made.info = None
                return made
        return put(coll, key, value)

    return put_plain


def getting(function: str) -> Any:
    """The value at a key of what `function` changes; nil if there is none."""

    def get(coll: Any, key: Any, /) -> Any:
        if coll.__class__ is Map:
            return coll.get(key)
        if type(coll) is ShortVector:
            return item(coll, key) if key.__class__ is int and 0 <= key < len(coll) else None
        return maps.level(function, coll, key)

    return get


assoc3 = putting("assoc")


_ENCODED: frozenset[Any] = frozenset((float, bool))
"""Classes of keys that are not in dicts as themselves."""


def assoc5(coll: Any, a: Any, x: Any, b: Any, y: Any, /) -> Any:
    """`(assoc coll a x b y)`."""
    if coll.__class__ is Map:
        d = coll._d
        if d is None or len(d) > SMALL or a.__class__ in _ENCODED or b.__class__ in _ENCODED:
            return coll.assoc(a, x).assoc(b, y)
        d = d.copy()
        d[a] = x
        d[b] = y
        made = new_map()
        made._d = d
        made._odd = coll._odd
        made.info = None
        return made
    if coll.__class__ is Vector and a.__class__ is int and b.__class__ is int:
        size = len(coll)
        if size <= SMALL and 0 <= a < size and 0 <= b < size:
            items = coll.to_list()
            items[a] = x
            items[b] = y
            return Vector.of(items)
    return maps.assoc(coll, a, x, b, y)


def assoc7(coll: Any, a: Any, x: Any, b: Any, y: Any, c: Any, z: Any, /) -> Any:
    """`(assoc coll a x b y c z)`."""
    if coll.__class__ is Map:
        d = coll._d
        encoded = a.__class__ in _ENCODED or b.__class__ in _ENCODED or c.__class__ in _ENCODED
        if encoded or d is None or len(d) > SMALL:
            return coll.assoc(a, x).assoc(b, y).assoc(c, z)
        d = d.copy()
        d[a] = x
        d[b] = y
        d[c] = z
        made = new_map()
        made._d = d
        made._odd = coll._odd
        made.info = None
        return made
    return maps.assoc(coll, a, x, b, y, c, z)


def assoc9(coll: Any, a: Any, x: Any, b: Any, y: Any, c: Any, z: Any, d: Any, w: Any, /) -> Any:
    """`(assoc coll a x b y c z d w)`."""
    if coll.__class__ is Map and coll._d is not None and len(coll._d) <= SMALL:
        made = assoc7(coll, a, x, b, y, c, z)
        if made._d is not None and d.__class__ not in _ENCODED:
            made._d[d] = w  # which nothing else has
            return made
        return made.assoc(d, w)
    return maps.assoc(coll, a, x, b, y, c, z, d, w)


def conj2(coll: Any, value: Any, /) -> Any:
    """`(conj coll value)`."""
    if type(coll) is ShortVector and len(coll) < SHORT:
        return ShortVector(coll + (value,))
    if coll.__class__ is Vector or coll.__class__ is List:
        return coll.conj(value)
    return building.conj(coll, value)


def dissoc2(coll: Any, key: Any, /) -> Any:
    """`(dissoc map key)`."""
    if coll.__class__ is Map:
        return coll.dissoc(key)
    return maps.dissoc(coll, key)


def update3(coll: Any, key: Any, f: Any, /) -> Any:
    """`(update coll key f)`."""
    if coll.__class__ is Map:
        return coll.assoc(key, f(coll.get(key)))
    return maps.update(coll, key, f)


def update4(coll: Any, key: Any, f: Any, argument: Any, /) -> Any:
    """`(update coll key f argument)`."""
    if coll.__class__ is Map and callable(f):
        return coll.assoc(key, f(coll.get(key), argument))
    return maps.update(coll, key, f, argument)


def get_path1(coll: Any, key: Any, /) -> Any:
    """`(get-in coll [key])`."""
    return coll.get(key) if coll.__class__ is Map else _element(coll, key)


def get_path2(coll: Any, outer: Any, key: Any, /) -> Any:
    """`(get-in coll [outer key])`."""
    if type(coll) is Vector and coll._more is None and outer.__class__ is int and 0 <= outer < coll._stop - coll._start:
        inner = coll._items[coll._start + outer]
    elif type(coll) is ShortVector and outer.__class__ is int and 0 <= outer < len(coll):
        inner = item(coll, outer)
    else:
        inner = coll.get(outer) if coll.__class__ is Map else _element(coll, outer)
    if type(inner) is ShortVector and key.__class__ is int and 0 <= key < len(inner):
        return item(inner, key)
    return inner.get(key) if inner.__class__ is Map else _element(inner, key)


def _element(coll: Any, key: Any) -> Any:
    """`(get coll key)`, of a vector that is asked for an index it has at once."""
    if key.__class__ is int and key >= 0:
        kind = type(coll)
        if kind is ShortVector:
            return item(coll, key) if key < len(coll) else None
        if kind is Vector and coll._more is None:
            key += coll._start
            return coll._items[key] if key < coll._stop else None
    return get(coll, key)


def assoc_path1(coll: Any, key: Any, value: Any, /) -> Any:
    """`(assoc-in coll [key] value)`."""
    return coll.assoc(key, value) if coll.__class__ is Map else maps.assoc_in(coll, Vector.of([key]), value)


def assoc_path2(coll: Any, outer: Any, key: Any, value: Any, /) -> Any:
    """`(assoc-in coll [outer key] value)`."""
    if coll.__class__ is Map:
        inner = coll.get(outer)
        if inner.__class__ is Map:
            return coll.assoc(outer, inner.assoc(key, value))
    return maps.assoc_in(coll, Vector.of([outer, key]), value)


def update_path1(coll: Any, key: Any, f: Any, /) -> Any:
    """`(update-in coll [key] f)`."""
    if coll.__class__ is Map:
        return coll.assoc(key, f(coll.get(key)))
    return maps.update_in(coll, Vector.of([key]), f)


def update_path2(coll: Any, outer: Any, key: Any, f: Any, /) -> Any:
    """`(update-in coll [outer key] f)`."""
    if coll.__class__ is Map:
        inner = coll.get(outer)
        if inner.__class__ is Map:
            return coll.assoc(outer, inner.assoc(key, f(inner.get(key))))
    return maps.update_in(coll, Vector.of([outer, key]), f)


def get_in2(coll: Any, path: Any, /) -> Any:
    """`(get-in coll path)`."""
    return get_path2(coll, *path) if path.__class__ is Vector and len(path) == 2 else maps.get_in(coll, path)


def assoc_in3(coll: Any, path: Any, value: Any, /) -> Any:
    """`(assoc-in coll path value)`."""
    if path.__class__ is Vector and len(path) == 2:
        outer, key = path
        return assoc_path2(coll, outer, key, value)
    return maps.assoc_in(coll, path, value)


def update_in3(coll: Any, path: Any, f: Any, /) -> Any:
    """`(update-in coll path f)`."""
    if path.__class__ is Vector and len(path) == 2:
        outer, key = path
        return update_path2(coll, outer, key, f)
    return maps.update_in(coll, path, f)


def nth2(coll: Any, index: Any, /) -> Any:
    """`(nth coll index)`."""
    if index.__class__ is int and index >= 0:
        kind = type(coll)
        if kind is Vector or kind is List:
            if coll._more is None:
                position = coll._start + index
                if position < coll._stop:
                    return coll._items[position]
        elif kind is ShortVector:
            if index < len(coll):
                return item(coll, index)
        elif kind is str and index < len(coll):
            return coll[index]
    return sequences.nth(coll, index)


def first1(coll: Any, /) -> Any:
    """`(first coll)`."""
    if type(coll) is ShortVector:
        return coll._0 if coll else None
    if (coll.__class__ is Vector or coll.__class__ is List) and coll._more is None:
        return coll._items[coll._start] if coll._start < coll._stop else None
    return sequences.first(coll)


def rest1(coll: Any, /) -> Any:
    """`(rest coll)`."""
    kind = type(coll)
    if kind is ShortVector:
        return ShortVector(item(coll, _BEHIND))
    if kind is Vector or kind is List:
        size = coll._stop - coll._start
        return coll.slice(1, size) if size else coll
    return sequences.rest(coll)


def is_empty1(coll: Any, /) -> Any:
    """`(empty? coll)`."""
    if type(coll) is ShortVector:
        return not coll
    if coll.__class__ is Vector or coll.__class__ is List:
        return coll._start == coll._stop
    return sequences.is_empty(coll)


def count1(coll: Any, /) -> Any:
    """`(count coll)`."""
    return len(coll) if coll.__class__ in _SIZED else sequences.count(coll)


def get_in3(coll: Any, path: Any, default: Any, /) -> Any:
    """`(get-in coll path default)`."""
    if type(path) is ShortVector and len(path) == 2 and coll.__class__ is Map:
        outer, key = path
        inner = coll.get(outer, MISSING)
        if inner is MISSING:
            return default
        if inner.__class__ is Map:
            return inner.get(key, default)
    return maps.get_in(coll, path, default)


def contains2(coll: Any, value: Any, /) -> Any:
    """`(contains? coll value)`."""
    kind = coll.__class__
    if kind is Set:
        coll = coll._map
    elif kind is not Map:
        return searching.contains(coll, value)
    d = coll._d
    kind = value.__class__
    if d is None or kind is float or kind is bool:
        return value in coll
    return value in d


def peek1(coll: Any, /) -> Any:
    """`(peek coll)`."""
    kind = type(coll)
    if kind is ShortVector:
        return item(coll, -1) if coll else None
    if kind is Vector and coll._more is None:
        return coll._items[coll._stop - 1] if coll._start < coll._stop else None
    return slicing.peek(coll)


def pop1(coll: Any, /) -> Any:
    """`(pop coll)`."""
    if type(coll) is ShortVector and coll:
        return ShortVector(item(coll, _BEFORE))
    return slicing.pop(coll)


def next1(coll: Any, /) -> Any:
    """`(next coll)`."""
    if type(coll) is ShortVector:
        return ShortVector(item(coll, _BEHIND)) if len(coll) > 1 else None
    if coll.__class__ is Vector or coll.__class__ is List:
        size = coll._stop - coll._start
        return coll.slice(1, size) if size > 1 else None
    return sequences.next_(coll)


def second1(coll: Any, /) -> Any:
    """`(second coll)`."""
    if type(coll) is ShortVector:
        return coll._1 if len(coll) > 1 else None
    return sequences.second(coll)


def last1(coll: Any, /) -> Any:
    """`(last coll)`."""
    if type(coll) is ShortVector:
        return item(coll, -1) if coll else None
    return sequences.last(coll)


def abs1(number: Any, /) -> Any:
    """`(abs number)`."""
    return abs(number) if number.__class__ is int else numbers.absolute(number)


def subvec2(coll: Any, start: Any, /) -> Any:
    """`(subvec coll start)`."""
    if type(coll) is ShortVector and start.__class__ is int and 0 <= start <= len(coll):
        return ShortVector(item(coll, slice(start, None)))
    if coll.__class__ is Vector and start.__class__ is int and 0 <= start <= len(coll):
        return coll.slice(start, len(coll))
    return sequences.subvec(coll, start)


def subvec3(coll: Any, start: Any, end: Any, /) -> Any:
    """`(subvec coll start end)`."""
    if start.__class__ is int and end.__class__ is int and 0 <= start <= end:
        if type(coll) is ShortVector and end <= len(coll):
            return ShortVector(item(coll, slice(start, end)))
        if coll.__class__ is Vector and end <= len(coll):
            return coll.slice(start, end)
    return sequences.subvec(coll, start, end)


def into2(target: Any, coll: Any, /) -> Any:
    """`(into target coll)`."""
    if type(target) is ShortVector and coll.__class__ is Vector:
        size = len(coll)
        if size <= SMALL:
            spend(size)
            joined = [*target, *coll]
            return ShortVector(joined) if len(joined) <= SHORT else Vector.adopt(joined)
    return building.into(target, coll)


def reverse1(coll: Any, /) -> Any:
    """`(reverse coll)`."""
    if type(coll) is ShortVector:
        return ShortVector(item(coll, _BACKWARDS))
    return sequences.reverse(coll)


def take2(n: Any, coll: Any, /) -> Any:
    """`(take n coll)`."""
    if type(coll) is ShortVector and n.__class__ is int:
        return coll if n >= len(coll) else ShortVector(item(coll, slice(n if n > 0 else 0)))
    return sequences.take(n, coll)


def drop2(n: Any, coll: Any, /) -> Any:
    """`(drop n coll)`."""
    if type(coll) is ShortVector and n.__class__ is int:
        return ShortVector(item(coll, slice(n, None))) if n > 0 else coll
    return sequences.drop(n, coll)


def key1(entry: Any, /) -> Any:
    """`(key entry)`."""
    return entry._0 if type(entry) is ShortVector and len(entry) == 2 else maps.key(entry)


def val1(entry: Any, /) -> Any:
    """`(val entry)`."""
    return entry._1 if type(entry) is ShortVector and len(entry) == 2 else maps.val(entry)


def merge2(first: Any, second: Any, /) -> Any:
    """`(merge first second)`."""
    if first.__class__ is Map and second.__class__ is Map:
        d, more = first._d, second._d
        if d is not None and more is not None and len(d) <= SMALL and len(more) <= SMALL:
            d = d.copy()
            d.update(more)
            return Map.of_encoded(d) if first._odd or second._odd else Map.of_plain(d)
    return maps.merge(first, second)


def add3(a: Any, b: Any, c: Any, /) -> Any:
    """`(+ a b c)`."""
    return numbers.add2(numbers.add2(a, b), c)


def min2(a: Any, b: Any, /) -> Any:
    """`(min a b)`."""
    if a.__class__ is int and b.__class__ is int:
        return b if b <= a else a
    return numbers.smallest(a, b)


def min3(a: Any, b: Any, c: Any, /) -> Any:
    """`(min a b c)`."""
    if a.__class__ is int and b.__class__ is int and c.__class__ is int:
        if b <= a:
            a = b
        return c if c <= a else a
    return numbers.smallest(a, b, c)


def max3(a: Any, b: Any, c: Any, /) -> Any:
    """`(max a b c)`."""
    if a.__class__ is int and b.__class__ is int and c.__class__ is int:
        if b >= a:
            a = b
        return c if c >= a else a
    return numbers.largest(a, b, c)


def max2(a: Any, b: Any, /) -> Any:
    """`(max a b)`."""
    if a.__class__ is int and b.__class__ is int:
        return b if b >= a else a
    return numbers.largest(a, b)


EXACT: dict[tuple[str, int], Any] = {
    ("+", 2): numbers.add2,
    ("+", 3): add3,
    ("-", 2): numbers.sub2,
    ("*", 2): numbers.mul2,
    ("/", 2): numbers.div2,
    ("<", 2): lt2,
    (">", 2): gt2,
    ("<=", 2): le2,
    (">=", 2): ge2,
    ("=", 2): eq2,
    ("str", 1): strings.str1,
    ("assoc", 3): assoc3,
    ("assoc", 5): assoc5,
    ("assoc", 7): assoc7,
    ("assoc", 9): assoc9,
    ("assoc-in", 3): assoc_in3,
    ("get-in", 2): get_in2,
    ("conj", 2): conj2,
    ("dissoc", 2): dissoc2,
    ("update", 3): update3,
    ("update", 4): update4,
    ("update-in", 3): update_in3,
    ("nth", 2): nth2,
    ("first", 1): first1,
    ("rest", 1): rest1,
    ("empty?", 1): is_empty1,
    ("count", 1): count1,
    ("get-in", 3): get_in3,
    ("quot", 2): numbers.quot2,
    ("rem", 2): numbers.rem2,
    ("contains?", 2): contains2,
    ("peek", 1): peek1,
    ("pop", 1): pop1,
    ("next", 1): next1,
    ("second", 1): second1,
    ("last", 1): last1,
    ("abs", 1): abs1,
    ("subvec", 2): subvec2,
    ("subvec", 3): subvec3,
    ("into", 2): into2,
    ("reverse", 1): reverse1,
    ("take", 2): take2,
    ("drop", 2): drop2,
    ("key", 1): key1,
    ("val", 1): val1,
    ("merge", 2): merge2,
    ("min", 2): min2,
    ("max", 2): max2,
    ("min", 3): min3,
    ("max", 3): max3,
}
"""Name and number of arguments -> the function."""

PATHS: dict[tuple[str, int, int], Any] = {
    ("get-in", 2, 1): get_path1,
    ("get-in", 2, 2): get_path2,
    ("assoc-in", 3, 1): assoc_path1,
    ("assoc-in", 3, 2): assoc_path2,
    ("update-in", 3, 1): update_path1,
    ("update-in", 3, 2): update_path2,
}
"""Name, number of arguments and length of a path that is written out -> the function, which takes the keys."""
