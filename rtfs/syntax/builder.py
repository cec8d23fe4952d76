"""Builds values while Lark parses: one method for each alternative of `grammar/rtfs.lark`, no tree in between.

Knows nothing of special forms or types. Invariant: every list, vector, map and symbol gets a `FormInfo` whose `kids`
agree with its elements; what is wrong within a form is reported and the form is built all the same.

While they are collected, the items of a form are one flat list `[value, start, end, value, start, end, …]`.
"""

from __future__ import annotations

from rtfs.syntax.tokens import PREFIXES, Atom, TooManyErrors
from rtfs.values import Keyword, List, Map, Regex, Set, Symbol, Vector
from rtfs.values.info import FormInfo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from rtfs.syntax.tokens import Mark, Reading

NO_COLONS = "a map is written {:key value}, without a colon between them"
"""The hint where a map is written as in JSON."""
_TAG = Keyword("tag")
_PREFIX_NAMES = {
    "QUOTE": "quote",
    "QUASIQUOTE": "quasiquote",
    "UNQUOTE": "unquote",
    "SPLICE": "unquote-splicing",
    "DEREF": "deref",
}
_PLAIN_KEYS = {str, int, Keyword, Symbol, type(None), Vector, List, Map, Set, Regex}
_COLLECTIONS = {Vector, List, Map}
"""Collections whose hash is computed each time; sets remember theirs."""
_HAVE_INFO = (List, Vector, Map, Set, Symbol)


class FormBuilder:
    """Lark's `transformer=`: gets the parts of an alternative, answers its value."""

    @staticmethod
    def empty_program(parts: list[Any]) -> list[Any]:
        return []

    @staticmethod
    def program(parts: list[Any]) -> list[Any]:
        items: list[Any] = parts[0]
        return items

    @staticmethod
    def first_item(parts: list[Any]) -> list[Any]:
        item = parts[0]
        return [item.value, item.start, item.end, *item.after]

    @staticmethod
    def more_item(parts: list[Any]) -> list[Any]:
        items: list[Any]
        items, item = parts
        items += (item.value, item.start, item.end)
        if item.after:
            items += item.after
        return items

    @staticmethod
    def first_discard(parts: list[Any]) -> list[Any]:
        return []

    @staticmethod
    def more_discard(parts: list[Any]) -> list[Any]:
        items: list[Any] = parts[0]
        return items

    @staticmethod
    def discard(parts: list[Any]) -> None:
        return None

    @staticmethod
    def operand(parts: list[Any]) -> Any:
        return parts[0]

    @staticmethod
    def operand_after_discard(parts: list[Any]) -> Any:
        return parts[1]

    @staticmethod
    def list_of_atoms(parts: list[Any]) -> Mark:
        opener, closer = parts
        return _sequence(List, opener, opener.after, closer)

    @staticmethod
    def list_of(parts: list[Any]) -> Mark:
        opener, items, closer = parts
        return _sequence(List, opener, opener.after + items, closer)

    @staticmethod
    def vector_of_atoms(parts: list[Any]) -> Mark:
        opener, closer = parts
        return _sequence(Vector, opener, opener.after, closer)

    @staticmethod
    def vector_of(parts: list[Any]) -> Mark:
        opener, items, closer = parts
        return _sequence(Vector, opener, opener.after + items, closer)

    @staticmethod
    def map_of_atoms(parts: list[Any]) -> Mark:
        opener, closer = parts
        return _map(opener, opener.after, closer)

    @staticmethod
    def map_of(parts: list[Any]) -> Mark:
        opener, items, closer = parts
        return _map(opener, opener.after + items, closer)

    @staticmethod
    def set_of_atoms(parts: list[Any]) -> Mark:
        opener, closer = parts
        return _set(opener, opener.after, closer)

    @staticmethod
    def set_of(parts: list[Any]) -> Mark:
        opener, items, closer = parts
        return _set(opener, opener.after + items, closer)

    @staticmethod
    def function_of_atoms(parts: list[Any]) -> Mark:
        opener, closer = parts
        return _function(opener, opener.after, closer)

    @staticmethod
    def function_of(parts: list[Any]) -> Mark:
        opener, items, closer = parts
        return _function(opener, opener.after + items, closer)

    @staticmethod
    def prefix(parts: list[Any]) -> Atom:
        mark, operand = parts
        source = mark.reading.source
        start, end = operand.start, operand.end
        name = Symbol(_PREFIX_NAMES[mark.type], FormInfo(source, mark.start, mark.end))
        form = List.of([name, operand.value])
        form.info = FormInfo(source, mark.start, end, (mark.start, mark.end, start, end))
        return Atom(form, mark.start, end)

    @staticmethod
    def metadata(parts: list[Any]) -> Any:
        mark, note, target = parts
        meta = _meta(mark.reading, note.value, note.start, note.end)
        value = target.value
        if meta is not None and value.__class__ in _HAVE_INFO:
            info: Any = value.info
            info.meta = meta if info.meta is None else info.meta.merge_pairs(meta.items())
        return target


def _sequence(kind: Any, opener: Mark, items: list[Any], closer: Mark) -> Mark:
    form = kind.adopt(items[::3])
    del items[::3]
    form.info = FormInfo(opener.reading.source, opener.start, closer.end, tuple(items))
    closer.value = form
    closer.start = opener.start
    return closer


