"""Java's methods that are pure: of texts, numbers, collections and errors, as `(.method value …)`.

Must not know the functions' own names in the language. Invariants: an index is as strict as Java's; what a method is
not there for is a type error that names it.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import argument_error, index_error, need_int, need_string, type_error
from rtfs.builtins.clojure import string as text_functions
from rtfs.builtins.clojure.java_math import as_float
from rtfs.builtins.collection_support import items
from rtfs.builtins.comparison import compare
from rtfs.builtins.declare import builtin
from rtfs.builtins.regex import split_by
from rtfs.builtins.strings import concatenated, replace, str1
from rtfs.values import List, Map, UserError, Vector
from rtfs.values.equality import equal
from rtfs.values.lookup import get

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _of_text(name: str, doc: str, example: str, printed: str, compute: Callable[[str], Any]) -> None:
    """A method of texts without arguments."""

    @builtin(name, f"({name} text)", doc, f"({name} {example})", printed)
    def function(text: Any, /) -> Any:
        return compute(need_string(name, "the text", text))


def _with_text(name: str, doc: str, example: str, printed: str, compute: Callable[[str, str], Any]) -> None:
    """A method of texts with a text as its argument."""

    @builtin(name, f"({name} text part)", doc, f"({name} {example})", printed)
    def function(text: Any, part: Any, /) -> Any:
        return compute(need_string(name, "the text", text), need_string(name, "the argument", part))


def stripped(text: str) -> str:
    """Java's `trim`: everything up to the blank goes."""
    return text.strip("".join(map(chr, range(33))))


_of_text(".toUpperCase", "The text in capital letters.", '"ab"', '"AB"', str.upper)
_of_text(".toLowerCase", "The text in small letters.", '"AB"', '"ab"', str.lower)
_of_text(".trim", "The text without blanks and control characters at its ends.", '" a "', '"a"', stripped)
_of_text(".strip", "The text without white space at its ends.", '" a "', '"a"', text_functions.trim)
_of_text(".stripLeading", "The text without white space at its start.", '" a"', '"a"', text_functions.triml)
_of_text(".stripTrailing", "The text without white space at its end.", '"a "', '"a"', text_functions.trimr)
_of_text(".isBlank", "Is it nothing but white space?", '" "', "true", text_functions.is_blank)
_of_text(
    ".toCharArray",
    "The characters of the text.",
    '"ab"',
    '["a" "b"]',
    lambda text: Vector.of(list(text)),
)
_of_text(".length", "How many characters the text has.", '"abc"', "3", len)
_with_text(".startsWith", "Does the text start so?", '"hello" "he"', "true", str.startswith)
_with_text(".endsWith", "Does the text end so?", '"hello" "lo"', "true", str.endswith)
_with_text(
    ".concat", "The text with another behind it.", '"a" "b"', '"ab"', lambda a, b: concatenated(".concat", [a, b])
)
_with_text(
    ".equalsIgnoreCase",
    "Are they equal but for capitals?",
    '"Ab" "aB"',
    "true",
    lambda a, b: a.upper().lower() == b.upper().lower(),
)
_with_text(
    ".matches",
    "Does the regular expression match all of the text?",
    '"abc" "[a-z]+"',
    "true",
    lambda text, pattern: _whole_match(pattern, text),
)


def _whole_match(pattern: str, text: str) -> bool:
    from rtfs.builtins.regex import first_match

    return first_match(".matches", pattern, text, whole=True) is not None


@builtin(
    ".charAt",
    "(.charAt text index)",
    "The character at an index.",
    '(.charAt "abc" 1)',
    '"b"',
)
def char_at(text: Any, index: Any, /) -> str:
    whole = need_string(".charAt", "the text", text)
    if not 0 <= need_int(".charAt", "the index", index) < len(whole):
        raise index_error(".charAt", index, len(whole), "characters")
    return whole[index]


