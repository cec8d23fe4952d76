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

    from rtfs.source import Source
    from rtfs.syntax.tokens import Mark, Reading

    Item = tuple[Any, int, int]
    """A form with its start and end."""

NO_COLONS = "a map is written {:key value}, without a colon between them"
"""The hint where a map is written as in JSON."""
_TAG = Keyword("tag")
_PREFIX_NAMES = {"'": "quote", "`": "quasiquote", "~": "unquote", "~@": "unquote-splicing", "@": "deref"}
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
        given = (operand.value, operand.start, operand.end)
        return Atom(*prefixed(mark.reading.source, PREFIXES[mark.type], mark.start, mark.end, given))

    @staticmethod
    def metadata(parts: list[Any]) -> Any:
        mark, note, target = parts
        annotate(mark.reading, (note.value, note.start, note.end), target.value)
        return target


def prefixed(source: Source, prefix: str, start: int, end: int, operand: Item) -> Item:
    """The form that a prefix makes of its operand. start, end: of the prefix."""
    name = Symbol(_PREFIX_NAMES[prefix], FormInfo(source, start, end))
    value, begin, stop = operand
    form = List.of([name, value])
    form.info = FormInfo(source, start, stop, (start, end, begin, stop))
    return form, start, stop


def annotate(reading: Reading, note: Item, value: Any) -> None:
    """Give a form the metadata that is written before it."""
    meta = _meta(reading, *note)
    if meta is not None and value.__class__ in _HAVE_INFO:
        info: Any = value.info
        info.meta = meta if info.meta is None else info.meta.merge_pairs(meta.items())


def _sequence(kind: Any, opener: Mark, items: list[Any], closer: Mark) -> Mark:
    return _closed(opener, closer, sequence_form(kind, opener.reading, items, opener.start, closer.end))


def _closed(opener: Mark, closer: Mark, form: Any) -> Mark:
    closer.value = form
    closer.start = opener.start
    return closer


def sequence_form(kind: Any, reading: Reading, items: list[Any], start: int, end: int) -> Any:
    """The list or vector of flat items."""
    form = kind.adopt(items[::3])
    del items[::3]
    form.info = FormInfo(reading.source, start, end, tuple(items))
    return form


def _meta(reading: Reading, value: Any, start: int, end: int) -> Any:
    """The map written after `^`, or None if it is faulty."""
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
    form = map_form(opener.reading, items, opener.start, closer.end, opener.namespace, closer.invented)
    return _closed(opener, closer, form)


def map_form(
    reading: Reading, items: list[Any], start: int, end: int, namespace: str = "", unclosed: bool = False
) -> Any:
    """The map of flat items. namespace: of `#:ns{`. unclosed: its end is not in the text."""
    values = items[::3]
    places = items
    del places[::3]
    if len(values) & 1:
        if not unclosed:
            colon = any(value.__class__ is Symbol and value.name == ":" for value in values)
            reading.error(
                "reader/odd-map", f"a map needs pairs, this one has {len(values)} form{'s' if len(values) > 1 else ''}",
                places[-2], places[-1], NO_COLONS if colon else "the last key has no value",
            )  # fmt: skip
        del values[-1], places[-2:]
    if namespace:
        values[::2] = [_qualified(namespace, key) for key in values[::2]]
    keys = values[::2]
    form = _map_of(reading, keys, values[1::2])
    if len(form) < len(keys):
        places = _surviving(reading, keys, places)
    form.info = FormInfo(reading.source, start, end, tuple(places))
    return form


def whole_map(reading: Reading, values: list[Any], start: int, end: int) -> Any:
    """The map of keys and values in turn, whose places are not noted; None if it has equal keys, or a key too many."""
    if len(values) & 1:
        return None
    keys = values[::2]
    form = _map_of(reading, keys, values[1::2])
    form.info = FormInfo(reading.source, start, end, None)
    return form if len(form) == len(keys) else None


def _map_of(reading: Reading, keys: list[Any], values: list[Any]) -> Any:
    kinds = {key.__class__ for key in keys}
    if not _COLLECTIONS.isdisjoint(kinds):
        _check_cost(reading, keys)
    if _PLAIN_KEYS.issuperset(kinds):
        return Map.of_plain(dict(zip(keys, values, strict=True)))
    return Map(zip(keys, values, strict=True))


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
    return _closed(opener, closer, set_form(opener.reading, items, opener.start, closer.end))


def set_form(reading: Reading, items: list[Any], begin: int, stop: int) -> Any:
    """The set of flat items."""
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
    form.info = FormInfo(reading.source, begin, stop, tuple(places))
    return form


def whole_set(reading: Reading, elements: list[Any], start: int, end: int) -> Any:
    """The set of elements whose places are not noted; None if some are equal."""
    form = Set(elements)
    form.info = FormInfo(reading.source, start, end, None)
    return form if len(form) == len(elements) else None


def _check_cost(reading: Reading, keys: list[Any]) -> None:
    """Give up on maps as keys of maps that are keys themselves, and so on, before hashing them takes for ever."""
    allowed = 10 * len(reading.source.text) + 2_000_000
    for key in keys:
        if key.__class__ in _COLLECTIONS:
            info: Any = key.info
            reading.key_text += info.end - info.start
            if reading.key_text > allowed:
                reading.error("reader/nesting", "maps are nested too deeply as keys of maps", info.start, info.end)
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
    values = items[::3]
    del items[::3]
    return _closed(opener, closer, function_form(opener, values, closer.end, tuple(items)))


def function_form(opener: Mark, values: list[Any], end: int, places: tuple[int, ...] | None = None) -> Any:
    """`#(+ % %2)` is `(fn [%1 %2] (+ %1 %2))`; the lexer has renamed `%` already. places: of the body's forms, None if
    they are not noted."""
    source = opener.reading.source
    start = opener.start

    def symbol(name: str) -> Any:
        return Symbol(name, FormInfo(source, start, start + 1))

    names = [symbol(f"%{number}") for number in range(1, opener.arguments + 1)]
    if opener.rest:
        names += [symbol("&"), symbol("%&")]
    parameters = Vector.adopt(names)
    parameters.info = FormInfo(source, start, start + 1, (start, start + 1) * len(names))
    body = List.of(values)
    body.info = FormInfo(source, start + 1, end, places)
    form = List.of([symbol("fn"), parameters, body])
    form.info = FormInfo(source, start, end, (start, start + 1, start, start + 1, start + 1, end))
    return form


assert set(_PREFIX_NAMES) | {"^", "#_"} == set(PREFIXES.values())
