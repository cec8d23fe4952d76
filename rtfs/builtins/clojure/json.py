"""JSON under Clojure's names: those of clojure.data.json (`read-str write-str`) and of cheshire.core (`parse-string
generate-string`).

Must not know JSON itself (`rtfs.builtins.json_parser` and `json_writer` do). Invariant: what the language cannot
serialize is refused here too; an option that would change nothing here is accepted, an unknown one is an error.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, need_string, shown, type_error
from rtfs.builtins.calling import call_with
from rtfs.builtins.declare import builtin
from rtfs.builtins.json_parser import parse
from rtfs.builtins.json_writer import serialize
from rtfs.values import Keyword, List, Map, Symbol, Vector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

READ_OPTIONS = ("key-fn", "value-fn", "bigdec", "eof-error?", "eof-value")
WRITE_OPTIONS = ("key-fn", "value-fn", "indent", "escape-unicode", "escape-slash", "escape-js-separators")


def _options(name: str, given: tuple[Any, ...], known: tuple[str, ...]) -> dict[str, Any]:
    """`:key value …`, or one map, as a dict by name."""
    if len(given) == 1 and (given[0].__class__ is Map or given[0] is None):
        given = tuple(part for entry in (given[0] or Map()).items() for part in entry)
    if len(given) % 2:
        raise argument_error(name, "takes its options in pairs, `:key-fn keyword`", "arity")
    found: dict[str, Any] = {}
    for key, value in zip(given[::2], given[1::2], strict=True):
        if key.__class__ is not Keyword or key.name not in known:
            raise argument_error(name, f"knows the options {', '.join(':' + one for one in known)}, not {shown(key)}")
        found[key.name] = value
    return found


def _changed(value: Any, key_fn: Any, value_fn: Any) -> Any:
    """Parsed data with `key_fn` on the keys of its maps and `value_fn` on (key, value), from the inside out."""
    if value.__class__ is Vector:
        return Vector.of([_changed(item, key_fn, value_fn) for item in value])
    if value.__class__ is not Map:
        return value
    made = []
    for old, held in value.items():
        inner = _changed(held, key_fn, value_fn)
        key = old if key_fn is None else call_with(key_fn, (old,))
        made.append((key, inner if value_fn is None else call_with(value_fn, (key, inner))))
    return Map(made)


@builtin(
    "clojure.data.json/read-str",
    "(clojure.data.json/read-str text & options)",
    "The value of a JSON text, with text keys; `:key-fn keyword` makes keywords, `:value-fn f` changes (key, value).",
    '(json/read-str "{\\"a\\": [1, null]}" :key-fn keyword)',
    "{:a [1 nil]}",
)
def read_str(text: Any, /, *options: Any) -> Any:
    name = "clojure.data.json/read-str"
    given = _options(name, options, READ_OPTIONS)
    need_string(name, "text", text)
    if not text.strip() and "eof-value" in given:
        return given["eof-value"]
    return _changed(parse(text), given.get("key-fn"), given.get("value-fn"))


@builtin(
    "clojure.data.json/write-str",
    "(clojure.data.json/write-str value & options)",
    "The value as JSON: keywords lose colon and namespace. `:key-fn f` makes the keys, `:value-fn f` changes (key, "
    "value), `:indent true` writes several lines.",
    '(json/write-str {:a [1 nil "x"]})',
    '"{\\"a\\":[1,null,\\"x\\"]}"',
)
def write_str(value: Any, /, *options: Any) -> str:
    given = _options("clojure.data.json/write-str", options, WRITE_OPTIONS)
    prepared = _for_writing(value, given.get("key-fn") or _bare_name, given.get("value-fn"), _bare_name)
    text = serialize(prepared, 2 if _truthy(given.get("indent")) else 0)
    if _truthy(given.get("escape-slash")):
        text = text.replace("/", "\\/")
    return _ascii(text) if _truthy(given.get("escape-unicode")) else text


@builtin(
    "cheshire.core/parse-string",
    "(cheshire.core/parse-string text key-fn?)",
    "The value of a JSON text; with true as second argument keys become keywords, else what a function makes of them.",
    '(json/parse-string "{\\"a\\": 1}" true)',
    "{:a 1}",
    aliases=("cheshire.core/parse-string-strict",),
)
def parse_string(text: Any, key_fn: Any = None, /) -> Any:
    if text is None:
        return None
    need_string("cheshire.core/parse-string", "text", text)
    if not text.strip():
        return None
    if key_fn is True:
        return parse(text, True)
    return _changed(parse(text), None if key_fn is False else key_fn, None)


@builtin(
    "cheshire.core/generate-string",
    "(cheshire.core/generate-string value options?)",
    "The value as JSON; options: {:pretty true :key-fn f}.",
    "(json/generate-string {:a 1 :n/b 2})",
    '"{\\"a\\":1,\\"n/b\\":2}"',
)
def generate_string(value: Any, options: Any = None, /) -> str:
    name = "cheshire.core/generate-string"
    if options is not None and options.__class__ is not Map:
        raise type_error(name, "the options", "a map", options)
    given = _options(name, (options,), ("pretty", "key-fn", "escape-non-ascii", "date-format"))
    prepared = _for_writing(value, given["key-fn"], None, None) if given.get("key-fn") is not None else value
    text = serialize(prepared, 2 if _truthy(given.get("pretty")) else 0)
    return _ascii(text) if _truthy(given.get("escape-non-ascii")) else text


def _truthy(value: Any) -> bool:
    return value is not None and value is not False


def _bare_name(key: Any) -> Any:
    if key.__class__ is Keyword or key.__class__ is Symbol:
        return key.name.partition("/")[2] or key.name
    return key


def _for_writing(value: Any, key_fn: Any, value_fn: Any, atom: Callable[[Any], Any] | None) -> Any:
    """The data with what the functions make of the keys and values of its maps; `atom` on what has no parts."""
    kind = value.__class__
    if kind is Vector or kind is List:
        return Vector.of([_for_writing(item, key_fn, value_fn, atom) for item in value])
    if kind is not Map:
        return value if atom is None else atom(value)
    made = []
    for key, held in value.items():
        name: Any = call_with(key_fn, (key,))
        inner = held if value_fn is None else call_with(value_fn, (key, held))
        made.append((name, _for_writing(inner, key_fn, value_fn, atom)))
    return Map(made)


def _ascii(text: str) -> str:
    """The JSON text with everything beyond ASCII as escapes."""
    if text.isascii():
        return text
    parts = []
    for char in text:
        if char.isascii():
            parts.append(char)
        else:
            units = char.encode("utf-16-be", "surrogatepass")
            parts += [f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    return "".join(parts)
