"""Strings: `str pr-str string-length substring split join upper lower trim replace starts-with? …`.

Must not know patterns (`regex`) nor directives (`formatting`). Invariants: a character is a code point; the size of a
result that can outgrow its arguments is checked before it is built.
"""

from __future__ import annotations

from rtfs.builtins.argument_errors import (
    MAX_ITEMS,
    MAX_TEXT,
    index_error,
    need_int,
    need_string,
    size_error,
    type_error,
)
from rtfs.builtins.collection_support import characters, items, like
from rtfs.builtins.declare import MISSING, builtin
from rtfs.builtins.deferred import regex, steps, transducers
from rtfs.builtins.long_text import LONG, PIECE, find, strip
from rtfs.builtins.long_text import lower as lower_text
from rtfs.builtins.long_text import split as split_text
from rtfs.builtins.long_text import upper as upper_text
from rtfs.syntax.printer import display, to_text
from rtfs.values import LazySeq, Map, Regex, Vector, lookup
from rtfs.values.step_account import listed, look, portions, spend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEXT_SHIFT = 8
"""256 characters cost about as much as an element."""
MANY = 10_000
"""Texts that are joined at a time."""


def concatenated(function: str, parts: list[str], separator: str = "") -> str:
    """The parts in one string with the separator between them. LimitError `limit/size` if that is too long."""
    if len(parts) > MANY:
        size = sum([sum(map(len, part)) for part in portions(parts)])
    else:
        size = sum(map(len, parts))
    size += len(separator) * (len(parts) - 1 if parts else 0)
    if size > MAX_TEXT:
        raise size_error(function)
    spend(size >> TEXT_SHIFT)
    if len(parts) > MANY:
        parts = [separator.join(part) for part in portions(parts)]
    return separator.join(parts)


def strings_together(parts: list[str], /) -> str:
    """`(str …)` of what has become strings already."""
    size = 0
    for part in parts:
        size += len(part)
    if size > MAX_TEXT:
        raise size_error("str")
    if size <= 4096:
        return "".join(parts)
    spend(size >> TEXT_SHIFT)
    text = "".join(parts)
    if size > LONG:
        look()  # what comes next may take as long again
    return text