@builtin(
    ".substring",
    "(.substring text start end?)",
    "The characters from start up to, not including, end (else to the end).",
    '(.substring "hello" 1 3)',
    '"el"',
)
def substring(text: Any, start: Any, end: Any = None, /) -> str:
    whole = need_string(".substring", "the text", text)
    stop = len(whole) if end is None else need_int(".substring", "the end", end)
    if not 0 <= need_int(".substring", "the start", start) <= stop <= len(whole):
        raise index_error(".substring", start if start < 0 or start > stop else stop, len(whole), "characters")
    return whole[start:stop]


@builtin(
    ".indexOf",
    "(.indexOf value part from?)",
    "Where a text has a part, or a collection an element; -1 if nowhere.",
    '(.indexOf "hello" "l")',
    "2",
    "(.indexOf [1 2] 3)",
    "-1",
)
def index_of(value: Any, part: Any, start: Any = 0, /) -> int:
    if value.__class__ is str:
        if part.__class__ is int and not 0 <= part < 0x110000:
            return -1  # not a character: it is nowhere
        wanted = chr(part) if part.__class__ is int else need_string(".indexOf", "the part", part)
        first = max(0, need_int(".indexOf", "from", start))
        return value.find(wanted, min(first, len(value)))
    for index, item in enumerate(_elements(".indexOf", value)):
        if equal(item, part):
            return index
    return -1


@builtin(
    ".lastIndexOf",
    "(.lastIndexOf value part)",
    "Where a text last has a part, or a collection an element; -1 if nowhere.",
    '(.lastIndexOf "hello" "l")',
    "3",
)
def last_index_of(value: Any, part: Any, /) -> int:
    if value.__class__ is str:
        return value.rfind(need_string(".lastIndexOf", "the part", part))
    elements = list(_elements(".lastIndexOf", value))
    for index in range(len(elements) - 1, -1, -1):
        if equal(elements[index], part):
            return index
    return -1


def _elements(name: str, value: Any) -> Any:
    """The elements of a collection; a map or nil has none to Java."""
    if value is None or value.__class__ is Map:
        raise type_error(name, "the collection", "a string, vector, list or set", value)
    return items(name, value)


@builtin(
    ".contains",
    "(.contains value part)",
    "Does a text have the part, or a collection the element?",
    '(.contains "hello" "ell")',
    "true",
    "(.contains [1 2] 2)",
    "true",
)
def contains(value: Any, part: Any, /) -> bool:
    if value.__class__ is str:
        return need_string(".contains", "the part", part) in value
    return any(equal(item, part) for item in _elements(".contains", value))


@builtin(
    ".isEmpty",
    "(.isEmpty value)",
    "Has a text no characters, or a collection no elements?",
    '(.isEmpty "")',
    "true",
)
def is_empty(value: Any, /) -> bool:
    return _size(".isEmpty", value) == 0


@builtin(".size", "(.size coll)", "How many elements a collection has.", "(.size [1 2])", "2", aliases=(".count",))
def size(coll: Any, /) -> int:
    return _size(".size", coll)


def _size(name: str, value: Any) -> int:
    if value is None:
        raise type_error(name, "its argument", "a string or a collection", value)
    return len(items(name, value))


@builtin(
    ".split",
    "(.split text pattern limit?)",
    "The parts between what a regular expression matches, without empty ones at the end.",
    '(.split "a1b2" "[0-9]")',
    '["a" "b"]',
)
def split(text: Any, pattern: Any, limit: Any = 0, /) -> Vector:
    whole = need_string(".split", "the text", text)
    return split_by(".split", whole, pattern, limit)


@builtin(
    ".replace",
    "(.replace text part replacement)",
    "The text with every occurrence of a part replaced.",
    '(.replace "a-b" "-" "+")',
    '"a+b"',
)
def replace_part(text: Any, part: Any, replacement: Any, /) -> str:
    need_string(".replace", "the part", part)
    made: str = replace(need_string(".replace", "the text", text), part, replacement)
    return made


