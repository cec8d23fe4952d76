"""clojure.walk: going through data and rebuilding it.

Must not know programs. Invariants: vectors, lists, maps and sets keep their kind, a map is walked as its entries
`[k v]`; deep data do not use up the C stack, since everything here calls from Python to Python.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, type_error
from rtfs.builtins.collection_support import entries
from rtfs.builtins.declare import builtin
from rtfs.builtins.names import reads_as_keyword
from rtfs.values import Keyword, List, Map, Set, Vector
from rtfs.values.step_account import spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _rebuilt(inner: Callable[[Any], Any], form: Any) -> Any:
    """The form with `inner` applied to each of its parts; itself if it has none."""
    kind = form.__class__
    if kind is Vector or kind is List:
        spend(len(form))
        return kind.of([inner(part) for part in form])
    if kind is Set:
        spend(len(form))
        return Set([inner(part) for part in form])
    if kind is Map:
        spend(len(form))
        return _map_of([inner(entry) for entry in entries(form)])
    return form


def _map_of(pairs: list[Any]) -> Map:
    for pair in pairs:
        if pair.__class__ is not Vector or len(pair) != 2:
            raise type_error("clojure.walk/walk", "an entry of a map", "a vector of a key and a value", pair)
    return Map([(pair[0], pair[1]) for pair in pairs])


@builtin(
    "clojure.walk/walk",
    "(clojure.walk/walk inner outer form)",
    "`inner` on each part of the form, then `outer` on what they make.",
    "(walk/walk inc (fn [xs] (apply + xs)) [1 2 3])",
    "9",
)
def walk(inner: Any, outer: Any, form: Any, /) -> Any:
    return outer(_rebuilt(inner, form))


@builtin(
    "clojure.walk/postwalk",
    "(clojure.walk/postwalk f form)",
    "`f` on every part of the form, the innermost first.",
    "(walk/postwalk (fn [x] (if (int? x) (inc x) x)) [1 [2 {:a 3}]])",
    "[2 [3 {:a 4}]]",
)
def postwalk(f: Any, form: Any, /) -> Any:
    return f(_rebuilt(lambda part: postwalk(f, part), form))


@builtin(
    "clojure.walk/prewalk",
    "(clojure.walk/prewalk f form)",
    "`f` on the form, then on every part of what that makes.",
    "(walk/prewalk (fn [x] (if (int? x) (inc x) x)) [1 [2]])",
    "[2 [3]]",
)
def prewalk(f: Any, form: Any, /) -> Any:
    return _rebuilt(lambda part: prewalk(f, part), f(form))


@builtin(
    "clojure.walk/postwalk-replace",
    "(clojure.walk/postwalk-replace replacements form)",
    "Every part that is a key of the map replaced by its value, the innermost first.",
    "(walk/postwalk-replace {1 :one} [1 [2 1]])",
    "[:one [2 :one]]",
)
def postwalk_replace(replacements: Any, form: Any, /) -> Any:
    _need_map("clojure.walk/postwalk-replace", replacements)
    return postwalk(lambda part: replacements.get(part, part), form)


@builtin(
    "clojure.walk/prewalk-replace",
    "(clojure.walk/prewalk-replace replacements form)",
    "Every part that is a key of the map replaced by its value, the outermost first.",
    "(walk/prewalk-replace {:a :b} [:a [:c :a]])",
    "[:b [:c :b]]",
)
def prewalk_replace(replacements: Any, form: Any, /) -> Any:
    _need_map("clojure.walk/prewalk-replace", replacements)
    return prewalk(lambda part: replacements.get(part, part), form)


def _need_map(name: str, value: Any) -> None:
    if value.__class__ is not Map:
        raise type_error(name, "the replacements", "a map", value)


@builtin(
    "clojure.walk/keywordize-keys",
    "(clojure.walk/keywordize-keys form)",
    "The form with the text keys of its maps as keywords, at any depth.",
    '(walk/keywordize-keys {"a" [{"b" 1}]})',
    "{:a [{:b 1}]}",
)
def keywordize_keys(form: Any, /) -> Any:
    return _with_keys(form, _as_keyword)


@builtin(
    "clojure.walk/stringify-keys",
    "(clojure.walk/stringify-keys form)",
    "The form with the keyword keys of its maps as texts, at any depth.",
    "(walk/stringify-keys {:a [{:b 1}]})",
    '{"a" [{"b" 1}]}',
)
def stringify_keys(form: Any, /) -> Any:
    return _with_keys(form, lambda key: key.name.rpartition("/")[2] if key.__class__ is Keyword else key)


def _as_keyword(key: Any) -> Any:
    if key.__class__ is not str:
        return key
    if not reads_as_keyword(key):
        raise argument_error("clojure.walk/keywordize-keys", f'cannot make a keyword of the key "{key}"')
    return Keyword(key)


def _with_keys(form: Any, change: Callable[[Any], Any]) -> Any:
    def step(part: Any) -> Any:
        if part.__class__ is Map:
            return Map([(change(key), value) for key, value in part.items()])
        return part

    return postwalk(step, form)