def str1(value: Any, /) -> str:
    """`(str value)`."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int and -_SHORT < value < _SHORT:
        return repr(value)
    return "" if value is None else value.pattern if kind is Regex else display(value)


# Python refuses to print very long ints; up to here it does not mind
_SHORT = 1 << 64


@builtin(
    "str",
    "(str & values)",
    "The values as text, strings as they are, nil as nothing.",
    '(str "a" 1 :k nil [2])',
    '"a1:k[2]"',
)
def str_(*values: Any) -> str:
    if len(values) == 1:
        return str1(values[0])
    return texts_together(values)


def texts_together(values: Any) -> str:
    """`(str …)` of more than one value. Of many, no list of their texts is made: to free it takes as long as to make
    it."""
    pieces: list[str] = []
    size = 0
    for part in portions(values):
        piece = "".join([value if value.__class__ is str else str1(value) for value in part])
        size += len(piece)
        if size > MAX_TEXT:
            raise size_error("str")
        pieces.append(piece)
    if len(pieces) == 1:
        spend(size >> TEXT_SHIFT)
        return pieces[0]
    return concatenated("str", pieces)


@builtin(
    "pr-str",
    "(pr-str & values)",
    "The values as text that reads back, with spaces between.",
    '(pr-str "a" [1 "b"])',
    '"\\"a\\" [1 \\"b\\"]"',
)
def pr_str(*values: Any) -> str:
    if len(values) == 1:
        return to_text(values[0])
    return concatenated("pr-str", [to_text(value) for value in values], " ")


@builtin("string-length", "(string-length text)", "How many characters the string has.", '(string-length "é😀")', "2")
def string_length(text: Any, /) -> int:
    return len(need_string("string-length", "text", text))


@builtin(
    "substring",
    "(substring text start end?)",
    "The characters from start up to, not including, end (else to the end).",
    '(substring "hello" 1 3)',
    '"el"',
    aliases=("subs",),
)
def substring(text: Any, start: Any, end: Any = None, /) -> str:
    size = len(need_string("substring", "text", text))
    need_int("substring", "start", start)
    if not 0 <= start <= size:
        raise index_error("substring", start, size, "characters")
    if end is None:
        return text[start:]  # type: ignore[no-any-return]
    need_int("substring", "end", end)
    if not start <= end <= size:
        raise index_error("substring", end, size, f"characters from {start}" if end < start else "characters")
    return text[start:end]  # type: ignore[no-any-return]


@builtin(
    "string-contains?",
    "(string-contains? text part)",
    "Does the part occur in the text?",
    '(string-contains? "hello" "ell")',
    "true",
    aliases=("string-contains",),
)
def string_contains(text: Any, part: Any, /) -> bool:
    wanted = need_string("string-contains?", "part", part)
    whole = need_string("string-contains?", "text", text)
    return wanted in whole if len(whole) <= LONG else find(whole, wanted) >= 0


@builtin("starts-with?", "(starts-with? text part)", "Does the text start so?", '(starts-with? "hello" "he")', "true")
def starts_with(text: Any, part: Any, /) -> bool:
    return need_string("starts-with?", "text", text).startswith(need_string("starts-with?", "part", part))


@builtin("ends-with?", "(ends-with? text part)", "Does the text end so?", '(ends-with? "hello" "lo")', "true")
def ends_with(text: Any, part: Any, /) -> bool:
    return need_string("ends-with?", "text", text).endswith(need_string("ends-with?", "part", part))


@builtin(
    "split",
    "(split text separator limit?)",
    'The parts between a literal separator, empty ones too; by "" the characters; by a #"…" as Clojure\'s `split`.',
    '(split "a,b,,c" ",")',
    '["a" "b" "" "c"]',
    '(split "abc" "")',
    '["a" "b" "c"]',
    '(split "a1b22c" #"[0-9]+")',
    '["a" "b" "c"]',
)
def split(text: Any, separator: Any, limit: Any = MISSING, /) -> Vector:
    need_string("split", "text", text)
    if separator.__class__ is Regex:
        return regex.split_by("split", text, separator, 0 if limit is MISSING else limit)
    need_string("split", "separator", separator)
    wanted = 0 if limit is MISSING else need_int("split", "the limit", limit)
    if 0 < wanted <= MAX_ITEMS:
        return Vector.of(text.split(separator, wanted - 1) if separator else [*text[: wanted - 1], text[wanted - 1 :]])
    if len(text) <= PIECE:
        return Vector.of(text.split(separator) if separator else list(text))
    parts = split_text(text, separator, MAX_ITEMS) if separator else characters(text[: MAX_ITEMS + 1])
    if len(parts) > MAX_ITEMS:
        raise size_error("split", "a vector", MAX_ITEMS, "elements")
    return Vector.of(parts)


@builtin(
    "join",
    "(join separator coll)",
    "The elements of a collection as text, with the separator between them.",
    '(join ", " [1 :k "s"])',
    '"1, :k, s"',
    aliases=("string-join",),
)
def join(separator: Any, coll: Any, /) -> str:
    need_string("join", "separator", separator)
    elements = items("join", coll)
    try:
        return concatenated("join", listed(elements), separator)
    except TypeError:  # not all of them are strings
        texts = [e if e.__class__ is str else str1(e) for part in portions(elements) for e in part]
        return concatenated("join", texts, separator)


@builtin("upper", "(upper text)", "The text in capital letters.", '(upper "añb")', '"AÑB"', aliases=("string-upper",))
def upper(text: Any, /) -> str:
    whole = need_string("upper", "text", text)
    return whole.upper() if len(whole) <= LONG else upper_text(whole)


@builtin("lower", "(lower text)", "The text in small letters.", '(lower "ABC")', '"abc"', aliases=("string-lower",))
def lower(text: Any, /) -> str:
    whole = need_string("lower", "text", text)
    return whole.lower() if len(whole) <= LONG else lower_text(whole)


@builtin(
    "trim",
    "(trim text)",
    "The text without white space at its ends.",
    '(trim "  a b ")',
    '"a b"',
    aliases=("string-trim",),
)
def trim(text: Any, /) -> str:
    return strip(need_string("trim", "text", text))


@builtin(
    "replace",
    "(replace text part? replacement?)",
    'Every part replaced: a text by a text, matches of a #"…" by a text with $1 or by what a function answers.',
    '(replace "a-b-c" "-" "+")',
    '"a+b+c"',
    '(replace "a1b2" #"([a-z])([0-9])" "$2$1")',
    '"1a2b"',
    "(replace {1 :one} [1 2])",
    "[:one 2]",
    aliases=("string-replace",),
)
def replace(text: Any, part: Any = MISSING, replacement: Any = MISSING, /) -> Any:
    if replacement is MISSING:
        return _replace_elements(text, part)
    need_string("replace", "text", text)
    if part.__class__ is Regex:
        return regex.replace_by("replace", text, part, replacement)
    need_string("replace", "part", part)
    need_string("replace", "replacement", replacement)
    if len(text) > LONG and part:
        return concatenated("replace", split_text(text, part), replacement)
    if len(replacement) > len(part) and len(text) + text.count(part) * (len(replacement) - len(part)) > MAX_TEXT:
        raise size_error("replace")
    return text.replace(part, replacement)


def _replace_elements(replacements: Any, coll: Any) -> Any:
    """Clojure's `(replace map coll?)`: the elements, those that are keys of the map replaced by their values."""
    if replacements.__class__ is not Map and replacements.__class__ is not Vector:
        raise type_error("replace", "the replacements", "a map or a vector", replacements)

    def replaced(element: Any) -> Any:
        return lookup.get(replacements, element, element)

    if coll is MISSING:
        return transducers.mapping(replaced)
    if coll.__class__ is LazySeq:
        return steps.lazy_map(replaced, coll)
    return like(coll, [replaced(element) for element in items("replace", coll)])
