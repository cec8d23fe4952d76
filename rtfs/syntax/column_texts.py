"""The texts of many values at once, in a given notation: rows are written column by column.

Rows of one answer have the same keys, and a column mostly has one kind of value, so CPython's own loops handle a whole
column at once. Knows nothing of hashes or JSON. Invariants: the texts are those that the notation gives each value, or
there are none; values that share their parts are not written longer than `_MOST` parts and `_LONGEST` characters.
"""

from __future__ import annotations

from _operator import attrgetter, itemgetter
from itertools import chain, islice, repeat

from rtfs.values import Map, Vector
from rtfs.values.short_vector import ShortVector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

_MOST = 1 << 15
"""Parts of the values that are written at once."""
_DEEPEST = 12
_FEW = 8
"""Rows from which on columns are worth it, and elements up to which vectors have columns."""
_LONGEST = 1 << 22
"""Characters of the strings among them."""
_USUAL = 10**512
"""Integers up to it are written by CPython, whose limit on digits never is below."""
_SEQUENCES = {Vector, ShortVector}
_own_content: Any = attrgetter("_d")
"""`Map.raw` of a map that has its content for itself, None for another."""


class NoColumns(Exception):
    """The values are too many, or have no common form."""


class Notation:
    """How values are written, in brackets `[]` and `{}`. atoms: the text of values without parts, by their kind.
    between: what separates elements. labels(rows): the keys that all rows have, in the order in which they are written,
    each with the text in front of its values; None where the rows have no common form."""

    __slots__ = ("atoms", "between", "labels")

    def __init__(
        self,
        atoms: dict[type, Callable[[Any], str]],
        between: str,
        labels: Callable[[list[dict[Any, Any]]], list[tuple[Any, str]] | None],
    ) -> None:
        self.atoms = atoms
        self.between = between
        self.labels = labels

    def texts(self, values: Sequence[Any]) -> list[str]:
        """The text of each value. Raises NoColumns where they have to be written one by one."""
        texts, quote = _Columns(self).write(values, _DEEPEST)
        return [f'"{text}"' for text in texts] if quote else [*texts]


class _Columns:
    """One use of a notation. parts, characters: how many may still be written."""

    __slots__ = ("characters", "notation", "parts")

    def __init__(self, notation: Notation) -> None:
        self.notation = notation
        self.parts = _MOST
        self.characters = _LONGEST

    def write(self, values: Sequence[Any], depth: int) -> tuple[Iterable[str], str]:
        """The texts of values, and what each is to be put between: quotes or nothing. depth: how many levels of parts
        they may have."""
        if not values:
            return values, ""
        self.parts -= len(values)
        if self.parts < 0 or not depth:
            raise NoColumns
        atoms = self.notation.atoms
        kinds = {*map(type, values)}
        if len(kinds) == 1:
            (kind,) = kinds
            if kind is Map:
                return self._rows(values, depth - 1), ""
            if kind is str:
                return (values, '"') if self._are_plain(values) else (map(atoms[str], values), "")
            if kind is int and max(values) < _USUAL and min(values) > -_USUAL:
                return map(str, values), ""
            if kind is float:
                return _floats(values, atoms[float]), ""
            if kind is bool or kind is type(None):
                texts = {value: atoms[kind](value) for value in {*values}}
                return map(texts.__getitem__, values), ""
        if kinds <= _SEQUENCES:
            return self._vectors(values, depth - 1), ""
        if not atoms.keys() >= kinds:
            raise NoColumns
        return [atoms[value.__class__](value) for value in values], ""

    def _are_plain(self, texts: Sequence[str]) -> bool:
        """Whether strings are written as they are, between quotes."""
        self.characters -= sum(map(len, texts))
        if self.characters < 0:
            raise NoColumns
        joined = "".join(texts)
        return joined.isprintable() and '"' not in joined and "\\" not in joined

    def _vectors(self, vectors: Sequence[Any], depth: int) -> list[str]:
        sizes = [*map(len, vectors)]
        if sum(sizes) > self.parts:
            raise NoColumns
        size = sizes[0]
        if 0 < size <= _FEW <= len(sizes) and sizes.count(size) == len(sizes):
            return self._side_by_side("[", [""] * size, [*zip(*vectors, strict=True)], "]", depth)
        texts, quote = self.write([*chain.from_iterable(vectors)], depth)
        rest, between = iter(texts), quote + self.notation.between + quote
        return [f"[{quote}{between.join(islice(rest, size))}{quote}]" if size else "[]" for size in sizes]

    def _rows(self, maps: Sequence[Map], depth: int) -> list[str]:
        if len(maps) < _FEW:
            raise NoColumns
        raws = [*map(_own_content, maps)]
        if None in raws:  # then `raw` copies it
            if len(maps[0]) * len(maps) > self.parts or {*map(len, maps)} != {len(maps[0])}:
                raise NoColumns
            raws = [one.raw() for one in maps]
        size = len(raws[0])
        if not size or {*map(len, raws)} != {size} or size * len(maps) > self.parts:
            raise NoColumns
        labels = self.notation.labels(raws)
        if labels is None:
            raise NoColumns
        keys = [key for key, _ in labels]
        if size == 1:
            keys *= 2  # `itemgetter` of one key gives no tuple
        try:
            columns = [*zip(*map(itemgetter(*keys), raws), strict=True)][:size]
        except KeyError:
            raise NoColumns from None
        return self._side_by_side("{", [label for _, label in labels], columns, "}", depth)

    def _side_by_side(
        self, opener: str, labels: Iterable[str], columns: Sequence[Sequence[Any]], closer: str, depth: int
    ) -> list[str]:
        """The texts of collections whose elements, each behind its label, are those of the columns."""
        pieces: list[Iterable[str]] = []
        before, between = opener, self.notation.between
        for label, column in zip(labels, columns, strict=True):
            texts, quote = self.write(column, depth)
            pieces += [repeat(before + label + quote), texts]
            before = quote + between
        pieces.append(repeat(before.removesuffix(between) + closer))
        return [*map("".join, zip(*pieces))]  # noqa: B905 - what is repeated has no end


def _floats(numbers: Sequence[float], text: Callable[[Any], str]) -> Iterable[str]:
    texts = [*map(repr, numbers)]
    joined = "".join(texts)
    if "e" in joined or "n" in joined:  # exponents, infinities, NaN
        return map(text, numbers)
    return texts