def _meta(reading: Reading, value: Any, start: int, end: int) -> Any:
    """The map that stands after `^`, or None for the faulty."""
    if value.__class__ is Map:
        return value
    if value.__class__ is Keyword:
        meta = Map([(value, True)])
        meta.info = FormInfo(reading.source, start, end, (start, end, start, end))
        return meta
    if value.__class__ is Symbol or value.__class__ is str:  # a type hint of Java's, which nothing looks at
        return Map([(_TAG, value)])
    hint = "write `^{:key value} form` or `^:key form`"
    if not reading.errors or not _within(reading, start, end):
        reading.error("reader/metadata", "a map or a keyword follows `^`", start, end, hint)
    return None


def _within(reading: Reading, start: int, end: int) -> bool:
    """Whether an error was reported within [start, end): then the value there is only a stand-in."""
    return any(e.span is not None and start <= e.span.start < end for e in reading.errors)


def _map(opener: Mark, items: list[Any], closer: Mark) -> Mark:
    reading = opener.reading
    values = items[::3]
    places = items
    del places[::3]
    if len(values) & 1:
        if not closer.invented:
            colon = any(value.__class__ is Symbol and value.name == ":" for value in values)
            reading.error(
                "reader/odd-map", f"a map needs pairs, this one has {len(values)} form{'s' if len(values) > 1 else ''}",
                places[-2], places[-1], NO_COLONS if colon else "the last key has no value",
            )  # fmt: skip
        del values[-1], places[-2:]
    if opener.namespace:
        values[::2] = [_qualified(opener.namespace, key) for key in values[::2]]
    keys = values[::2]
    if not _COLLECTIONS.isdisjoint([key.__class__ for key in keys]):
        _check_cost(reading, keys, places)
    if _PLAIN_KEYS.issuperset([key.__class__ for key in keys]):
        form = Map.of_plain(dict(zip(keys, values[1::2], strict=True)))
    else:
        form = Map(zip(keys, values[1::2], strict=True))
    if len(form) < len(keys):
        places = _surviving(reading, keys, places)
    form.info = FormInfo(reading.source, opener.start, closer.end, tuple(places))
    closer.value = form
    closer.start = opener.start
    return closer


def _qualified(namespace: str, key: Any) -> Any:
    """A key of `#:ns{…}`: names without a namespace get that one, and `:_/name` gets none."""
    if key.__class__ is not Keyword and key.__class__ is not Symbol:
        return key
    before, slash, name = key.name.partition("/")
    if not slash or not before or not name:
        name = f"{namespace}/{key.name}"
    elif before != "_":
        return key
    return Symbol(name, key.info) if isinstance(key, Symbol) else Keyword(name)


def _set(opener: Mark, items: list[Any], closer: Mark) -> Mark:
    reading = opener.reading
    elements = items[::3]
    places = items
    del places[::3]
    form = Set(elements)
    if len(form) < len(elements):
        kept = places
        places = []
        seen = Set()
        for number, element in enumerate(elements):
            start, end = kept[2 * number : 2 * number + 2]
            if element in seen:
                hint = "write each element once; (set [a b]) makes a set of values that may be equal"
                reading.error("reader/duplicate", "this element is in the set already", start, end, hint)
            else:
                seen = seen.conj(element)
                places += (start, end)
    form.info = FormInfo(reading.source, opener.start, closer.end, tuple(places))
    closer.value = form
    closer.start = opener.start
    return closer


def _check_cost(reading: Reading, keys: list[Any], places: list[int]) -> None:
    """Give up on maps as keys of maps that are keys themselves, and so on, before hashing them takes for ever."""
    allowed = 10 * len(reading.source.text) + 2_000_000
    for number, key in enumerate(keys):
        if key.__class__ in _COLLECTIONS:
            start, end = places[4 * number : 4 * number + 2]
            reading.key_text += end - start
            if reading.key_text > allowed:
                reading.error("reader/nesting", "maps are nested too deeply as keys of maps", start, end)
                raise TooManyErrors


def _surviving(reading: Reading, keys: list[Any], places: list[int]) -> list[int]:
    """Offsets of the entries that a map keeps: of equal keys the last, in the place of the first."""
    from rtfs.source import Span

    last = Map((key, number) for number, key in enumerate(keys))
    kept: list[int] = []
    for number in last.values():
        kept += places[4 * number : 4 * number + 4]
    numbers = set(last.values())
    for number in range(len(keys)):
        if number not in numbers:
            reading.duplicates.append(Span(reading.source, places[4 * number], places[4 * number + 1]))
    return kept


def _function(opener: Mark, items: list[Any], closer: Mark) -> Mark:
    """`#(+ % %2)` is `(fn [%1 %2] (+ %1 %2))`; the lexer has renamed `%` already."""
    source = opener.reading.source
    start, end = opener.start, closer.end

    def symbol(name: str) -> Any:
        return Symbol(name, FormInfo(source, start, start + 1))

    names = [symbol(f"%{number}") for number in range(1, opener.arguments + 1)]
    if opener.rest:
        names += [symbol("&"), symbol("%&")]
    parameters = Vector.adopt(names)
    parameters.info = FormInfo(source, start, start + 1, (start, start + 1) * len(names))
    body = List.of(items[::3])
    del items[::3]
    body.info = FormInfo(source, start + 1, end, tuple(items))
    form = List.of([symbol("fn"), parameters, body])
    form.info = FormInfo(source, start, end, (start, start + 1, start, start + 1, start + 1, end))
    closer.value = form
    closer.start = start
    return closer


assert set(_PREFIX_NAMES) | {"META", "DISCARD"} == set(PREFIXES)