@builtin(
    ".repeat",
    "(.repeat text count)",
    "The text several times.",
    '(.repeat "ab" 2)',
    '"abab"',
)
def repeat(text: Any, count: Any, /) -> str:
    times = need_int(".repeat", "the count", count)
    if times < 0:
        raise argument_error(".repeat", "takes no negative count")
    whole = need_string(".repeat", "the text", text)
    from rtfs.builtins.argument_errors import MAX_TEXT, size_error

    if len(whole) * times > MAX_TEXT:
        raise size_error(".repeat")
    return whole * times


# ---------------------------------------------------------------------- any value
@builtin(".equals", "(.equals a b)", "Are they equal?", '(.equals "a" "a")', "true")
def equals(a: Any, b: Any, /) -> bool:
    return equal(a, b)


@builtin(".toString", "(.toString value)", "The value as text.", "(.toString [1])", '"[1]"')
def to_string(value: Any, /) -> str:
    if value is None:
        raise type_error(".toString", "its argument", "a value", value)
    return str1(value)


@builtin(".compareTo", "(.compareTo a b)", "-1, 0 or 1: the order of two values.", "(.compareTo 1 2)", "-1")
def compare_to(a: Any, b: Any, /) -> int:
    return compare(a, b)


# ---------------------------------------------------------------------- numbers
def _number(name: str, doc: str, printed: str, whole: bool) -> None:
    @builtin(name, f"({name} number)", doc, f"({name} 2.5)", printed)
    def function(number: Any, /) -> int | float:
        from rtfs.builtins.mathematics import to_int

        value = as_float(name, number)
        return number if whole and number.__class__ is int else to_int(number) if whole else value


_number(".intValue", "The number without its fraction.", "2", True)
_number(".longValue", "The number without its fraction.", "2", True)
_number(".doubleValue", "The number as a float.", "2.5", False)


# ---------------------------------------------------------------------- maps
@builtin(".get", "(.get coll key)", "The value of a key, or the element at an index.", "(.get {:a 1} :a)", "1")
def get_value(coll: Any, key: Any, /) -> Any:
    if coll.__class__ is Vector or coll.__class__ is List:
        if not 0 <= need_int(".get", "the index", key) < len(coll):
            raise index_error(".get", key, len(coll))
        return coll[key]
    return get(coll, key)


@builtin(
    ".getOrDefault",
    "(.getOrDefault map key default)",
    "The value of a key, or the default.",
    "(.getOrDefault {} :a 1)",
    "1",
)
def get_or_default(m: Any, key: Any, default: Any, /) -> Any:
    return _need_map(".getOrDefault", m).get(key, default)


@builtin(".containsKey", "(.containsKey map key)", "Has the map the key?", "(.containsKey {:a 1} :a)", "true")
def contains_key(m: Any, key: Any, /) -> bool:
    return key in _need_map(".containsKey", m)


def _need_map(name: str, value: Any) -> Any:
    if value.__class__ is not Map:
        raise type_error(name, "its argument", "a map", value)
    return value


# ---------------------------------------------------------------------- errors
def _of_error(name: str, doc: str, example: str, printed: str, read: Callable[[UserError], Any]) -> None:
    @builtin(name, f"({name} error)", doc, f"({name} {example})", printed)
    def function(error: Any, /) -> Any:
        if not isinstance(error, UserError):
            raise type_error(name, "its argument", "an error", error)
        return read(error)


_MESSAGE = "The message of an error; nil if it was made without one."
_of_error(".getMessage", _MESSAGE, '(ex-info "m" {})', '"m"', lambda error: error.message or None)
_of_error(".getLocalizedMessage", _MESSAGE, '(ex-info "m" {})', '"m"', lambda error: error.message or None)
_of_error(".getData", "The data of an error.", '(ex-info "m" {:a 1})', "{:a 1}", lambda error: error.data)
_of_error(".getCause", "The error that led to this one, or nil.", '(ex-info "m" {})', "nil", lambda error: error.cause)
