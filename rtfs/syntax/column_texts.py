"""The texts of many values at once, for `rtfs.syntax.canonical_text`: rows are written column by column.

Rows of one answer have the same keys, and a column mostly one kind of value, so CPython's own loops do for a column
what else is asked of each value. Knows nothing of hashes. Invariants: the texts are those of `canonical_text`, or
there are none; values that share their parts are not written longer than `_MOST` parts and `_LONGEST` characters.
"""

from __future__ import annotations

from _operator import itemgetter
from itertools import chain, islice, repeat

from rtfs.syntax.printer import ATOMS
from rtfs.values import Map, Vector
from rtfs.values.canonical import order_of_names
from rtfs.values.short_vector import ShortVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

_MOST = 1 << 15
"""Parts of the values that are written at once."""
_DEEPEST = 12
_FEW = 8
"""Rows from which on columns are worth it, and elements up to which vectors have columns."""
_LONGEST = 1 << 20
"""Characters of the strings in one column."""
_USUAL = 10**512
"""Integers up to it are written by CPython, whose limit on digits never is below."""
_SEQUENCES = {Vector, ShortVector}


class NoColumns(Exception):
    """The values are too many, or have no common form."""


def column_texts(values: Sequence[Any]) -> list[str]:
    """The canonical text of each value. Raises NoColumns where they have to be written one by one."""
    texts, quote = _column(values, [_MOST], _DEEPEST)
    return [f'"{text}"' for text in texts] if quote else [*texts]


def _column(values: Sequence[Any], left: list[int], depth: int) -> tuple[Iterable[str], str]:
    """The texts of values, and what each is to be put between: quotes or nothing. left: how many parts may still be
    written. depth: how many levels of them."""
    if not values:
        return values, ""
    left[0] -= len(values)
    if left[0] < 0 or not depth:
        raise NoColumns
    kinds = {*map(type, values)}
    if len(kinds) == 1:
        (kind,) = kinds
        if kind is Map:
            return _rows(values, left, depth - 1), ""
        if kind is str:
            return (values, '"') if _are_plain(values) else (map(ATOMS[str], values), "")
        if kind is int and max(values) < _USUAL and min(values) > -_USUAL:
            return map(str, values), ""
        if kind is float:
            return _floats(values), ""
        if kind is ShortVector:
            return _vectors(values, left, depth - 1), ""
    if kinds <= _SEQUENCES:
        return _vectors(values, left, depth - 1), ""
    if not ATOMS.keys() >= kinds:
        raise NoColumns
    return [ATOMS[value.__class__](value) for value in values], ""


def _are_plain(texts: Sequence[str]) -> bool:
    """Whether strings print as they are, between quotes. Raises NoColumns for too much text."""
    if sum(map(len, texts)) > _LONGEST:
        raise NoColumns
    joined = "".join(texts)
    return joined.isprintable() and '"' not in joined and "\\" not in joined


def _floats(numbers: Sequence[float]) -> Iterable[str]:
    texts = [*map(repr, numbers)]
    joined = "".join(texts)
    if "e" in joined or "n" in joined:  # exponents, ##Inf, ##NaN
        return map(ATOMS[float], numbers)
    return texts


def _vectors(vectors: Sequence[Any], left: list[int], depth: int) -> list[str]:
    sizes = [*map(len, vectors)]
    if sum(sizes) > left[0]:
        raise NoColumns
    size = sizes[0]
    if 0 < size <= _FEW <= len(sizes) and sizes.count(size) == len(sizes):
        return _side_by_side("[", [""] * size, [*zip(*vectors, strict=True)], "]", left, depth)
    texts, quote = _column([*chain.from_iterable(vectors)], left, depth)
    rest, between = iter(texts), f"{quote} {quote}"
    return [f"[{quote}{between.join(islice(rest, size))}{quote}]" if size else "[]" for size in sizes]


def _rows(maps: Sequence[Map], left: list[int], depth: int) -> list[str]:
    size = len(maps[0])
    if len(maps) < _FEW or {*map(len, maps)} != {size} or size * len(maps) > left[0]:
        raise NoColumns
    raws = [one.raw() for one in maps]
    keys = [*raws[0]]
    names = order_of_names(keys)
    if names is None:
        raise NoColumns
    in_order = [key for _, key in sorted(zip(names, keys, strict=True))]
    if size == 1:
        in_order *= 2  # `itemgetter` of one key gives no tuple
    try:
        columns = [*zip(*map(itemgetter(*in_order), raws), strict=True)][:size]
    except KeyError:
        raise NoColumns from None
    labels = [f"{ATOMS[key.__class__](key)} " for key in in_order[:size]]
    return _side_by_side("{", labels, columns, "}", left, depth)


def _side_by_side(
    opener: str, labels: Iterable[str], columns: Sequence[Sequence[Any]], closer: str, left: list[int], depth: int
) -> list[str]:
    """The texts of collections whose elements, each behind its label, are those of the columns."""
    pieces: list[Iterable[str]] = []
    before = opener
    for label, column in zip(labels, columns, strict=True):
        texts, quote = _column(column, left, depth)
        pieces += [repeat(before + label + quote), texts]
        before = quote + " "
    pieces.append(repeat(before[:-1] + closer))
    return [*map("".join, zip(*pieces))]  # noqa: B905 - what is repeated has no end
