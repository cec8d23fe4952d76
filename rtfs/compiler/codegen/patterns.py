"""Functions that generated code calls to destructure values: vector and map patterns of `let`, parameters and `match`.

Knows nothing of forms. Every function of `PATTERNS` is a global of generated code under its name with a blank in front.
Functions here raise errors without a place; the machine finds the place from the traceback.
"""

from __future__ import annotations

from rtfs.builtins.collection_support import fresh_list
from rtfs.builtins.deferred import steps
from rtfs.builtins.sequences import lazy_nth
from rtfs.builtins.slicing import nthrest, seq
from rtfs.values import Keyword, LazySeq, List, Map, Vector
from rtfs.values.error import EvalError, TypeMismatch, UserError
from rtfs.values.kinds import type_name
from rtfs.values.lazy import first_elements
from rtfs.values.lookup import keyword_get
from rtfs.values.short_vector import ShortVector, item

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_EMPTY_LIST = List()
_EMPTY_MAP = Map()


def a_kind(value: Any) -> str:
    """The kind of a value with its article: `an integer`."""
    kind = type_name(value)
    return kind if kind == "nil" else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"


def pattern_sequence(value: Any, /) -> Any:
    """The sequence that a vector pattern destructures: a vector or list, nil as empty."""
    kind = value.__class__
    if kind is Vector or kind is List or kind is LazySeq:
        return value
    if value is None:
        return _EMPTY_LIST
    error = TypeMismatch("type/mismatch", f"a vector pattern takes a vector or a list apart, not {a_kind(value)}")
    if kind is str:
        error.hint = "(seq text) gives its characters"
    raise error


def pattern_items(value: Any, count: int, /) -> Any:
    """The first `count` elements of what a vector pattern takes apart, nil for missing ones."""
    if type(value) is ShortVector:
        size = len(value)
        if size > count:
            return item(value, slice(count))
        return [*value] if size == count else [*value] + [None] * (count - size)
    if (value.__class__ is Vector or value.__class__ is List) and value._more is None:
        start = value._start
        if value._stop - start >= count:
            return value._items[start : start + count]
    sequence = pattern_sequence(value)
    if sequence.__class__ is LazySeq:
        found = first_elements(sequence, count)
        return found + [None] * (count - len(found))
    size = len(sequence)
    if size <= count:
        items: list[Any] = sequence.to_list()
        return items if size == count else items + [None] * (count - size)
    return sequence.slice(0, count).to_list()


def pattern_item(sequence: Any, index: int, /) -> Any:
    kind = type(sequence)
    if kind is ShortVector:
        return item(sequence, index) if index < len(sequence) else None
    if (kind is List or kind is Vector) and sequence._more is None:
        place = sequence._start + index
        return sequence._items[place] if place < sequence._stop else None
    if kind is LazySeq:
        return lazy_nth(sequence, index, None)
    return sequence[index] if index < len(sequence) else None


def sequence_item(sequence: Any, index: int, /) -> Any:
    return lazy_nth(sequence, index, None) if sequence.__class__ is LazySeq else sequence[index]


def sequence_rest(sequence: Any, index: int, /) -> Any:
    """The elements of a vector, list or lazy sequence from an index on, as a list; a lazy one stays lazy."""
    if sequence.__class__ is Vector:
        return List.of(sequence.to_list()[index:])
    if sequence.__class__ is LazySeq:
        return nthrest(sequence, index)
    return sequence.slice(min(index, len(sequence)), len(sequence))


def pattern_rest(sequence: Any, index: int, /) -> Any:
    """The value that `& r` binds when a sequence is destructured: like `sequence_rest`, but nil if nothing is left."""
    kind = type(sequence)
    if kind is List:
        size = sequence._stop - sequence._start
        return sequence.slice(index, size) if index < size else None
    if kind is ShortVector:
        return List.adopt([*item(sequence, slice(index, None))]) if index < len(sequence) else None
    if kind is Vector:
        items = sequence.to_list()[index:]
        return List.of(items) if items else None
    return seq(sequence_rest(sequence, index))


def pattern_keywords(sequence: Any, index: int, /) -> Map | None:
    """Trailing keyword arguments as a map; one map in their place is taken as it is; nil if there is no rest."""
    if sequence is None:
        return None
    items = fresh_list("let", sequence)[index:]
    if len(items) == 1 and items[0].__class__ is Map:
        return items[0]
    if len(items) % 2:
        raise EvalError("argument/keywords", "keyword arguments come in pairs; the last key has no value")
    return Map(zip(items[::2], items[1::2], strict=True))


def pattern_map(value: Any, /) -> Any:
    """The map that a map pattern destructures: a map, nil as empty, an error as a map of its keys."""
    if value.__class__ is Map:
        return value
    if value is None:
        return _EMPTY_MAP
    if isinstance(value, UserError):
        parts = ("code", "message", "data", "capability")
        return Map((Keyword(part), keyword_get(Keyword(part), value)) for part in parts)
    if (
        value.__class__ is List
        and len(value) % 2 == 0
        and all(one.__class__ is Keyword for one in value.to_list()[::2])
    ):
        items = value.to_list()
        return Map(zip(items[::2], items[1::2], strict=True))
    raise TypeMismatch("type/mismatch", f"a map pattern takes a map apart, not {a_kind(value)}")


def pattern_get(value: Map, key: Any, /) -> Any:
    return value.get(key)


def pattern_has(value: Map, key: Any, /) -> bool:
    return key in value


def pattern_without(value: Map, /, *keys: Any) -> Map:
    for key in keys:
        value = value.dissoc(key)
    return value


def fits_exactly(value: Any, count: int, /) -> bool:
    if value.__class__ is LazySeq:
        return steps.compute(value, count + 1) == count
    return value.__class__ in (Vector, List) and len(value) == count


def fits_at_least(value: Any, count: int, /) -> bool:
    if value.__class__ is LazySeq:
        return steps.compute(value, count) == count
    return value.__class__ in (Vector, List) and len(value) >= count


def regex_fits(value: Any, regex: Any, /) -> bool:
    """Whether a text is matched whole by a regular expression."""
    from rtfs.builtins.regex import re_matches

    return value.__class__ is str and re_matches(regex, value) is not None


def match_none(value: Any, literal: Any = None, /) -> Any:
    """Raise for a value that no clause of `match` fits. literal: a pattern that was meant to fit everything, or nil."""
    from rtfs.syntax.printer import to_text

    shown = to_text(value)
    shown = shown if len(shown) <= 200 else shown[:200] + "…"
    hint = "add a final `_` clause to match anything"
    if literal is not None:
        hint = f"`{literal}` as a pattern fits only itself: write `_` to match anything"
    raise EvalError("match/none", f"no pattern fits {shown}", data=value, hint=hint)


PATTERNS: dict[str, Any] = {
    " " + function.__name__: function
    for function in (
        pattern_sequence,
        pattern_items,
        pattern_item,
        sequence_item,
        sequence_rest,
        pattern_rest,
        pattern_keywords,
        pattern_map,
        pattern_get,
        pattern_has,
        pattern_without,
        fits_exactly,
        fits_at_least,
        regex_fits,
        match_none,
    )
}
